#include "storage/queue_turns.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "storage/queue_forecast.h"

namespace moeprobe {

QueueTurns::QueueTurns(const QueueSnapshot& snapshot)
    : jobs_per_user_(snapshot.jobs_per_user) {
  turns_.reserve(snapshot.users.size());
  for (const WaitingUser& user : snapshot.users) {
    waiting_count_ += static_cast<int64_t>(user.jobs.size());
    turns_.push_back({.user = &user,
                      .seconds = user.seconds,
                      .held_count = user.held_count,
                      .running_count = user.held_count});
    Push(turns_.size() - 1);
  }
}

size_t QueueTurns::UserOf(std::string_view name) const {
  size_t user = 0;
  while (user < turns_.size() && turns_[user].user->name != name) ++user;
  return user;
}

const WaitingJob* QueueTurns::First() const {
  if (next_.empty()) return nullptr;
  return JobOf(turns_[std::get<size_t>(next_.top())]);
}

size_t QueueTurns::Take(bool starts) {
  const size_t user = std::get<size_t>(next_.top());
  next_.pop();
  Turn& turn = turns_[user];
  turn.seconds += JobOf(turn)->seconds.value_or(kUnknownSeconds);
  ++turn.next;
  ++turn.held_count;
  if (starts) ++turn.running_count;
  --waiting_count_;
  Push(user);
  return user;
}

void QueueTurns::End(size_t user) {
  if (user == turns_.size()) return;  // none of theirs waits
  Turn& turn = turns_[user];
  const bool waited = IsAtLimit(turn);
  --turn.running_count;
  if (waited) Push(user);
}

void QueueTurns::LiftLimit() {
  next_ = {};
  jobs_per_user_ = 0;
  for (size_t user = 0; user < turns_.size(); ++user) Push(user);
}

void QueueTurns::Push(size_t user) {
  const Turn& turn = turns_[user];
  if (turn.next == turn.user->jobs.size() || IsAtLimit(turn)) return;
  const WaitingJob& job = *JobOf(turn);
  next_.emplace(-job.rank, turn.seconds / turn.user->weight, turn.held_count,
                job.id, user);
}

}  // namespace moeprobe
