#include "client/testing/summary_rows.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/result_service.pb.h"

namespace moeprobe {

v1::SummaryRow& AddRow(v1::Result& result, const std::string& prefix, int layer,
                       const std::string& quantity, double mean) {
  v1::SummaryRow& row = *result.add_summary();
  row.set_name(absl::StrCat(prefix, "layer", layer, "/", quantity));
  row.set_layer(layer);
  row.set_quantity(quantity);
  row.set_mean(mean);
  row.set_count(28);
  return row;
}

}  // namespace moeprobe
