// Requests in YAML.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "client/request/request_reader.h"
#include "tests/fuzz/parser_fuzz.h"

namespace moeprobe {
namespace {

std::vector<std::string> YamlWords() {
  return {"&a ",  "*a",    "!!int ",
          "<<: ", "---\n", "...\n",
          "? ",   "%YAML", "{",
          "}",    "[",     "]",
          ": ",   "- ",    "\t",
          "\"",   "'",     "|\n",
          ">\n",  "\xff",  "\x1b[31m",
          "~",    "0x1F",  "1e999",
          ".nan", "yes",   "[[[[[[[[[[[[[[[[[[[["};
}

TEST(RequestFuzzTest, ReadsOrRefusesRequests) {
  FuzzParser(
      {.seeds = {"kind: analyze\nmodel: m\n"
                 "data: [{ids: a.npy, tokens: all}, {text: b}]\n"
                 "layers: [0, 1]\nprobes: {pca: {components: 3}, spectra: {}}\n"
                 "sweep: {routing.temperature: [0.5, 1]}\n",
                 "kind: train\ndata: {text: t, held_out: 0.1}\nvariants:\n"
                 "  a: {block: dense}\n  b: {routing: {select: all}}\n"
                 "seeds: [0, 1]\n"},
       .words = YamlWords()},
      [](const std::string& input) {
        return ReadRequest(input, "f.yaml").status();
      });
}

}  // namespace
}  // namespace moeprobe
