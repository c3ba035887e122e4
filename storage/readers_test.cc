#include "storage/readers.h"

#include <chrono>
#include <filesystem>
#include <future>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "storage/connection.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

using std::chrono_literals::operator""s;

using Lent = std::unique_ptr<Connection>;

class ReadersTest : public testing::Test {
 protected:
  // All that there are.
  std::vector<Lent> TakeAll() {
    std::vector<Lent> lent;
    while (lent.size() < Readers::kMaxCount) {
      lent.push_back(*readers_.Take());
    }
    return lent;
  }

  // Somebody who asks now for a connection and gives it back.
  std::future<absl::Status> Borrow() {
    return std::async(std::launch::async, [this] {
      absl::StatusOr<Lent> connection = readers_.Take();
      const absl::Status status = connection.status();
      if (status.ok()) readers_.GiveBack(*std::move(connection));
      return status;
    });
  }

  TemporaryDirectory directory_;
  std::filesystem::path file_ = directory_.path() / "r.db";
  std::unique_ptr<Connection> writer_ = *OpenToWrite(file_);
  Readers readers_{file_};
};

TEST_F(ReadersTest, MakesWaitWhoWantsMoreThanThereAre) {
  std::vector<Lent> lent = TakeAll();
  std::future<absl::Status> waiting = Borrow();
  EXPECT_EQ(waiting.wait_for(std::chrono::milliseconds(50)),
            std::future_status::timeout);
  readers_.GiveBack(std::move(lent.back()));
  EXPECT_EQ(waiting.get(), absl::OkStatus());
}

// Given back so fast that the first to wait is not awake yet when the last
// comes back: nobody may sleep on beside a connection that is free.
TEST_F(ReadersTest, LetsNobodyWaitBesideAConnectionThatIsFree) {
  for (int round = 0; round < 50; ++round) {
    std::vector<Lent> lent = TakeAll();
    std::vector<std::future<absl::Status>> waiting;
    waiting.reserve(4);
    for (int i = 0; i < 4; ++i) waiting.push_back(Borrow());
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    for (Lent& connection : lent) readers_.GiveBack(std::move(connection));
    for (std::future<absl::Status>& one : waiting) {
      ASSERT_EQ(one.wait_for(10s), std::future_status::ready) << round;
    }
  }
}

TEST_F(ReadersTest, CountsWhatCouldNotBeOpenedAsGivenBack) {
  writer_.reset();
  std::filesystem::remove(file_);
  for (int i = 0; i < 2 * Readers::kMaxCount; ++i) {
    EXPECT_FALSE(readers_.Take().ok());
  }
}

TEST_F(ReadersTest, LendsWhatIsIdleBeforeItOpensAnother) {
  Lent connection = *readers_.Take();
  const Connection* first = connection.get();
  readers_.GiveBack(std::move(connection));
  EXPECT_EQ((*readers_.Take()).get(), first);
}

}  // namespace
}  // namespace moeprobe
