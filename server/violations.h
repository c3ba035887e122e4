#ifndef MOEPROBE_SERVER_VIOLATIONS_H_
#define MOEPROBE_SERVER_VIOLATIONS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace moeprobe {

// One thing that is wrong with a request.
struct Violation {
  std::string field;        // such as "data[0].sequence_length"
  std::string description;  // one printable line
  absl::StatusCode code = absl::StatusCode::kInvalidArgument;
  // When the same may be right, if anybody knows.
  std::optional<absl::Duration> retry_delay = {};
};

// Everything that is wrong with a request; of a request that is wrong in more
// than a hundred places, the first hundred.
class Violations {
 public:
  void Add(const std::string& field, const std::string& description,
           absl::StatusCode code = absl::StatusCode::kInvalidArgument);
  void Add(Violation violation);

  // Adds why what a field names cannot be used: `status`, an error, and when to
  // try again, if it says that.
  void Add(const std::string& field, const absl::Status& status);

  bool empty() const { return list_.empty(); }
  const std::vector<Violation>& list() const { return list_; }

  // Returns all of them as one status: InvalidArgument if the request itself
  // is wrong anywhere, else the code of the first, and when to try again, if
  // that one says it. OK if there are none.
  absl::Status ToStatus() const;

 private:
  std::vector<Violation> list_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_VIOLATIONS_H_
