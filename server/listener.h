#ifndef MOEPROBE_SERVER_LISTENER_H_
#define MOEPROBE_SERVER_LISTENER_H_

#include <chrono>
#include <string>

namespace moeprobe {

// Where services can be called, with health and reflection beside them.
class Listener {
 public:
  Listener() = default;
  virtual ~Listener() = default;
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // The address, with the real port for HOST:0.
  virtual const std::string& address() const = 0;

  // Tells those who ask for its health whether `service`, of any name, serves.
  virtual void SetHealth(const std::string& service, bool is_serving) = 0;

  // Tells those who ask for its health that it is about to stop: no service
  // serves from now on, whatever SetHealth() says.
  virtual void Drain() = 0;

  // Takes no more calls, gives running ones so long, and waits for them; those
  // of clients that stopped reading end with their connections soon after.
  // Idempotent.
  virtual void Stop(std::chrono::milliseconds grace) = 0;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_LISTENER_H_
