#include "client/request/request_writer.h"

#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/request/request_reader.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/access.pb.h"
#include "moeprobe/v1/analysis.pb.h"
#include "moeprobe/v1/job.pb.h"
#include "moeprobe/v1/training.pb.h"

// Needs gtest.h before it.
#include "rapidcheck/gtest.h"

namespace moeprobe {
namespace {

v1::Job JobOf(const v1::AnalyzeSpec& spec) {
  v1::Job job;
  *job.mutable_analyze() = spec;
  return job;
}

TEST(RequestYamlTest, IsWhatAPersonWouldWrite) {
  v1::AnalyzeSpec spec;
  spec.set_name("a name: with signs");
  spec.set_model("trained-mixtral");
  auto& data = *spec.add_data();
  data.set_text("datasets/abc");
  data.set_tokens(-1);
  spec.mutable_layers()->add_layers(3);
  spec.mutable_layers()->add_layers(16);
  spec.mutable_probes()->mutable_routing();
  spec.mutable_probes()->mutable_jacobian()->add_average(v1::WEIGHTING_GATE);
  spec.set_precision(v1::PRECISION_FLOAT32);
  spec.set_seed(0);
  EXPECT_EQ(RequestYaml(JobOf(spec)),
            "kind: analyze\n"
            "name: \"a name: with signs\"\n"
            "model: trained-mixtral\n"
            "data:\n"
            "  text: datasets/abc\n"
            "  tokens: all\n"
            "layers: [3, 16]\n"
            "probes:\n"
            "  routing: {}\n"
            "  jacobian:\n"
            "    average: [gate]\n"
            "precision: float32\n"
            "seed: 0\n");
}

TEST(RequestYamlTest, SaysWhoMaySeeItAndWhenItGoes) {
  v1::AnalyzeSpec spec;
  spec.set_model("m");
  v1::Job job = JobOf(spec);
  job.set_visibility(v1::VISIBILITY_PRIVATE);
  job.add_shared_with("bob");
  job.set_priority(v1::Job::PRIORITY_LOW);
  EXPECT_EQ(RequestYaml(job),
            "kind: analyze\n"
            "model: m\n"
            "visibility: private\n"
            "shared_with: [bob]\n"
            "priority: low\n");
}

TEST(RequestYamlTest, ListsSeveralDataSets) {
  v1::AnalyzeSpec spec;
  spec.set_model("m");
  spec.add_data()->set_text("a");
  spec.add_data()->set_ids("b");
  spec.mutable_data(1)->set_skip_first(4);
  EXPECT_THAT(RequestYaml(JobOf(spec)),
              testing::HasSubstr("data:\n"
                                 "  - text: a\n"
                                 "  - ids: b\n"
                                 "    skip_first: 4\n"));
}

TEST(RequestYamlTest, WritesValuesOfASweepAsTheirFieldsHaveThem) {
  v1::AnalyzeSpec spec;
  v1::SweepAxis& axis = *spec.add_sweep();
  axis.set_field("data.tokens");
  axis.add_values("1024");
  axis.add_values("all");
  EXPECT_EQ(RequestYaml(JobOf(spec)),
            "kind: analyze\n"
            "sweep:\n"
            "  data.tokens: [1024, all]\n");
}

TEST(RequestYamlTest, QuotesWordsThatMeanSomethingElseToYaml) {
  v1::AnalyzeSpec spec;
  for (const char* word : {"no", "Null", "1e3", "~", "- x", "a: b", "*x"}) {
    spec.set_model(word);
    EXPECT_THAT(RequestYaml(JobOf(spec)),
                testing::HasSubstr(absl::StrCat("model: \"", word, "\"\n")));
  }
}

TEST(RequestJsonTest, HasNumbersForNumbers) {
  v1::AnalyzeSpec spec;
  spec.set_seed(5);
  spec.add_data()->set_tokens(7);
  EXPECT_EQ(RequestJson(JobOf(spec)).dump(),
            R"({"kind":"analyze","data":{"tokens":7},"seed":5})");
}

// Text that a request may hold: one line, not empty, no controls.
rc::Gen<std::string> Name() {
  return rc::gen::nonEmpty(rc::gen::container<std::string>(
      rc::gen::oneOf(rc::gen::inRange<char>(' ', '~'),
                     rc::gen::element<char>('"', '\'', '\\', ':', '#', '-'))));
}

// Some of `all`, in any order. RapidCheck gives up on distinct values where it
// wants more than there are.
template <typename Enum>
std::vector<Enum> Distinct(const std::vector<Enum>& all) {
  const std::vector<Enum> drawn = *rc::gen::nonEmpty(
      rc::gen::container<std::vector<Enum>>(rc::gen::elementOf(all)));
  std::vector<Enum> distinct;
  for (const Enum value : drawn) {
    if (std::ranges::find(distinct, value) == distinct.end())
      distinct.push_back(value);
  }
  return distinct;
}

// Leaves a field unset half of the time.
bool Sometimes() { return *rc::gen::arbitrary<bool>(); }

int64_t Number() { return *rc::gen::inRange<int64_t>(1, int64_t{1} << 62); }

void FillData(v1::DataSpec& data) {
  // A leading ~ or $ would ask for expansion.
  const std::string source = absl::StrCat("x", *Name());
  if (Sometimes()) {
    data.set_text(source);
  } else {
    data.set_ids(source);
  }
  if (Sometimes()) data.set_tokens(Sometimes() ? -1 : Number());
  if (Sometimes()) data.set_sequence_length(Number());
  if (Sometimes()) data.set_skip_first(Number());
}

void FillProbes(v1::ProbeSpec& probes) {
  probes.mutable_routing();
  if (Sometimes()) {
    for (const auto weighting : Distinct<v1::Weighting>(
             {v1::WEIGHTING_ALL, v1::WEIGHTING_ROUTED, v1::WEIGHTING_GATE})) {
      probes.mutable_jacobian()->add_average(weighting);
    }
  }
  if (Sometimes()) probes.mutable_jacobian()->set_projections(4);
  if (Sometimes()) probes.mutable_jacobian()->set_tokens(0);
  if (Sometimes()) probes.mutable_pca()->set_basis(Sometimes());
  if (Sometimes()) probes.mutable_pca()->set_components(7);
  if (Sometimes()) {
    probes.mutable_spectra()->set_tokens_per_expert(Sometimes() ? -1
                                                                : Number());
  }
  if (Sometimes()) probes.mutable_spectra()->set_top(3);
  if (Sometimes()) probes.mutable_router_term()->set_tokens(Number());
  if (Sometimes()) {
    probes.mutable_router_term()->set_at(v1::TOKEN_PLACEMENT_FIRST);
  }
  if (Sometimes()) probes.mutable_redundancy()->set_tokens(Number() - 1);
  if (Sometimes()) probes.mutable_redundancy()->set_rank(9);
  if (Sometimes()) probes.mutable_redundancy()->set_weights(Sometimes());
  if (Sometimes()) probes.mutable_interventions()->set_tokens(Number());
  if (Sometimes()) {
    probes.mutable_interventions()->add_kinds(v1::INTERVENTION_KIND_REPLACE);
  }
}

void FillRouting(v1::RoutingSpec& routing) {
  if (Sometimes()) {
    routing.set_select(v1::ROUTING_SELECTION_ALL);
  } else if (Sometimes()) {
    routing.set_top_k(3);
  }
  if (Sometimes()) {
    // Any number above 0, tiny and huge ones among them.
    routing.set_temperature(std::exp2(*rc::gen::inRange(-1000, 1000)) *
                            static_cast<double>(*rc::gen::inRange(1, 99)));
  }
  if (Sometimes()) routing.set_normalize(v1::GATE_NORMALIZATION_ALWAYS);
  if (Sometimes()) routing.set_forward(v1::FORWARD_GATES_OWN);
}

void FillSweep(v1::AnalyzeSpec& spec) {
  if (Sometimes()) {
    v1::SweepAxis& axis = *spec.add_sweep();
    axis.set_field("routing.temperature");
    for (const char* value : {"0.25", "1.0", "1e-07", "1e+300"}) {
      if (axis.values().empty() || Sometimes()) axis.add_values(value);
    }
  }
  if (!Sometimes()) return;
  v1::SweepAxis& axis = *spec.add_sweep();
  axis.set_field("data.tokens");
  axis.add_values("all");
  if (Sometimes()) axis.add_values("16384");
}

v1::AnalyzeSpec AnySpec() {
  v1::AnalyzeSpec spec;
  spec.set_model(*Name());
  if (Sometimes()) spec.set_name(*Name());
  if (Sometimes()) spec.set_baseline(*Name());
  const int data_sets = *rc::gen::inRange(1, 4);
  for (int i = 0; i < data_sets; ++i) FillData(*spec.add_data());
  if (Sometimes()) {
    spec.mutable_layers()->set_preset(
        v1::LayerSelection::PRESET_EARLY_MIDDLE_LATE);
  } else if (Sometimes()) {
    spec.mutable_layers()->add_layers(*rc::gen::inRange(0, 99));
  }
  if (Sometimes()) FillProbes(*spec.mutable_probes());
  if (Sometimes()) spec.set_precision(v1::PRECISION_BFLOAT16);
  if (Sometimes()) spec.set_device(v1::DEVICE_CUDA);
  if (Sometimes()) spec.set_seed(Number());
  if (Sometimes()) spec.set_nll(Sometimes());
  if (Sometimes()) FillRouting(*spec.mutable_routing());
  FillSweep(spec);
  if (Sometimes()) spec.mutable_nulls()->set_bootstrap(0);
  if (Sometimes()) spec.mutable_nulls()->set_random_router(19);
  if (Sometimes()) spec.mutable_nulls()->set_random_weights(7);
  if (Sometimes()) spec.mutable_nulls()->set_keep_draws(Sometimes());
  return spec;
}

RC_GTEST_PROP(RequestYamlTest, IsReadBackAsTheSameSpec, ()) {
  const v1::AnalyzeSpec spec = AnySpec();
  RC_PRE(spec.name().size() <= 200);
  const std::string yaml = RequestYaml(JobOf(spec));
  RC_LOG() << yaml;
  const auto request = ReadRequest(yaml, "f");
  RC_ASSERT(request.ok());
  RC_ASSERT(google::protobuf::util::MessageDifferencer::Equals(request->job,
                                                               JobOf(spec)));
}

TEST(RequestYamlTest, NamesVariants) {
  v1::Job job;
  v1::TrainSpec& spec = *job.mutable_train();
  spec.set_task(v1::TRAINING_TASK_LANGUAGE_MODEL);
  spec.mutable_model()->set_init(v1::INITIAL_WEIGHTS_NORMAL_0_02);
  v1::Variant& dense = *spec.add_variants();
  dense.set_name("dense");
  dense.set_block(v1::BLOCK_DENSE);
  v1::Variant& soft = *spec.add_variants();
  soft.set_name("1.5");
  soft.mutable_routing()->set_select(v1::ROUTING_SELECTION_ALL);
  spec.add_variants()->set_name("moe");
  spec.add_seeds(0);
  spec.add_seeds(4);
  spec.mutable_data()->set_text("a.txt");
  spec.mutable_data()->set_held_out(0.1);
  spec.mutable_optimizer()->set_learning_rate(3e-4);
  spec.mutable_probe()->set_tokens(-1);
  spec.add_swap_routing("1.5");
  EXPECT_EQ(RequestYaml(job),
            "kind: train\n"
            "task: language_model\n"
            "model:\n"
            "  init: normal_0.02\n"
            "variants:\n"
            "  dense:\n"
            "    block: dense\n"
            "  \"1.5\":\n"
            "    routing:\n"
            "      select: all\n"
            "  moe: {}\n"
            "seeds: [0, 4]\n"
            "data:\n"
            "  text: a.txt\n"
            "  held_out: 0.1\n"
            "optimizer:\n"
            "  learning_rate: 0.0003\n"
            "probe:\n"
            "  tokens: all\n"
            "swap_routing: [\"1.5\"]\n");
}

// A number that a double field may hold: from tiny to huge.
double Double() {
  return std::exp2(*rc::gen::inRange(-1000, 1000)) *
         static_cast<double>(*rc::gen::inRange(1, 99));
}

void FillModel(v1::ModelShape& model) {
  if (Sometimes()) model.set_layers(Number());
  if (Sometimes()) model.set_width(Number());
  if (Sometimes()) model.set_heads(Number());
  if (Sometimes()) model.set_context(Number());
  if (Sometimes()) model.set_experts(Number());
  if (Sometimes()) model.set_expert_width(Number());
  if (Sometimes()) model.set_expert(v1::EXPERT_FORM_GATED_MLP);
  if (Sometimes()) model.set_init(v1::INITIAL_WEIGHTS_NORMAL_0_02);
}

void FillVariants(v1::TrainSpec& spec) {
  for (const char* name : {"no", "top-2", "1.5", "A_b.c-d", "0x1"}) {
    if (!Sometimes() && spec.variants_size() > 0) continue;
    v1::Variant& variant = *spec.add_variants();
    variant.set_name(name);
    if (Sometimes()) {
      variant.set_block(v1::BLOCK_DENSE);
      if (Sometimes()) variant.set_match(v1::DENSE_MATCH_TOTAL);
    } else {
      if (Sometimes()) FillRouting(*variant.mutable_routing());
      variant.mutable_routing()->clear_forward();
      if (Sometimes()) spec.add_swap_routing(name);
    }
  }
}

void FillTrainingData(v1::TrainingData& data) {
  const std::string source = absl::StrCat("x", *Name());
  if (Sometimes()) {
    data.set_text(source);
  } else {
    data.set_ids(source);
  }
  if (Sometimes()) data.set_vocabulary(*Name());
  if (Sometimes()) data.set_held_out(*rc::gen::inRange(0, 1000) / 1000.0);
}

void FillOptimizer(v1::Optimizer& optimizer) {
  if (Sometimes()) optimizer.set_name(v1::OPTIMIZER_NAME_ADAM);
  if (Sometimes()) optimizer.set_learning_rate(Double());
  if (Sometimes()) optimizer.set_decay(v1::RATE_DECAY_COSINE);
  if (Sometimes()) optimizer.set_warmup(Number() - 1);
  if (Sometimes()) optimizer.set_batch(Number());
  if (Sometimes()) optimizer.set_steps(Number());
  if (Sometimes()) optimizer.set_clip(Sometimes() ? 0 : Double());
  if (Sometimes()) optimizer.set_balance_loss(Sometimes() ? 0 : Double());
}

void FillTrainingProbe(v1::TrainingProbe& probe) {
  if (Sometimes()) probe.set_every(Number() - 1);
  if (Sometimes()) probe.set_evaluate_on(v1::EVALUATION_TEXT_TRAIN);
  if (Sometimes()) probe.set_tokens(Sometimes() ? -1 : Number());
  if (Sometimes()) FillProbes(*probe.mutable_probes());
  if (Sometimes()) probe.mutable_nulls()->set_random_weights(9);
  if (Sometimes()) probe.set_seed(Number());
}

v1::TrainSpec AnyTrainSpec() {
  v1::TrainSpec spec;
  if (Sometimes()) spec.set_name(*Name());
  if (Sometimes()) spec.set_task(v1::TRAINING_TASK_LANGUAGE_MODEL);
  if (Sometimes()) FillModel(*spec.mutable_model());
  FillVariants(spec);
  for (const int64_t seed : {Number(), int64_t{0}}) {
    if (Sometimes()) spec.add_seeds(seed);
  }
  FillTrainingData(*spec.mutable_data());
  if (Sometimes()) FillOptimizer(*spec.mutable_optimizer());
  if (Sometimes()) FillTrainingProbe(*spec.mutable_probe());
  if (Sometimes()) spec.mutable_checkpoint()->set_every(Number());
  return spec;
}

RC_GTEST_PROP(RequestYamlTest, IsReadBackAsTheSameExperiment, ()) {
  v1::Job job;
  *job.mutable_train() = AnyTrainSpec();
  RC_PRE(job.train().name().size() <= 200);
  const std::string yaml = RequestYaml(job);
  RC_LOG() << yaml;
  const auto request = ReadRequest(yaml, "f");
  RC_LOG() << request.status();
  RC_ASSERT(request.ok());
  RC_ASSERT(
      google::protobuf::util::MessageDifferencer::Equals(request->job, job));
}

}  // namespace
}  // namespace moeprobe
