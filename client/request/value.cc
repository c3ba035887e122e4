#include "client/request/value.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "client/request/source_text.h"
#include "client/request/yaml_tree.h"
#include "client/text/nearest_name.h"
#include "core/base/quoted.h"
#include "core/base/status_macros.h"
#include "core/base/utf8.h"

namespace moeprobe {
namespace {

bool HasControl(std::string_view text) {
  while (!text.empty()) {
    const auto character = DecodeUtf8(text);
    if (!character || IsControl(character->code_point)) return true;
    text.remove_prefix(character->size_bytes);
  }
  return false;
}

// Whether `text` is an integer as we write it: no sign but minus, no leading
// zeros, no underscores, no exponent.
bool IsDecimal(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  if (text.empty() || (text.size() > 1 && text[0] == '0')) return false;
  return std::ranges::all_of(text, [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c));
  });
}

// Whether `text` is a number as JSON writes it.
bool IsNumber(std::string_view text) {
  const size_t exponent = std::min(text.find_first_of("eE"), text.size());
  std::string_view mantissa = text.substr(0, exponent);
  const size_t point = std::min(mantissa.find('.'), mantissa.size());
  const auto digits = [](std::string_view part) {
    return !part.empty() && std::ranges::all_of(part, [](char c) {
      return absl::ascii_isdigit(static_cast<unsigned char>(c));
    });
  };
  if (!IsDecimal(mantissa.substr(0, point))) return false;
  if (point < mantissa.size() && !digits(mantissa.substr(point + 1))) {
    return false;
  }
  if (exponent == text.size()) return true;
  std::string_view power = text.substr(exponent + 1);
  if (power.starts_with('-') || power.starts_with('+')) power.remove_prefix(1);
  return digits(power);
}

bool LooksNumeric(std::string_view text) {
  return !text.empty() &&
         (absl::ascii_isdigit(static_cast<unsigned char>(text[0])) ||
          text[0] == '-' || text[0] == '+' || text[0] == '.');
}

std::string Range(int64_t least, int64_t most) {
  if (most == std::numeric_limits<int64_t>::max()) {
    return absl::StrCat("an integer of at least ", least);
  }
  return absl::StrCat("an integer from ", least, " to ", most);
}

// What a word that other YAML dialects take for a boolean means; empty if it is
// none.
std::string_view BooleanMeaning(const std::string& word) {
  const std::string lower = absl::AsciiStrToLower(word);
  for (const char* yes : {"true", "yes", "on", "y"}) {
    if (lower == yes) return "true";
  }
  for (const char* no : {"false", "no", "off", "n"}) {
    if (lower == no) return "false";
  }
  return "";
}

}  // namespace

absl::StatusOr<std::string> Value::Text() const {
  const bool scalar = node_->kind == YamlNode::Kind::kPlain ||
                      node_->kind == YamlNode::Kind::kQuoted;
  if (!scalar || node_->text.empty()) return Expected("text");
  if (HasControl(node_->text)) {
    return Expected("text of one line without control characters");
  }
  return node_->text;
}

absl::StatusOr<int64_t> Value::Integer(int64_t least, int64_t most,
                                       std::string expected) const {
  if (expected.empty()) expected = Range(least, most);
  if (node_->kind != YamlNode::Kind::kPlain) return Expected(expected);
  if (!IsDecimal(node_->text)) {
    return Expected(LooksNumeric(node_->text)
                        ? absl::StrCat(expected, " in plain decimal digits")
                        : expected);
  }
  int64_t number = 0;
  const bool fits = absl::SimpleAtoi(node_->text, &number);
  if (!fits || number < least || number > most) return Expected(expected);
  return number;
}

absl::StatusOr<double> Value::Number(const std::string& expected,
                                     bool (*fits)(double number)) const {
  if (node_->kind != YamlNode::Kind::kPlain) return Expected(expected);
  if (!IsNumber(node_->text)) {
    return Expected(LooksNumeric(node_->text)
                        ? absl::StrCat(expected, " in decimal digits")
                        : expected);
  }
  double number = 0;
  const bool is_number = absl::SimpleAtod(node_->text, &number);
  if (!is_number || !std::isfinite(number) || !fits(number)) {
    return Expected(expected);
  }
  return number;
}

