#include "client/commands/job_header.h"

#include <sstream>
#include <string>

#include "client/commands/screen.h"
#include "client/commands/session.h"
#include "client/service/cancellation.h"
#include "client/service/client.h"
#include "client/testing/fake_server.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/analysis.pb.h"
#include "moeprobe/v1/job.pb.h"
#include "moeprobe/v1/training.pb.h"

namespace moeprobe {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class JobHeaderTest : public testing::Test {
 protected:
  JobHeaderTest() {
    job_.set_name("jobs/17");
    job_.set_state(v1::Job::STATE_SUCCEEDED);
  }

  std::string Header() { return JobHeader(session_, job_); }

  v1::Job job_;
  FakeServerState state_;
  FakeServer server_{state_};
  Cancellation cancellation_;
  Client client_{{.address = server_.address()}, cancellation_};
  std::ostringstream stream_;
  Screen screen_{stream_, false, 80};
  Session session_{.client = client_,
                   .cancellation = cancellation_,
                   .out = screen_,
                   .err = screen_,
                   .program = "moeprobe-client"};
};

TEST_F(JobHeaderTest, SaysWhatIsAnalysed) {
  job_.mutable_analyze()->set_model("mixtral");
  v1::DataSpec& data = *job_.mutable_analyze()->add_data();
  data.set_text("datasets/abc");
  data.set_tokens(-1);
  data.set_sequence_length(64);
  EXPECT_EQ(Header(),
            "job 17: succeeded\n"
            "  model     mixtral\n"
            "  data      all tokens in windows of 64, datasets/abc\n");
}

TEST_F(JobHeaderTest, SaysWhereAJobWaits) {
  job_.set_state(v1::Job::STATE_QUEUED);
  EXPECT_THAT(Header(), HasSubstr("job 17: queued, start unknown\n"));
  job_.set_queue_position(2);
  EXPECT_THAT(Header(), HasSubstr("queued, 2 ahead, start unknown\n"));
  job_.mutable_estimated_start_time()->set_seconds(1'700'000'000);
  EXPECT_THAT(Header(), HasSubstr("queued, 2 ahead, to start about 2023-11-1"));
  EXPECT_THAT(Header(), Not(HasSubstr("priority")));
  job_.set_priority(v1::Job::PRIORITY_LOW);
  EXPECT_THAT(Header(), HasSubstr("priority  low\n"));
}

TEST_F(JobHeaderTest, SaysWhoHoldsTheMemoryThatAJobWaitsFor) {
  job_.set_state(v1::Job::STATE_QUEUED);
  EXPECT_THAT(Header(), Not(HasSubstr("waits for")));
  v1::MemoryWait& wait = *job_.mutable_memory_wait();
  wait.set_needed_bytes(1'200'000'000);
  wait.set_held_bytes(800'000'000);
  wait.set_budget_bytes(1'500'000'000);
  EXPECT_THAT(Header(), HasSubstr("  waits for 1.2 GB of memory; 800.0 MB of "
                                  "1.5 GB are held\n"));
  wait.add_holders("jobs/3");
  wait.add_holders("jobs/4");
  EXPECT_THAT(Header(), HasSubstr("are held by jobs/3, jobs/4\n"));
  wait.set_kept_bytes(1'400'000'000);
  EXPECT_THAT(
      Header(),
      HasSubstr("jobs/4, and 1.4 GB are kept for a job that goes first\n"));
  wait.set_kept_for("jobs/5");
  EXPECT_THAT(Header(), HasSubstr("1.4 GB are kept for jobs/5\n"));
}

TEST_F(JobHeaderTest, SaysWhatIsTrained) {
  v1::TrainSpec& spec = *job_.mutable_train();
  spec.set_name("label");
  spec.add_variants()->set_name("dense");
  spec.mutable_variants(0)->set_block(v1::BLOCK_DENSE);
  spec.add_seeds(0);
  spec.add_seeds(4);
  spec.mutable_data()->set_text("datasets/abc");
  spec.mutable_data()->set_vocabulary("bytes");
  spec.add_swap_routing("soft");
  EXPECT_THAT(
      Header(),
      AllOf(HasSubstr("  name      label\n"),
            HasSubstr("  variant   dense: dense, as wide as an expert\n"),
            HasSubstr("  seeds     0, 4\n"),
            HasSubstr("  data      bytes, 0 % held out, datasets/abc\n"),
            HasSubstr("  swapped   soft\n")));
}

TEST_F(JobHeaderTest, SaysOnceWhatHoldsInManyPlaces) {
  job_.add_warnings(
      "soft/seed0/step20/: layer 0, random router: nothing to draw");
  job_.add_warnings("few windows");
  job_.add_warnings(
      "soft/seed1/step20/: layer 2, random router: nothing to draw");
  EXPECT_THAT(Header(),
              AllOf(HasSubstr("  warning   soft/seed0/step20/: layer 0, random "
                              "router: nothing to draw (and 1 like it: show "
                              "--json)\n  warning   few windows\n"),
                    Not(HasSubstr("seed1"))));
}

}  // namespace
}  // namespace moeprobe
