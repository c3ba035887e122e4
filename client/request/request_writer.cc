#include "client/request/request_writer.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "moeprobe/v1/analysis.pb.h"
#include "spec/choice_name.h"

namespace moeprobe {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using Json = nlohmann::ordered_json;

Json MessageJson(const Message& message);

Json LayersJson(const v1::LayerSelection& layers) {
  switch (layers.preset()) {
    case v1::LayerSelection::PRESET_ALL:
      return "all";
    case v1::LayerSelection::PRESET_EARLY_MIDDLE_LATE:
      return "early-middle-late";
    default:
      return std::vector<int32_t>(layers.layers().begin(),
                                  layers.layers().end());
  }
}

Json DataSetJson(const v1::DataSpec& data) {
  Json json = MessageJson(data);
  if (data.has_tokens() && data.tokens() == -1) json["tokens"] = "all";
  return json;
}

Json SpectraJson(const v1::SpectraProbe& probe) {
  Json json = MessageJson(probe);
  if (probe.tokens_per_expert() == -1) json["tokens_per_expert"] = "all";
  return json;
}

Json DataJson(const v1::AnalyzeSpec& spec) {
  if (spec.data_size() == 1) return DataSetJson(spec.data(0));
  Json list = Json::array();
  for (const v1::DataSpec& data : spec.data())
    list.push_back(DataSetJson(data));
  return list;
}

// Values as their fields have them: numbers and names.
Json SweepJson(const v1::AnalyzeSpec& spec) {
  Json json = Json::object();
  for (const v1::SweepAxis& axis : spec.sweep()) {
    Json& values = json[axis.field()] = Json::array();
    for (const std::string& value : axis.values()) {
      values.push_back(SettingJson(value));
    }
  }
  return json;
}

Json ChoicesJson(const Message& message, const FieldDescriptor& field) {
  Json list = Json::array();
  const auto* reflection = message.GetReflection();
  for (int i = 0; i < reflection->FieldSize(message, &field); ++i) {
    list.push_back(
        ChoiceName(*reflection->GetRepeatedEnum(message, &field, i)));
  }
  return list;
}

Json FieldJson(const Message& message, const FieldDescriptor& field) {
  const auto* reflection = message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return reflection->GetInt32(message, &field);
    case FieldDescriptor::CPPTYPE_INT64:
      return reflection->GetInt64(message, &field);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return reflection->GetDouble(message, &field);
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection->GetBool(message, &field);
    case FieldDescriptor::CPPTYPE_ENUM:
      if (field.is_repeated()) return ChoicesJson(message, field);
      return ChoiceName(*reflection->GetEnum(message, &field));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return MessageJson(reflection->GetMessage(message, &field));
    default:
      return reflection->GetString(message, &field);
  }
}

// The fields that are set, in the order of their numbers.
Json MessageJson(const Message& message) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  Json json = Json::object();
  for (const FieldDescriptor* field : fields) {
    const auto* spec = dynamic_cast<const v1::AnalyzeSpec*>(&message);
    const auto* probes = dynamic_cast<const v1::ProbeSpec*>(&message);
    if (spec != nullptr && field->name() == "data") {
      json["data"] = DataJson(*spec);
    } else if (spec != nullptr && field->name() == "layers") {
      json["layers"] = LayersJson(spec->layers());
    } else if (spec != nullptr && field->name() == "sweep") {
      json["sweep"] = SweepJson(*spec);
    } else if (probes != nullptr && field->name() == "spectra") {
      json["spectra"] = SpectraJson(probes->spectra());
    } else {
      json[field->name()] = FieldJson(message, *field);
    }
  }
  return json;
}

// Whether YAML readers of every dialect take `text` without quotes for text:
// letters and what names are made of, but no word such as `no` or `null`.
bool IsPlain(std::string_view text) {
  const auto in_name = [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           std::string_view("-_./@").find(c) != std::string_view::npos;
  };
  const bool starts_well =
      !text.empty() &&
      (absl::ascii_isalpha(static_cast<unsigned char>(text[0])) ||
       text[0] == '/');
  constexpr std::string_view kWords =
      " y n yes no on off true false null nan inf ";
  const std::string word = absl::StrCat(
      " ", absl::AsciiStrToLower(absl::string_view(text.data(), text.size())),
      " ");
  return starts_well && std::ranges::all_of(text, in_name) &&
         kWords.find(word) == std::string_view::npos;
}

// JSON's double quotes are YAML's.
std::string ScalarYaml(const Json& json) {
  if (json.is_string() && IsPlain(json.get_ref<const std::string&>())) {
    return json.get<std::string>();
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string ListYaml(const Json& list) {
  return absl::StrCat("[",
                      absl::StrJoin(list, ", ",
                                    [](std::string* out, const Json& item) {
                                      out->append(ScalarYaml(item));
                                    }),
                      "]");
}

std::string MappingYaml(const Json& mapping, const std::string& indent);

std::string MappingsYaml(const Json& list, const std::string& indent) {
  std::string yaml;
  const std::string inner = indent + "  ";
  for (const Json& item : list) {
    const std::string mapping =
        item.empty() ? inner + "{}\n" : MappingYaml(item, inner);
    absl::StrAppend(&yaml, indent, "- ", mapping.substr(inner.size()));
  }
  return yaml;
}

std::string MappingYaml(const Json& mapping, const std::string& indent) {
  std::string yaml;
  for (const auto& [key, value] : mapping.items()) {
    absl::StrAppend(&yaml, indent, key, ":");
    if (value.is_object() && !value.empty()) {
      absl::StrAppend(&yaml, "\n", MappingYaml(value, indent + "  "));
    } else if (value.is_array() && !value.empty() && value[0].is_object()) {
      absl::StrAppend(&yaml, "\n", MappingsYaml(value, indent + "  "));
    } else {
      absl::StrAppend(&yaml, " ",
                      value.is_array() ? ListYaml(value) : ScalarYaml(value),
                      "\n");
    }
  }
  return yaml;
}

}  // namespace

Json SettingJson(const std::string& value) {
  const Json number = Json::parse(value, nullptr, /*allow_exceptions=*/false);
  return number.is_number() ? number : Json(value);
}

Json RequestJson(const v1::AnalyzeSpec& spec) {
  Json json = {{"kind", "analyze"}};
  json.update(MessageJson(spec));
  return json;
}

std::string RequestYaml(const v1::AnalyzeSpec& spec) {
  return MappingYaml(RequestJson(spec), "");
}

}  // namespace moeprobe
