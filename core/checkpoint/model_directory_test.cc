#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/file_descriptor.h"
#include "core/checkpoint/checkpoint.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/safetensors_bytes.h"
#include "tests/testing/tiny_checkpoint.h"

namespace moeprobe {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

// Model directories as they should not be. Everything is seen through
// Checkpoint::Open, the only way in.
class ModelDirectoryTest : public testing::Test {
 protected:
  ModelDirectoryTest() {
    fs::remove_all(folder_);
    fs::create_directories(model_);
  }
  ~ModelDirectoryTest() override { fs::remove_all(folder_); }

  absl::Status Open() const { return OpenAt(model_); }

  static absl::Status OpenAt(const fs::path& path, const fs::path& root = {}) {
    return Checkpoint::Open(path, root).status();
  }

  void ExpectRefused(absl::StatusCode code, const std::string& named) const {
    const absl::Status status = Open();
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(named));
    EXPECT_THAT(std::string(status.message()), HasSubstr(model_.native()));
  }

  const fs::path folder_ =
      fs::path(testing::TempDir()) /
      absl::StrCat(
          "model_directory_test.",
          testing::UnitTest::GetInstance()->current_test_info()->name());
  const fs::path model_ = folder_ / "model";
};

constexpr absl::StatusCode kNotFound = absl::StatusCode::kNotFound;
constexpr absl::StatusCode kDataLoss = absl::StatusCode::kDataLoss;
constexpr absl::StatusCode kUnimplemented = absl::StatusCode::kUnimplemented;
constexpr absl::StatusCode kInvalidArgument =
    absl::StatusCode::kInvalidArgument;
constexpr absl::StatusCode kFailedPrecondition =
    absl::StatusCode::kFailedPrecondition;

TEST_F(ModelDirectoryTest, RefusesADirectoryWithoutWeights) {
  ExpectRefused(kNotFound, "config.json");
  WriteTinyModel(model_, MakeTinyModel("llama"));
  fs::remove(model_ / "model.safetensors");
  ExpectRefused(kNotFound, "found neither model.safetensors nor");
  WriteBytes(model_ / "pytorch_model.bin", "PK\x03\x04");
  ExpectRefused(kNotFound, "save_pretrained");
  WriteBytes(model_ / "model.safetensors", "PK\x03\x04 and the rest");
  ExpectRefused(kUnimplemented, "is a zip archive");
}

TEST_F(ModelDirectoryTest, PrefersTheSingleFileAsTransformersDoes) {
  WriteTinyModel(model_, MakeTinyModel("llama"));
  WriteBytes(model_ / "model.safetensors.index.json", "not an index");
  EXPECT_TRUE(Open().ok()) << Open();
}

TEST_F(ModelDirectoryTest, RefusesAnIndexThatLeavesTheDirectory) {
  WriteTinyModel(model_, MakeTinyModel("llama"), 2);
  WriteBytes(folder_ / "x.safetensors", "");
  for (const std::string& shard : {std::string("../x.safetensors"),
                                   (folder_ / "x.safetensors").native()}) {
    WriteBytes(model_ / "model.safetensors.index.json",
               absl::StrCat(R"({"weight_map": {"t": ")", shard, "\"}}"));
    ExpectRefused(kInvalidArgument, shard);
  }
}

TEST_F(ModelDirectoryTest, RefusesLinksThatLeaveTheDirectory) {
  WriteTinyModel(model_, MakeTinyModel("llama"));
  fs::rename(model_ / "model.safetensors", folder_ / "outside.safetensors");
  fs::create_symlink("../outside.safetensors", model_ / "model.safetensors");
  ExpectRefused(kFailedPrecondition, "outside.safetensors, expected a file in");
  fs::remove(model_ / "model.safetensors");
  fs::create_symlink(folder_ / "outside.safetensors",
                     model_ / "model.safetensors");
  ExpectRefused(kFailedPrecondition, "outside.safetensors, expected a file in");
}

TEST_F(ModelDirectoryTest, FollowsLinksInsideTheDirectory) {
  WriteTinyModel(model_, MakeTinyModel("llama"));
  fs::create_directory(model_ / "files");
  fs::rename(model_ / "model.safetensors", model_ / "files" / "weights");
  fs::create_symlink("files/weights", model_ / "model.safetensors");
  EXPECT_TRUE(Open().ok()) << Open();
}

