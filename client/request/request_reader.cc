#include "client/request/request_reader.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "client/request/message_fields.h"
#include "client/request/nulls_field.h"
#include "client/request/routing_field.h"
#include "client/request/source_text.h"
#include "client/request/sweep_field.h"
#include "client/request/value.h"
#include "client/request/yaml_tree.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/analysis.pb.h"

namespace moeprobe {
namespace {

constexpr int64_t kLongestName = 200;
constexpr int64_t kMostLayers = std::numeric_limits<int32_t>::max();

absl::Status ReadKind(const Value& value) {
  if (value.Is("analyze")) return absl::OkStatus();
  if (value.Is("train")) {
    return value.Error("train is not supported by this version");
  }
  return value.Expected("analyze");
}

// A shell would expand these; a YAML file is not read by one.
absl::Status CheckPath(const Value& value) {
  const std::string& path = value.node().text;
  for (const char* prefix : {"~", "$", "file://"}) {
    if (absl::StartsWith(path, prefix)) {
      return value.Error(absl::StrCat("\"", prefix, "\" is not expanded in \"",
                                      path,
                                      "\"; write the whole path, or one "
                                      "relative to this file"));
    }
  }
  return absl::OkStatus();
}

Field SourceField(const std::string& key, v1::DataSpec& data) {
  const Field text = TextField(key, data);
  return {key, [text](const Value& value) {
            MOEPROBE_RETURN_IF_ERROR(text.read(value));
            return CheckPath(value);
          }};
}

// A number of tokens; -1 for the word all.
absl::StatusOr<int64_t> ReadTokenCount(const Value& value) {
  if (value.Is("all")) return -1;
  return value.Integer(1, std::numeric_limits<int64_t>::max(),
                       "an integer of at least 1, or all");
}

absl::Status ReadTokens(const Value& value, v1::DataSpec& data) {
  MOEPROBE_ASSIGN_OR_RETURN(const int64_t tokens, ReadTokenCount(value));
  data.set_tokens(tokens);
  return absl::OkStatus();
}

absl::Status ReadDataSet(const Value& value, v1::DataSpec& data) {
  MOEPROBE_RETURN_IF_ERROR(value.Fields(
      {SourceField("text", data),
       SourceField("ids", data),
       {"tokens",
        [&](const Value& tokens) { return ReadTokens(tokens, data); }},
       IntegerField("sequence_length", data, 1),
       IntegerField("skip_first", data, 0)}));
  const std::vector<Value> texts = value.Find("text");
  const std::vector<Value> ids = value.Find("ids");
  if (texts.size() + ids.size() == 1) return absl::OkStatus();
  return value.Error(texts.empty()
                         ? "found neither text nor ids, expected one of them"
                         : "found both text and ids, expected one of them");
}

absl::Status ReadData(const Value& value, v1::AnalyzeSpec& spec) {
  if (value.node().kind != YamlNode::Kind::kList) {
    if (value.node().kind != YamlNode::Kind::kMapping) {
      return value.Expected("a mapping with text or ids, or a list of them");
    }
    return ReadDataSet(value, *spec.add_data());
  }
  MOEPROBE_ASSIGN_OR_RETURN(const std::vector<Value> items, value.Items());
  for (const Value& item : items) {
    MOEPROBE_RETURN_IF_ERROR(ReadDataSet(item, *spec.add_data()));
  }
  return absl::OkStatus();
}

absl::Status ReadLayerList(const Value& value, v1::LayerSelection& selection) {
  MOEPROBE_ASSIGN_OR_RETURN(const std::vector<Value> items, value.Items());
  int64_t last = -1;
  for (const Value& item : items) {
    MOEPROBE_ASSIGN_OR_RETURN(const int64_t layer,
                              item.Integer(0, kMostLayers));
    if (layer <= last) {
      return item.Error(absl::StrCat("found ", layer, " after ", last,
                                     ", expected ascending layers without "
                                     "duplicates"));
    }
    last = layer;
    selection.add_layers(static_cast<int32_t>(layer));
  }
  return absl::OkStatus();
}

absl::Status ReadLayers(const Value& value, v1::AnalyzeSpec& spec) {
  v1::LayerSelection& selection = *spec.mutable_layers();
  if (value.Is("all")) {
    selection.set_preset(v1::LayerSelection::PRESET_ALL);
    return absl::OkStatus();
  }
  if (value.Is("early-middle-late")) {
    selection.set_preset(v1::LayerSelection::PRESET_EARLY_MIDDLE_LATE);
    return absl::OkStatus();
  }
  if (value.node().kind != YamlNode::Kind::kList) {
    return value.Expected(
        "all, early-middle-late or a list such as [3, 16, 29]");
  }
  return ReadLayerList(value, selection);
}

absl::Status ReadJacobian(const Value& value, v1::ProbeSpec& probes) {
  v1::JacobianProbe& jacobian = *probes.mutable_jacobian();
  return value.Fields({ChoicesField("average", jacobian),
                       IntegerField("projections", jacobian, 0),
                       IntegerField("tokens", jacobian, 0),
                       BooleanField("by_tokens", jacobian)});
}

absl::Status ReadPca(const Value& value, v1::ProbeSpec& probes) {
  v1::PcaProbe& pca = *probes.mutable_pca();
  return value.Fields(
      {ChoicesField("conventions", pca), IntegerField("components", pca, 1),
       BooleanField("basis", pca), BooleanField("angles", pca)});
}

absl::Status ReadTokensPerExpert(const Value& value, v1::SpectraProbe& probe) {
  MOEPROBE_ASSIGN_OR_RETURN(const int64_t tokens, ReadTokenCount(value));
  probe.set_tokens_per_expert(tokens);
  return absl::OkStatus();
}

absl::Status ReadSpectra(const Value& value, v1::ProbeSpec& probes) {
  v1::SpectraProbe& spectra = *probes.mutable_spectra();
  return value.Fields({{"tokens_per_expert",
                        [&](const Value& tokens) {
                          return ReadTokensPerExpert(tokens, spectra);
                        }},
                       IntegerField("top", spectra, 1)});
}

absl::Status ReadRouterTerm(const Value& value, v1::ProbeSpec& probes) {
  v1::RouterTermProbe& term = *probes.mutable_router_term();
  return value.Fields(
      {IntegerField("tokens", term, 1), ChoiceField("at", term)});
}

absl::Status ReadRedundancy(const Value& value, v1::ProbeSpec& probes) {
  v1::RedundancyProbe& redundancy = *probes.mutable_redundancy();
  return value.Fields({IntegerField("tokens", redundancy, 0),
                       IntegerField("rank", redundancy, 1),
                       BooleanField("weights", redundancy)});
}

absl::Status ReadInterventions(const Value& value, v1::ProbeSpec& probes) {
  v1::InterventionProbe& interventions = *probes.mutable_interventions();
  return value.Fields({IntegerField("pairs", interventions, 1),
                       ChoicesField("kinds", interventions),
                       IntegerField("tokens", interventions, 1)});
}

absl::Status ReadRouting(const Value& value, v1::ProbeSpec& probes) {
  probes.mutable_routing();
  return value.Fields({});
}

absl::Status ReadProbes(const Value& value, v1::AnalyzeSpec& spec) {
  v1::ProbeSpec& probes = *spec.mutable_probes();
  MOEPROBE_RETURN_IF_ERROR(value.Fields(
      {{"routing",
        [&](const Value& probe) { return ReadRouting(probe, probes); }},
       {"jacobian",
        [&](const Value& probe) { return ReadJacobian(probe, probes); }},
       {"pca", [&](const Value& probe) { return ReadPca(probe, probes); }},
       {"spectra",
        [&](const Value& probe) { return ReadSpectra(probe, probes); }},
       {"router_term",
        [&](const Value& probe) { return ReadRouterTerm(probe, probes); }},
       {"redundancy",
        [&](const Value& probe) { return ReadRedundancy(probe, probes); }},
       {"interventions", [&](const Value& probe) {
          return ReadInterventions(probe, probes);
        }}}));
  if (value.node().children.empty()) {
    return value.Error(
        "found no probe, expected at least one of routing, jacobian, pca, "
        "spectra, router_term, redundancy and interventions");
  }
  return absl::OkStatus();
}

absl::Status ReadAnalysis(const Value& root, v1::AnalyzeSpec& spec) {
  for (const Value& kind : root.Find("kind")) {
    MOEPROBE_RETURN_IF_ERROR(ReadKind(kind));
  }
  MOEPROBE_RETURN_IF_ERROR(root.Fields(
      {{"kind", ReadKind},
       TextField("name", spec, kLongestName),
       TextField("model", spec),
       TextField("baseline", spec),
       {"data", [&](const Value& value) { return ReadData(value, spec); }},
       {"layers", [&](const Value& value) { return ReadLayers(value, spec); }},
       {"probes", [&](const Value& value) { return ReadProbes(value, spec); }},
       ChoiceField("precision", spec),
       ChoiceField("device", spec),
       IntegerField("seed", spec, 0),
       BooleanField("nll", spec),
       RoutingField(spec),
       NullsField(spec),
       SweepField(spec)}));
  for (const char* key : {"model", "data"}) {
    if (root.Find(key).empty()) {
      return root.Error(absl::StrCat("the key \"", key, "\" is missing"));
    }
  }
  return absl::OkStatus();
}

// Takes the first step off "[0].tokens" or "tokens[0]", if `node` has it: the
// index of an entry, or a key, which may itself hold dots.
const YamlNode* Child(const YamlNode& node, std::string_view& path) {
  if (path.starts_with('[')) {
    const size_t end = std::min(path.find(']'), path.size());
    size_t index = 0;
    if (!absl::SimpleAtoi(std::string(path.substr(1, end - 1)), &index)) {
      return nullptr;
    }
    path.remove_prefix(std::min(end + 1, path.size()));
    // One data set may stand without a list.
    if (node.kind != YamlNode::Kind::kList) {
      return index == 0 ? &node : nullptr;
    }
    return index < node.children.size() ? &node.children[index] : nullptr;
  }
  if (path.starts_with('.')) path.remove_prefix(1);
  for (const YamlNode& child : node.children) {
    const std::string_view rest =
        path.substr(std::min(child.key.size(), path.size()));
    const bool ends_there =
        rest.empty() || rest.starts_with('.') || rest.starts_with('[');
    if (!path.starts_with(child.key) || !ends_there) continue;
    path = rest;
    return &child;
  }
  return nullptr;
}

}  // namespace

absl::Status Request::ErrorAt(const std::string& path,
                              const std::string& what) const {
  const YamlNode* nearest = &tree;
  for (std::string_view rest = path; !rest.empty();) {
    const YamlNode* child = Child(*nearest, rest);
    if (child == nullptr) break;
    nearest = child;
  }
  return source.Error(nearest->offset, absl::StrCat(path, ": ", what));
}

absl::StatusOr<Request> ReadRequest(const std::string& text,
                                    const std::string& file) {
  MOEPROBE_ASSIGN_OR_RETURN(SourceText source, SourceText::Create(text, file));
  MOEPROBE_ASSIGN_OR_RETURN(YamlNode tree, ParseYaml(source));
  v1::AnalyzeSpec spec;
  MOEPROBE_RETURN_IF_ERROR(ReadAnalysis(Value(tree, "", source), spec));
  return Request{.spec = std::move(spec),
                 .source = std::move(source),
                 .tree = std::move(tree)};
}

}  // namespace moeprobe
