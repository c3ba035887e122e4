#ifndef MOEPROBE_CORE_CHECKPOINT_LAYER_VISITOR_H_
#define MOEPROBE_CORE_CHECKPOINT_LAYER_VISITOR_H_

#include "core/checkpoint/checkpoint.h"

namespace moeprobe {

// Calls visit(view) on every tensor of an MLP, `down` last: whoever waits for
// that has them all.
template <typename Mlp, typename Visitor>
void VisitMlp(Mlp& mlp, Visitor visit) {
  visit(mlp.gate);
  for (auto* optional : {&mlp.up, &mlp.gate_bias, &mlp.down_bias}) {
    if (*optional) visit(**optional);
  }
  visit(mlp.down);
}

// Calls visit(view) on every tensor of a norm, the factors last.
template <typename Norm, typename Visitor>
void VisitNorm(Norm& norm, Visitor visit) {
  if (norm.bias) visit(*norm.bias);
  visit(norm.weight);
}

// Calls visit(view) on every tensor of an attention.
template <typename Attention, typename Visitor>
void VisitAttention(Attention& attention, Visitor visit) {
  visit(attention.query);
  visit(attention.key);
  visit(attention.value);
  visit(attention.output);
  for (auto* optional :
       {&attention.query_bias, &attention.key_bias, &attention.value_bias,
        &attention.output_bias, &attention.query_norm, &attention.key_norm}) {
    if (*optional) visit(**optional);
  }
}

// Calls visit(view) on every tensor of `layer`, LayerTensors that may be const,
// in the order of Checkpoint::TensorsOfLayer.
template <typename Layer, typename Visitor>
void VisitLayer(Layer& layer, Visitor visit) {
  if (layer.input_norm) VisitNorm(*layer.input_norm, visit);
  if (layer.attention) VisitAttention(*layer.attention, visit);
  if (layer.mlp_norm) VisitNorm(*layer.mlp_norm, visit);
  if (layer.dense) VisitMlp(*layer.dense, visit);
  if (layer.router_bias) visit(*layer.router_bias);
  if (layer.router) visit(*layer.router);
  for (auto& expert : layer.experts) VisitMlp(expert, visit);
  if (layer.shared) VisitMlp(*layer.shared, visit);
  if (layer.shared_gate) visit(*layer.shared_gate);
}

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_CHECKPOINT_LAYER_VISITOR_H_
