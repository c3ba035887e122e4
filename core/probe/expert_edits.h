#ifndef MOEPROBE_CORE_PROBE_EXPERT_EDITS_H_
#define MOEPROBE_CORE_PROBE_EXPERT_EDITS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "core/checkpoint/checkpoint.h"
#include "core/model/router.h"
#include "core/probe/probe_options.h"
#include "core/probe/redundancy_pairs.h"

namespace moeprobe {

// Which expert of a pair an intervention spares, and which it does away with.
struct EditedPair {
  int64_t kept = 0;
  int64_t removed = 0;
};

// Returns the pair with the expert to keep first: the one that more tokens are
// routed to; of equals, the first.
EditedPair OrderByLoad(const ExpertPair& pair, const Routing& routing);

// Returns `count` of `ranked` pairs, in order: the closest half of them, and
// the rest spread evenly over the others, the last one included, so that what
// is measured on them has a range to correlate over. All if there are not more.
std::vector<ExpertPair> SelectPairs(const std::vector<ExpertPair>& ranked,
                                    int64_t count);

// A layer after an intervention. Its views of other experts' weights are those
// of the layer it came from, which must outlive it.
struct EditedLayer {
  LayerTensors tensors;
  Routing routing;
  std::vector<at::Tensor> averages = {};  // weights that `tensors` views
};

// Returns the layer with a pair edited:
//   average  both experts have (W_kept + W_removed) / 2, weight by weight, in
//            float32: neurons are not matched first
//   replace  `removed` has the weights of `kept`
//   ablate   the gate of `removed` is 0; others are not scaled up for it
EditedLayer Edit(const LayerTensors& tensors, const Routing& routing,
                 const EditedPair& pair, Intervention intervention);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PROBE_EXPERT_EDITS_H_
