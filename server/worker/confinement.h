#ifndef MOEPROBE_SERVER_WORKER_CONFINEMENT_H_
#define MOEPROBE_SERVER_WORKER_CONFINEMENT_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "server/isolation/process_limits.h"
#include "server/worker/tokenizer.h"

namespace moeprobe {

// What a worker is kept to.
struct Confinement {
  ProcessLimits limits;
  // Directories that it may read, and that it may write as well. Where none is
  // named, all files stay in reach.
  std::vector<std::string> readable;
  std::vector<std::string> writable;
};

// Keeps this process and all that it starts to that, to the programs and
// libraries that it and the tokenizer's process need whatever they work on, and
// from making sockets, for good. Homes, and what /etc says of the machine, are
// not among those files. Walls that the kernel has no means for are left out:
// see GapsIn(). Call before there is a second thread.
//
// Errors: those of LimitProcess, RestrictFiles and ForbidSockets.
absl::Status Confine(const Confinement& confinement,
                     const TokenizerOptions& tokenizer);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_WORKER_CONFINEMENT_H_
