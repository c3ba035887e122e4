#include "client/commands/model_text.h"

#include <nlohmann/json.hpp>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/server_service.pb.h"

namespace moeprobe {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class ModelTextTest : public testing::Test {
 protected:
  ModelTextTest() {
    memory_.set_size_bytes(2'000'000);
    memory_.set_resident_bytes(1'000'000);
  }

  v1::Model model_;
  v1::ModelMemory& memory_ = *model_.mutable_memory();
};

TEST_F(ModelTextTest, SaysHowMuchIsInMemory) {
  memory_.set_state(v1::ModelMemory::STATE_NOT_LOADED);
  EXPECT_EQ(ModelMemoryText(model_), "no");
  memory_.set_state(v1::ModelMemory::STATE_PARTLY_LOADED);
  EXPECT_EQ(ModelMemoryText(model_), "1.0 MB of 2.0 MB");
  memory_.set_state(v1::ModelMemory::STATE_LOADING);
  EXPECT_EQ(ModelMemoryText(model_), "loading, 1.0 MB of 2.0 MB");
  memory_.set_state(v1::ModelMemory::STATE_UNKNOWN);
  EXPECT_EQ(ModelMemoryText(model_), "unknown");
  memory_.set_state(v1::ModelMemory::STATE_LOADED);
  EXPECT_EQ(ModelMemoryText(model_), "loaded");
  memory_.set_pinned(true);
  memory_.set_user("alice");
  memory_.set_problem("why");
  EXPECT_EQ(ModelMemoryText(model_), "loaded, pinned by alice: why");
  EXPECT_EQ(MemoryJson(model_)["state"], "loaded");
}

TEST_F(ModelTextTest, SaysNothingOfAModelThatCannotBeAnalysed) {
  EXPECT_EQ(ModelMemoryText(v1::Model()), "");
  EXPECT_EQ(HoldersText(v1::Model()), "");
  EXPECT_TRUE(MemoryJson(v1::Model()).is_null());
}

TEST_F(ModelTextTest, SaysWhoUsesIt) {
  EXPECT_EQ(HoldersText(model_), "");
  v1::ModelHolder& holder = *memory_.add_holders();
  holder.set_worker_pid(4711);
  EXPECT_THAT(HoldersText(model_), StartsWith("a private job (worker 4711, "));
  holder.set_job("jobs/3");
  holder.set_owner("alice");
  EXPECT_THAT(HoldersText(model_), HasSubstr("jobs/3 (alice, worker 4711, "));
  EXPECT_EQ(MemoryJson(model_)["holders"][0]["job"], "jobs/3");
}

TEST_F(ModelTextTest, HasTimesInJsonThatDoNotDependOnWhereOneIs) {
  memory_.mutable_request_time()->set_seconds(1'000'000'000);
  memory_.add_holders()->mutable_since_time()->set_seconds(1'000'000'001);
  const auto json = MemoryJson(model_);
  EXPECT_EQ(json["request_time"], "2001-09-09T01:46:40.000Z");
  EXPECT_EQ(json["holders"][0]["since"], "2001-09-09T01:46:41.000Z");
}

}  // namespace
}  // namespace moeprobe
