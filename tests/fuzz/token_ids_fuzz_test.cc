// Token ids, as users upload and workers store them.

#include <gtest/gtest.h>

#include <string>

#include "core/base/npy.h"
#include "tests/fuzz/parser_fuzz.h"

namespace moeprobe {
namespace {

TEST(TokenIdsFuzzTest, ReadsOrRefusesFiles) {
  FuzzParser(
      {.seeds = {EncodeTokenIds({1, 2, 3})},
       .words = {"'descr'", "'shape'", "(", ")", ",", "<i8", ">u2", "|b1", "-1",
                 "9223372036854775807", "True", "{", "}", "\n"}},
      [](const std::string& input) { return DecodeTokenIds(input).status(); });
}

}  // namespace
}  // namespace moeprobe
