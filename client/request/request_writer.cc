#include "client/request/request_writer.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "moeprobe/v1/analysis.pb.h"
#include "moeprobe/v1/job.pb.h"
#include "moeprobe/v1/training.pb.h"
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

Json DataJson(const v1::AnalyzeSpec& spec) {
  if (spec.data_size() == 1) return MessageJson(spec.data(0));
  Json list = Json::array();
  for (const v1::DataSpec& data : spec.data())
    list.push_back(MessageJson(data));
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

// Variants by their names.
Json VariantsJson(const v1::TrainSpec& spec) {
  Json json = Json::object();
  for (const v1::Variant& variant : spec.variants()) {
    Json& fields = json[variant.name()] = MessageJson(variant);
    fields.erase("name");
  }
  return json;
}

// No number is below 0 but the -1 that stands for a word.
Json IntegerJson(int64_t number) {
  return number == -1 ? Json("all") : Json(number);
}

Json ScalarJson(const Message& message, const FieldDescriptor& field) {
  const auto* reflection = message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return reflection->GetInt32(message, &field);
    case FieldDescriptor::CPPTYPE_INT64:
      return IntegerJson(reflection->GetInt64(message, &field));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return reflection->GetDouble(message, &field);
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection->GetBool(message, &field);
    case FieldDescriptor::CPPTYPE_ENUM:
      return ChoiceName(*reflection->GetEnum(message, &field));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return MessageJson(reflection->GetMessage(message, &field));
    default:
      return reflection->GetString(message, &field);
  }
}

// Entry `i` of a list.
Json EntryJson(const Message& message, const FieldDescriptor& field, int i) {
  const auto* reflection = message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT64:
      return reflection->GetRepeatedInt64(message, &field, i);
    case FieldDescriptor::CPPTYPE_ENUM:
      return ChoiceName(*reflection->GetRepeatedEnum(message, &field, i));
    default:
      return reflection->GetRepeatedString(message, &field, i);
  }
}

Json FieldJson(const Message& message, const FieldDescriptor& field) {
  if (!field.is_repeated()) return ScalarJson(message, field);
  Json list = Json::array();
  const int size = message.GetReflection()->FieldSize(message, &field);
  for (int i = 0; i < size; ++i) list.push_back(EntryJson(message, field, i));
  return list;
}

// What a request writes otherwise than its messages.
std::optional<Json> OwnJson(const Message& message, const std::string& field) {
  if (const auto* spec = dynamic_cast<const v1::AnalyzeSpec*>(&message)) {
    if (field == "data") return DataJson(*spec);
    if (field == "layers") return LayersJson(spec->layers());
    if (field == "sweep") return SweepJson(*spec);
  }
  const auto* spec = dynamic_cast<const v1::TrainSpec*>(&message);
  if (spec != nullptr && field == "variants") return VariantsJson(*spec);
  return std::nullopt;
}

// The fields that are set, in the order of their numbers.
Json MessageJson(const Message& message) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  Json json = Json::object();
  for (const FieldDescriptor* field : fields) {
    const std::string& name = field->name();
    const std::optional<Json> own = OwnJson(message, name);
    json[name] = own ? *own : FieldJson(message, *field);
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
    absl::StrAppend(&yaml, indent, ScalarYaml(key), ":");
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

Json RequestJson(const v1::Job& job) {
  const bool trains = job.has_train();
  Json json = {{"kind", trains ? "train" : "analyze"}};
  json.update(trains ? MessageJson(job.train()) : MessageJson(job.analyze()));
  v1::Job rest;
  rest.set_visibility(job.visibility());
  *rest.mutable_shared_with() = job.shared_with();
  rest.set_priority(job.priority());
  json.update(MessageJson(rest));
  return json;
}

std::string RequestYaml(const v1::Job& job) {
  return MappingYaml(RequestJson(job), "");
}

}  // namespace moeprobe
