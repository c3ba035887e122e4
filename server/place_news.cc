#include "server/place_news.h"

#include <chrono>

#include "server/job_changes.h"
#include "server/job_places.h"

namespace moeprobe {
namespace {

constexpr std::chrono::milliseconds kPause{1'000};
constexpr int kPausesPerLook = 49;

}  // namespace

PlaceNews::PlaceNews(const JobPlaces* places, JobChanges* changes)
    : places_(places),
      changes_(changes),
      looking_(kPause, [this] { Look(); }) {}

void PlaceNews::Look() {
  const Clock::time_point begin = Clock::now();
  if (begin < next_look_ || !changes_->is_watched()) return;
  // Where it cannot be told now, it is told later.
  const auto all = places_->All();
  if (all.ok()) changes_->TellPlaces(*all);
  const Clock::time_point end = Clock::now();
  next_look_ = end + kPausesPerLook * (end - begin);
}

}  // namespace moeprobe
