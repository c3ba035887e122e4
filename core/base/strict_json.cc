#include "core/base/strict_json.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/json_value.h"
#include "core/base/quoted.h"
#include "core/base/status_macros.h"

namespace moeprobe {
namespace {

constexpr size_t kMaxDepth = 32;
constexpr size_t kMaxValuesOfMember = size_t{1} << 18;

// Nested arrays and objects under construction, fed by nlohmann's parser. The
// outermost object keeps only the keys of its members.
class Builder : public nlohmann::json::json_sax_t {
 public:
  explicit Builder(JsonMemberVisitor visit) : visit_(visit) {}

  const absl::Status& status() const { return status_; }

  bool null() override { return Add(JsonValue()); }
  bool boolean(bool value) override { return Add(JsonValue(value)); }
  // Negative integers, and -0.
  bool number_integer(int64_t value) override {
    if (value != 0) return Add(JsonValue(value));
    return Add(JsonValue(JsonNumber{.value = -0.0, .text = "-0"}));
  }
  bool number_unsigned(uint64_t value) override {
    if (value <= uint64_t{std::numeric_limits<int64_t>::max()}) {
      return Add(JsonValue(static_cast<int64_t>(value)));
    }
    return Add(JsonValue(JsonNumber{.value = static_cast<double>(value),
                                    .text = absl::StrCat(value)}));
  }
  bool number_float(double value, const std::string& text) override {
    return Add(JsonValue(JsonNumber{.value = value, .text = text}));
  }
  bool string(std::string& value) override {
    return Add(JsonValue(std::move(value)));
  }
  bool binary(nlohmann::json::binary_t& /*value*/) override {
    return Fail("binary data");  // never in text
  }
  bool start_object(size_t /*unknown*/) override {
    return Open(JsonValue(JsonObject()));
  }
  bool start_array(size_t /*unknown*/) override {
    return Open(JsonValue(JsonArray()));
  }
  bool key(std::string& value) override {
    open_.back().key = std::move(value);
    return true;
  }
  bool end_object() override { return CheckKeys() && Close(); }
  bool end_array() override { return Close(); }
  bool parse_error(size_t position, const std::string& /*token*/,
                   const nlohmann::json::exception& error) override;

 private:
  struct Container {
    JsonValue value;
    std::string key;  // of the member being read
  };

  bool Add(JsonValue value);
  bool Open(JsonValue empty);
  bool Close();
  bool CheckKeys();
  bool HandOn(JsonValue value);
  bool Fail(const std::string& what) {
    status_ = absl::InvalidArgumentError(what);
    return false;
  }

  JsonMemberVisitor visit_;
  std::vector<Container> open_;
  size_t values_of_member_ = 0;
  absl::Status status_;
};

bool Builder::Add(JsonValue value) {
  if (open_.empty()) {
    return Fail(absl::StrCat("the JSON text is ", value.Description(),
                             ", expected an object"));
  }
  if (++values_of_member_ > kMaxValuesOfMember) {
    return Fail(absl::StrCat(Quoted(open_.front().key), " holds more than ",
                             kMaxValuesOfMember, " values"));
  }
  if (open_.size() == 1) return HandOn(std::move(value));
  Container& container = open_.back();
  if (auto* array = std::get_if<JsonArray>(&container.value.content())) {
    array->push_back(std::move(value));
  } else {
    std::get<JsonObject>(container.value.content())
        .push_back(
            {.key = std::move(container.key), .value = std::move(value)});
  }
  return true;
}

bool Builder::HandOn(JsonValue value) {
  Container& outermost = open_.front();
  status_ = visit_(outermost.key, std::move(value));
  std::get<JsonObject>(outermost.value.content())
      .push_back({.key = std::move(outermost.key), .value = JsonValue()});
  values_of_member_ = 0;
  return status_.ok();
}

bool Builder::Open(JsonValue empty) {
  if (open_.empty() && empty.array() != nullptr) {
    return Fail("the JSON text is a list, expected an object");
  }
  if (open_.size() == kMaxDepth) {
    return Fail(absl::StrCat("nested deeper than ", kMaxDepth, " levels"));
  }
  open_.push_back({.value = std::move(empty), .key = ""});
  return true;
}

bool Builder::Close() {
  JsonValue value = std::move(open_.back().value);
  open_.pop_back();
  return open_.empty() || Add(std::move(value));
}

bool Builder::CheckKeys() {
  std::vector<std::string_view> keys;
  for (const JsonMember& member : *open_.back().value.object()) {
    keys.push_back(member.key);
  }
  std::ranges::sort(keys);
  const auto twice = std::ranges::adjacent_find(keys);
  if (twice == keys.end()) return true;
  const bool outermost = open_.size() == 1;
  return Fail(absl::StrCat(
      "key ", Quoted(*twice), " appears twice",
      outermost ? "" : " in " + Quoted(open_[open_.size() - 2].key)));
}

// nlohmann's messages are "[json.exception...] parse error at ...: DETAIL".
bool Builder::parse_error(size_t position, const std::string& /*token*/,
                          const nlohmann::json::exception& error) {
  std::string_view detail = error.what();
  const size_t end_of_id = detail.find("] ");
  if (end_of_id != std::string_view::npos) detail.remove_prefix(end_of_id + 2);
  const size_t end_of_place = detail.find(": ");
  if (end_of_place != std::string_view::npos) {
    detail.remove_prefix(end_of_place + 2);
  }
  return Fail(
      absl::StrCat("not valid JSON at byte ", position, ": ", Quoted(detail)));
}

// What nlohmann's parser lets pass.
absl::Status CheckBytes(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) {
    return absl::InvalidArgumentError(
        "the JSON text starts with a byte order mark");
  }
  const size_t nul = text.find('\0');
  if (nul == std::string_view::npos) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("not valid JSON at byte ", nul + 1, ": a NUL"));
}

}  // namespace

absl::Status ForEachJsonMember(std::string_view text, JsonMemberVisitor visit) {
  MOEPROBE_RETURN_IF_ERROR(CheckBytes(text));
  Builder builder(visit);
  nlohmann::json::sax_parse(text.begin(), text.end(), &builder);
  return builder.status();
}

absl::StatusOr<JsonObject> ParseJsonObject(std::string_view text) {
  JsonObject object;
  MOEPROBE_RETURN_IF_ERROR(
      ForEachJsonMember(text, [&](const std::string& key, JsonValue value) {
        object.push_back({.key = key, .value = std::move(value)});
        return absl::OkStatus();
      }));
  return object;
}

}  // namespace moeprobe
