#ifndef MOEPROBE_SERVER_DATASET_CHECK_H_
#define MOEPROBE_SERVER_DATASET_CHECK_H_

#include <string>
#include <string_view>
#include <variant>

#include "absl/status/status.h"
#include "core/base/npy.h"
#include "core/base/utf8.h"
#include "moeprobe/v1/dataset_service.pb.h"

namespace moeprobe {

// Whether what comes in pieces is the data set that was announced: text in
// UTF-8, or token ids. A data set may be larger than what a server should have
// in memory, so nothing of it is kept.
class DatasetCheck {
 public:
  explicit DatasetCheck(const v1::Dataset& announced);

  void Append(std::string_view piece);

  // InvalidArgument if the pieces so far, all of them, are no such data set.
  absl::Status End();

 private:
  std::string display_name_;
  std::variant<Utf8Check, TokenIdCheck> content_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_DATASET_CHECK_H_
