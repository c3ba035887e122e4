#ifndef MOEPROBE_CLIENT_COMMANDS_SHOW_MATRIX_H_
#define MOEPROBE_CLIENT_COMMANDS_SHOW_MATRIX_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "client/commands/session.h"

namespace moeprobe {

// Which matrices to show.
struct MatrixView {
  std::string job;
  std::string quantity = "jacobian_cosine/routed";
  std::optional<int64_t> layer;  // nothing: every layer
  // As `show JOB --json` has it, such as "data0/model"; nothing: every part,
  // but of an experiment those at their last step.
  std::optional<std::string> part;
};

// The command `matrix JOB`: a quantity of pairs of experts as blocks, layer by
// layer. NotFound, with what there is, if the job has no such matrix.
absl::Status ShowMatrix(Session& session, const MatrixView& view);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_COMMANDS_SHOW_MATRIX_H_
