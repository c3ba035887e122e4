#ifndef MOEPROBE_CLIENT_RESULT_DATA_ROWS_H_
#define MOEPROBE_CLIENT_RESULT_DATA_ROWS_H_

#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/result_service.pb.h"

namespace moeprobe {

// A quantity at one layer of the model.
struct DataRow {
  int layer = 0;  // of the model, also where the row is the baseline's
  const v1::SummaryRow* row = nullptr;
};

// What a result says of the model and its baseline on one data set, by the
// model's layers: a row of the baseline stands beside every layer of the model
// that has its depth. Refers to the result, which must outlive it.
class DataRows {
 public:
  // `prefix` is that of the data set's arrays: "", "data1/".
  DataRows(const v1::Result& result, std::string prefix);

  // Returns rows of the part `part`, "" or "baseline/", by ascending layer of
  // the model; those without a finite mean are left out.
  std::vector<DataRow> Find(const std::string& part,
                            const std::string& quantity) const;

  // Whether the baseline has another number of layers than the model.
  bool DepthsDiffer() const;

  // Returns "16", or "16 (8)" with the baseline's layer where it is another
  // number of them.
  std::string LayerText(int layer) const;

 private:
  int BaselineLayer(int layer) const;

  const v1::Result& result_;
  std::string prefix_;
  int layer_count_ = 0;           // of the model; 0: not known
  int baseline_layer_count_ = 0;  // of the baseline; 0: not known or none
};

// Returns the tables that `table` makes of each data set by its prefix, in
// order, each below the name of its data set where there are several. What has
// no table is left out.
std::string TablesByDataSet(
    const v1::Result& result,
    absl::FunctionRef<std::string(const std::string& prefix)> table);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_RESULT_DATA_ROWS_H_
