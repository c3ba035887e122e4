#ifndef MOEPROBE_SERVER_MODEL_REGISTRY_H_
#define MOEPROBE_SERVER_MODEL_REGISTRY_H_

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/mutex.h"
#include "core/checkpoint/checkpoint.h"
#include "server/model_root.h"
#include "storage/access.h"
#include "storage/job_store.h"

namespace moeprobe {

// A model directory, opened.
struct OpenedModel {
  std::string name;         // as the request has it
  std::string listed_name;  // the one that Names() has for it
  std::filesystem::path directory;
  std::filesystem::path root;  // the model root it lies in
  // Never null where `problem` is OK.
  std::shared_ptr<const Checkpoint> checkpoint;
  absl::Status problem;  // why it cannot be analysed
};

// Returns the problem of a model as the reason to refuse who asks for it: as it
// is where it may pass (MayPass), FailedPrecondition otherwise.
absl::Status ReasonToRefuse(const OpenedModel& model);

// The models under the model roots. Where two roots have a model of the same
// name, the first root has it. Models that were trained here are found by their
// names, "trained/{run}/step-{step}", and not listed: they are there for who
// may see a job that has their run. Opened checkpoints are kept, and so is what
// is wrong with a model; it is opened again when a file of its directory
// changed, and where what was wrong may have passed. Made for the server
// itself; see ForRequest(). Thread-safe.
class ModelRegistry {
 public:
  // `home`: the root whose folder "trained" has the models trained here. `jobs`
  // knows whose they are, and must outlive the registry.
  ModelRegistry(std::vector<ModelRoot> roots, ModelRoot home, JobStore* jobs)
      : shared_(std::make_shared<Shared>(std::move(roots), std::move(home),
                                         jobs)) {}

  // Returns the registry for one request of the viewer, who finds in it what
  // they may see. It looks for a model of one name once: all that is done for
  // the request is done with the checkpoint of that moment. What it opens is
  // opened for all. Of one thread at a time.
  ModelRegistry ForRequest(const Viewer& viewer) const;

  // Returns the names of all models, sorted.
  std::vector<std::string> Names() const;

  // Whether the viewer may know of a model of this name, if there is one.
  absl::StatusOr<bool> MaySee(const std::string& name) const;

  // Returns a model, whether it can be analysed or not. NotFound, with the name
  // that was probably meant, if there is none; errors that may pass (MayPass)
  // if a root that may have it cannot be looked at.
  absl::StatusOr<OpenedModel> Find(const std::string& name);

  // Closes the models of a training run, which are gone, once nobody uses them.
  void Forget(const std::string& run);

  // Returns the digest of the model's tokenizer.json. FailedPrecondition if it
  // has none; those of DiskError if it cannot be read.
  absl::StatusOr<std::string> TokenizerSha256(const OpenedModel& model);

 private:
  // What is known of a model directory. Who asks for one waits for whoever
  // opens it, and for nobody who opens another.
  struct Known {
    Mutex mutex;
    std::string stamp ABSL_GUARDED_BY(mutex);  // of the directory
    OpenedModel model ABSL_GUARDED_BY(mutex);
    std::string tokenizer_stamp ABSL_GUARDED_BY(mutex);  // of the file
    std::string tokenizer_sha256 ABSL_GUARDED_BY(mutex);
  };

  // Of all that ForRequest() returns together.
  struct Shared {
    Shared(std::vector<ModelRoot> model_roots, ModelRoot trained_home,
           JobStore* job_store)
        : roots(std::move(model_roots)),
          home(std::move(trained_home)),
          jobs(job_store) {}

    const std::vector<ModelRoot> roots;
    const ModelRoot home;
    JobStore* const jobs;
    Mutex mutex;
    std::map<std::filesystem::path, std::shared_ptr<Known>> known
        ABSL_GUARDED_BY(mutex);
  };

  std::shared_ptr<Known> KnownOf(const std::filesystem::path& directory);
  // Where a model of this name may be, in order.
  absl::StatusOr<std::vector<const ModelRoot*>> PlacesOf(
      const std::string& name) const;
  absl::StatusOr<OpenedModel> Look(const std::string& name);
  OpenedModel Open(const ModelRoot& root, const std::string& name,
                   const std::filesystem::path& directory);

  std::shared_ptr<Shared> shared_;
  Viewer viewer_ = ServerItself();
  bool looks_once_ = false;
  std::map<std::string, OpenedModel> found_;  // by the names asked for
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_MODEL_REGISTRY_H_
