#ifndef MOEPROBE_CORE_TRAIN_STORED_TENSORS_H_
#define MOEPROBE_CORE_TRAIN_STORED_TENSORS_H_

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/checkpoint/safetensors_file.h"
#include "core/checkpoint/safetensors_writer.h"
#include "core/plan/decoder_shape.h"
#include "core/train/parameters.h"

namespace moeprobe {

// A tensor as a checkpoint file has it.
struct StoredTensor {
  std::string name;
  at::Tensor view;  // of a parameter, or part of one: writing to it sets that
};

// Returns all weights of a model, and its examples, by the names and in the
// shapes of its family: Mixtral's (or, dense, Llama's) where experts are gated,
// else moeprobe's own, which differs by biases, learned positions and two-layer
// experts (fc1, fc2). An MLP has only its layer's experts and router.
std::vector<StoredTensor> StoredTensors(const ModelParameters& model,
                                        const DecoderShape& shape);

// Fills `tensors` from a file of float32 tensors; others in it are left alone.
//
// Returns FailedPrecondition that names the tensor if one is missing or has
// another type or shape.
absl::Status LoadTensors(const SafetensorsFile& file,
                         const std::vector<StoredTensor>& tensors);

// Copies of tensors as a file takes them, row by row.
class PlainTensors {
 public:
  explicit PlainTensors(const std::vector<StoredTensor>& tensors);

  // Valid as long as this lives.
  const std::vector<SafetensorsEntry>& entries() const { return entries_; }

 private:
  std::vector<at::Tensor> tensors_;
  std::vector<SafetensorsEntry> entries_;
};

// Writes `tensors`, whole or not at all. Errors: those of WriteSafetensors.
absl::Status StoreTensors(const std::filesystem::path& path,
                          const std::vector<StoredTensor>& tensors);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_TRAIN_STORED_TENSORS_H_
