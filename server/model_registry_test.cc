#include "server/model_registry.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/base/disk_error.h"
#include "core/base/file_descriptor.h"
#include "core/checkpoint/checkpoint.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/model_root.h"
#include "storage/access.h"
#include "storage/database.h"
#include "storage/job_store.h"
#include "tests/testing/no_descriptors.h"
#include "tests/testing/temporary_directory.h"
#include "tests/testing/tiny_checkpoint.h"

namespace moeprobe {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

// Whether a file is opened.
class Watch {
 public:
  explicit Watch(const fs::path& file) {
    EXPECT_GE(inotify_add_watch(events_.number(), file.c_str(), IN_OPEN), 0);
  }

  // Whether it was since this was asked last.
  bool SawIt() {
    alignas(inotify_event) std::array<char, 4096> buffer;
    return read(events_.number(), buffer.data(), buffer.size()) > 0;
  }

 private:
  FileDescriptor events_{inotify_init1(IN_NONBLOCK | IN_CLOEXEC)};
};

// Models in a root, and a home that is known by a symbolic link.
class ModelRegistryTest : public testing::Test {
 protected:
  ModelRegistryTest() {
    WriteTinyModel(root_ / "mixtral", MakeTinyModel("mixtral"));
    fs::create_directories(directory_.path() / "home");
    fs::create_directory_symlink("home", directory_.path() / "link");
    registry_ = std::make_unique<ModelRegistry>(
        std::vector<ModelRoot>{*ModelRoot::Open(root_)},
        *ModelRoot::Open(directory_.path() / "link" / "."), &jobs_);
  }

  absl::Status ProblemOf(const std::string& name) {
    const auto model = registry_->Find(name);
    return model.ok() ? model->problem : model.status();
  }

  TemporaryDirectory directory_;
  fs::path root_ = directory_.path() / "models";
  std::unique_ptr<Database> database_ =
      *Database::Open(directory_.path() / "moeprobe.db");
  JobStore jobs_{database_.get(), [](int64_t) {}};
  std::unique_ptr<ModelRegistry> registry_;
};

TEST_F(ModelRegistryTest, OpensABrokenModelOnceUntilItChanges) {
  const fs::path config = root_ / "broken/config.json";
  fs::create_directories(root_ / "broken");
  WriteBytes(config, "{");
  Watch watch(config);
  for (const bool is_opened : {true, false, false}) {
    const absl::Status problem = ProblemOf("broken");
    EXPECT_THAT(std::string(problem.message()), HasSubstr("not valid JSON"));
    EXPECT_EQ(watch.SawIt(), is_opened);
  }
  WriteTinyModel(root_ / "broken", MakeTinyModel("mixtral"));
  EXPECT_EQ(ProblemOf("broken"), absl::OkStatus());
}

TEST_F(ModelRegistryTest, LooksAgainAtAModelThatCouldNotBeRead) {
  for (int time = 0; time < 2; ++time) {
    {
      const NoDescriptors limit;
      const absl::Status problem = ProblemOf("mixtral");
      EXPECT_TRUE(MayPass(problem)) << problem;
    }
    EXPECT_EQ(ProblemOf("mixtral"), absl::OkStatus());
  }
}

TEST_F(ModelRegistryTest, RefusesByWhatMayPassOrByWhatIsWrong) {
  {
    const NoDescriptors limit;
    const absl::Status refusal = ReasonToRefuse(*registry_->Find("mixtral"));
    EXPECT_TRUE(absl::IsResourceExhausted(refusal)) << refusal;
  }
  WriteBytes(root_ / "mixtral/model.safetensors", "");
  const absl::Status refusal = ReasonToRefuse(*registry_->Find("mixtral"));
  EXPECT_TRUE(absl::IsFailedPrecondition(refusal)) << refusal;
}

TEST_F(ModelRegistryTest, LooksOnceAtAModelForARequest) {
  ModelRegistry request = registry_->ForRequest(ServerItself());
  const auto first = request.Find("mixtral");
  ASSERT_TRUE(first.ok() && first->problem.ok());
  WriteBytes(root_ / "mixtral/config.json", "{");
  EXPECT_EQ(request.Find("mixtral")->checkpoint, first->checkpoint);
  ModelRegistry next = registry_->ForRequest(ServerItself());
  EXPECT_FALSE(next.Find("mixtral")->problem.ok());
  // One that was not there when it was asked for may come.
  EXPECT_FALSE(request.Find("late").ok());
  WriteTinyModel(root_ / "late", MakeTinyModel("mixtral"));
  EXPECT_TRUE(request.Find("late").ok());
}

TEST_F(ModelRegistryTest, TakesNoModelForGoneThatItCannotLookFor) {
  WriteTinyModel(root_ / "models--org--tiny/snapshots/abc",
                 MakeTinyModel("mixtral"));
  {
    const NoDescriptors limit;
    const absl::Status problem = ProblemOf("org/tiny");
    EXPECT_TRUE(MayPass(problem)) << problem;
    EXPECT_THAT(std::string(problem.message()),
                HasSubstr("model \"org/tiny\" cannot be looked for"));
  }
  EXPECT_EQ(ProblemOf("org/tiny"), absl::OkStatus());
  EXPECT_TRUE(absl::IsNotFound(ProblemOf("org/tin")));
}

TEST_F(ModelRegistryTest, ForgetsARunHoweverItsHomeIsCalled) {
  WriteTinyModel(directory_.path() / "home/trained/run/step-4",
                 MakeTinyModel("mixtral"));
  const std::string name = "trained/run/step-4";
  const std::weak_ptr<const Checkpoint> opened =
      registry_->Find(name)->checkpoint;
  registry_->Forget("another");
  EXPECT_FALSE(opened.expired());
  registry_->Forget("run");
  EXPECT_TRUE(opened.expired());
}

}  // namespace
}  // namespace moeprobe
