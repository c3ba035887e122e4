#include "client/commands/submit.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "client/commands/screen.h"
#include "client/commands/session.h"
#include "client/service/cancellation.h"
#include "client/service/client.h"
#include "client/testing/fake_server.h"
#include "core/base/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/job.pb.h"
#include "moeprobe/v1/job_service.pb.h"

namespace moeprobe {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

class SubmitTest : public testing::Test {
 protected:
  SubmitTest() {
    fs::create_directories(directory_);
    state_.job.set_name("jobs/17");
    v1::JobEvent event;
    event.set_sequence(1);
    event.set_state(v1::Job::STATE_SUCCEEDED);
    state_.events = {event};
    WriteFile("text.txt", "some text");
    WriteFile("request.yaml", "model: m\ndata: {text: text.txt}\n");
  }
  ~SubmitTest() override { fs::remove_all(directory_); }

  void WriteFile(const std::string& name, const std::string& content) {
    std::ofstream(directory_ / name) << content;
  }

  absl::Status RunOnce() { return Submit(session_, {.file = file_}); }
  absl::Status RunAndWait() {
    return Submit(session_, {.file = file_, .wait = true});
  }
  absl::Status RunDry() {
    return Submit(session_, {.file = file_, .dry_run = true});
  }

  // The error of a request on such data, without the path of the file.
  std::string ErrorOf(const std::string& data) {
    WriteFile("request.yaml", absl::StrCat("model: m\ndata: ", data, "\n"));
    const absl::Status status = RunOnce();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    const std::string message(status.message());
    return message.substr(message.find("request.yaml"));
  }

