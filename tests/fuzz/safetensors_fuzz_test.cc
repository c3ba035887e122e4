// Headers of safetensors files.

#include <gtest/gtest.h>

#include <span>
#include <string>
#include <vector>

#include "core/checkpoint/safetensors_header.h"
#include "tests/fuzz/parser_fuzz.h"
#include "tests/testing/safetensors_bytes.h"

namespace moeprobe {
namespace {

TEST(SafetensorsFuzzTest, ReadsOrRefusesHeaders) {
  const std::string file = SafetensorsBytes(
      {{.name = "a",
        .dtype = "F32",
        .shape = {2},
        .bytes = std::string(8, 'x')},
       {.name = "b", .dtype = "BF16", .shape = {}, .bytes = "xx"}});
  std::vector<std::string> words = JsonWords();
  words.insert(words.end(), {"dtype", "shape", "data_offsets", "__metadata__"});
  FuzzParser({.seeds = {file, RawSafetensors("{}")}, .words = words},
             [](const std::string& input) {
               return ParseSafetensorsHeader(std::as_bytes(std::span(input)),
                                             input.size())
                   .status();
             });
}

}  // namespace
}  // namespace moeprobe
