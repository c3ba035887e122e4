#ifndef MOEPROBE_SERVER_WORKER_HEALTH_H_
#define MOEPROBE_SERVER_WORKER_HEALTH_H_

#include <stop_token>
#include <thread>

#include "server/listener.h"
#include "server/worker_pulse.h"

namespace moeprobe {

// Keeps the health service up to date about workers: the service called
// "workers" serves as long as one of them answers. (The health of the server
// itself has no name.)
class WorkerHealth {
 public:
  // Both must outlive the object.
  WorkerHealth(const WorkerPulse* pulse, Listener* listener);
  // Stops telling.
  ~WorkerHealth() = default;

 private:
  void Run(const std::stop_token& stop);

  const WorkerPulse* pulse_;
  Listener* listener_;
  std::jthread thread_;  // last: uses all of the above
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_WORKER_HEALTH_H_
