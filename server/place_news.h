#ifndef MOEPROBE_SERVER_PLACE_NEWS_H_
#define MOEPROBE_SERVER_PLACE_NEWS_H_

#include "server/job_changes.h"
#include "server/queue_looks.h"
#include "server/repeated_call.h"

namespace moeprobe {

// Tells who watches queued jobs where they stand, as long as the object lives:
// from one look at the queue for all of them, as often as QueueLooks looks.
class PlaceNews {
 public:
  // Both must outlive the object.
  PlaceNews(QueueLooks* looks, JobChanges* changes);

 private:
  void Tell();

  QueueLooks* looks_;
  JobChanges* changes_;
  RepeatedCall telling_;  // last: uses all of the above
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_PLACE_NEWS_H_