TEST_F(ModelDirectoryTest, FollowsLinksInsideTheRoot) {
  const fs::path other = folder_ / "other" / "model.safetensors";
  WriteTinyModel(model_, MakeTinyModel("llama"));
  fs::create_directory(folder_ / "other");
  fs::rename(model_ / "model.safetensors", other);
  fs::create_symlink("../other/model.safetensors",
                     model_ / "model.safetensors");
  EXPECT_TRUE(OpenAt(model_, folder_).ok()) << OpenAt(model_, folder_);
  EXPECT_EQ(OpenAt(model_, model_).code(), kFailedPrecondition);
  fs::rename(other, folder_.native() + ".outside");
  fs::create_symlink(folder_.native() + ".outside", other);
  EXPECT_EQ(OpenAt(model_, folder_).code(), kFailedPrecondition);
  fs::remove(folder_.native() + ".outside");
}

TEST_F(ModelDirectoryTest, RefusesAFolderOutsideTheRoot) {
  WriteTinyModel(model_, MakeTinyModel("llama"));
  fs::create_directory(folder_ / "root");
  fs::create_directory_symlink(model_, folder_ / "root" / "link");
  EXPECT_EQ(OpenAt(folder_ / "root" / "link", folder_ / "root").code(),
            kFailedPrecondition);
}

TEST_F(ModelDirectoryTest, OpensASnapshotOfAHuggingFaceCache) {
  const fs::path repository = folder_ / "models--org--name";
  const fs::path snapshot = repository / "snapshots" / "0123abc";
  fs::create_directories(repository / "blobs");
  WriteTinyModel(snapshot, MakeTinyModel("mixtral"), 2);
  int count = 0;
  for (const char* name : {"config.json", "model.safetensors.index.json",
                           "model-0.safetensors", "model-1.safetensors"}) {
    const std::string blob = absl::StrCat("blob", count++);
    fs::rename(snapshot / name, repository / "blobs" / blob);
    fs::create_symlink(fs::path("../../blobs") / blob, snapshot / name);
  }
  EXPECT_TRUE(OpenAt(snapshot).ok()) << OpenAt(snapshot);

  fs::rename(repository / "blobs" / "blob2", folder_ / "elsewhere");
  EXPECT_EQ(OpenAt(snapshot).code(), kNotFound);  // a download not finished
  fs::remove(snapshot / "model-0.safetensors");
  fs::create_symlink("../../../elsewhere", snapshot / "model-0.safetensors");
  EXPECT_EQ(OpenAt(snapshot).code(), kFailedPrecondition);
}

TEST_F(ModelDirectoryTest, RefusesLinksInCircles) {
  WriteTinyModel(model_, MakeTinyModel("llama"));
  fs::remove(model_ / "model.safetensors");
  fs::create_symlink("model.safetensors", model_ / "model.safetensors");
  EXPECT_FALSE(Open().ok());
}

TEST_F(ModelDirectoryTest, RefusesShardsThatAreNoRegularFiles) {
  WriteTinyModel(model_, MakeTinyModel("llama"), 2);
  const fs::path shard = model_ / "model-1.safetensors";
  fs::remove(shard);
  ExpectRefused(kNotFound, "model-1.safetensors");

  fs::create_directory(shard);
  ExpectRefused(kFailedPrecondition, "model-1.safetensors: is a directory");
  fs::remove(shard);

  ASSERT_EQ(mkfifo(shard.c_str(), 0600), 0);
  ExpectRefused(kFailedPrecondition, "model-1.safetensors: is a FIFO");
  fs::remove(shard);

  const FileDescriptor socket_file(socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = {}};
  ASSERT_LT(shard.native().size(), sizeof(address.sun_path));
  std::memcpy(address.sun_path, shard.c_str(), shard.native().size());
  ASSERT_EQ(bind(socket_file.number(), reinterpret_cast<sockaddr*>(&address),
                 sizeof(address)),
            0);
  ExpectRefused(kFailedPrecondition, "model-1.safetensors: is a socket");
  fs::remove(shard);

  fs::create_symlink("/dev/zero", shard);
  ExpectRefused(kFailedPrecondition, "/dev/zero");
}

