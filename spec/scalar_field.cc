#include "spec/scalar_field.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "core/base/quoted.h"
#include "moeprobe/v1/analysis.pb.h"
#include "spec/choice_name.h"

namespace moeprobe {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// Where -1 stands for all there are.
constexpr std::string_view kAll = "all";
constexpr int64_t kAllNumber = -1;

bool IsScalar(const FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
    case FieldDescriptor::CPPTYPE_INT64:
    case FieldDescriptor::CPPTYPE_DOUBLE:
    case FieldDescriptor::CPPTYPE_ENUM:
      return !field.is_repeated();
    default:
      return false;
  }
}

// A sweep varies what is computed: neither where nor at which layers.
bool IsLeftOut(const std::string& path) {
  return path == "device" || path == "layers";
}

void AddFields(const Descriptor& type, const std::string& prefix,
               std::vector<std::string>& paths) {
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    const std::string path = prefix + field.name();
    if (IsLeftOut(path)) continue;
    if (IsScalar(field)) {
      paths.push_back(path);
    } else if (field.message_type() != nullptr &&
               (!field.is_repeated() || path == "data")) {
      AddFields(*field.message_type(), path + ".", paths);
    }
  }
}

absl::Status Unexpected(const std::string& text, const std::string& expected) {
  return absl::InvalidArgumentError(
      absl::StrCat("found ", Quoted(text), ", expected ", expected));
}

absl::StatusOr<int> ReadChoice(const std::string& text,
                               const EnumDescriptor& type) {
  std::vector<std::string> names;
  for (int i = 1; i < type.value_count(); ++i) {  // 0 is "not set"
    names.push_back(ChoiceName(*type.value(i)));
    if (names.back() == text) return type.value(i)->number();
  }
  return Unexpected(text, absl::StrJoin(names, " or "));
}

bool CountsTokens(const std::string& path) {
  return path == "data.tokens" || path == "probes.spectra.tokens_per_expert";
}

absl::StatusOr<int64_t> ReadInteger(const std::string& text,
                                    const std::string& path, int64_t most) {
  if (CountsTokens(path) && text == kAll) return kAllNumber;
  int64_t number = 0;
  if (absl::SimpleAtoi(text, &number) && absl::StrCat(number) == text &&
      number >= 0 && number <= most) {
    return number;
  }
  return Unexpected(text, CountsTokens(path)
                              ? "an integer in plain decimal digits, or all"
                              : "an integer in plain decimal digits");
}

absl::StatusOr<double> ReadNumber(const std::string& text) {
  double number = 0;
  if (absl::SimpleAtod(text, &number) && std::isfinite(number)) return number;
  return Unexpected(text, "a number");
}

absl::Status Unknown() {
  return absl::InvalidArgumentError("there is no such field");
}

// The message that holds the field at the end of `path`.
absl::StatusOr<Message*> HolderOf(const std::string& path, Message& root) {
  const std::vector<std::string> steps = absl::StrSplit(path, '.');
  Message* holder = &root;
  for (size_t i = 0; i + 1 < steps.size(); ++i) {
    const auto* reflection = holder->GetReflection();
    const auto* field = holder->GetDescriptor()->FindFieldByName(steps[i]);
    if (field == nullptr || field->message_type() == nullptr) return Unknown();
    if (!field->is_repeated()) {
      holder = reflection->MutableMessage(holder, field);
    } else if (reflection->FieldSize(*holder, field) == 1) {
      holder = reflection->MutableRepeatedMessage(holder, field, 0);
    } else {
      return absl::InvalidArgumentError(
          "can only be swept where there is one data set");
    }
  }
  return holder;
}

absl::StatusOr<std::string> SetIn(Message& holder, const FieldDescriptor& field,
                                  const std::string& path,
                                  const std::string& text) {
  const auto* reflection = holder.GetReflection();
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
    const auto choice = ReadChoice(text, *field.enum_type());
    if (!choice.ok()) return choice.status();
    reflection->SetEnumValue(&holder, &field, *choice);
    return text;
  }
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE) {
    const auto number = ReadNumber(text);
    if (!number.ok()) return number.status();
    reflection->SetDouble(&holder, &field, *number);
    return nlohmann::json(*number).dump();
  }
  const bool narrow = field.cpp_type() == FieldDescriptor::CPPTYPE_INT32;
  const auto number = ReadInteger(text, path,
                                  narrow ? std::numeric_limits<int32_t>::max()
                                         : std::numeric_limits<int64_t>::max());
  if (!number.ok()) return number.status();
  if (narrow) {
    reflection->SetInt32(&holder, &field, static_cast<int32_t>(*number));
  } else {
    reflection->SetInt64(&holder, &field, *number);
  }
  return text;
}

}  // namespace

std::vector<std::string> SweepableFields() {
  std::vector<std::string> paths;
  AddFields(*v1::AnalyzeSpec::descriptor(), "", paths);
  return paths;
}

absl::StatusOr<std::string> SetField(const std::string& path,
                                     const std::string& text,
                                     v1::AnalyzeSpec& spec) {
  const auto holder = HolderOf(path, spec);
  if (!holder.ok()) return holder.status();
  const std::string name = path.substr(path.rfind('.') + 1);
  const auto* field = (*holder)->GetDescriptor()->FindFieldByName(name);
  if (field == nullptr || !IsScalar(*field)) return Unknown();
  return SetIn(**holder, *field, path, text);
}

}  // namespace moeprobe
