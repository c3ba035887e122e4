#include "client/request/yaml_tree.h"

#include <yaml-cpp/anchor.h>
#include <yaml-cpp/emitterstyle.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <cstddef>
#include <exception>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "client/request/source_text.h"
#include "core/base/printable.h"
#include "core/base/quoted.h"

namespace moeprobe {
namespace {

constexpr size_t kDeepestLevel = 16;
constexpr size_t kMostNodes = 65536;

// Ends the parse; never leaves this file. yaml-cpp has no other way to stop.
struct ParseError : std::runtime_error {
  ParseError(size_t at, const std::string& what)
      : std::runtime_error(what), offset(at) {}
  size_t offset;
};

// Whether the quoted text that starts at `start` has its closing quote:
// yaml-cpp takes the end of the file for one.
bool IsClosed(std::string_view text, size_t start) {
  const char quote = text[start];
  for (size_t i = start + 1; i < text.size(); ++i) {
    if (quote == '"' && text[i] == '\\') {
      ++i;
    } else if (text[i] == quote) {
      const bool doubled =
          quote == '\'' && i + 1 < text.size() && text[i + 1] == quote;
      if (!doubled) return true;
      ++i;
    }
  }
  return false;
}

// Builds the tree from yaml-cpp's events.
class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(const SourceText& source) : source_(source) {}

  bool has_root() const { return has_root_; }
  YamlNode TakeRoot() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (has_root_) {
      throw ParseError(OffsetOf(mark), "a second document is not allowed");
    }
  }
  void OnDocumentEnd() override {}

  // The mark of a value that is missing is wherever the next token is.
  void OnNull(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    if (AwaitsKey()) throw ParseError(OffsetOf(mark), kKeyExpected);
    YamlNode node;
    node.offset = open_.empty() || open_.back().key.empty()
                      ? OffsetOf(mark)
                      : open_.back().key_offset;
    Add(std::move(node));
  }

  void OnAnchor(const YAML::Mark& mark, const std::string& /*name*/) override {
    throw ParseError(OffsetOf(mark), "anchors (&) are not allowed");
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    throw ParseError(OffsetOf(mark), "aliases (*) are not allowed");
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag,
                YAML::anchor_t /*anchor*/, const std::string& value) override {
    CheckTag(mark, tag);
    const bool quoted = tag == "!";
    if (quoted) CheckClosed(mark);
    if (AwaitsKey()) {
      SetKey(mark, value, quoted);
      return;
    }
    YamlNode node;
    node.kind = quoted ? YamlNode::Kind::kQuoted : YamlNode::Kind::kPlain;
    node.offset = OffsetOf(mark);
    node.text = value;
    Add(std::move(node));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag,
                       YAML::anchor_t /*anchor*/,
                       YAML::EmitterStyle::value /*style*/) override {
    Open(mark, tag, YamlNode::Kind::kList);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag,
                  YAML::anchor_t /*anchor*/,
                  YAML::EmitterStyle::value /*style*/) override {
    Open(mark, tag, YamlNode::Kind::kMapping);
  }
  void OnMapEnd() override { Close(); }

 private:
  static constexpr const char* kKeyExpected = "expected a key that is text";

  // A collection whose end has not come yet.
  struct OpenNode {
    YamlNode node;
    std::set<std::string> keys;
    std::string key;  // awaits its value; empty: none does
    size_t key_offset = 0;
  };

  size_t OffsetOf(const YAML::Mark& mark) const {
    return source_.OffsetOf(mark.line, mark.column);
  }

  bool AwaitsKey() const {
    return !open_.empty() && open_.back().key.empty() &&
           open_.back().node.kind == YamlNode::Kind::kMapping;
  }

  // yaml-cpp calls plain scalars and collections "?", quoted scalars "!", which
  // is also what a lone exclamation mark makes of anything.
  void CheckTag(const YAML::Mark& mark, const std::string& tag) const {
    const size_t offset = OffsetOf(mark);
    const bool written =
        offset < source_.text().size() && source_.text()[offset] == '!';
    if (written || (tag != "?" && tag != "!")) {
      throw ParseError(OffsetOf(mark), "tags (!) are not allowed");
    }
  }

  void CheckClosed(const YAML::Mark& mark) const {
    const size_t offset = OffsetOf(mark);
    const std::string& text = source_.text();
    const bool in_quotes =
        offset < text.size() && (text[offset] == '"' || text[offset] == '\'');
    if (in_quotes && !IsClosed(text, offset)) {
      throw ParseError(OffsetOf(mark), "the quote is never closed");
    }
  }

  void SetKey(const YAML::Mark& mark, const std::string& key, bool quoted) {
    const size_t offset = OffsetOf(mark);
    if (key == "<<" && !quoted) {
      throw ParseError(offset, "merge keys (<<) are not allowed");
    }
    if (key.empty()) throw ParseError(offset, kKeyExpected);
    if (!open_.back().keys.insert(key).second) {
      throw ParseError(offset, absl::StrCat("duplicate key ", Quoted(key)));
    }
    open_.back().key = key;
    open_.back().key_offset = offset;
  }

  void Open(const YAML::Mark& mark, const std::string& tag,
            YamlNode::Kind kind) {
    CheckTag(mark, tag);
    if (AwaitsKey()) throw ParseError(OffsetOf(mark), kKeyExpected);
    if (open_.size() == kDeepestLevel) {
      throw ParseError(OffsetOf(mark), absl::StrCat("more than ", kDeepestLevel,
                                                    " levels are not allowed"));
    }
    OpenNode open;
    open.node.kind = kind;
    open.node.offset = OffsetOf(mark);
    open_.push_back(std::move(open));
  }

  void Close() {
    YamlNode node = std::move(open_.back().node);
    open_.pop_back();
    Add(std::move(node));
  }

  void Add(YamlNode node) {
    if (++node_count_ > kMostNodes) {
      throw ParseError(node.offset, absl::StrCat("more than ", kMostNodes,
                                                 " values are not allowed"));
    }
    if (open_.empty()) {
      root_ = std::move(node);
      has_root_ = true;
      return;
    }
    OpenNode& parent = open_.back();
    node.key = std::exchange(parent.key, "");
    node.key_offset = parent.key_offset;
    parent.node.children.push_back(std::move(node));
  }

  const SourceText& source_;
  std::vector<OpenNode> open_;
  YamlNode root_;
  bool has_root_ = false;
  size_t node_count_ = 0;
};

}  // namespace

absl::StatusOr<YamlNode> ParseYaml(const SourceText& source,
                                   const std::string& expected) {
  TreeBuilder builder(source);
  try {
    std::istringstream stream(source.text());
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const ParseError& error) {
    return source.Error(error.offset, error.what());
  } catch (const YAML::Exception& error) {
    const size_t offset = source.OffsetOf(error.mark.line, error.mark.column);
    // It may quote a line break, or half a character.
    return source.Error(offset,
                        PrintableLine(absl::StrCat("not YAML: ", error.msg)));
  } catch (const std::exception& error) {
    return source.Error(0, absl::StrCat("not YAML: ", error.what()));
  }
  if (!builder.has_root()) {
    return source.Error(0, absl::StrCat("found nothing, expected ", expected));
  }
  return builder.TakeRoot();
}

}  // namespace moeprobe
