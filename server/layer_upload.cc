#include "server/layer_upload.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/npy.h"
#include "core/base/quoted.h"
#include "core/base/sha256.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/array_messages.h"
#include "server/resource_name.h"
#include "server/summary.h"
#include "storage/published_layer.h"

namespace moeprobe {
namespace {

// Arrays of one layer, in bytes.
constexpr int64_t kMaxLayerBytes = int64_t{2} << 30;

absl::Status CheckLayer(const v1::FinishedLayer& layer) {
  if (layer.layer() < -1) {
    return absl::InvalidArgumentError(
        absl::StrCat("layer: ", layer.layer(), ", expected -1 or more"));
  }
  if (!IsSha256(layer.data_fingerprint()) ||
      layer.weights_fingerprint().empty()) {
    return absl::InvalidArgumentError(
        "data_fingerprint, weights_fingerprint: missing");
  }
  return absl::OkStatus();
}

absl::Status CheckInfo(const v1::ArrayInfo& info, int64_t layer,
                       const std::set<std::string>& names) {
  const std::string prefix = absl::StrCat("layer", layer, "/");
  if (info.name().empty() || info.probe().empty() ||
      (layer >= 0 && !absl::StartsWith(info.name(), prefix))) {
    return absl::InvalidArgumentError(
        absl::StrCat("array ", Quoted(info.name()), " of probe ",
                     Quoted(info.probe()), ", expected a name in ", prefix));
  }
  if (names.contains(info.name())) {
    return absl::InvalidArgumentError(
        absl::StrCat("array ", Quoted(info.name()), " came twice"));
  }
  return absl::OkStatus();
}

absl::StatusOr<NewArray> FinishArray(const v1::ArrayInfo& info, int64_t layer,
                                     std::string npy) {
  if (static_cast<int64_t>(npy.size()) != info.size_bytes() ||
      Sha256Hex(npy) != info.sha256()) {
    return absl::DataLossError(absl::StrCat("array ", Quoted(info.name()), ": ",
                                            npy.size(), " bytes came, not the ",
                                            info.size_bytes(),
                                            " with the announced SHA-256"));
  }
  MOEPROBE_ASSIGN_OR_RETURN(const Array array, DecodeNpy(npy));
  const std::vector<int64_t> shape(info.shape().begin(), info.shape().end());
  if (ToMessage(array.type) != info.data_type() || array.shape != shape) {
    return absl::DataLossError(
        absl::StrCat("array ", Quoted(info.name()),
                     ": its .npy has another type or shape than announced"));
  }
  return NewArray{
      .array = {.name = info.name(),
                .probe = info.probe(),
                .data_type = array.type,
                .shape = shape,
                .sha256 = info.sha256(),
                .size_bytes = info.size_bytes(),
                .summary = Summarize(QuantityOf(info.name(), layer), array)},
      .npy = std::move(npy)};
}

// Puts chunks together to arrays.
class ArrayAssembly {
 public:
  explicit ArrayAssembly(int64_t layer) : layer_(layer) {}

  absl::Status Add(const v1::ArrayChunk& chunk) {
    if (chunk.has_info()) {
      MOEPROBE_RETURN_IF_ERROR(FinishCurrent());
      MOEPROBE_RETURN_IF_ERROR(CheckInfo(chunk.info(), layer_, names_));
      names_.insert(chunk.info().name());
      current_ = chunk.info();
    }
    if (!current_) {
      return absl::InvalidArgumentError("a chunk before the first array");
    }
    size_bytes_ += static_cast<int64_t>(chunk.data().size());
    if (size_bytes_ > kMaxLayerBytes) {
      return absl::InvalidArgumentError(
          absl::StrCat("more than ", kMaxLayerBytes, " bytes in a layer"));
    }
    npy_ += chunk.data();
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<NewArray>> Finish() {
    MOEPROBE_RETURN_IF_ERROR(FinishCurrent());
    return std::move(arrays_);
  }

 private:
  absl::Status FinishCurrent() {
    if (!current_) return absl::OkStatus();
    MOEPROBE_ASSIGN_OR_RETURN(
        NewArray array,
        FinishArray(*current_, layer_, std::exchange(npy_, "")));
    arrays_.push_back(std::move(array));
    current_.reset();
    return absl::OkStatus();
  }

  int64_t layer_;
  int64_t size_bytes_ = 0;
  std::set<std::string> names_;
  std::optional<v1::ArrayInfo> current_;
  std::string npy_;
  std::vector<NewArray> arrays_;
};

}  // namespace

absl::StatusOr<LayerUpload> ReceiveLayer(
    const std::function<bool(v1::PublishLayerRequest*)>& read) {
  v1::PublishLayerRequest message;
  if (!read(&message) || !message.has_layer()) {
    return absl::InvalidArgumentError(
        "the first message has no `layer` that says what follows");
  }
  LayerUpload upload{.layer = message.layer(), .arrays = {}};
  MOEPROBE_RETURN_IF_ERROR(CheckLayer(upload.layer));
  ArrayAssembly assembly(upload.layer.layer());
  while (read(&message)) {
    if (!message.has_chunk()) {
      return absl::InvalidArgumentError(
          "a second message with `layer`, expected `chunk`");
    }
    MOEPROBE_RETURN_IF_ERROR(assembly.Add(message.chunk()));
  }
  MOEPROBE_ASSIGN_OR_RETURN(upload.arrays, assembly.Finish());
  if (std::cmp_not_equal(upload.arrays.size(), upload.layer.array_count())) {
    return absl::DataLossError(absl::StrCat(
        "layer ", upload.layer.layer(), ": ", upload.arrays.size(),
        " arrays came, not the ", upload.layer.array_count(), " announced"));
  }
  return upload;
}

}  // namespace moeprobe
