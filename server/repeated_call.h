#ifndef MOEPROBE_SERVER_REPEATED_CALL_H_
#define MOEPROBE_SERVER_REPEATED_CALL_H_

#include <chrono>
#include <functional>
#include <stop_token>
#include <thread>

namespace moeprobe {

// Calls a function at once and then again and again, on a thread of its own,
// as long as the object lives.
class RepeatedCall {
 public:
  // `pause`: between the end of a call and the next.
  RepeatedCall(std::chrono::milliseconds pause, std::function<void()> call);
  // Waits for a call that is under way.
  ~RepeatedCall() = default;

 private:
  void Run(const std::stop_token& stop);

  std::chrono::milliseconds pause_;
  std::function<void()> call_;
  std::jthread thread_;  // last: uses all of the above
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_REPEATED_CALL_H_
