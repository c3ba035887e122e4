#ifndef MOEPROBE_SERVER_SCRATCH_H_
#define MOEPROBE_SERVER_SCRATCH_H_

#include <cstdint>
#include <filesystem>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "core/base/bounded_directory.h"
#include "moeprobe/v1/worker_service.pb.h"

namespace moeprobe {

// Where workers put files: a directory for each job, and one for hidden states
// that all jobs share. Thread-safe.
class Scratch {
 public:
  // In `hidden_states` workers keep at most so many bytes.
  Scratch(std::filesystem::path directory, std::filesystem::path hidden_states,
          int64_t hidden_state_bytes)
      : directory_(std::move(directory)),
        hidden_states_(std::move(hidden_states)),
        hidden_state_bytes_(hidden_state_bytes) {}

  BoundedDirectory hidden_states() const {
    return {hidden_states_, hidden_state_bytes_};
  }

  // Makes the directory of a job, unless it is there, and names all
  // directories in its task.
  absl::Status Make(int64_t job, v1::Task& task) const;

  // Removes the directory of a job with all that is in it.
  void Remove(int64_t job) const;

  // Removes the directories of all jobs but these, and hidden states that are
  // incomplete or beyond the limit.
  void RemoveAllBut(const std::vector<int64_t>& jobs) const;

 private:
  std::filesystem::path directory_;
  std::filesystem::path hidden_states_;
  int64_t hidden_state_bytes_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_SCRATCH_H_