absl::StatusOr<bool> Value::Boolean() const {
  if (node_->kind == YamlNode::Kind::kPlain) {
    if (node_->text == "true") return true;
    if (node_->text == "false") return false;
  }
  const std::string meaning(BooleanMeaning(node_->text));
  return Expected(meaning.empty() ? "true or false"
                                  : absl::StrCat("true or false; write ",
                                                 meaning, " without quotes"));
}

absl::StatusOr<std::vector<Value>> Value::Items() const {
  if (node_->kind != YamlNode::Kind::kList) return Expected("a list");
  if (node_->children.empty()) {
    return Error("found an empty list, expected at least one entry");
  }
  std::vector<Value> items;
  items.reserve(node_->children.size());
  for (size_t i = 0; i < node_->children.size(); ++i) {
    items.emplace_back(node_->children[i], absl::StrCat(path_, "[", i, "]"),
                       *source_);
  }
  return items;
}

absl::StatusOr<std::vector<Value>> Value::Entries() const {
  if (node_->kind == YamlNode::Kind::kNull) {
    return Expected("a mapping; write {} for its defaults");
  }
  if (node_->kind != YamlNode::Kind::kMapping) return Expected("a mapping");
  std::vector<Value> entries;
  entries.reserve(node_->children.size());
  for (const YamlNode& child : node_->children) {
    entries.emplace_back(child, ChildPath(child), *source_);
  }
  return entries;
}

absl::Status Value::CheckHas(std::initializer_list<const char*> keys) const {
  for (const char* key : keys) {
    if (Find(key).empty()) {
      return Error(absl::StrCat("the key \"", key, "\" is missing"));
    }
  }
  return absl::OkStatus();
}

absl::Status Value::Fields(const std::vector<Field>& fields) const {
  MOEPROBE_ASSIGN_OR_RETURN(const std::vector<Value> entries, Entries());
  for (const Value& entry : entries) {
    const auto field = std::ranges::find(fields, entry.node().key, &Field::key);
    if (field == fields.end()) return UnknownKey(entry.node(), fields);
    MOEPROBE_RETURN_IF_ERROR(field->read(entry));
  }
  return absl::OkStatus();
}

std::vector<Value> Value::Find(std::string_view key) const {
  std::vector<Value> found;
  for (const YamlNode& child : node_->children) {
    if (child.key == key) found.emplace_back(child, ChildPath(child), *source_);
  }
  return found;
}

bool Value::Is(std::string_view word) const {
  return node_->text == word && (node_->kind == YamlNode::Kind::kPlain ||
                                 node_->kind == YamlNode::Kind::kQuoted);
}

absl::Status Value::Expected(const std::string& what) const {
  return Error(absl::StrCat("found ", Found(), ", expected ", what));
}

absl::Status Value::Error(const std::string& what) const {
  const char* separator = path_.empty() ? "" : ": ";
  return source_->Error(node_->offset, absl::StrCat(path_, separator, what));
}

absl::Status Value::KeyError(const std::string& what) const {
  return source_->Error(node_->key_offset, absl::StrCat(path_, " ", what));
}

absl::Status Value::UnknownKey(const YamlNode& child,
                               const std::vector<Field>& fields) const {
  std::vector<std::string> names;
  names.reserve(fields.size());
  for (const Field& field : fields) names.push_back(field.key);
  const std::string meant = NearestName(child.key, names);
  return source_->Error(
      child.key_offset,
      absl::StrCat("unknown key ", Quoted(child.key),
                   path_.empty() ? "" : absl::StrCat(" in ", path_),
                   meant.empty()
                       ? ""
                       : absl::StrCat("; did you mean \"", meant, "\"?")));
}

std::string Value::ChildPath(const YamlNode& child) const {
  const std::string key = HasControl(child.key) ? Quoted(child.key) : child.key;
  return path_.empty() ? key : absl::StrCat(path_, ".", key);
}

std::string Value::Found() const {
  switch (node_->kind) {
    case YamlNode::Kind::kNull:
      return "null";
    case YamlNode::Kind::kPlain:
      return Quoted(node_->text);
    case YamlNode::Kind::kQuoted:
      return absl::StrCat("the text ", Quoted(node_->text), " in quotes");
    case YamlNode::Kind::kList:
      return "a list";
    case YamlNode::Kind::kMapping:
      return "a mapping";
  }
  return "nothing";
}

}  // namespace moeprobe
