#include "core/tensor/libtorch_kernels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace moeprobe {
namespace {

TEST(LibtorchKernelsTest, AreThoseOfThisProcessor) {
  EXPECT_TRUE(CheckLibtorchKernels().ok());
}

// What asks for other kernels is seen in what is said of results.
TEST(LibtorchKernelsTest, StandBehindTheVersion) {
  EXPECT_THAT(LibtorchVersion(),
              testing::MatchesRegex("[0-9]+[.][0-9]+[.][0-9]+ [A-Z0-9]+"));
}

}  // namespace
}  // namespace moeprobe
