#include "core/pipeline/random_weights.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/normal.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/strings/match.h"
#include "core/base/random_stream.h"
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/layer_visitor.h"
#include "core/checkpoint/tensor_view.h"
#include "core/model/weight.h"
#include "core/tensor/concurrent_loop.h"

namespace moeprobe {
namespace {

// Of the embedding, beside the layers from 0.
constexpr int64_t kEmbedding = -1;

// So that every tensor begins where a vector register may be loaded.
constexpr int64_t kAlignment = 64;

int64_t AlignedSize(const TensorView& view) {
  const auto size = static_cast<int64_t>(view.bytes.size());
  return (size + kAlignment - 1) / kAlignment * kAlignment;
}

// Draws one weight into `target`, a tensor of its shape and type. In float32
// first: bfloat16 has too few numbers to draw from.
void Draw(const TensorView& view, double deviation, uint64_t seed,
          const at::Tensor& target) {
  if (view.shape.size() > 1) {
    target.copy_(at::normal(0, deviation, view.shape,
                            at::detail::createCPUGenerator(seed), at::kFloat));
  } else {
    target.fill_(absl::EndsWith(view.name, "bias") ? 0 : 1);
  }
}

// Draws `views` one behind the other in `bytes`, and points them there.
void DrawAll(const std::vector<TensorView*>& views, double deviation,
             RandomStream random, const at::Tensor& bytes) {
  std::vector<int64_t> begins;
  std::vector<uint64_t> seeds;
  int64_t begin = 0;
  int64_t largest = 0;  // in float32
  for (const TensorView* view : views) {
    begins.push_back(begin);
    seeds.push_back(random.Next());
    begin += AlignedSize(*view);
    largest = std::max(largest, AlignedSize(*view) * 2);
  }
  ConcurrentLoop(static_cast<int64_t>(views.size()), largest, [&](int64_t i) {
    TensorView& view = *views[static_cast<size_t>(i)];
    const at::Tensor target =
        bytes
            .narrow(0, begins[static_cast<size_t>(i)],
                    static_cast<int64_t>(view.bytes.size()))
            .view(StoredWeight(view).scalar_type())
            .view(view.shape);
    Draw(view, deviation, seeds[static_cast<size_t>(i)], target);
    view.bytes = {static_cast<const std::byte*>(target.const_data_ptr()),
                  view.bytes.size()};
  });
}

}  // namespace

RandomWeights::RandomWeights(const Checkpoint& model, int64_t stream)
    : model_(model),
      stream_(stream),
      embedding_(model.embedding()),
      embedding_bytes_(at::empty({AlignedSize(embedding_)}, at::kByte)) {
  DrawAll({&embedding_}, config().initializer_range, {stream_, kEmbedding},
          embedding_bytes_);
}

void RandomWeights::DrawLayer(int64_t layer) {
  layer_ = model_.layer(layer);
  std::vector<TensorView*> views;
  int64_t size = 0;
  VisitLayer(layer_, [&](TensorView& view) {
    views.push_back(&view);
    size += AlignedSize(view);
  });
  if (!layer_bytes_.defined() || layer_bytes_.numel() < size) {
    layer_bytes_.reset();  // not both at a time
    layer_bytes_ = at::empty({size}, at::kByte);
  }
  DrawAll(views, config().initializer_range, {stream_, layer}, layer_bytes_);
}

const LayerTensors& RandomWeights::layer(int64_t /*layer*/) const {
  return layer_;
}

}  // namespace moeprobe
