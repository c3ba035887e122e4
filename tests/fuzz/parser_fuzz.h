#ifndef MOEPROBE_TESTS_FUZZ_PARSER_FUZZ_H_
#define MOEPROBE_TESTS_FUZZ_PARSER_FUZZ_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace moeprobe {

// What is read, and what it is written in.
struct FuzzedLanguage {
  std::vector<std::string> seeds;  // have to be right
  std::vector<std::string> words;  // to be put in anywhere
};

// Reads a great many inputs that are nearly right, and expects each to be read
// or refused in text of one line; a tenth at least is refused. An input that is
// refused in other words than all before has come further through the parser,
// or elsewhere: it is spoilt again.
void FuzzParser(const FuzzedLanguage& language,
                const std::function<absl::Status(const std::string&)>& read);

// Expects the message of a status to be one line of UTF-8 that is safe to show.
void ExpectOneLine(const absl::Status& status);

// Words of JSON, and what is not JSON but looks like it.
std::vector<std::string> JsonWords();

}  // namespace moeprobe

#endif  // MOEPROBE_TESTS_FUZZ_PARSER_FUZZ_H_
