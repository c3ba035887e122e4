#include "server/place_news.h"

#include <chrono>

#include "server/job_changes.h"
#include "server/queue_looks.h"

namespace moeprobe {
namespace {

constexpr std::chrono::milliseconds kPause{1'000};

}  // namespace

PlaceNews::PlaceNews(QueueLooks* looks, JobChanges* changes)
    : looks_(looks), changes_(changes), telling_(kPause, [this] { Tell(); }) {}

void PlaceNews::Tell() {
  if (!changes_->is_watched()) return;
  const auto look = looks_->Recent();
  // Where it cannot be told now, it is told later.
  if (look.ok()) changes_->TellPlaces((*look)->places);
}

}  // namespace moeprobe
