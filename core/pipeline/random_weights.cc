#include "core/pipeline/random_weights.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/normal.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/base/random_stream.h"
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/layer_visitor.h"
#include "core/checkpoint/model_config.h"
#include "core/checkpoint/tensor_view.h"
#include "core/model/weight.h"
#include "core/tensor/concurrent_loop.h"

namespace moeprobe {
namespace {

// Of the embeddings, beside the layers from 0.
constexpr int64_t kEmbedding = -1;

// So that every tensor begins where a vector register may be loaded.
constexpr int64_t kAlignment = 64;

int64_t AlignedSize(const TensorView& view) {
  const auto size = static_cast<int64_t>(view.bytes.size());
  return (size + kAlignment - 1) / kAlignment * kAlignment;
}

// A weight to draw, and how: from normal(0, deviation), uniformly in (-bound,
// bound) or, where both are 0, all the same.
struct Start {
  TensorView* view = nullptr;
  double deviation = 0;
  double bound = 0;
  double constant = 0;
};

// How many numbers the linear map sums over that `bias` belongs to, one of
// `views`; 0 where it is a norm's.
int64_t InputsOf(const TensorView& bias,
                 const std::vector<TensorView*>& views) {
  const std::string weight =
      absl::StrCat(absl::StripSuffix(bias.name, "bias"), "weight");
  const auto found = std::ranges::find(views, weight, &TensorView::name);
  if (found == views.end() || (*found)->shape.size() < 2) return 0;
  return (*found)->shape[1];
}

Start StartOf(TensorView& view, const std::vector<TensorView*>& views,
              const ModelConfig& config) {
  Start start{.view = &view};
  const bool is_bias = absl::EndsWith(view.name, "bias");
  if (view.shape.size() == 1 && !is_bias) {
    start.constant = 1;  // a norm's factors
  } else if (config.initialization == InitialWeights::kNormal) {
    start.deviation = is_bias ? 0 : config.initializer_range;
  } else {
    const int64_t inputs = is_bias ? InputsOf(view, views) : view.shape[1];
    if (inputs > 0) start.bound = 1 / std::sqrt(static_cast<double>(inputs));
  }
  return start;
}

// Draws one weight into `target`, a tensor of its shape and type. In float32
// first: bfloat16 has too few numbers to draw from.
void Draw(const Start& start, uint64_t seed, const at::Tensor& target) {
  const at::Generator random = at::detail::createCPUGenerator(seed);
  const std::vector<int64_t>& shape = start.view->shape;
  if (start.deviation > 0) {
    target.copy_(at::normal(0, start.deviation, shape, random, at::kFloat));
  } else if (start.bound > 0) {
    target.copy_(at::empty(shape, at::kFloat)
                     .uniform_(-start.bound, start.bound, random));
  } else {
    target.fill_(start.constant);
  }
}

// Draws weights one behind the other in `bytes`, and points their views there.
void DrawAll(const std::vector<Start>& starts, RandomStream random,
             const at::Tensor& bytes) {
  std::vector<int64_t> begins;
  std::vector<uint64_t> seeds;
  int64_t begin = 0;
  int64_t largest = 0;  // in float32
  for (const Start& start : starts) {
    begins.push_back(begin);
    seeds.push_back(random.Next());
    begin += AlignedSize(*start.view);
    largest = std::max(largest, AlignedSize(*start.view) * 2);
  }
  ConcurrentLoop(static_cast<int64_t>(starts.size()), largest, [&](int64_t i) {
    const Start& start = starts[static_cast<size_t>(i)];
    TensorView& view = *start.view;
    const at::Tensor target =
        bytes
            .narrow(0, begins[static_cast<size_t>(i)],
                    static_cast<int64_t>(view.bytes.size()))
            .view(StoredWeight(view).scalar_type())
            .view(view.shape);
    Draw(start, seeds[static_cast<size_t>(i)], target);
    view.bytes = {static_cast<const std::byte*>(target.const_data_ptr()),
                  view.bytes.size()};
  });
}

}  // namespace

RandomWeights::RandomWeights(const Checkpoint& model, int64_t stream)
    : model_(model),
      stream_(stream),
      embedding_(model.embedding()),
      positions_(model.positions()) {
  if (config().is_mlp) return;
  const double deviation = config().initialization == InitialWeights::kNormal
                               ? config().initializer_range
                               : 1;
  std::vector<Start> starts = {{.view = &embedding_, .deviation = deviation}};
  int64_t size = AlignedSize(embedding_);
  if (positions_) {
    starts.push_back({.view = &*positions_, .deviation = deviation});
    size += AlignedSize(*positions_);
  }
  embedding_bytes_ = at::empty({size}, at::kByte);
  DrawAll(starts, {stream_, kEmbedding}, embedding_bytes_);
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
  std::vector<Start> starts;
  starts.reserve(views.size());
  for (TensorView* view : views) {
    starts.push_back(StartOf(*view, views, config()));
  }
  DrawAll(starts, {stream_, layer}, layer_bytes_);
}

const LayerTensors& RandomWeights::layer(int64_t /*layer*/) const {
  return layer_;
}

}  // namespace moeprobe
