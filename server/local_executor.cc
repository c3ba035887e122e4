#include "server/local_executor.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/file_descriptor.h"
#include "core/base/mutex.h"
#include "server/log.h"
#include "server/worker_process.h"

namespace moeprobe {
namespace {

using std::chrono::milliseconds;

// A worker that lives so long was started well.
constexpr milliseconds kSettled{10'000};
constexpr milliseconds kFirstBackOff{100};
constexpr milliseconds kLongestBackOff{10'000};
// Time to end between SIGTERM and SIGKILL.
constexpr milliseconds kGrace{1'000};

}  // namespace

absl::StatusOr<std::unique_ptr<LocalExecutor>> LocalExecutor::Start(
    Options options) {
  FileDescriptor wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (wake.number() < 0) return absl::ErrnoToStatus(errno, "eventfd");
  std::unique_ptr<LocalExecutor> executor(
      new LocalExecutor(std::move(options), std::move(wake)));
  executor->thread_ = std::thread([raw = executor.get()] { raw->Run(); });
  return executor;
}

LocalExecutor::LocalExecutor(Options options, FileDescriptor wake)
    : options_(std::move(options)),
      wake_(std::move(wake)),
      slots_(static_cast<size_t>(options_.worker_count)) {}

LocalExecutor::~LocalExecutor() { Stop(); }

void LocalExecutor::KillLater(int64_t pid, milliseconds delay,
                              std::function<bool()> still_needed) {
  {
    const MutexLock lock(mutex_);
    orders_.push_back({.pid = pid,
                       .time = Clock::now() + delay,
                       .still_needed = std::move(still_needed)});
  }
  Wake();
}

void LocalExecutor::Stop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  Wake();
  if (thread_.joinable()) thread_.join();
}

void LocalExecutor::Wake() { eventfd_write(wake_.number(), 1); }

bool LocalExecutor::IsStopping() {
  const MutexLock lock(mutex_);
  return stopping_;
}

// Children are started on this thread only: they ask to be killed with the
// thread that started them.
void LocalExecutor::Run() {
  while (!IsStopping()) {
    StartDue();
    WaitForSomething();
    KillDue();
  }
  EndAll();
}

void LocalExecutor::StartDue() {
  for (Slot& slot : slots_) {
    if (slot.process || Clock::now() < slot.start_at) continue;
    auto process = WorkerProcess::Start(options_.command);
    slot.started = Clock::now();
    if (!process.ok()) {
      slot.back_off = kLongestBackOff;
      slot.start_at = slot.started + slot.back_off;
      LogWarning(
          absl::StrCat("cannot start a worker: ", process.status().ToString()));
      continue;
    }
    slot.process = *std::move(process);
    slot.was_killed = false;
    options_.on_start(slot.process->pid(), slot.process->TakeLine());
  }
}

void LocalExecutor::Reap(Slot& slot) {
  if (!slot.process) return;
  // The whole group: a helper of the worker must not outlive it.
  slot.process->Kill(SIGKILL);
  const int64_t pid = slot.process->pid();
  const std::string end = slot.process->Reap();
  const std::string reason = slot.was_killed ? "was ended by the server" : end;
  slot.process.reset();
  const auto now = Clock::now();
  slot.back_off =
      now - slot.started > kSettled
          ? kFirstBackOff
          : std::clamp(slot.back_off * 2, kFirstBackOff, kLongestBackOff);
  slot.start_at = now + slot.back_off;
  LogWarning(absl::StrCat("worker ", pid, " ", reason));
  options_.on_death(pid, absl::StrCat("worker ", reason), slot.was_killed);
}

void LocalExecutor::KillDue() {
  std::vector<Order> due;
  {
    const MutexLock lock(mutex_);
    const auto now = Clock::now();
    const auto is_due = std::ranges::partition(
        orders_, [now](const Order& order) { return order.time > now; });
    std::ranges::move(is_due, std::back_inserter(due));
    orders_.erase(is_due.begin(), is_due.end());
  }
  for (const Order& order : due) {
    for (Slot& slot : slots_) {
      if (slot.process && slot.process->pid() == order.pid &&
          order.still_needed()) {
        slot.process->Kill(SIGKILL);
        slot.was_killed = true;
      }
    }
  }
}

// Waits until a worker ends, one has to be started or killed, or Wake().
void LocalExecutor::WaitForSomething() {
  std::vector<pollfd> files = {
      {.fd = wake_.number(), .events = POLLIN, .revents = 0}};
  std::vector<Slot*> polled;
  for (Slot& slot : slots_) {
    if (!slot.process) continue;
    files.push_back(
        {.fd = slot.process->ended(), .events = POLLIN, .revents = 0});
    polled.push_back(&slot);
  }
  poll(files.data(), files.size(), TimeoutMilliseconds());
  eventfd_t ignored = 0;
  eventfd_read(wake_.number(), &ignored);
  for (size_t i = 0; i < polled.size(); ++i) {
    if (files[i + 1].revents != 0) Reap(*polled[i]);
  }
}

int LocalExecutor::TimeoutMilliseconds() {
  auto next = Clock::time_point::max();
  for (const Slot& slot : slots_) {
    if (!slot.process) next = std::min(next, slot.start_at);
  }
  const MutexLock lock(mutex_);
  for (const Order& order : orders_) next = std::min(next, order.time);
  if (next == Clock::time_point::max()) return -1;
  const auto wait =
      std::chrono::ceil<milliseconds>(next - Clock::now()).count();
  return static_cast<int>(std::max<int64_t>(wait, 0));
}

void LocalExecutor::EndAll() {
  for (Slot& slot : slots_) {
    if (slot.process) slot.process->Kill(SIGTERM);
  }
  const auto deadline = Clock::now() + kGrace;
  for (Slot& slot : slots_) {
    if (!slot.process) continue;
    const auto left =
        std::chrono::ceil<milliseconds>(deadline - Clock::now()).count();
    pollfd file = {.fd = slot.process->ended(), .events = POLLIN, .revents = 0};
    poll(&file, 1, static_cast<int>(std::max<int64_t>(left, 0)));
    slot.process->Kill(SIGKILL);
    slot.process->Reap();
    slot.process.reset();
  }
}

}  // namespace moeprobe
