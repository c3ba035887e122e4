#include "server/layer_upload.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/npy.h"
#include "core/base/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/worker_service.pb.h"

namespace moeprobe {
namespace {

// Messages of a layer with two arrays that announces `array_count`.
std::vector<v1::PublishLayerRequest> Messages(int array_count) {
  std::vector<v1::PublishLayerRequest> messages(3);
  v1::FinishedLayer& layer = *messages[0].mutable_layer();
  layer.set_weights_fingerprint("weights");
  layer.set_data_fingerprint(std::string(64, '0'));
  layer.set_array_count(array_count);
  const std::string npy =
      EncodeNpy({.type = DataType::kFloat64,
                 .shape = {1},
                 .bytes = std::string(sizeof(double), '\0')});
  for (size_t i = 1; i < messages.size(); ++i) {
    v1::ArrayChunk& chunk = *messages[i].mutable_chunk();
    v1::ArrayInfo& info = *chunk.mutable_info();
    info.set_name("layer0/" + std::string(i, 'x'));
    info.set_probe("routing");
    info.set_data_type(v1::DATA_TYPE_FLOAT64);
    info.add_shape(1);
    info.set_sha256(Sha256Hex(npy));
    info.set_size_bytes(static_cast<int64_t>(npy.size()));
    chunk.set_data(npy);
  }
  return messages;
}

// What comes of a stream that ends after `count` messages.
absl::StatusOr<LayerUpload> Receive(
    const std::vector<v1::PublishLayerRequest>& messages, size_t count) {
  size_t next = 0;
  return ReceiveLayer([&](v1::PublishLayerRequest* message) {
    if (next == count) return false;
    *message = messages[next++];
    return true;
  });
}

TEST(LayerUploadTest, HasTheArraysThatWereAnnounced) {
  const auto upload = Receive(Messages(2), 3);
  ASSERT_TRUE(upload.ok()) << upload.status();
  EXPECT_EQ(upload->arrays.size(), 2);
  EXPECT_TRUE(Receive(Messages(0), 1).ok());
}

TEST(LayerUploadTest, IsNoneWhereTheWorkerDiedBetweenTwoArrays) {
  for (const size_t count : {1, 2}) {
    const auto upload = Receive(Messages(2), count);
    EXPECT_TRUE(absl::IsDataLoss(upload.status())) << upload.status();
    EXPECT_THAT(std::string(upload.status().message()),
                testing::HasSubstr("not the 2 announced"));
  }
}

TEST(LayerUploadTest, IsNoneWithMoreArraysThanAnnounced) {
  EXPECT_TRUE(absl::IsDataLoss(Receive(Messages(1), 3).status()));
}

TEST(LayerUploadTest, IsNoneWithoutALayer) {
  EXPECT_TRUE(absl::IsInvalidArgument(Receive(Messages(2), 0).status()));
}

}  // namespace
}  // namespace moeprobe
