// What is stored, where each call of the system that it takes fails once.
//
// libfiu stands between the program and the system (LD_PRELOAD). No call is
// named here: all that an action makes are counted, and then fail in turn.

#include <fiu-control.h>

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/bounded_directory.h"
#include "core/base/file_content.h"
#include "core/base/whole_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/blob_store.h"
#include "storage/connection.h"
#include "storage/database.h"
#include "storage/statement.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

using testing::AnyOf;
using testing::ElementsAre;
using testing::HasSubstr;

// Calls until the one that fails; that one is call 0.
std::int64_t calls_left = -1;

int FailsNow(const char* /*name*/, int* /*failnum*/, void** /*failinfo*/,
             unsigned int* /*flags*/) {
  return calls_left-- == 0 ? 1 : 0;
}

class DiskFaultsTest : public testing::TestWithParam<int> {
 protected:
  // Runs `action` with call `call` of the kinds `names` failing. Returns
  // whether it came to that call.
  static bool RunWithFault(const char* names, std::int64_t call,
                           const std::function<void()>& action) {
    calls_left = call;
    const auto number = static_cast<std::intptr_t>(GetParam());
    EXPECT_EQ(fiu_enable_external(names, 1, reinterpret_cast<void*>(number), 0,
                                  FailsNow),
              0);
    action();
    fiu_disable(names);
    return calls_left < 0;
  }

  // Runs `action` again and again, each time with a later call failing, until
  // none does. A failure is one that a client understands, and by the next time
  // all is well again: `check` says so.
  void FailEachCall(const char* names,
                    const std::function<absl::Status()>& action,
                    const std::function<void(bool succeeded)>& check) {
    int failures = 0;
    for (std::int64_t call = 0;; ++call) {
      SCOPED_TRACE(absl::StrCat(names, ", call ", call));
      absl::Status status;
      const bool failed = RunWithFault(names, call, [&] { status = action(); });
      if (!status.ok()) {
        ++failures;
        EXPECT_TRUE(failed) << status;
        EXPECT_THAT(status.code(), AnyOf(ExpectedCode(), kDiskFails)) << status;
        EXPECT_THAT(std::string(status.message()),
                    AnyOf(HasSubstr("disk"), HasSubstr("room")));
      }
      check(status.ok());
      if (!failed) break;
      ASSERT_LT(call, 1000);
    }
    EXPECT_GT(failures, 0) << names << ": is libfiu preloaded?";
  }

  // SQLite says of any sync that fails that the disk does.
  static constexpr auto kDiskFails = absl::StatusCode::kUnavailable;
  static absl::StatusCode ExpectedCode() {
    return GetParam() == ENOSPC ? absl::StatusCode::kResourceExhausted
                                : kDiskFails;
  }

  TemporaryDirectory directory_;
};

// Names of libfiu for what writes to a disk.
constexpr const char* kWrites = "posix/io/rw/write";
constexpr const char* kSyncs = "posix/io/sync/fsync";
constexpr const char* kRenames = "posix/io/dir/rename";
constexpr const char* kOpens = "posix/io/oc/open";
constexpr const char* kReads = "posix/io/rw/read";

TEST_P(DiskFaultsTest, OfABlob) {
  const BlobStore blobs = *BlobStore::Open(directory_.path());
  for (const char* names : {kWrites, kSyncs, kRenames}) {
    std::string sha256;
    int round = 0;
    FailEachCall(
        names,
        [&] {
          const auto put = blobs.Put(absl::StrCat(names, ++round));
          sha256 = put.value_or("");
          return put.status();
        },
        [&](bool succeeded) {
          if (!succeeded) return;
          EXPECT_EQ(blobs.Read(sha256).value_or("nothing"),
                    absl::StrCat(names, round));
          blobs.Confirm(sha256);
        });
  }
  // A failed write may leave a blob, but says so.
  const auto unconfirmed = blobs.Unconfirmed();
  ASSERT_TRUE(unconfirmed.ok()) << unconfirmed.status();
  for (const std::string& left : *unconfirmed) {
    EXPECT_TRUE(blobs.Discard(left).ok());
  }
  for (const auto& entry :
       std::filesystem::directory_iterator(directory_.path())) {
    EXPECT_TRUE(blobs.Read(entry.path().filename().string()).ok())
        << "left behind: " << entry.path();
  }
}

TEST_P(DiskFaultsTest, OfABlobThatIsRead) {
  const BlobStore blobs = *BlobStore::Open(directory_.path());
  const std::string bytes(3 * kFilePieceBytes, 'a');
  const std::string sha256 = *blobs.Put(bytes);
  for (const char* names : {kOpens, kReads}) {
    std::string found;
    FailEachCall(
        names,
        [&] {
          const auto read = blobs.Read(sha256);
          found = read.value_or(bytes);
          return read.status();
        },
        [&](bool /*succeeded*/) { EXPECT_TRUE(found == bytes); });
    FailEachCall(
        names, [&] { return CheckBlob(blobs.PathOf(sha256)); },
        [](bool /*succeeded*/) {});
  }
}

