#include "core/train/training_config.h"

#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/status.h"
#include "core/checkpoint/model_config.h"
#include "core/plan/decoder_shape.h"
#include "core/train/decoder.h"
#include "core/train/training_options.h"

namespace moeprobe {
namespace {

using Json = nlohmann::ordered_json;

Json InputKeys(const DecoderShape& shape) {
  if (shape.is_mlp()) {
    return {{"num_examples", shape.vocabulary}, {"num_outputs", shape.outputs}};
  }
  return {{"num_attention_heads", shape.heads},
          {"num_key_value_heads", shape.heads},
          {"vocab_size", shape.vocabulary},
          {"max_position_embeddings", shape.context}};
}

// What all families call the same. `initialization` is a key of ours: what
// weights were before training.
Json CommonKeys(const TrainingOptions& options) {
  const DecoderShape& shape = options.shape;
  const bool is_normal = options.initialization == Initialization::kNormal002;
  Json keys{{"hidden_size", shape.width},
            {"intermediate_size", shape.expert_width},
            {"num_hidden_layers", shape.layers}};
  keys.update(InputKeys(shape));
  keys.update({{"tie_word_embeddings", false},
               {"initialization", is_normal ? "normal" : "torch"},
               {"initializer_range", kInitialDeviation},
               {"torch_dtype", "float32"}});
  return keys;
}

void AddExperts(const TrainingOptions& options, Json& config) {
  if (options.shape.experts == 0) return;
  config["num_local_experts"] = options.shape.experts;
  config["num_experts_per_tok"] = options.routing.per_token;
}

// In families of ours.
void AddRoutingRule(const TrainingOptions& options, Json& config) {
  if (options.shape.experts == 0) return;
  config["norm_topk_prob"] = options.routing.renormalize;
  config["router_temperature"] = options.routing.temperature;
}

Json GatedConfig(const TrainingOptions& options) {
  const bool is_dense = options.shape.experts == 0;
  Json config{{"architectures", Json::array({is_dense ? "LlamaForCausalLM"
                                                      : "MixtralForCausalLM"})},
              {"model_type", is_dense ? "llama" : "mixtral"},
              {"hidden_act", "silu"},
              {"rms_norm_eps", kNormEpsilon},
              {"rope_theta", kRopeTheta},
              {"bos_token_id", nullptr},
              {"eos_token_id", nullptr}};
  config.update(CommonKeys(options));
  AddExperts(options, config);
  if (!is_dense) config["sliding_window"] = nullptr;
  return config;
}

Json TwoLayerConfig(const TrainingOptions& options) {
  Json config{{"model_type", "moeprobe"},
              {"hidden_act", "gelu"},
              {"layer_norm_eps", kNormEpsilon}};
  config.update(CommonKeys(options));
  AddExperts(options, config);
  AddRoutingRule(options, config);
  return config;
}

Json MlpConfig(const TrainingOptions& options) {
  const bool is_gated = options.shape.expert == ExpertKind::kGatedMlp;
  Json config{{"model_type", is_gated ? "moeprobe_gated_mlp" : "moeprobe_mlp"},
              {"hidden_act", is_gated ? "silu" : "gelu"}};
  config.update(CommonKeys(options));
  AddExperts(options, config);
  AddRoutingRule(options, config);
  return config;
}

}  // namespace

absl::Status CheckFamily(const TrainingOptions& options) {
  const DecoderShape& shape = options.shape;
  if (shape.is_mlp() || shape.experts == 0 ||
      shape.expert == ExpertKind::kGeluMlp) {
    return absl::OkStatus();
  }
  // All probabilities together sum to 1 anyway.
  const bool is_soft = options.routing.per_token == shape.experts;
  if (!options.routing.renormalize && !is_soft) {
    return absl::UnimplementedError(
        "gated experts are stored as Mixtral, whose gates are divided by their "
        "sum: expected routing that does so, or experts of two layers");
  }
  if (options.routing.temperature != 1) {
    return absl::UnimplementedError(
        "gated experts are stored as Mixtral, whose routing has no "
        "temperature: expected 1, or experts of two layers");
  }
  return absl::OkStatus();
}

std::string ConfigText(const TrainingOptions& options) {
  Json config;
  if (options.shape.is_mlp()) {
    config = MlpConfig(options);
  } else if (options.shape.expert == ExpertKind::kGatedMlp) {
    config = GatedConfig(options);
  } else {
    config = TwoLayerConfig(options);
  }
  return config.dump(2) + "\n";
}

}  // namespace moeprobe
