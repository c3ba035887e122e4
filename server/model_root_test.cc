#include "server/model_root.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/no_descriptors.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Key;

class ModelRootTest : public testing::Test {
 protected:
  ModelRootTest() { fs::create_directories(root_); }

  // Makes what looks like a model.
  static void AddModel(const fs::path& directory) {
    fs::create_directories(directory);
    std::ofstream(directory / "config.json") << "{}";
  }
  ModelRoot Open() { return *ModelRoot::Open(root_); }

  // Expects that the files of `model` are refused, by the path of one.
  void ExpectRefused(const fs::path& model) {
    const absl::Status status = Open().CheckFiles(model);
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
    EXPECT_THAT(std::string(status.message()),
                HasSubstr((model / "").native()));
  }

  TemporaryDirectory directory_;
  fs::path root_ = directory_.path() / "root";
};

TEST_F(ModelRootTest, NamesModelsByTheirPaths) {
  AddModel(root_ / "a");
  AddModel(root_ / "b/c/d");
  AddModel(root_ / "b/c/e/too-deep");
  AddModel(root_ / "a/inside-a-model");
  EXPECT_THAT(Open().List(), ElementsAre(Key("a"), Key("b/c/d")));
  EXPECT_TRUE(Open().Find("b/c/d").ok());
  EXPECT_TRUE(absl::IsNotFound(Open().Find("b/c/e/too-deep").status()));
}

TEST_F(ModelRootTest, LeavesOutWhatNoMessageCanName) {
  AddModel(root_ / "a");
  for (const char* name : {"\xFF", "\xE2\x82", "b\x1B[31m", "b\nc"}) {
    AddModel(root_ / name);
    AddModel(root_ / "models--org--name/snapshots" / name);
  }
  EXPECT_THAT(Open().List(), ElementsAre(Key("a")));
}

TEST_F(ModelRootTest, NamesRevisionsOfAHubCache) {
  const fs::path hub = root_ / "models--org--some--name";
  AddModel(hub / "snapshots/aaa");
  EXPECT_THAT(Open().List(), ElementsAre(Key("org/some--name@aaa")));
  EXPECT_EQ(Open().Find("org/some--name")->filename(), "aaa");
  AddModel(hub / "snapshots/bbb");
  EXPECT_EQ(Open().Find("org/some--name@bbb")->filename(), "bbb");
  EXPECT_TRUE(absl::IsNotFound(Open().Find("org/some--name").status()));
  fs::create_directories(hub / "refs");
  std::ofstream(hub / "refs/main") << "bbb\n";
  EXPECT_EQ(Open().Find("org/some--name")->filename(), "bbb");
}

TEST_F(ModelRootTest, HasOneNameForAModelHoweverItIsAskedFor) {
  AddModel(root_ / "a/b");
  AddModel(root_ / "models--org--name/snapshots/aaa");
  const ModelRoot root = Open();
  EXPECT_EQ(root.NameOf(*root.Find("a/b")), "a/b");
  for (const char* name : {"org/name", "org/name@aaa", "org--name@aaa",
                           "models--org--name/snapshots/aaa"}) {
    EXPECT_EQ(root.NameOf(*root.Find(name)), "org/name@aaa") << name;
  }
}

TEST_F(ModelRootTest, FindsNothingOutsideTheRoot) {
  AddModel(directory_.path() / "outside");
  fs::create_directory_symlink(directory_.path() / "outside", root_ / "link");
  AddModel(root_ / "in");
  for (const std::string& name :
       {std::string("../outside"), std::string("in/../../outside"),
        (directory_.path() / "outside").string(), std::string("link"),
        std::string(""), std::string("."), std::string("in/"),
        std::string("in\0x", 4), std::string("a@b@c")}) {
    EXPECT_TRUE(absl::IsNotFound(Open().Find(name).status())) << name;
  }
  EXPECT_THAT(Open().List(), ElementsAre(Key("in")));
}

TEST_F(ModelRootTest, FollowsLinksInsideTheRoot) {
  AddModel(root_ / "real");
  fs::create_directory_symlink("real", root_ / "link");
  EXPECT_TRUE(Open().Find("link").ok());
}

TEST_F(ModelRootTest, EndsWhereLinksGoInCircles) {
  fs::create_directories(root_ / "a/b");
  fs::create_directory_symlink(root_, root_ / "a/b/up");
  EXPECT_TRUE(Open().List().empty());
}

TEST_F(ModelRootTest, ChecksTheFilesOfAModel) {
  AddModel(root_ / "a");
  EXPECT_TRUE(Open().CheckFiles(root_ / "a").ok());
  std::ofstream(directory_.path() / "secret") << "x";
  fs::create_symlink(directory_.path() / "secret",
                     root_ / "a/model.safetensors");
  ExpectRefused(root_ / "a");
  fs::remove(root_ / "a/model.safetensors");
  fs::create_directory(root_ / "a/model.safetensors");
  ExpectRefused(root_ / "a");
}

TEST_F(ModelRootTest, ReadsNoRevisionOutsideTheRoot) {
  const fs::path hub = root_ / "models--org--name";
  AddModel(hub / "snapshots/aaa");
  AddModel(hub / "snapshots/bbb");
  fs::create_directories(hub / "refs");
  std::ofstream(directory_.path() / "outside") << "aaa";
  fs::create_symlink(directory_.path() / "outside", hub / "refs/main");
  EXPECT_TRUE(absl::IsNotFound(Open().Find("org/name").status()));
}

TEST_F(ModelRootTest, WaitsForNoFifo) {
  const fs::path hub = root_ / "models--org--name";
  AddModel(hub / "snapshots/aaa");
  AddModel(hub / "snapshots/bbb");
  fs::create_directories(hub / "refs");
  ASSERT_EQ(mkfifo((hub / "refs/main").c_str(), 0600), 0);
  EXPECT_TRUE(absl::IsNotFound(Open().Find("org/name").status()));
  ASSERT_EQ(mkfifo((hub / "snapshots/aaa/tokenizer.json").c_str(), 0600), 0);
  ExpectRefused(hub / "snapshots/aaa");
}

TEST_F(ModelRootTest, TakesNothingForGoneThatItCannotReadNow) {
  AddModel(root_ / "a");
  AddModel(root_ / "models--org--name/snapshots/aaa");
  const ModelRoot root = Open();
  const NoDescriptors limit;
  EXPECT_TRUE(absl::IsResourceExhausted(root.Find("org/name").status()));
  EXPECT_TRUE(absl::IsResourceExhausted(root.CheckFiles(root_ / "a")));
  EXPECT_TRUE(root.List().empty());
}

TEST_F(ModelRootTest, NeedsADirectory) {
  EXPECT_TRUE(absl::IsNotFound(ModelRoot::Open(root_ / "nowhere").status()));
}

}  // namespace
}  // namespace moeprobe
