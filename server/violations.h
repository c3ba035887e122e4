#ifndef MOEPROBE_SERVER_VIOLATIONS_H_
#define MOEPROBE_SERVER_VIOLATIONS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace moeprobe {

// One thing that is wrong with a request.
struct Violation {
  std::string field;        // such as "data[0].sequence_length"
  std::string description;  // one printable line
  absl::StatusCode code = absl::StatusCode::kInvalidArgument;
};

// Everything that is wrong with a request; of a request that is wrong in more
// than a hundred places, the first hundred.
class Violations {
 public:
  void Add(const std::string& field, const std::string& description,
           absl::StatusCode code = absl::StatusCode::kInvalidArgument);

  bool empty() const { return list_.empty(); }
  const std::vector<Violation>& list() const { return list_; }

  // Returns all of them as one status: InvalidArgument if the request itself
  // is wrong anywhere, else the code of the first. OK if there are none.
  absl::Status ToStatus() const;

 private:
  std::vector<Violation> list_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_VIOLATIONS_H_
