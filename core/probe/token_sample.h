#ifndef MOEPROBE_CORE_PROBE_TOKEN_SAMPLE_H_
#define MOEPROBE_CORE_PROBE_TOKEN_SAMPLE_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace moeprobe {

// Returns a uniform random sample of `count` of `tokens` [n] int64, ascending:
// all of them if there are not more.
//
// The sample is those with the smallest hash of seed and token. So it depends
// on nothing else, and samples of different sets have as many tokens in common
// as can be: those taken from all tokens, for a dense baseline, are among those
// of every expert they are routed to.
at::Tensor SampleTokens(const at::Tensor& tokens, int64_t count, int64_t seed);

// Returns `count` of `tokens` [n] at even distances, beginning with the first:
// all of them if there are not more.
at::Tensor SpreadTokens(const at::Tensor& tokens, int64_t count);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PROBE_TOKEN_SAMPLE_H_
