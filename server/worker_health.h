#ifndef MOEPROBE_SERVER_WORKER_HEALTH_H_
#define MOEPROBE_SERVER_WORKER_HEALTH_H_

#include <vector>

#include "server/listener.h"
#include "server/repeated_call.h"
#include "server/worker_pulse.h"

namespace moeprobe {

// Keeps the health service up to date about workers: the service called
// "workers" serves as long as one of them answers. (The health of the server
// itself has no name.)
class WorkerHealth {
 public:
  // Tells those who ask at any of `listeners`. All must outlive the object.
  WorkerHealth(const WorkerPulse* pulse, std::vector<Listener*> listeners);

 private:
  void Tell() const;

  const WorkerPulse* pulse_;
  std::vector<Listener*> listeners_;
  RepeatedCall telling_;  // last: uses all of the above
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_WORKER_HEALTH_H_
