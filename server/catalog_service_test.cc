// Data sets, models and the server itself, over a real connection.

#include <grpcpp/support/status.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/npy.h"
#include "core/base/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/dataset_service.pb.h"
#include "moeprobe/v1/server_service.pb.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/testing/server_fixture.h"
#include "storage/data_layout.h"
#include "storage/database.h"
#include "storage/pin_store.h"
#include "tests/testing/tiny_checkpoint.h"

namespace moeprobe {
namespace {

using testing::HasSubstr;

using CatalogServiceTest = ServerFixture;

TEST_F(CatalogServiceTest, KeepsEachUploadOnce) {
  const auto first = client_->Upload(v1::Dataset::KIND_TEXT, "a.txt", "abc");
  const auto again = client_->Upload(v1::Dataset::KIND_TEXT, "b.txt", "abc");
  EXPECT_EQ(first.name(), again.name());
  EXPECT_EQ(first.name(), absl::StrCat("datasets/", Sha256Hex("abc")));
  EXPECT_EQ(client_->ListDatasets(1).datasets(0).display_name(), "b.txt");
  EXPECT_NE(client_->ListDatasets(1).next_page_token(), "");
}

TEST_F(CatalogServiceTest, RefusesUploadsThatAreNotWhatTheySay) {
  using v1::Dataset;
  client_->Upload(Dataset::KIND_TEXT, "a", "\xff");
  ExpectClientCode(grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(client_->status().error_message(), HasSubstr("byte 0"));
  client_->Upload(Dataset::KIND_IDS, "a", "text");
  ExpectClientCode(grpc::StatusCode::INVALID_ARGUMENT);
  client_->Upload(Dataset::KIND_IDS, "a", EncodeTokenIds({}));
  ExpectClientCode(grpc::StatusCode::INVALID_ARGUMENT);
  client_->Upload(Dataset::KIND_TEXT, "a", "");
  ExpectClientCode(grpc::StatusCode::INVALID_ARGUMENT);
  client_->Upload(Dataset::KIND_UNSPECIFIED, "a", "abc");
  ExpectClientCode(grpc::StatusCode::INVALID_ARGUMENT);
  client_->Upload(Dataset::KIND_TEXT, "a\n", "abc");
  ExpectClientCode(grpc::StatusCode::INVALID_ARGUMENT);

  Dataset announced;
  announced.set_kind(Dataset::KIND_TEXT);
  announced.set_display_name("a");
  announced.set_sha256(Sha256Hex("abc"));
  announced.set_size_bytes(3);
  client_->UploadAs(announced, "abd");
  ExpectClientCode(grpc::StatusCode::DATA_LOSS);
  client_->UploadAs(announced, "ab");
  ExpectClientCode(grpc::StatusCode::DATA_LOSS);
  client_->UploadAs(announced, "abcd");
  ExpectClientCode(grpc::StatusCode::DATA_LOSS);
  announced.set_size_bytes(int64_t{1} << 40);
  client_->UploadAs(announced, "abc");
  ExpectClientCode(grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(client_->ListDatasets(0).datasets().size(), 1);
}

TEST_F(CatalogServiceTest, ListsModelsWithWhatIsWrongWithThem) {
  const auto models = client_->ListModels(0);
  ASSERT_EQ(models.models().size(), 3);
  EXPECT_EQ(models.models(0).name(), "broken");
  EXPECT_NE(models.models(0).problem(), "");
  EXPECT_EQ(models.models(2).name(), "mixtral");
  EXPECT_EQ(models.models(2).expert_count(), 4);
  EXPECT_EQ(models.models(2).problem(), "");
  const auto page = client_->ListModels(2);
  EXPECT_EQ(client_->ListModels(2, page.next_page_token()).models().size(), 1);
}

TEST_F(CatalogServiceTest, UnloadsNoModelThatAJobUses) {
  Create();
  const v1::Task task = Claim();
  client_->Unload("mixtral");
  ExpectClientCode(grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(client_->status().error_message(), HasSubstr(task.job()));
  worker_->Fail(task, grpc::StatusCode::INTERNAL, "");
  client_->Unload("mixtral");
  ExpectClientCode(grpc::StatusCode::OK);
}

TEST_F(CatalogServiceTest, UnloadsNoModelThatIsPinned) {
  client_->Pin("mixtral");
  if (absl::StrContains(client_->status().error_message(), "LimitMEMLOCK")) {
    GTEST_SKIP() << client_->status().error_message();
  }
  ExpectClientCode(grpc::StatusCode::OK);
  client_->Unload("mixtral");
  ExpectClientCode(grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(client_->status().error_message(), HasSubstr("unpin it first"));
  client_->Unpin("mixtral");
  client_->Unload("mixtral");
  ExpectClientCode(grpc::StatusCode::OK);
}

// Where the model "mixtral" is pinned, and a hub has one revision of
// "org/tiny".
class PinnedModelTest : public ServerFixture {
 protected:
  void SetUp() override {
    ServerFixture::SetUp();
    WriteTinyModel(root_ / "models--org--tiny/snapshots/abc",
                   MakeTinyModel("mixtral"));
    client_->Pin("mixtral");
    if (absl::StrContains(client_->status().error_message(), "LimitMEMLOCK")) {
      GTEST_SKIP() << client_->status().error_message();
    }
    ExpectClientCode(grpc::StatusCode::OK);
    size_bytes_ = PinnedBytes();
  }

  void Restart() {
    client_.reset();
    worker_.reset();
    server_.reset();
    StartServer();
  }

  // Puts another checkpoint in the place of mixtral's.
  void Replace(const TinyOptions& options) {
    WriteTinyModel(directory_.path() / "new",
                   MakeTinyModel("mixtral", options));
    for (const char* file : {"config.json", "model.safetensors"}) {
      std::filesystem::rename(directory_.path() / "new" / file,
                              root_ / "mixtral" / file);
    }
  }

  // What the list has of a model; nothing if it has none.
  v1::Model Listed(const std::string& name) {
    const v1::ListModelsResponse list = client_->ListModels(0);
    for (const v1::Model& model : list.models()) {
      if (model.name() == name) return model;
    }
    return {};
  }

  int64_t PinnedBytes() { return client_->GetServerInfo().pinned_bytes(); }

  int64_t size_bytes_ = 0;  // of mixtral
};

TEST_F(PinnedModelTest, KeepsAPinWhoseNewFilesDoNotFitUntilItIsUnpinned) {
  memory_budget_bytes_ = 2 * size_bytes_;
  Restart();
  Replace({.width = 64});
  client_->Pin("mixtral");
  ExpectClientCode(grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(client_->status().error_message(), HasSubstr("leave 0 of"));
  EXPECT_TRUE(Listed("mixtral").memory().pinned());
  EXPECT_THAT(Listed("mixtral").memory().problem(), HasSubstr("pin it again"));
  EXPECT_EQ(PinnedBytes(), size_bytes_);
  EXPECT_FALSE(client_->Unpin("mixtral").memory().pinned());
  memory_budget_bytes_ = 0;
  Restart();
  EXPECT_FALSE(Listed("mixtral").memory().pinned());
  EXPECT_EQ(PinnedBytes(), 0);
}

TEST_F(PinnedModelTest, PinsNewFilesInTheRoomOfTheOldOnes) {
  memory_budget_bytes_ = size_bytes_ + size_bytes_ / 2;
  Restart();
  Replace({.seed = 1});
  EXPECT_EQ(client_->Pin("mixtral").memory().problem(), "");
  ExpectClientCode(grpc::StatusCode::OK);
  EXPECT_EQ(PinnedBytes(), size_bytes_);
  Replace({.expert_width = 5});
  client_->Pin("mixtral");
  ExpectClientCode(grpc::StatusCode::OK);
  EXPECT_LT(PinnedBytes(), size_bytes_);
}

TEST_F(PinnedModelTest, IsPinnedByEachOfItsNames) {
  EXPECT_TRUE(client_->Pin("org/tiny").memory().pinned());
  EXPECT_TRUE(Listed("org/tiny@abc").memory().pinned());
  EXPECT_EQ(Listed("org/tiny").name(), "");
  const int64_t bytes = PinnedBytes();
  client_->Pin("org/tiny@abc");
  EXPECT_EQ(PinnedBytes(), bytes);
  for (const char* name : {"org/tiny", "org/tiny@abc"}) {
    client_->Unload(name);
    ExpectClientCode(grpc::StatusCode::FAILED_PRECONDITION);
  }
  Restart();
  EXPECT_FALSE(client_->Unpin("org/tiny@abc").memory().pinned());
  EXPECT_EQ(PinnedBytes(), size_bytes_);
}

TEST_F(PinnedModelTest, TakesOverPinsByOtherNames) {
  server_.reset();
  {
    const auto database =
        *Database::Open(DataLayout(directory_.path() / "data").database);
    PinStore pins(database.get());
    for (const char* name : {"org/tiny", "org/tiny@abc"}) {
      ASSERT_TRUE(pins.Put({.model = name, .user = "ann", .time = {}}).ok());
    }
  }
  Restart();
  EXPECT_EQ(Listed("org/tiny@abc").memory().user(), "ann");
  EXPECT_EQ(PinnedBytes(), 2 * size_bytes_);
  client_->Unpin("org/tiny@abc");
  Restart();
  EXPECT_EQ(PinnedBytes(), size_bytes_);
}

TEST_F(PinnedModelTest, ListsWhatIsPinnedAndGoneUntilItIsUnpinned) {
  std::filesystem::remove_all(root_ / "mixtral");
  for (int life = 0; life < 2; ++life) {
    const v1::Model gone = Listed("mixtral");
    EXPECT_THAT(gone.problem(), HasSubstr("there is no model"));
    EXPECT_TRUE(gone.memory().pinned());
    EXPECT_EQ(gone.memory().state(), v1::ModelMemory::STATE_UNKNOWN);
    Restart();
  }
  EXPECT_FALSE(client_->Unpin("mixtral").has_memory());
  ExpectClientCode(grpc::StatusCode::OK);
  EXPECT_EQ(Listed("mixtral").name(), "");
  client_->Unpin("mixtral");
  ExpectClientCode(grpc::StatusCode::NOT_FOUND);
}

TEST_F(PinnedModelTest, SaysWhoPinnedWhatCannotBeAnalysed) {
  WriteBytes(root_ / "mixtral/config.json", "{");
  EXPECT_NE(Listed("mixtral").problem(), "");
  EXPECT_TRUE(Listed("mixtral").memory().pinned());
  EXPECT_FALSE(Listed("broken").has_memory());
}

TEST_F(CatalogServiceTest, TellsWhatItIs) {
  const v1::ServerInfo info = client_->GetServerInfo();
  EXPECT_NE(info.version(), "");
  EXPECT_GE(info.numerics_version(), 1);
  EXPECT_GE(info.families_size(), 8);
  EXPECT_EQ(info.max_crash_count(), 3);
}

}  // namespace
}  // namespace moeprobe
