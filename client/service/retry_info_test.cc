#include "client/service/retry_info.h"

#include <google/protobuf/any.pb.h>
#include <grpcpp/support/status.h>

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/service/grpc_status.h"
#include "core/base/retry_delay.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/error_details.pb.h"
#include "spec/error_details.h"

namespace moeprobe {
namespace {

constexpr const char* kRetryInfo = "type.googleapis.com/google.rpc.RetryInfo";

std::string Details(const std::string& type_url, int64_t seconds) {
  v1::RetryDelay retry;
  retry.mutable_retry_delay()->set_seconds(seconds);
  v1::ErrorStatus status;
  // Others may have more to say.
  status.add_details()->set_type_url("type.googleapis.com/google.rpc.Help");
  google::protobuf::Any& detail = *status.add_details();
  detail.set_type_url(type_url);
  detail.set_value(retry.SerializeAsString());
  return status.SerializeAsString();
}

absl::Status Refused(const std::string& details) {
  return ToAbslStatus({grpc::StatusCode::RESOURCE_EXHAUSTED, "full", details});
}

TEST(RetryInfoTest, KeepsCodeAndMessage) {
  EXPECT_EQ(Refused(""), absl::ResourceExhaustedError("full"));
  EXPECT_EQ(ToAbslStatus(grpc::Status::OK), absl::OkStatus());
}

TEST(RetryInfoTest, SaysWhenToTryAgain) {
  const absl::Status status = Refused(Details(kRetryInfo, 300));
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(status.message(), "full; try again in about 5 min");
  EXPECT_EQ(RetryDelayOf(status), absl::Minutes(5));
}

TEST(RetryInfoTest, IsSaidInUnitsThatPeopleUse) {
  EXPECT_EQ(RoughText(absl::Seconds(1)), "1 s");
  EXPECT_EQ(RoughText(absl::Seconds(99)), "99 s");
  EXPECT_EQ(RoughText(absl::Seconds(100)), "2 min");
  EXPECT_EQ(RoughText(absl::Minutes(99)), "99 min");
  EXPECT_EQ(RoughText(absl::Minutes(100)), "2 h");
  EXPECT_EQ(RoughText(absl::Hours(24 * 30)), "30 days");
}

TEST(RetryInfoTest, PassesOverDetailsThatItDoesNotKnow) {
  EXPECT_EQ(Refused(Details("type.googleapis.com/google.rpc.QuotaFailure", 9)),
            absl::ResourceExhaustedError("full"));
  EXPECT_EQ(RetryDelayIn(""), std::nullopt);
  EXPECT_EQ(Refused("\xFF"), absl::ResourceExhaustedError("full"));
}

TEST(RetryInfoTest, SaysWhereNobodyAnsweredUnlessSomebodyDid) {
  const absl::Status none = absl::UnavailableError("refused");
  EXPECT_NE(WithAddress(none, "there").message(), none.message());
  const absl::Status answered = WithRetryDelay(none, absl::Seconds(30));
  EXPECT_EQ(WithAddress(answered, "there"), answered);
}

}  // namespace
}  // namespace moeprobe
