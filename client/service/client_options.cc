#include "client/service/client_options.h"

#include <grpcpp/client_context.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace moeprobe {

void Authorize(grpc::ClientContext& context, const std::string& token) {
  if (token.empty()) return;
  context.AddMetadata("authorization", absl::StrCat("Bearer ", token));
}

}  // namespace moeprobe
