#ifndef MOEPROBE_CORE_BASE_SHA256_H_
#define MOEPROBE_CORE_BASE_SHA256_H_

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace moeprobe {

// A running SHA-256, the one digest of moeprobe: of data sets, weights,
// configurations and matrices.
class Sha256 {
 public:
  Sha256();
  ~Sha256();

  void Update(std::string_view bytes);

  // Ends the computation and returns the digest in lower-case hexadecimal, 64
  // characters. Nothing may be called afterwards.
  std::string Hex();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

// Returns the digest of `bytes`, in lower-case hexadecimal.
std::string Sha256Hex(std::string_view bytes);

// Returns the digest of a file's content. NotFound if it cannot be opened.
absl::StatusOr<std::string> Sha256OfFile(const std::filesystem::path& path);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_BASE_SHA256_H_
