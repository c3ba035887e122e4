#include "storage/writer.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <future>
#include <ios>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/connection.h"
#include "storage/data_layout.h"
#include "storage/statement.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

using testing::Each;
using testing::ElementsAre;

class WriterTest : public testing::Test {
 protected:
  WriterTest() {
    auto connection = OpenToWrite(file_);
    EXPECT_TRUE(connection.ok()) << connection.status();
    (*connection)
        ->exec(
            "CREATE TABLE t(x INTEGER UNIQUE, text TEXT);"
            "CREATE TABLE mark(x)");
    writer_ = std::make_unique<Writer>(file_, *std::move(connection), Mark);
  }

  static absl::Status Mark(Connection& db) {
    Execute(db, "INSERT INTO mark VALUES(1)");
    return absl::OkStatus();
  }

  int64_t MarkCount() {
    Connection raw(file_.string());
    return QueryInteger(raw, "SELECT count(*) FROM mark").value_or(0);
  }

  // Another one for each write-ahead log.
  std::string Salts() {
    std::ifstream log(WriteAheadLogOf(file_), std::ios::binary);
    std::string header(24, '\0');
    log.read(header.data(), std::ssize(header));
    return header.substr(16);
  }

  static Writer::Change Insert(int64_t x) {
    return [x](Connection& db) -> absl::Status {
      Execute(db, "INSERT INTO t(x) VALUES(?1)", x);
      return absl::OkStatus();
    };
  }

  // Keeps the writer busy until `released_`, so that changes gather behind it.
  std::future<absl::Status> Hold() {
    std::promise<void> begun;
    auto held = std::async(std::launch::async, [this, &begun] {
      return writer_->Run([this, &begun](Connection&) -> absl::Status {
        begun.set_value();
        released_.get_future().wait();
        return absl::OkStatus();
      });
    });
    begun.get_future().wait();
    return held;
  }

  void AwaitWaiting(size_t count) const {
    while (writer_->waiting_count() < count) std::this_thread::yield();
  }

  // Runs changes that come one after the other and share a transaction.
  std::vector<absl::Status> RunTogether(
      const std::vector<Writer::Change>& changes) {
    auto held = Hold();
    std::vector<std::future<absl::Status>> running;
    running.reserve(changes.size());
    for (const Writer::Change& change : changes) {
      running.emplace_back(std::async(std::launch::async, [this, &change] {
        return writer_->Run(change);
      }));
      AwaitWaiting(running.size());
    }
    released_.set_value();
    EXPECT_TRUE(held.get().ok());
    std::vector<absl::Status> statuses;
    statuses.reserve(running.size());
    for (auto& one : running) statuses.push_back(one.get());
    return statuses;
  }

  std::vector<int64_t> Stored() {
    Connection raw(file_.string());
    Statement query(raw, "SELECT x FROM t ORDER BY rowid");
    std::vector<int64_t> stored;
    while (query.executeStep()) {
      stored.push_back(query.getColumn(0).getInt64());
    }
    return stored;
  }

  TemporaryDirectory directory_;
  std::filesystem::path file_ = directory_.path() / "w.db";
  std::promise<void> released_;
  std::unique_ptr<Writer> writer_;
};

TEST_F(WriterTest, KeepsTheOrderInWhichChangesCame) {
  RunTogether({Insert(3), Insert(1), Insert(2)});
  EXPECT_EQ(Stored(), (std::vector<int64_t>{3, 1, 2}));
}

TEST_F(WriterTest, MarksTheFirstTransactionOfEachLog) {
  constexpr int kChanges = 60;
  std::string salts = Salts();
  int log_count = 1;
  for (int i = 0; i < kChanges; ++i) {
    const int64_t marks = MarkCount();
    ASSERT_TRUE(writer_
                    ->Run([i](Connection& db) -> absl::Status {
                      Execute(db, "INSERT INTO t(x, text) VALUES(?1, ?2)", i,
                              std::string(1 << 18, 'x'));
                      return absl::OkStatus();
                    })
                    .ok());
    if (i > 0 && Salts() == salts) continue;
    salts = Salts();
    ++log_count;
    EXPECT_EQ(MarkCount(), marks + 1) << i;
  }
  EXPECT_GE(log_count, 3);
  EXPECT_LT(MarkCount(), kChanges / 2);
}

TEST_F(WriterTest, MarksALogWhoseFirstTransactionFailed) {
  const auto fail = [](Connection& db) -> absl::Status {
    db.exec("ROLLBACK");
    return absl::CancelledError("on purpose");
  };
  EXPECT_FALSE(writer_->Run(fail).ok());
  EXPECT_EQ(MarkCount(), 0);
  EXPECT_EQ(writer_->Run(Insert(1)), absl::OkStatus());
  EXPECT_EQ(MarkCount(), 1);
}

