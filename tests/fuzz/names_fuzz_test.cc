// Page tokens and names of resources.

#include <gtest/gtest.h>

#include <string>

#include "server/page.h"
#include "server/resource_name.h"
#include "tests/fuzz/parser_fuzz.h"

namespace moeprobe {
namespace {

TEST(NamesFuzzTest, ReadsOrRefusesPageTokens) {
  FuzzParser({.seeds = {PageToken("ListJobs", "17")},
              .words = {"=", "-", "_", "A", "\n", "\xff"}},
             [](const std::string& input) {
               return ParsePageTokenNumber("ListJobs", input).status();
             });
}

TEST(NamesFuzzTest, ReadsOrRefusesNamesOfJobs) {
  FuzzParser(
      {.seeds = {"jobs/17"},
       .words = {"jobs/", "-", "0", "9223372036854775807", "\xff"}},
      [](const std::string& input) { return ParseJobName(input).status(); });
}

}  // namespace
}  // namespace moeprobe
