#ifndef MOEPROBE_STORAGE_TESTING_JOB_MODEL_H_
#define MOEPROBE_STORAGE_TESTING_JOB_MODEL_H_

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "storage/job.h"
#include "storage/limits.h"

namespace moeprobe {

// A submission. With an id, the same one again is answered with the same job.
struct Request {
  std::string owner;
  std::string id;    // empty: none
  std::string work;  // what is computed
  bool is_private = false;

  bool operator==(const Request&) const = default;
};

// An attempt at a job: its latest, or one `ago` before that.
struct SomeAttempt {
  int64_t job = 0;
  int ago = 0;
};

// How a worker ends an attempt.
enum class AttemptOutcome : std::uint8_t { kDone, kFailed, kGivenBack };

// A job as everybody sees it.
struct JobView {
  int64_t id = 0;
  std::string owner;
  bool is_private = false;
  std::string work;
  JobState state = JobState::kQueued;
  int attempt = 0;
  std::optional<int64_t> worker = {};
  int crash_count = 0;
  bool cached = false;
  std::string phase = {};
  std::optional<absl::StatusCode> failure = {};
  // In minutes since the first.
  int64_t created = 0;
  std::optional<int64_t> started = {}, ended = {};
  std::set<int64_t> layers = {};          // that it has
  std::vector<std::string> history = {};  // its states and layers
};

// All that tells one from another, on a line.
std::string Describe(const JobView& job);

// Whatever keeps jobs: the stores, or the model of them. Each call but the last
// says in words how it went: the name of a status code if not "OK", or what
// there is to say beside that.
class Jobs {
 public:
  Jobs() = default;
  Jobs(const Jobs&) = default;
  Jobs& operator=(const Jobs&) = default;
  virtual ~Jobs() = default;

  // For users.
  virtual std::string Submit(const Request& request) = 0;
  virtual std::string Cancel(const std::string& user, int64_t job) = 0;
  virtual std::string Remove(const std::string& user, int64_t job) = 0;

  // For the scheduler.
  virtual std::string Start(int64_t job, int64_t worker) = 0;
  virtual std::string StartNext(int64_t worker) = 0;
  virtual std::string AnswerFromCache(int64_t job) = 0;
  virtual std::string FailQueued(int64_t job) = 0;

  // For workers.
  virtual std::string Report(const SomeAttempt& attempt,
                             const std::string& phase) = 0;
  virtual std::string Publish(const SomeAttempt& attempt, int64_t layer) = 0;
  virtual std::string Finish(const SomeAttempt& attempt,
                             AttemptOutcome outcome) = 0;

  // The process of a worker is gone, as it is, too, when its lease runs out.
  virtual std::string WorkerDied(int64_t worker) = 0;

  // The server died, and another opens what it left.
  virtual std::string Reopen() = 0;
  // It says that no worker holds anything.
  virtual std::string ReleaseAll() = 0;

  // The time of day goes on.
  virtual std::string PassTime(int64_t minutes) = 0;

  // Returns all there is: a line for each job, which of them each user sees,
  // and the one that goes next.
  virtual std::vector<std::string> Seen() = 0;
};

// What the stores of jobs have to do, as a plain table. Workers cost nothing in
// it: of users who wait, the one goes first who holds fewer.
class JobModel : public Jobs {
 public:
  static constexpr std::array kUsers = {"ann", "bob", "admin"};
  static constexpr std::array kWorks = {"dense", "sparse"};
  static constexpr int64_t kLayerCount = 2;
  static constexpr int kMaxCrashCount = 2;
  static constexpr Limits kLimits{.queued_jobs_per_user = 3, .queued_jobs = 5};

  // What a layer of a work is found by in the cache: the first layers of all
  // works are the same.
  static std::string KeyOf(const std::string& work, int64_t layer);

  // Ids of jobs stand below it, those of jobs that are gone, too.
  int64_t next_id() const { return next_id_; }
  std::vector<int64_t> OpenJobs() const;
  std::vector<int64_t> HeldJobs() const;
  // Those that hold a job.
  std::vector<int64_t> BusyWorkers() const;

  std::string Submit(const Request& request) override;
  std::string Cancel(const std::string& user, int64_t job) override;
  std::string Remove(const std::string& user, int64_t job) override;
  std::string Start(int64_t job, int64_t worker) override;
  std::string StartNext(int64_t worker) override;
  std::string AnswerFromCache(int64_t job) override;
  std::string FailQueued(int64_t job) override;
  std::string Report(const SomeAttempt& attempt,
                     const std::string& phase) override;
  std::string Publish(const SomeAttempt& attempt, int64_t layer) override;
  std::string Finish(const SomeAttempt& attempt,
                     AttemptOutcome outcome) override;
  std::string WorkerDied(int64_t worker) override;
  std::string Reopen() override { return "OK"; }
  std::string ReleaseAll() override;
  std::string PassTime(int64_t minutes) override;
  std::vector<std::string> Seen() override;

 private:
  struct Job {
    JobView view;
    std::string request_id;
  };

  Job* Find(int64_t job);
  // Returns the job that an attempt holds, null if that is over.
  JobView* Held(const SomeAttempt& attempt);
  // Why a user may not change a job, if so.
  std::optional<absl::StatusCode> Refusal(const std::string& user,
                                          int64_t job) const;
  std::optional<int64_t> Next() const;
  int WaitingCount(const std::string& owner) const;
  int HeldCount(const std::string& owner) const;
  // Moves a job to another state.
  void Move(JobView& job, JobState state,
            std::optional<absl::StatusCode> failure = std::nullopt) const;
  void EndCancelled(JobView& job) const;
  void Succeed(JobView& job) const;
  // A worker no longer holds the job, which is to go on elsewhere.
  void Release(JobView& job) const;
  // Gives a job what the cache holds of it.
  void Attach(JobView& job) const;

  std::map<int64_t, Job> jobs_;
  std::set<std::string> cache_;
  int64_t next_id_ = 1;
  int64_t now_ = 0;
};

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_TESTING_JOB_MODEL_H_