TEST_F(WriterTest, MarksNoLogForWhatIsRefused) {
  const auto refuse = [](Connection&) -> absl::Status {
    return absl::CancelledError("on purpose");
  };
  ASSERT_EQ(writer_->Run(Insert(1)), absl::OkStatus());
  RunTogether({Insert(2), refuse, Insert(3)});
  EXPECT_FALSE(writer_->Run(refuse).ok());
  EXPECT_EQ(writer_->Run(Insert(4)), absl::OkStatus());
  EXPECT_EQ(MarkCount(), 1);
}

TEST_F(WriterTest, KeepsNothingOfAChangeThatIsRefusedBesideOthers) {
  const auto refuse = [](Connection& db) -> absl::Status {
    Execute(db, "INSERT INTO t(x) VALUES(99)");
    return absl::CancelledError("on purpose");
  };
  const auto statuses = RunTogether({Insert(1), refuse, Insert(2)});
  EXPECT_TRUE(statuses[0].ok());
  EXPECT_EQ(statuses[1].code(), absl::StatusCode::kCancelled);
  EXPECT_TRUE(statuses[2].ok());
  EXPECT_EQ(Stored(), (std::vector<int64_t>{1, 2}));
}

TEST_F(WriterTest, FailsABadChangeAlone) {
  const auto refuse = [](Connection& db) -> absl::Status {
    Execute(db, "INSERT INTO t(x) VALUES(99)");
    return absl::CancelledError("on purpose");
  };
  const auto statuses = RunTogether({Insert(1), Insert(1), refuse, Insert(2)});
  EXPECT_TRUE(statuses[0].ok());
  EXPECT_EQ(statuses[1].code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(statuses[2].code(), absl::StatusCode::kCancelled);
  EXPECT_TRUE(statuses[3].ok());
  EXPECT_EQ(Stored(), (std::vector<int64_t>{1, 2}));
}

TEST_F(WriterTest, SharesOneTransactionAmongChangesThatWait) {
  std::vector<Writer::Change> changes(8);
  std::vector<std::optional<int64_t>> seen_inside(8), seen_outside(8);
  for (size_t i = 0; i < changes.size(); ++i) {
    changes[i] = [&, i](Connection& db) -> absl::Status {
      Connection outside(file_.string());
      seen_inside[i] = QueryInteger(db, "SELECT count(*) FROM t");
      seen_outside[i] = QueryInteger(outside, "SELECT count(*) FROM t");
      return Insert(static_cast<int64_t>(i))(db);
    };
  }
  RunTogether(changes);
  EXPECT_THAT(seen_inside, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
  EXPECT_THAT(seen_outside, Each(0));
  EXPECT_EQ(Stored().size(), 8);
}

TEST_F(WriterTest, FailsAloneWhatTheDiskHasNoRoomFor) {
  ASSERT_TRUE(writer_
                  ->Run([](Connection& db) -> absl::Status {
                    db.exec("PRAGMA max_page_count = 40");
                    return absl::OkStatus();
                  })
                  .ok());
  const auto large = [](Connection& db) -> absl::Status {
    Execute(db, "INSERT INTO t(x, text) VALUES(7, ?1)",
            std::string(1 << 20, 'x'));
    return absl::OkStatus();
  };
  const auto statuses = RunTogether({Insert(1), large, Insert(2)});
  EXPECT_TRUE(statuses[0].ok()) << statuses[0];
  EXPECT_EQ(statuses[1].code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(statuses[2].ok()) << statuses[2];
  EXPECT_EQ(Stored(), (std::vector<int64_t>{1, 2}));
}

TEST_F(WriterTest, AcknowledgesNothingThatAnotherConnectionCannotSee) {
  std::vector<std::jthread> threads;
  threads.reserve(8);
  std::atomic<int> missed = 0;
  for (int64_t client = 0; client < 8; ++client) {
    threads.emplace_back([this, client, &missed] {
      const auto reader = OpenToRead(file_);
      for (int64_t i = 0; i < 20; ++i) {
        const int64_t x = client * 100 + i;
        if (!writer_->Run(Insert(x)).ok() ||
            !QueryInteger(**reader, "SELECT 1 FROM t WHERE x = ?1", x)) {
          ++missed;
        }
      }
    });
  }
  threads.clear();
  EXPECT_EQ(missed, 0);
  EXPECT_EQ(Stored().size(), 160);
}

TEST_F(WriterTest, CarriesOutWhatWaitsBeforeItEnds) {
  auto held = Hold();
  auto last = std::async(std::launch::async,
                         [this] { return writer_->Run(Insert(1)); });
  AwaitWaiting(1);
  released_.set_value();
  EXPECT_TRUE(last.get().ok());
  EXPECT_TRUE(held.get().ok());
  writer_.reset();
  EXPECT_EQ(Stored(), (std::vector<int64_t>{1}));
}

}  // namespace
}  // namespace moeprobe
