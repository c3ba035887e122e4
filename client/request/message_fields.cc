#include "client/request/message_fields.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/request/value.h"
#include "client/text/nearest_name.h"
#include "core/base/status_macros.h"
#include "core/base/utf8.h"
#include "spec/choice_name.h"

namespace moeprobe {
namespace {

using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

const FieldDescriptor& FieldOf(const Message& message, const std::string& key) {
  return *message.GetDescriptor()->FindFieldByName(key);
}

std::vector<std::string> ChoiceNames(const EnumDescriptor& choices) {
  std::vector<std::string> names;
  for (int i = 1; i < choices.value_count(); ++i) {  // 0 is "not set"
    names.push_back(ChoiceName(*choices.value(i)));
  }
  return names;
}

absl::StatusOr<const EnumValueDescriptor*> ReadChoice(
    const Value& value, const EnumDescriptor& choices) {
  const std::vector<std::string> names = ChoiceNames(choices);
  for (int i = 1; i < choices.value_count(); ++i) {
    if (value.Is(names[static_cast<size_t>(i) - 1])) return choices.value(i);
  }
  const std::string meant = NearestName(value.node().text, names);
  return value.Expected(absl::StrCat(
      absl::StrJoin(names, " or "),
      meant.empty() ? "" : absl::StrCat("; did you mean ", meant, "?")));
}

absl::Status FoundTwice(const Value& item, const std::string& what) {
  return item.Error(absl::StrCat("found ", what, " twice, expected it once"));
}

Field NumberField(const std::string& key, Message& message,
                  const std::string& expected, bool (*fits)(double number)) {
  return {key, [&message, key, expected, fits](const Value& value) {
            const auto number = value.Number(expected, fits);
            if (!number.ok()) return number.status();
            message.GetReflection()->SetDouble(&message, &FieldOf(message, key),
                                               *number);
            return absl::OkStatus();
          }};
}

}  // namespace

Message& MutablePart(const std::string& key, Message& message) {
  return *message.GetReflection()->MutableMessage(&message,
                                                  &FieldOf(message, key));
}

Field TextField(const std::string& key, Message& message,
                int64_t most_characters) {
  return {key, [&message, key, most_characters](const Value& value) {
            auto text = value.Text();
            if (!text.ok()) return text.status();
            const auto length = static_cast<int64_t>(CountCharacters(*text));
            if (length > most_characters) {
              return value.Error(absl::StrCat("found ", length,
                                              " characters, expected at most ",
                                              most_characters));
            }
            message.GetReflection()->SetString(&message, &FieldOf(message, key),
                                               *std::move(text));
            return absl::OkStatus();
          }};
}

Field IntegerField(const std::string& key, Message& message, int64_t least,
                   int64_t most) {
  return {
      key, [&message, key, least, most](const Value& value) {
        const FieldDescriptor& field = FieldOf(message, key);
        const bool narrow = field.cpp_type() == FieldDescriptor::CPPTYPE_INT32;
        const int64_t largest = narrow ? std::numeric_limits<int32_t>::max()
                                       : std::numeric_limits<int64_t>::max();
        const auto number = value.Integer(least, std::min(most, largest));
        if (!number.ok()) return number.status();
        if (narrow) {
          message.GetReflection()->SetInt32(&message, &field,
                                            static_cast<int32_t>(*number));
        } else {
          message.GetReflection()->SetInt64(&message, &field, *number);
        }
        return absl::OkStatus();
      }};
}

Field IntegersField(const std::string& key, Message& message, int64_t least) {
  return {key, [&message, key, least](const Value& value) -> absl::Status {
            MOEPROBE_ASSIGN_OR_RETURN(const std::vector<Value> items,
                                      value.Items());
            std::set<int64_t> seen;
            for (const Value& item : items) {
              MOEPROBE_ASSIGN_OR_RETURN(
                  const int64_t number,
                  item.Integer(least, std::numeric_limits<int64_t>::max()));
              if (!seen.insert(number).second)
                return FoundTwice(item, absl::StrCat(number));
              message.GetReflection()->AddInt64(&message,
                                                &FieldOf(message, key), number);
            }
            return absl::OkStatus();
          }};
}

Field TokenCountField(const std::string& key, Message& message) {
  return {key, [&message, key](const Value& value) -> absl::Status {
            int64_t tokens = -1;
            if (!value.Is("all")) {
              MOEPROBE_ASSIGN_OR_RETURN(
                  tokens, value.Integer(1, std::numeric_limits<int64_t>::max(),
                                        "an integer of at least 1, or all"));
            }
            message.GetReflection()->SetInt64(&message, &FieldOf(message, key),
                                              tokens);
            return absl::OkStatus();
          }};
}

Field PositiveField(const std::string& key, Message& message) {
  return NumberField(key, message, "a number above 0",
                     [](double number) { return number > 0; });
}

Field NonNegativeField(const std::string& key, Message& message) {
  return NumberField(key, message, "a number of at least 0",
                     [](double number) { return number >= 0; });
}

Field ShareField(const std::string& key, Message& message) {
  return NumberField(key, message, "a number from 0 to below 1",
                     [](double number) { return number >= 0 && number < 1; });
}

Field BooleanField(const std::string& key, Message& message) {
  return {key, [&message, key](const Value& value) {
            const auto boolean = value.Boolean();
            if (!boolean.ok()) return boolean.status();
            message.GetReflection()->SetBool(&message, &FieldOf(message, key),
                                             *boolean);
            return absl::OkStatus();
          }};
}

Field ChoiceField(const std::string& key, Message& message) {
  return {key, [&message, key](const Value& value) {
            const FieldDescriptor& field = FieldOf(message, key);
            const auto choice = ReadChoice(value, *field.enum_type());
            if (!choice.ok()) return choice.status();
            message.GetReflection()->SetEnum(&message, &field, *choice);
            return absl::OkStatus();
          }};
}

Field ChoicesField(const std::string& key, Message& message) {
  return {key, [&message, key](const Value& value) -> absl::Status {
            const FieldDescriptor& field = FieldOf(message, key);
            MOEPROBE_ASSIGN_OR_RETURN(const std::vector<Value> items,
                                      value.Items());
            std::set<int> seen;
            for (const Value& item : items) {
              MOEPROBE_ASSIGN_OR_RETURN(const EnumValueDescriptor* choice,
                                        ReadChoice(item, *field.enum_type()));
              if (!seen.insert(choice->number()).second) {
                return FoundTwice(item, ChoiceName(*choice));
              }
              message.GetReflection()->AddEnum(&message, &field, choice);
            }
            return absl::OkStatus();
          }};
}

Field FieldRead(const std::string& key) {
  return {key, [](const Value& /*value*/) { return absl::OkStatus(); }};
}

}  // namespace moeprobe
