#ifndef MOEPROBE_CLIENT_SERVICE_CANCELLATION_H_
#define MOEPROBE_CLIENT_SERVICE_CANCELLATION_H_

#include <grpcpp/client_context.h>

#include <chrono>
#include <condition_variable>
#include <set>

#include "core/base/mutex.h"

namespace moeprobe {

// Ends calls and pauses from another thread. Thread-safe; cannot be undone.
class Cancellation {
 public:
  // Ends every registered call and pause, and those to come.
  void Cancel();

  bool cancelled() const;

  // Sleeps, unless cancelled before or meanwhile.
  void Pause(std::chrono::milliseconds duration);

  // Registers a call for its lifetime.
  class Call {
   public:
    Call(Cancellation& cancellation, grpc::ClientContext& context);
    ~Call();
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

   private:
    Cancellation& cancellation_;
    grpc::ClientContext& context_;
  };

 private:
  mutable Mutex mutex_;
  std::condition_variable_any changed_;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  std::set<grpc::ClientContext*> calls_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_SERVICE_CANCELLATION_H_
