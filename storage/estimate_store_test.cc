#include "storage/estimate_store.h"

#include <memory>

#include "gtest/gtest.h"
#include "storage/database.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

class EstimateStoreTest : public testing::Test {
 protected:
  TemporaryDirectory directory_;
  std::unique_ptr<Database> database_ =
      *Database::Open(directory_.path() / "moeprobe.db");
  EstimateStore store_{database_.get()};
};

TEST_F(EstimateStoreTest, TrustsEstimatesBeforeTheFirstJob) {
  EXPECT_EQ(*store_.Ratio("mixtral"), 1);
}

TEST_F(EstimateStoreTest, LearnsByKindAndForgets) {
  ASSERT_TRUE(store_.Learn("mixtral", 4).ok());
  EXPECT_EQ(*store_.Ratio("mixtral"), 4);
  ASSERT_TRUE(store_.Learn("mixtral", 1).ok());
  EXPECT_EQ(*store_.Ratio("mixtral"), 3);
  EXPECT_EQ(*store_.Ratio("llama"), 1);
}

}  // namespace
}  // namespace moeprobe
