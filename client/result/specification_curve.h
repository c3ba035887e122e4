#ifndef MOEPROBE_CLIENT_RESULT_SPECIFICATION_CURVE_H_
#define MOEPROBE_CLIENT_RESULT_SPECIFICATION_CURVE_H_

#include <optional>
#include <string>
#include <vector>

#include "client/result/row_nulls.h"
#include "moeprobe/v1/result_service.pb.h"

namespace moeprobe {

// What a claim comes to under one choice of everything that a paper may choose:
// one mean against one null.
struct Outcome {
  std::string part;      // "model", "data1/baseline"
  std::string settings;  // of the sweep's cell: "temperature 0.5"
  int layer = 0;
  std::string reading;  // convention or weighting: "sample_weighted"
  std::string null;     // as in a request: "random_router"
  double mean = 0;
  std::optional<double> low = {}, high = {};  // of the mean's interval
  RowNull drawn;
  double z = 0;  // (mean - null mean) / null deviation; NaN where that is 0
};

// All outcomes of one claim (specification curve: Simonsohn, Simmons & Nelson
// 2020), the least above its null first.
struct SpecificationCurve {
  std::string claim;  // quantity without its reading: "grassmann"
  std::vector<Outcome> outcomes;
};

// Returns the curves of a result, by claim; none if no null was drawn.
std::vector<SpecificationCurve> SpecificationCurves(const v1::Result& result);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_RESULT_SPECIFICATION_CURVE_H_
