#include "server/grpc_status.h"

#include <grpcpp/support/status.h>

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "core/base/retry_delay.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/error_details.pb.h"

namespace moeprobe {
namespace {

// What gRPC takes of headers, all together.
constexpr size_t kHeaderBytes = 8192;

// Of a message in a header, where most bytes are encoded as "%E2"; and of
// details, in Base64.
size_t HeaderSize(const grpc::Status& status) {
  size_t size = status.error_details().size() * 4 / 3 + 4;
  for (const char c : status.error_message()) {
    size += c >= ' ' && c <= '~' && c != '%' ? 1 : 3;
  }
  return size;
}

absl::Status Full(const std::string& message) {
  return WithRetryDelay(absl::ResourceExhaustedError(message),
                        absl::Seconds(90));
}

TEST(GrpcStatusTest, HasNoDetailsUnlessItIsKnownWhenToTryAgain) {
  const grpc::Status status = ToGrpc(absl::ResourceExhaustedError("full"));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(status.error_message(), "full");
  EXPECT_EQ(status.error_details(), "");
}

TEST(GrpcStatusTest, SaysWhenToTryAgainInGooglesForm) {
  const grpc::Status status = ToGrpc(Full("full"));
  EXPECT_EQ(status.error_message(), "full");
  // google.rpc.Status{code: 8, message: "full", details: [Any{type_url,
  // value: RetryInfo{retry_delay: Duration{seconds: 90}}}]}
  EXPECT_EQ(status.error_details(),
            absl::StrCat("\x08\x08\x12\x04"
                         "full\x1A\x30\x0A\x28",
                         "type.googleapis.com/google.rpc.RetryInfo",
                         "\x12\x04\x0A\x02\x08\x5A"));
}

TEST(GrpcStatusTest, CutsWhatHeadersDoNotTake) {
  // ASCII, of many bytes in a header, and bytes that become three of those.
  for (const char* text : {"a", "%", "\u00e9", "\u6f22", "\xFF"}) {
    std::string message;
    while (message.size() < 10'000) message += text;
    const grpc::Status bare = ToGrpc(absl::ResourceExhaustedError(message));
    EXPECT_LT(HeaderSize(bare), kHeaderBytes / 2) << text;
    EXPECT_TRUE(bare.error_message().ends_with("...")) << text;
    const grpc::Status detailed = ToGrpc(Full(message));
    EXPECT_LT(HeaderSize(detailed), kHeaderBytes * 3 / 4) << text;
    v1::ErrorStatus details;
    ASSERT_TRUE(details.ParseFromString(detailed.error_details())) << text;
    EXPECT_EQ(details.message(), detailed.error_message()) << text;
  }
}

TEST(GrpcStatusTest, CutsBetweenCharacters) {
  std::string text = "a";
  while (text.size() < 5000) text += "\u6f22";
  const std::string message =
      ToGrpc(absl::ResourceExhaustedError(text)).error_message();
  EXPECT_EQ(message.find("\uFFFD"), std::string::npos);
  EXPECT_TRUE(message.ends_with("\u6f22..."));
}

}  // namespace
}  // namespace moeprobe