TEST_F(ModelDirectoryTest, RefusesFilesItMayNotRead) {
  WriteTinyModel(model_, MakeTinyModel("llama"));
  fs::permissions(model_ / "model.safetensors", fs::perms::none);
  // Root may read anything: be somebody else while opening.
  const uid_t self = geteuid();
  const uid_t other = self == 0 ? 65534 : self;
  ASSERT_EQ(seteuid(other), 0);
  const absl::Status status = Open();
  ASSERT_EQ(seteuid(self), 0);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("model.safetensors"));
}

TEST_F(ModelDirectoryTest, RefusesAnIndexThatDisagreesWithItsShards) {
  TinyModel model = MakeTinyModel("llama");
  WriteTinyModel(model_, model, 2);
  WriteBytes(model_ / "model.safetensors.index.json",
             R"({"weight_map": {"x": "model-0.safetensors"}})");
  ExpectRefused(kFailedPrecondition,
                "maps tensor \"x\" to \"model-0.safetensors\", which does not "
                "hold it");
  const std::string name = model.tensors[0].name;  // in shard 0
  WriteBytes(model_ / "model.safetensors.index.json",
             absl::StrCat(
                 R"({"weight_map": {")", name, R"(": "model-1.safetensors", ")",
                 model.tensors[2].name, R"(": "model-0.safetensors"}})"));
  ExpectRefused(kFailedPrecondition,
                "to \"model-1.safetensors\", which does not hold it");
}

TEST_F(ModelDirectoryTest, RefusesATensorInTwoShards) {
  const TinyModel model = MakeTinyModel("llama");
  WriteTinyModel(model_, model, 2);
  fs::copy_file(model_ / "model-0.safetensors", model_ / "model-1.safetensors",
                fs::copy_options::overwrite_existing);
  ExpectRefused(kFailedPrecondition, "is also in model-0.safetensors");
}

TEST_F(ModelDirectoryTest, NamesMissingTensorsAndWrongShapes) {
  TinyModel model = MakeTinyModel("mixtral");
  const std::string router = "model.layers.1.block_sparse_moe.gate.weight";
  TensorNamed(model, router).shape = {8, 4};
  WriteTinyModel(model_, model);
  ExpectRefused(kFailedPrecondition,
                absl::StrCat("tensor \"", router,
                             "\": shape is [8, 4], expected [4, 8]"));
  TensorNamed(model, router).name = "other";
  WriteTinyModel(model_, model);
  ExpectRefused(kFailedPrecondition,
                absl::StrCat("tensor \"", router, "\" is missing"));

  model = MakeTinyModel("mixtral");
  model.config["num_experts"] = "5";
  WriteTinyModel(model_, model);
  ExpectRefused(kFailedPrecondition, "shape is [4, 8], expected [5, 8]");

  model = MakeTinyModel("mixtral");
  model.config["vocab_size"] = "17";
  WriteTinyModel(model_, model);
  ExpectRefused(kFailedPrecondition,
                "\"model.embed_tokens.weight\": shape is [16, 8], expected "
                "[17, 8]");
}

TEST_F(ModelDirectoryTest, RefusesFusedExpertsOfAnotherShape) {
  TinyModel model = MakeTinyModel("qwen3_moe");
  FuseExperts(model);
  TensorNamed(model, "model.layers.0.mlp.experts.gate_up_proj").shape = {4, 8,
                                                                         12};
  WriteTinyModel(model_, model);
  ExpectRefused(kFailedPrecondition,
                "shape is [4, 8, 12], expected [4, 12, 8]");
}

TEST_F(ModelDirectoryTest, RefusesQuantisedFilesByName) {
  const std::string name = "model.layers.0.self_attn.q_proj.weight";
  TinyModel model = MakeTinyModel("llama");
  TensorToWrite& tensor = TensorNamed(model, name);
  tensor.dtype = "F8_E4M3";
  tensor.bytes.resize(tensor.bytes.size() / 4);
  WriteTinyModel(model_, model);
  ExpectRefused(kUnimplemented,
                absl::StrCat("tensor \"", name, "\": dtype is F8_E4M3"));

  model = MakeTinyModel("llama");
  TensorNamed(model, name).name = "model.layers.0.self_attn.q_proj.qweight";
  WriteTinyModel(model_, model);
  ExpectRefused(kUnimplemented, "q_proj.qweight");
}

TEST_F(ModelDirectoryTest, RefusesWeightsThatAreNotAligned) {
  TinyModel model = MakeTinyModel("llama");
  model.tensors.insert(
      model.tensors.begin(),
      {.name = "odd", .dtype = "U8", .shape = {1}, .bytes = "x"});
  WriteTinyModel(model_, model);
  ExpectRefused(kUnimplemented, "lie at no multiple of the 4 bytes of F32");
}