  fs::path directory_ =
      fs::path(testing::TempDir()) /
      testing::UnitTest::GetInstance()->current_test_info()->name();
  std::string file_ = directory_ / "request.yaml";
  FakeServerState state_;
  FakeServer server_{state_};
  Cancellation cancellation_;
  Client client_{{.address = server_.address()}, cancellation_};
  std::ostringstream out_stream_;
  std::ostringstream err_stream_;
  Screen out_{out_stream_, false, 80};
  Screen err_{err_stream_, false, 80};
  Session session_{.client = client_,
                   .cancellation = cancellation_,
                   .out = out_,
                   .err = err_,
                   .program = "moeprobe-client"};
};

TEST_F(SubmitTest, PrintsTheIdAloneAndWaits) {
  ASSERT_TRUE(RunAndWait().ok());
  EXPECT_EQ(out_stream_.str(), "17\n");
  EXPECT_EQ(err_stream_.str(), "job 17: succeeded\n");
}

TEST_F(SubmitTest, FailsWithTheJobItWaitsFor) {
  state_.events[0].set_state(v1::Job::STATE_FAILED);
  state_.events[0].mutable_error()->set_message("no memory");
  const absl::Status status = RunAndWait();
  EXPECT_TRUE(absl::IsAborted(status));
  EXPECT_EQ(status.message(), "job 17 failed: no memory");
  EXPECT_EQ(out_stream_.str(), "17\n");
}

TEST_F(SubmitTest, UploadsAFileOnceAndNamesItByDigest) {
  ASSERT_TRUE(RunOnce().ok());
  ASSERT_TRUE(RunOnce().ok());
  EXPECT_EQ(state_.upload_count, 1);
  const std::string name = absl::StrCat("datasets/", Sha256Hex("some text"));
  EXPECT_EQ(state_.datasets.at(name), "some text");
  EXPECT_EQ(state_.created.analyze().data(0).text(), name);
}

TEST_F(SubmitTest, LeavesOtherNamesToTheServer) {
  WriteFile("request.yaml", "model: m\ndata: {text: wikitext}\n");
  ASSERT_TRUE(RunOnce().ok());
  EXPECT_EQ(state_.created.analyze().data(0).text(), "wikitext");
  EXPECT_EQ(state_.upload_count, 0);
}

TEST_F(SubmitTest, UploadsTheTextOfAnExperiment) {
  WriteFile("request.yaml",
            "kind: train\nvariants: {a: {}}\ndata: {text: text.txt}\n");
  auto& violation = *state_.validation.add_violations();
  violation.set_field("data.text");
  ASSERT_TRUE(RunDry().ok());
  EXPECT_THAT(err_stream_.str(), HasSubstr("data.text: would upload"));
  state_.validation.Clear();
  ASSERT_TRUE(RunOnce().ok());
  const std::string name = absl::StrCat("datasets/", Sha256Hex("some text"));
  EXPECT_EQ(state_.datasets.at(name), "some text");
  EXPECT_EQ(state_.created.train().data().text(), name);
}

TEST_F(SubmitTest, SaysWhatAJobWouldTakeBesideTheRequest) {
  state_.validation.mutable_job()->mutable_analyze()->set_model("resolved");
  v1::Estimate& estimate = *state_.validation.mutable_estimate();
  estimate.set_seconds(61.2);
  estimate.set_peak_memory_bytes(1'500'000'000);
  estimate.set_disk_read_bytes(28'000'000);
  estimate.set_disk_write_bytes(4'000);
  estimate.set_group_count(12);
  estimate.set_cached_group_count(3);
  ASSERT_TRUE(RunDry().ok());
  EXPECT_EQ(out_stream_.str(), "kind: analyze\nmodel: resolved\n");
  EXPECT_EQ(err_stream_.str(),
            "estimate: 1:02, 1.5 GB of memory, reads 28.0 MB, keeps 4.0 kB of "
            "hidden states; 3 of 12 probe groups are there already\n");
}

TEST_F(SubmitTest, SaysThatAnExperimentKeepsModels) {
  WriteFile("request.yaml",
            "kind: train\nvariants: {a: {}}\ndata: {text: x}\n");
  v1::Estimate& estimate = *state_.validation.mutable_estimate();
  estimate.set_disk_write_bytes(4'000);
  estimate.set_group_count(12);
  ASSERT_TRUE(RunDry().ok());
  EXPECT_THAT(err_stream_.str(), HasSubstr("keeps 4.0 kB of models; "));
}

TEST_F(SubmitTest, SaysThatThereIsNothingToCompute) {
  v1::Estimate& estimate = *state_.validation.mutable_estimate();
  estimate.set_group_count(12);
  estimate.set_cached_group_count(12);
  ASSERT_TRUE(RunDry().ok());
  EXPECT_THAT(err_stream_.str(), StartsWith("estimate: nothing to compute"));
}

TEST_F(SubmitTest, CreatesNothingInADryRun) {
  state_.validation.mutable_job()->mutable_analyze()->set_model("resolved");
  state_.validation.add_warnings("few windows");
  ASSERT_TRUE(RunDry().ok());
  EXPECT_EQ(out_stream_.str(), "kind: analyze\nmodel: resolved\n");
  EXPECT_EQ(err_stream_.str(), "warning: few windows\n");
  EXPECT_TRUE(state_.request_ids.empty());
  EXPECT_EQ(state_.upload_count, 0);
}

TEST_F(SubmitTest, ForgivesADryRunWhatAnUploadWouldMend) {
  auto& violation = *state_.validation.add_violations();
  violation.set_field("data[0].text");
  ASSERT_TRUE(RunDry().ok());
  EXPECT_THAT(err_stream_.str(), HasSubstr("would upload"));
  EXPECT_THAT(out_stream_.str(), HasSubstr("text: datasets/"));
}

TEST_F(SubmitTest, PlacesTheServersViolationsInTheFile) {
  for (const char* field : {"model", "data[0].tokens"}) {
    auto& violation = *state_.validation.add_violations();
    violation.set_field(field);
    violation.set_description("wrong");
  }
  for (const absl::Status& status : {RunOnce(), RunDry()}) {
    EXPECT_TRUE(absl::IsInvalidArgument(status));
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr("request.yaml:1:8: model: wrong\n"),
                      HasSubstr("request.yaml:2:7: data[0].tokens: wrong")));
  }
  EXPECT_EQ(out_stream_.str(), "");
}

TEST_F(SubmitTest, RefusesDataThatIsNoFileWithContent) {
  fs::create_directory(directory_ / "folder");
  ASSERT_EQ(mkfifo((directory_ / "pipe").c_str(), 0600), 0);
  WriteFile("empty.txt", "");
  EXPECT_THAT(ErrorOf("{text: folder}"),
              StartsWith("request.yaml:2:14: data[0].text: "));
  EXPECT_THAT(ErrorOf("{text: pipe}"),
              StartsWith("request.yaml:2:14: data[0].text: "));
  EXPECT_THAT(ErrorOf("{ids: empty.txt}"), HasSubstr("is empty"));
  EXPECT_THAT(ErrorOf("{ids: /nowhere/x.npy}"), HasSubstr("/nowhere/x.npy"));
  EXPECT_THAT(ErrorOf("[{text: text.txt}, {text: ./x}]"),
              StartsWith("request.yaml:2:33: data[1].text: there is no file"));
  EXPECT_TRUE(state_.request_ids.empty());
}

TEST_F(SubmitTest, RefusesARequestThatIsNoFile) {
  for (const char* file : {"/nowhere/x.yaml", "/"}) {
    const absl::Status status = Submit(session_, {.file = file});
    EXPECT_TRUE(absl::IsInvalidArgument(status));
    EXPECT_THAT(std::string(status.message()), HasSubstr(file));
  }
}

TEST_F(SubmitTest, ReadsNoMoreThanARequestMayHave) {
  const absl::Status status = Submit(session_, {.file = "/dev/zero"});
  EXPECT_THAT(std::string(status.message()), HasSubstr("larger than 1 MiB"));
}

TEST_F(SubmitTest, CreatesNothingOnceInterrupted) {
  cancellation_.Cancel();
  EXPECT_FALSE(RunAndWait().ok());
  EXPECT_EQ(out_stream_.str(), "");
  EXPECT_TRUE(state_.request_ids.empty());
}

}  // namespace
}  // namespace moeprobe
