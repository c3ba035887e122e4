#include "client/service/cancellation.h"

#include <grpcpp/client_context.h>

#include <chrono>
#include <condition_variable>

#include "core/base/mutex.h"

namespace moeprobe {

void Cancellation::Cancel() {
  const MutexLock lock(mutex_);
  cancelled_ = true;
  for (grpc::ClientContext* call : calls_) call->TryCancel();
  changed_.notify_all();
}

bool Cancellation::cancelled() const {
  const MutexLock lock(mutex_);
  return cancelled_;
}

void Cancellation::Pause(std::chrono::milliseconds duration) {
  const auto end = std::chrono::steady_clock::now() + duration;
  const MutexLock lock(mutex_);
  while (!cancelled_) {
    if (changed_.wait_until(mutex_, end) == std::cv_status::timeout) return;
  }
}

Cancellation::Call::Call(Cancellation& cancellation,
                         grpc::ClientContext& context)
    : cancellation_(cancellation), context_(context) {
  const MutexLock lock(cancellation_.mutex_);
  cancellation_.calls_.insert(&context_);
  if (cancellation_.cancelled_) context_.TryCancel();
}

Cancellation::Call::~Call() {
  const MutexLock lock(cancellation_.mutex_);
  cancellation_.calls_.erase(&context_);
}

}  // namespace moeprobe
