#include "core/tensor/vector_math.h"
#include "gtest/gtest.h"

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  moeprobe::ChooseVectorMath();
  return RUN_ALL_TESTS();
}
