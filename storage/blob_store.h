#ifndef MOEPROBE_STORAGE_BLOB_STORE_H_
#define MOEPROBE_STORAGE_BLOB_STORE_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/file_content.h"
#include "core/base/file_descriptor.h"
#include "core/base/mutex.h"
#include "core/base/sha256.h"

namespace moeprobe {

// Digests of blobs that this process has put in their place and that are not
// confirmed yet. Thread-safe.
class UnsettledBlobs {
 public:
  void Add(const std::string& sha256);
  void Remove(const std::string& sha256);
  std::vector<std::string> All() const;

 private:
  mutable Mutex mutex_;
  std::set<std::string> blobs_ ABSL_GUARDED_BY(mutex_);
};

// A blob being written. Unless committed, it leaves nothing behind.
class BlobWriter {
 public:
  BlobWriter(BlobWriter&& other) noexcept = default;
  ~BlobWriter();

  // ResourceExhausted where the disk is full.
  absl::Status Append(std::string_view bytes);

  // Bytes so far.
  int64_t size_bytes() const { return size_bytes_; }

  // Ends the writing and returns the digest of the bytes.
  std::string Seal();

  // Puts the blob in its place, on disk, after Seal. It is there to stay once
  // it has been confirmed.
  absl::Status Commit();

 private:
  friend class BlobStore;
  BlobWriter(FileDescriptor file, std::filesystem::path path,
             std::filesystem::path directory, UnsettledBlobs* unsettled);

  FileDescriptor file_;
  std::filesystem::path path_;
  std::filesystem::path directory_;
  UnsettledBlobs* unsettled_;
  std::unique_ptr<Sha256> digest_;
  std::string sha256_;
  int64_t size_bytes_ = 0;
};

// Byte strings as files named by their SHA-256, each written under another
// name first: a file that has its name is whole. Beside one that is put in its
// place stands an empty file, "new-" and its name, until it is confirmed: until
// a row of the database stands for it. Thread-safe.
class BlobStore {
 public:
  // Opens or makes `directory` and removes what an earlier process left
  // half-written.
  static absl::StatusOr<BlobStore> Open(std::filesystem::path directory);

  std::filesystem::path PathOf(const std::string& sha256) const;

  // Whoever stores a blob holds this until the row that stands for it is on
  // disk, and whoever needs blobs of which the rows may go as long as they need
  // them: nothing is discarded meanwhile.
  using Hold = std::shared_lock<std::shared_mutex>;
  Hold HoldAll() const { return Hold(*discarding_); }

  // Removes those of these blobs of which `is_needed` says that no row stands
  // for them, and confirms the others. Returns whether it could: not while
  // anybody holds blobs.
  absl::StatusOr<bool> DiscardUnneeded(
      const std::vector<std::string>& blobs,
      const std::function<absl::StatusOr<bool>(const std::string&)>& is_needed)
      const;

  // Returns the names of all blobs.
  absl::StatusOr<std::vector<std::string>> List() const;

  // Starts a blob.
  absl::StatusOr<BlobWriter> NewBlob() const;

  // Stores `bytes` and returns their digest. Not confirmed.
  absl::StatusOr<std::string> Put(std::string_view bytes) const;

  // Says that a row stands for this blob from now on.
  void Confirm(const std::string& sha256) const;

  // Returns the digests of blobs of this process that are not confirmed: those
  // of whoever holds blobs, and those that no row could be stored for.
  std::vector<std::string> Unsettled() const { return unsettled_->All(); }

  // Returns the digests of blobs that may have no row, because a process died
  // before they were confirmed or the row could not be stored.
  absl::StatusOr<std::vector<std::string>> Unconfirmed() const;

  // Removes a blob, if it is there, that no row stands for.
  absl::Status Discard(const std::string& sha256) const;

  // Returns a blob's bytes; DataLoss if it is gone or not what it was, errors
  // of DiskError where the disk fails.
  absl::StatusOr<std::string> Read(const std::string& sha256) const;

  // Calls visit(piece) for a blob's bytes, as VisitPieces does: no more of them
  // is in memory. The same errors, before the first piece; it may be discarded
  // meanwhile.
  absl::Status ReadInPieces(const std::string& sha256, PieceVisit visit) const;

 private:
  explicit BlobStore(std::filesystem::path directory)
      : directory_(std::move(directory)) {}

  std::filesystem::path directory_;
  // Shared by those who hold blobs; exclusive while some are discarded.
  std::unique_ptr<std::shared_mutex> discarding_ =
      std::make_unique<std::shared_mutex>();
  std::unique_ptr<UnsettledBlobs> unsettled_ =
      std::make_unique<UnsettledBlobs>();
};

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_BLOB_STORE_H_
