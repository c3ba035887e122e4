#include "server/grpc_status.h"

#include <google/protobuf/any.pb.h>
#include <google/protobuf/util/time_util.h>
#include <grpcpp/support/status.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "core/base/printable.h"
#include "core/base/retry_delay.h"
#include "core/base/utf8.h"
#include "moeprobe/v1/error_details.pb.h"

namespace moeprobe {
namespace {

using google::protobuf::util::TimeUtil;

// gRPC takes 8 KiB of headers. Details have the message once more, in Base64.
constexpr size_t kMaxMessageBytes = 4000;
constexpr size_t kMaxMessageBytesBesideDetails = 2000;

// In a header: others than these are encoded as "%E2".
size_t EncodedSize(std::string_view text) {
  size_t size = 0;
  for (const char c : text) size += c >= ' ' && c <= '~' && c != '%' ? 1 : 3;
  return size;
}

// The characters of a line that take at most so many bytes in a header.
std::string Cut(const std::string& line, size_t limit) {
  size_t end = 0;
  size_t size = 0;
  while (end < line.size()) {
    const std::string_view rest = std::string_view(line).substr(end);
    const auto character = DecodeUtf8(rest);
    const size_t bytes = character ? character->size_bytes : 1;
    size += EncodedSize(rest.substr(0, bytes));
    if (size > limit) return absl::StrCat(line.substr(0, end), "...");
    end += bytes;
  }
  return line;
}

std::string Details(int code, const std::string& message,
                    absl::Duration delay) {
  v1::RetryDelay retry;
  *retry.mutable_retry_delay() =
      TimeUtil::SecondsToDuration(absl::ToInt64Seconds(delay));
  v1::ErrorStatus status;
  status.set_code(code);
  status.set_message(message);
  google::protobuf::Any& detail = *status.add_details();
  detail.set_type_url(kRetryInfoUrl);
  detail.set_value(retry.SerializeAsString());
  return status.SerializeAsString();
}

}  // namespace

grpc::Status ToGrpc(const absl::Status& status) {
  // The two code enumerations have the same values.
  const auto code = static_cast<grpc::StatusCode>(status.code());
  const std::string line = PrintableLine(std::string(status.message()));
  const std::optional<absl::Duration> delay = RetryDelayOf(status);
  if (!delay) return {code, Cut(line, kMaxMessageBytes)};
  const std::string message = Cut(line, kMaxMessageBytesBesideDetails);
  return {code, message, Details(code, message, *delay)};
}

}  // namespace moeprobe
