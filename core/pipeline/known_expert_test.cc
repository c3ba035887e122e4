#include "core/pipeline/known_expert.h"

#include <gtest/gtest.h>

#include "core/pipeline/analyze.h"

namespace moeprobe {
namespace {

TEST(KnownExpertTest, IsComputedRight) {
  EXPECT_TRUE(CheckKnownExpert().ok()) << CheckKnownExpert();
}

// A worker checks between tasks, whatever these have set.
TEST(KnownExpertTest, IsComputedRightOnceAnAnalyzerIsThere) {
  const Analyzer analyzer(2);
  EXPECT_TRUE(CheckKnownExpert().ok()) << CheckKnownExpert();
}

}  // namespace
}  // namespace moeprobe
