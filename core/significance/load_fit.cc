#include "core/significance/load_fit.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <span>
#include <vector>

namespace moeprobe {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

// Sweeps over few rows come close at a fraction of the price.
constexpr int64_t kFewRows = 2048;
constexpr int kSweepsOverFewRows = 12;
constexpr int kSweepsOverAllRows = 40;

// Of a load: how far a fit may be off.
constexpr double kTolerance = 0.01;

// One fit in progress: the rows of some stride, and the biases so far.
class LoadFit {
 public:
  LoadFit(const at::Tensor& logits, const std::vector<int64_t>& loads,
          int64_t per_token)
      : logits_(logits),
        loads_(loads),
        per_token_(static_cast<size_t>(per_token)),
        biases_(loads.size(), 0),
        largest_(per_token_ + 1),
        shifted_(loads.size()) {
    for (size_t e = 0; e < loads.size(); ++e) {
      if (loads[e] == 0) biases_[e] = kNever;
    }
  }

  // Sweeps over every `stride`-th row, `limit` times at most, until the loads
  // are as wanted.
  void SweepUntilFit(int64_t stride, int limit) {
    for (int i = 0; i < limit; ++i) {
      FindMargins(stride);
      if (LoadsFit()) return;
      MoveBiases();
    }
  }

  const std::vector<float>& biases() const { return biases_; }

 private:
  // The k + 1 largest of logits + biases, descending, into largest_.
  void FindLargest(const float* row) {
    std::ranges::fill(largest_, kNever);
    for (size_t e = 0; e < biases_.size(); ++e) {
      shifted_[e] = row[e] + biases_[e];
      if (shifted_[e] <= largest_.back()) continue;
      size_t place = per_token_;
      for (; place > 0 && largest_[place - 1] < shifted_[e]; --place) {
        largest_[place] = largest_[place - 1];
      }
      largest_[place] = shifted_[e];
    }
  }

  // margins_[e][i]: the bias at which row i begins to choose e.
  void FindMargins(int64_t stride) {
    const int64_t width = logits_.size(1);
    rows_ = static_cast<size_t>((logits_.size(0) + stride - 1) / stride);
    margins_.resize(biases_.size() * rows_);
    const auto* row = logits_.const_data_ptr<float>();
    for (size_t i = 0; i < rows_; ++i, row += stride * width) {
      FindLargest(row);
      const float last_in = largest_[per_token_ - 1];
      const float first_out = largest_[per_token_];
      for (size_t e = 0; e < biases_.size(); ++e) {
        margins_[e * rows_ + i] =
            (shifted_[e] >= last_in ? first_out : last_in) - row[e];
      }
    }
  }

  // Rows that are to choose expert e.
  double Wanted(size_t e) const {
    return static_cast<double>(loads_[e]) * static_cast<double>(rows_) /
           static_cast<double>(logits_.size(0));
  }

  std::span<float> MarginsOf(size_t e) {
    return std::span(margins_).subspan(e * rows_, rows_);
  }

  bool LoadsFit() {
    for (size_t e = 0; e < loads_.size(); ++e) {
      const auto chosen = static_cast<double>(std::ranges::count_if(
          MarginsOf(e), [&](float margin) { return margin < biases_[e]; }));
      const double wanted = Wanted(e);
      if (std::abs(chosen - wanted) > std::max(1.0, kTolerance * wanted)) {
        return false;
      }
    }
    return true;
  }

  void MoveBiases() {
    const auto count = static_cast<float>(biases_.size());
    // Two experts that trade rows with each other only must not each move the
    // whole way.
    const float damping = (count - 1) / count;
    for (size_t e = 0; e < loads_.size(); ++e) {
      if (loads_[e] == 0) continue;
      const float target = Quantile(MarginsOf(e), std::llround(Wanted(e)));
      biases_[e] += damping * (target - biases_[e]);
    }
  }

  // A number that exceeds `rank` of the margins, which it reorders.
  static float Quantile(std::span<float> margins, int64_t rank) {
    // Beyond the last one, by as much as matters to a softmax.
    constexpr float kBeyond = 0.1F;
    if (rank <= 0) return std::ranges::min(margins) - kBeyond;
    if (rank >= std::ssize(margins)) return std::ranges::max(margins) + kBeyond;
    const auto above = margins.begin() + rank;
    std::ranges::nth_element(margins, above);
    return (*above + *std::max_element(margins.begin(), above)) / 2;
  }

  const at::Tensor& logits_;
  const std::vector<int64_t>& loads_;
  size_t per_token_;
  std::vector<float> biases_;
  size_t rows_ = 0;
  std::vector<float> largest_, shifted_, margins_;
};

}  // namespace

std::vector<float> FitBiases(const at::Tensor& logits,
                             const std::vector<int64_t>& loads,
                             int64_t per_token) {
  LoadFit fit(logits, loads, per_token);
  const int64_t stride = logits.size(0) / kFewRows;
  if (stride > 1) fit.SweepUntilFit(stride, kSweepsOverFewRows);
  fit.SweepUntilFit(1, kSweepsOverAllRows);
  return fit.biases();
}

}  // namespace moeprobe
