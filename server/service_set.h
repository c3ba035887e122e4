#ifndef MOEPROBE_SERVER_SERVICE_SET_H_
#define MOEPROBE_SERVER_SERVICE_SET_H_

#include <grpcpp/impl/service_type.h>

#include <functional>
#include <memory>
#include <vector>

#include "server/access/caller.h"

namespace moeprobe {

// Services that can be called at one place. gRPC wants them anew for each of
// its servers.
class ServiceSet {
 public:
  virtual ~ServiceSet() = default;

  virtual std::vector<grpc::Service*> All() = 0;
};

// Makes the services for connections that come from `origin`. Thread-safe.
using MakeServices =
    std::function<std::unique_ptr<ServiceSet>(const Origin& origin)>;

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_SERVICE_SET_H_
