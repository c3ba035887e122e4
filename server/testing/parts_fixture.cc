#include "server/testing/parts_fixture.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "core/base/npy.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/analysis.pb.h"
#include "moeprobe/v1/job.pb.h"
#include "moeprobe/v1/job_service.pb.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/access/audit_log.h"
#include "server/model_root.h"
#include "server/resource_name.h"
#include "server/scheduler.h"
#include "server/server_options.h"
#include "server/server_parts.h"
#include "storage/access.h"
#include "storage/blob_store.h"
#include "storage/data_layout.h"
#include "storage/database.h"
#include "storage/directory_lock.h"
#include "storage/job.h"
#include "tests/testing/tiny_checkpoint.h"

namespace moeprobe {
namespace {

ServerOptions OptionsOf(const std::filesystem::path& data_directory) {
  return {.data_directory = data_directory,
          .model_roots = {},
          .addresses = {},
          .listen = {},
          .worker_count = 0,
          .worker_binary = {},
          .memory_budget = {.bytes = int64_t{1} << 30},
          .metrics_address = {},
          .drain_patience = {}};
}

ServerParts::Opened Open(const std::filesystem::path& data_directory,
                         const std::filesystem::path& root) {
  WriteTinyModel(root / "mixtral", MakeTinyModel("mixtral"));
  const DataLayout layout(data_directory);
  return {
      .lock = *DirectoryLock::Acquire(data_directory),
      .database = *Database::Open(layout.database),
      .audit = *AuditLog::Open(layout.audit_log, [](const auto&, int64_t) {}),
      .blobs = *BlobStore::Open(layout.blobs),
      .roots = {*ModelRoot::Open(root)},
      .home = *ModelRoot::Open(data_directory),
      .own_account = {}};
}

}  // namespace

PartsFixture::PartsFixture()
    : parts_(OptionsOf(directory_.path() / "data"),
             Open(directory_.path() / "data", root_)) {
  AddDataset("ids.npy", /*is_text=*/false,
             EncodeTokenIds(std::vector<int32_t>(64, 3)));
}

void PartsFixture::AddDataset(const std::string& name, bool is_text,
                              const std::string& bytes) {
  EXPECT_TRUE(parts_.datasets
                  .Add({.access = {},
                        .sha256 = *parts_.blobs.Put(bytes),
                        .is_text = is_text,
                        .display_name = name,
                        .size_bytes = static_cast<int64_t>(bytes.size()),
                        .create_time = absl::Now()})
                  .ok());
}

v1::Job PartsFixture::Analysis(int64_t seed) {
  v1::Job job;
  v1::AnalyzeSpec& spec = *job.mutable_analyze();
  spec.set_model("mixtral");
  spec.add_data()->set_ids("ids.npy");
  spec.mutable_data(0)->set_sequence_length(16);
  spec.set_seed(seed);
  return job;
}

int64_t PartsFixture::Create() { return Create(Analysis(0)); }

int64_t PartsFixture::Create(const v1::Job& job) {
  v1::CreateJobRequest request;
  *request.mutable_job() = job;
  const auto created = parts_.job_operations.Create(ServerItself(), request);
  EXPECT_TRUE(created.ok()) << created.status();
  return created.ok() ? ParseJobName(created->name()).value_or(0) : 0;
}

JobRow PartsFixture::Get(int64_t job) {
  const auto row = parts_.jobs.Get(ServerItself(), job);
  EXPECT_TRUE(row.ok()) << row.status();
  return row.value_or(JobRow());
}

Claimant PartsFixture::ClaimantUntil(std::function<bool()> gave_up) {
  return {.worker = kWorker, .rates = {}, .gave_up = std::move(gave_up)};
}

v1::Task PartsFixture::Claim() {
  const auto task = parts_.scheduler.Claim(ClaimantUntil([] { return false; }));
  EXPECT_TRUE(task.ok()) << task.status();
  return task.ok() ? task->value_or(v1::Task()) : v1::Task();
}

}  // namespace moeprobe
