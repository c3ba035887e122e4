#ifndef MOEPROBE_SERVER_WORKER_HEALTH_H_
#define MOEPROBE_SERVER_WORKER_HEALTH_H_

#include <stop_token>
#include <thread>
#include <vector>

#include "server/listener.h"
#include "server/worker_pulse.h"

namespace moeprobe {

// Keeps the health service up to date about workers: the service called
// "workers" serves as long as one of them answers. (The health of the server
// itself has no name.)
class WorkerHealth {
 public:
  // Tells those who ask at any of `listeners`. All must outlive the object.
  WorkerHealth(const WorkerPulse* pulse, std::vector<Listener*> listeners);
  // Stops telling.
  ~WorkerHealth() = default;

 private:
  void Run(const std::stop_token& stop);

  const WorkerPulse* pulse_;
  std::vector<Listener*> listeners_;
  std::jthread thread_;  // last: uses all of the above
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_WORKER_HEALTH_H_