TEST_P(DiskFaultsTest, OfAWholeFile) {
  const std::filesystem::path path = directory_.path() / "file";
  std::string content = "first";
  ASSERT_TRUE(WriteWholeFile(path, {content}).ok());
  for (const char* names : {kWrites, kSyncs, kRenames, kOpens}) {
    std::string next;
    FailEachCall(
        names,
        [&] {
          next = absl::StrCat(names, content.size());
          return WriteWholeFile(path, {next});
        },
        [&](bool succeeded) {
          const std::string now = ReadFile(path, 1 << 20)->bytes;
          EXPECT_TRUE(!succeeded || now == next) << now;
          EXPECT_THAT(now, AnyOf(content, next));
          content = now;
          EXPECT_EQ(directory_.FileCount(), 1);
        });
  }
}

TEST_P(DiskFaultsTest, OfABoundedDirectory) {
  const BoundedDirectory directory(directory_.path(), 1 << 20);
  for (const char* names : {kWrites, kRenames}) {
    FailEachCall(
        names, [&] { return directory.Put("group-1", {names}); },
        [&](bool succeeded) {
          const auto content = ReadFile(directory_.path() / "group-1", 1 << 20);
          EXPECT_TRUE(!succeeded || content->bytes == names);
          EXPECT_LE(directory_.FileCount(), 2);  // one of them the lock
        });
  }
}

// The calls of an action, by libfiu's names, of those that bring a file to the
// disk under its name.
std::vector<std::string> calls;

int NotesItself(const char* name, int* /*failnum*/, void** /*failinfo*/,
                unsigned int* /*flags*/) {
  calls.emplace_back(name);
  return 0;
}

std::vector<std::string> CallsOf(const std::function<absl::Status()>& action) {
  calls.clear();
  for (const char* name : {kSyncs, kRenames}) {
    EXPECT_EQ(fiu_enable_external(name, 1, nullptr, 0, NotesItself), 0);
  }
  EXPECT_EQ(action(), absl::OkStatus());
  for (const char* name : {kSyncs, kRenames}) fiu_disable(name);
  return calls;
}

// After a crash the name stands for the whole file or for none: the file is
// synced, renamed, and then the directory is synced.
TEST(DiskOrderTest, SyncsAFileBeforeItHasItsNameAndTheNameAfterwards) {
  const TemporaryDirectory directory;
  const BlobStore blobs = *BlobStore::Open(directory.path() / "blobs");
  const auto in_order = ElementsAre(kSyncs, kRenames, kSyncs);
  EXPECT_THAT(CallsOf([&] { return blobs.Put("bytes").status(); }), in_order);
  EXPECT_THAT(CallsOf([&] {
                return WriteWholeFile(directory.path() / "file", {"bytes"});
              }),
              in_order);
}

// SQLite writes with pwrite and syncs with fdatasync. A commit that is
// acknowledged is there, one that failed is not, and the next one works.
TEST_P(DiskFaultsTest, OfADatabase) {
  const std::filesystem::path file = directory_.path() / "moeprobe.db";
  auto database = Database::Open(file);
  ASSERT_TRUE(database.ok()) << database.status();
  int64_t acknowledged = 0, number = 0;
  const auto count = [](Connection& db) -> absl::StatusOr<int64_t> {
    return QueryInteger(db, "SELECT count(*) FROM tokenization").value_or(-1);
  };
  for (const char* names : {"posix/io/rw/pwrite", "posix/io/sync/fdatasync"}) {
    FailEachCall(
        names,
        [&] {
          return (*database)->Write([&](Connection& db) -> absl::Status {
            Execute(db, "INSERT INTO tokenization VALUES(?1, ?2, 'c')",
                    absl::StrCat(++number), std::string(9000, 'x'));
            return absl::OkStatus();
          });
        },
        [&](bool succeeded) {
          if (succeeded) ++acknowledged;
          EXPECT_EQ((*database)->Read(count).value_or(-2), acknowledged);
        });
  }
  database->reset();
  const auto again = Database::Open(file);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ((*again)->Read(count).value_or(-2), acknowledged);
}

INSTANTIATE_TEST_SUITE_P(, DiskFaultsTest, testing::Values(ENOSPC, EIO),
                         [](const auto& test) {
                           return test.param == ENOSPC ? "DiskFull"
                                                       : "DiskFails";
                         });

}  // namespace
}  // namespace moeprobe
