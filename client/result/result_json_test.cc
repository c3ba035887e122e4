#include "client/result/result_json.h"

#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "client/testing/training_cells.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/job.pb.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/result_service.pb.h"

namespace moeprobe {
namespace {

using Json = nlohmann::ordered_json;

v1::Result AnyResult() {
  v1::Result result;
  v1::Job& job = *result.mutable_job();
  job.set_name("jobs/17");
  job.set_state(v1::Job::STATE_SUCCEEDED);
  job.mutable_analyze()->set_model("m");
  job.mutable_create_time()->set_seconds(1);
  job.add_warnings("expert 3 has few tokens");
  for (const char* quantity : {"expert_count", "gate_mean"}) {
    v1::SummaryRow& row = *result.add_summary();
    row.set_name(std::string("baseline/layer2/") + quantity);
    row.set_layer(2);
    row.set_quantity(quantity);
    row.set_mean(0.25);
    row.set_count(8);
  }
  v1::Provenance& provenance = *result.add_provenance();
  provenance.set_prefix("baseline/");
  provenance.add_first_token_ids(5);
  (*provenance.mutable_environment())["b"] = "2";
  (*provenance.mutable_environment())["a"] = "1";
  return result;
}

TEST(ResultJsonTest, HoldsEverythingButTheArrays) {
  const Json json = ResultJson(AnyResult());
  EXPECT_EQ(json["job"]["name"], "jobs/17");
  EXPECT_EQ(json["job"]["state"], "succeeded");
  EXPECT_EQ(json["complete"], true);
  EXPECT_EQ(json["request"]["model"], "m");
  EXPECT_EQ(json["warnings"][0], "expert 3 has few tokens");
  ASSERT_EQ(json["summary"].size(), 1U);
  EXPECT_EQ(json["summary"][0]["part"], "baseline");
  EXPECT_EQ(json["summary"][0]["layer"], 2);
  EXPECT_EQ(json["summary"][0]["quantities"]["gate_mean"]["mean"], 0.25);
  EXPECT_EQ(json["provenance"][0]["first_token_ids"].dump(), "[5]");
  EXPECT_EQ(json["provenance"][0]["environment"].dump(),
            R"({"a":"1","b":"2"})");
}

TEST(ResultJsonTest, SaysHowFarAMeanCanBeTrusted) {
  v1::Result result = AnyResult();
  v1::SummaryRow& row = *result.mutable_summary(1);
  row.set_standard_error(0.5);
  row.set_interval_low(0.125);
  row.set_interval_high(0.25);
  row.set_null_mean(2);
  row.set_null_standard_deviation(1);
  row.set_p_value(0.01);
  row.set_permutation_null_mean(3);
  const Json json = ResultJson(result)["summary"][0]["quantities"];
  EXPECT_EQ(json["expert_count"].dump(),
            R"({"mean":0.25,"std":0.0,"count":8})");
  EXPECT_EQ(json["gate_mean"]["se"], 0.5);
  EXPECT_EQ(json["gate_mean"]["interval"].dump(), "[0.125,0.25]");
  EXPECT_EQ(json["gate_mean"]["random_router"].dump(),
            R"({"mean":2.0,"std":1.0,"p":0.01})");
  EXPECT_EQ(json["gate_mean"]["permutations"]["mean"], 3);
}

TEST(ResultJsonTest, KeepsTimesApart) {
  EXPECT_EQ(ResultJson(AnyResult())["times"].dump(),
            R"({"create":"1970-01-01T00:00:01.000Z"})");
}

TEST(ResultJsonTest, SaysWhatAFailedJobIs) {
  v1::Result result = AnyResult();
  result.mutable_job()->set_state(v1::Job::STATE_FAILED);
  result.mutable_job()->mutable_error()->set_message("no memory");
  const Json json = ResultJson(result);
  EXPECT_EQ(json["complete"], false);
  EXPECT_EQ(json["job"]["error"]["message"], "no memory");
}

TEST(JsonTextTest, IsSafeToPrintWhateverItHolds) {
  const std::string text =
      JsonText({{"text", "\x1B[2J\xC2\x9B\xFF"},
                {"number", std::numeric_limits<double>::quiet_NaN()}});
  EXPECT_EQ(text,
            "{\n  \"text\": \"\\u001b[2J\\u009b\\ufffd\",\n"
            "  \"number\": null\n}\n");
}

TEST(ResultJsonTest, KeepsNamesOfVariantsText) {
  v1::Result result;
  AddTrainingCell(result, "1.50", 3, 20, "2");
  EXPECT_EQ(ResultJson(result)["cells"][0]["settings"].dump(),
            R"({"variant":"1.50","seed":3,"step":20,"gates":"2"})");
}

}  // namespace
}  // namespace moeprobe
