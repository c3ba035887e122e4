#ifndef MOEPROBE_SERVER_PLACE_NEWS_H_
#define MOEPROBE_SERVER_PLACE_NEWS_H_

#include <chrono>

#include "server/job_changes.h"
#include "server/job_places.h"
#include "server/repeated_call.h"

namespace moeprobe {

// Tells who watches queued jobs where they stand, as long as the object lives:
// from one look at the queue for all of them, once a second at most, and less
// often where looks take more than a fiftieth of the time.
class PlaceNews {
 public:
  // Both must outlive the object.
  PlaceNews(const JobPlaces* places, JobChanges* changes);

 private:
  using Clock = std::chrono::steady_clock;

  void Look();

  const JobPlaces* places_;
  JobChanges* changes_;
  Clock::time_point next_look_;  // not before
  RepeatedCall looking_;         // last: uses all of the above
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_PLACE_NEWS_H_
