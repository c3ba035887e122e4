#ifndef MOEPROBE_CORE_PLAN_DECODER_SHAPE_H_
#define MOEPROBE_CORE_PLAN_DECODER_SHAPE_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/checkpoint/model_config.h"

namespace moeprobe {

// Examples of an MLP that stand side by side as the tokens of a window do: what
// is drawn together, where draws are of windows.
inline constexpr int64_t kExampleWindow = 16;

// Sizes of a decoder-only transformer, or of what is left of one without
// attention and norms: one block of experts, or one MLP, between examples and a
// linear read-out. The defaults are those of the second
// paper's controlled experiments. The kind of its experts says what is around
// them: layer norms, learned positions and biases everywhere but in the head
// where they have two layers; where they are gated, Mixtral's decoder: RMS
// norms, rotary positions, no biases.
struct DecoderShape {
  int64_t layers = 3;          // L
  int64_t width = 128;         // d
  int64_t heads = 4;           // each d / heads wide
  int64_t context = 64;        // tokens of a window
  int64_t vocabulary = 256;    // V; examples of an MLP
  int64_t experts = 8;         // E; 0: a dense MLP in their place
  int64_t expert_width = 256;  // f, of the dense MLP where there is one
  ExpertKind expert = ExpertKind::kGeluMlp;
  int64_t outputs = 0;  // m, of an MLP; 0: a decoder

  // Whether it is one layer without attention; `heads` have no meaning then.
  bool is_mlp() const { return outputs > 0; }
};

// Returns InvalidArgument, naming the size, if one is not positive (`experts`
// and `outputs` may be 0), heads do not divide the width, rotary positions
// would need an even width of a head and it is odd, or an MLP has several
// layers.
absl::Status CheckShape(const DecoderShape& shape);

// Parameters of one MLP, dense or expert, of a model of this width.
int64_t MlpParameterCount(ExpertKind kind, int64_t width, int64_t mlp_width);

// Parameters of the whole model, each counted once.
int64_t ParameterCount(const DecoderShape& shape);

// Numbers that a checkpoint of the model holds: with the examples of an MLP.
int64_t StoredNumberCount(const DecoderShape& shape);

// What a dense model has as many of as a model with experts.
enum class WidthMatch : std::uint8_t {
  kExpert,  // the width of one expert (second paper, appendix C.1)
  kActive,  // parameters that act on a token: its k experts and the router
  kTotal,   // parameters of all experts and the router
};

// Returns the dense counterpart of `shape`, whose MLP has the width that comes
// closest to the match; `per_token` is k.
//
// Returns InvalidArgument if `shape` has no experts or fewer than `per_token`.
absl::StatusOr<DecoderShape> DenseCounterpart(const DecoderShape& shape,
                                              int64_t per_token,
                                              WidthMatch match);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PLAN_DECODER_SHAPE_H_
