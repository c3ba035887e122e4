#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/job.pb.h"
#include "server/model_registry.h"
#include "server/request_resolution.h"
#include "server/testing/catalog_fixture.h"
#include "server/violations.h"
#include "storage/access.h"
#include "storage/job_store.h"
#include "tests/testing/tiny_checkpoint.h"

namespace moeprobe {
namespace {

constexpr const char* kRun = "0123456789abcdef";

// A model that a private job of ann's trained, which cat may see.
class TrainedModelTest : public CatalogFixture {
 protected:
  TrainedModelTest() {
    WriteTinyModel(directory_.path() / name_, MakeTinyModel("mixtral"));
    Create({.owner = "ann", .is_private = true, .readers = {"cat"}});
  }

  // A job that has the run.
  void Create(const Access& access) {
    NewJob job;
    job.access = access;
    job.request_key = access.owner;
    job.parts = {{.prefix = ""}};
    job.groups = {{.part = 0, .layer = 0, .probe = "routing", .key = ""}};
    job.runs = {kRun};
    ASSERT_TRUE(jobs_.Create(job).ok());
  }

  absl::Status Find(const Viewer& viewer, const std::string& name) {
    return models_->ForRequest(viewer).Find(name).status();
  }

  const std::string name_ = absl::StrCat("trained/", kRun, "/step-0");
  const Viewer ann_ = {.name = "ann"};
  const Viewer bob_ = {.name = "bob"};
  const Viewer cat_ = {.name = "cat"};
  const Viewer admin_ = {.name = "dan", .is_admin = true};
};

TEST_F(TrainedModelTest, IsThereForWhoMaySeeAJobThatHasItsRun) {
  for (const Viewer& viewer : {ann_, cat_, admin_, ServerItself()}) {
    EXPECT_TRUE(Find(viewer, name_).ok()) << viewer.name;
    EXPECT_TRUE(models_->ForRequest(viewer).MaySee(name_).value())
        << viewer.name;
  }
  EXPECT_FALSE(models_->ForRequest(bob_).MaySee(name_).value());
  EXPECT_TRUE(models_->ForRequest(bob_).MaySee("mixtral").value());
  EXPECT_TRUE(Find(bob_, "mixtral").ok());
  EXPECT_TRUE(models_->Find(name_).ok());
  Create({.owner = "bob", .is_private = true});
  EXPECT_TRUE(Find(bob_, name_).ok());
}

TEST_F(TrainedModelTest, IsForOthersWhatThereIsNot) {
  for (const std::string& name :
       {name_, absl::StrCat("trained/", kRun, "/step-7"),
        std::string("trained/fedcba9876543210/step-0"), std::string("trained/"),
        std::string("trained//step-0")}) {
    EXPECT_EQ(Find(bob_, name), absl::NotFoundError(absl::StrCat(
                                    "there is no model \"", name, "\"")));
  }
}

TEST_F(TrainedModelTest, IsNoneThatARequestOfOthersMayName) {
  const std::string said = absl::StrCat("there is no model \"", name_, "\"");
  v1::Job job;
  job.mutable_analyze()->set_model("mixtral");
  job.mutable_analyze()->set_baseline(name_);
  ModelRegistry models = models_->ForRequest(bob_);
  const auto resolved = ResolveRequest(job, models, *catalog_);
  std::vector<std::string> descriptions;
  for (const Violation& violation : resolved.violations.list()) {
    if (violation.field == "baseline") {
      descriptions.push_back(violation.description);
    }
  }
  EXPECT_EQ(descriptions, std::vector<std::string>{said});
}

TEST_F(TrainedModelTest, IsOpenedOnceForAll) {
  const auto one = models_->ForRequest(ann_).Find(name_);
  const auto other = models_->ForRequest(cat_).Find(name_);
  ASSERT_TRUE(one.ok() && other.ok());
  EXPECT_EQ(one->checkpoint, other->checkpoint);
}

}  // namespace
}  // namespace moeprobe
