#ifndef MOEPROBE_SERVER_VARIANT_RESOLUTION_H_
#define MOEPROBE_SERVER_VARIANT_RESOLUTION_H_

#include "core/plan/decoder_shape.h"
#include "moeprobe/v1/training.pb.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/violations.h"

namespace moeprobe {

// Fills in every default of the variants of an experiment whose model is
// resolved, and checks them and the names in `swap_routing`. What is wrong goes
// to `violations`, under "variants.{name}".
void ResolveVariants(v1::TrainSpec& spec, Violations& violations);

// Whether a resolved variant has experts.
bool HasExperts(const v1::Variant& variant);

// Whether an experiment trains models without attention, on examples.
bool TrainsMlp(const v1::TrainSpec& spec);

// Returns how many tokens of the evaluated text, or examples, are a window.
int64_t WindowOf(const v1::TrainSpec& spec);

// Returns the sizes of the models that all variants with experts have.
// `vocabulary_size`: or the number of examples; `outputs`: of a model without
// attention, 0 for a decoder.
DecoderShape ShapeOf(const v1::ModelShape& model, int64_t vocabulary_size,
                     int64_t outputs);

// Returns how tokens choose experts in a resolved variant with experts.
v1::RoutingRule RuleOf(const v1::Variant& variant, int64_t experts);

// Returns the sizes of a resolved variant's models: with 0 experts, and the
// width of its MLP, where it is dense.
v1::ModelShape ShapeOf(const v1::Variant& variant, const v1::TrainSpec& spec);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_VARIANT_RESOLUTION_H_