TEST_F(ModelDirectoryTest, IgnoresTheTotalSizeOfAnIndex) {
  WriteTinyModel(model_, MakeTinyModel("llama"), 3);  // total_size 1
  EXPECT_TRUE(Open().ok()) << Open();
}

// What weights mean is not known at opening: none of their pages is touched.
TEST_F(ModelDirectoryTest, OpensWeightsThatAreNotFinite) {
  TinyModel model = MakeTinyModel("llama");
  const std::array odd = {std::numeric_limits<float>::quiet_NaN(),
                          std::numeric_limits<float>::infinity(),
                          std::numeric_limits<float>::denorm_min()};
  for (TensorToWrite& tensor : model.tensors) {
    for (size_t i = 0; i < tensor.bytes.size() / sizeof(float); ++i) {
      std::memcpy(&tensor.bytes[i * sizeof(float)], &odd[i % 3], sizeof(float));
    }
  }
  WriteTinyModel(model_, model);
  EXPECT_TRUE(Open().ok()) << Open();
}

TEST_F(ModelDirectoryTest, RefusesASparseTerabyteThatTheHeaderDoesNotExplain) {
  WriteTinyModel(model_, MakeTinyModel("llama"));
  fs::resize_file(model_ / "model.safetensors", uint64_t{1} << 40);
  ExpectRefused(kDataLoss, "found 10995");
}

int64_t PeakResidentBytes() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss * 1024;
}

TEST_F(ModelDirectoryTest, OpensGigabytesWithoutTouchingTheWeights) {
  // Every size but the number of experts, times 1024; the data are a hole.
  TinyModel model = MakeTinyModel("mixtral", {.key_value_head_count = 2});
  for (const char* key :
       {"hidden_size", "head_dim", "vocab_size", "intermediate_size"}) {
    model.config[key] = absl::StrCat(std::stoi(model.config[key]) * 1024);
  }
  std::vector<std::string> entries;
  int64_t data_bytes = 0;
  for (TensorToWrite& tensor : model.tensors) {
    int64_t bytes = 2;
    for (int64_t& size : tensor.shape) bytes *= size > 4 ? size *= 1024 : size;
    entries.push_back(
        absl::StrCat("\"", tensor.name, R"(":{"dtype":"BF16","shape":[)",
                     absl::StrJoin(tensor.shape, ","), "],\"data_offsets\":[",
                     data_bytes, ",", data_bytes + bytes, "]}"));
    data_bytes += bytes;
  }
  std::string header = absl::StrCat("{", absl::StrJoin(entries, ","), "}");
  header.append(8 - header.size() % 8, ' ');
  WriteBytes(model_ / "config.json", ConfigText(model));
  WriteBytes(model_ / "model.safetensors", RawSafetensors(header));
  fs::resize_file(model_ / "model.safetensors",
                  8 + header.size() + static_cast<uint64_t>(data_bytes));

  const int64_t before = PeakResidentBytes();
  const auto checkpoint = Checkpoint::Open(model_);
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  EXPECT_EQ((*checkpoint)->size_bytes(), data_bytes);
  EXPECT_GT(data_bytes, int64_t{2} << 30);
  EXPECT_LT(PeakResidentBytes() - before, 8 << 20);
}

TEST_F(ModelDirectoryTest, RefusesAConfigurationThatIsTooLarge) {
  WriteTinyModel(model_, MakeTinyModel("llama"));
  fs::resize_file(model_ / "config.json", 2 << 20);
  ExpectRefused(kInvalidArgument,
                "config.json: is 2097152 bytes, expected at most 1048576");
}

TEST_F(ModelDirectoryTest, RefusesFilesCutAnywhere) {
  WriteTinyModel(model_, MakeTinyModel("llama"));
  const fs::path path = model_ / "model.safetensors";
  const auto size = fs::file_size(path);
  for (const uint64_t left : {uint64_t{0}, uint64_t{7}, uint64_t{8},
                              uint64_t{100}, size / 2, size - 1}) {
    fs::resize_file(path, left);
    EXPECT_EQ(Open().code(), kDataLoss) << left;
    WriteTinyModel(model_, MakeTinyModel("llama"));
  }
}

}  // namespace
}  // namespace moeprobe
