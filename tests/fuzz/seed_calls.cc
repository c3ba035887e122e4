#include "tests/fuzz/seed_calls.h"

#include <google/protobuf/text_format.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/npy.h"
#include "core/base/sha256.h"
#include "moeprobe/v1/admin_service.pb.h"
#include "moeprobe/v1/dataset_service.pb.h"
#include "moeprobe/v1/job_service.pb.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/result_service.pb.h"
#include "moeprobe/v1/server_service.pb.h"
#include "moeprobe/v1/training.pb.h"
#include "moeprobe/v1/user_service.pb.h"
#include "server/testing/test_worker.h"

namespace moeprobe {
namespace {

using Calls = std::map<std::string, std::vector<CallMessages>>;

template <typename T>
T FromText(const std::string& text) {
  T message;
  google::protobuf::TextFormat::ParseFromString(text, &message);
  return message;
}

class Seeds {
 public:
  // Adds a call of Service/Method.
  template <typename... T>
  void Add(const std::string& method, const T&... messages) {
    CallMessages call;
    (call.push_back(std::make_unique<T>(messages)), ...);
    calls_["/moeprobe.v1." + method].push_back(std::move(call));
  }

  template <typename Request>
  void AddNamed(const std::string& method, const std::string& name) {
    Request request;
    request.set_name(name);
    Add(method, request);
  }

  template <typename Request>
  void AddList(const std::string& method) {
    Request request;
    request.set_page_size(1);
    Add(method, request);
  }

  Calls Take() { return std::move(calls_); }

 private:
  Calls calls_;
};

v1::Job AnalyzeJob(const Stage& stage) {
  v1::Job job;
  *job.mutable_analyze() = stage.spec;
  return job;
}

v1::Job RichAnalyzeJob(const Stage& stage) {
  v1::Job job = AnalyzeJob(stage);
  const auto rich = FromText<v1::AnalyzeSpec>(
      "baseline: 'llama' layers { layers: [0, 1] } seed: 3 nll: true "
      "probes { routing {} jacobian { average: WEIGHTING_ALL projections: 4 } "
      "pca { components: 3 basis: true } spectra {} router_term {} "
      "redundancy {} interventions {} } "
      "routing { select: ROUTING_SELECTION_TOP_K top_k: 1 temperature: 0.5 } "
      "nulls { random_router: 2 permutations: 2 random_weights: 1 } "
      "sweep { field: 'routing.temperature' values: ['0.5', '1'] }");
  job.mutable_analyze()->MergeFrom(rich);
  return job;
}

v1::Job TrainJob() {
  return FromText<v1::Job>(
      "train { variants { name: 'dense' block: BLOCK_DENSE } "
      "variants { name: 'top' routing { top_k: 2 } } seeds: [0, 1] "
      "data { synthetic { examples: 64 clusters: 2 } } "
      "task: TRAINING_TASK_MLP optimizer { steps: 4 batch: 8 } "
      "probe { every: 2 } checkpoint { every: 2 } }");
}

v1::Job TrainTextJob() {
  return FromText<v1::Job>(
      "train { variants { name: 'top' } seeds: 0 data { ids: 'ids.npy' "
      "held_out: 0.1 } model { layers: 1 width: 8 heads: 2 context: 8 "
      "experts: 4 expert_width: 6 } optimizer { steps: 4 } "
      "swap_routing: 'top' }");
}

void AddJobCalls(const Stage& stage, Seeds& seeds) {
  for (const v1::Job& job :
       {AnalyzeJob(stage), RichAnalyzeJob(stage), TrainJob(), TrainTextJob()}) {
    v1::CreateJobRequest create;
    *create.mutable_job() = job;
    create.set_request_id("a3bb189e-8bf9-3888-9912-ace4e6543002");
    seeds.Add("JobService/CreateJob", create);
    v1::ValidateJobRequest validate;
    *validate.mutable_job() = job;
    seeds.Add("JobService/ValidateJob", validate);
  }
  seeds.AddNamed<v1::GetJobRequest>("JobService/GetJob", stage.task.job());
  seeds.AddList<v1::ListJobsRequest>("JobService/ListJobs");
  seeds.AddNamed<v1::CancelJobRequest>("JobService/CancelJob",
                                       stage.task.job());
  seeds.AddNamed<v1::KeepJobRequest>("JobService/KeepJob", stage.finished_job);
  seeds.AddNamed<v1::UnkeepJobRequest>("JobService/UnkeepJob",
                                       stage.finished_job);
  seeds.AddNamed<v1::DeleteJobRequest>("JobService/DeleteJob",
                                       stage.finished_job);
  seeds.AddNamed<v1::WatchJobRequest>("JobService/WatchJob",
                                      stage.finished_job);
}

void AddDatasetCalls(const Stage& stage, Seeds& seeds) {
  const std::string bytes = EncodeTokenIds({1, 2, 3, 4, 5});
  v1::UploadDatasetRequest announcement;
  v1::Dataset& dataset = *announcement.mutable_dataset();
  dataset.set_kind(v1::Dataset::KIND_IDS);
  dataset.set_display_name("five.npy");
  dataset.set_sha256(Sha256Hex(bytes));
  dataset.set_size_bytes(static_cast<int64_t>(bytes.size()));
  v1::UploadDatasetRequest first;
  first.set_data(bytes.substr(0, 7));
  v1::UploadDatasetRequest second;
  second.set_data(bytes.substr(7));
  seeds.Add("DatasetService/UploadDataset", announcement, first, second);
  seeds.AddNamed<v1::GetDatasetRequest>("DatasetService/GetDataset",
                                        stage.dataset);
  seeds.AddList<v1::ListDatasetsRequest>("DatasetService/ListDatasets");
}

void AddResultCalls(const Stage& stage, Seeds& seeds) {
  seeds.AddNamed<v1::GetResultRequest>("ResultService/GetResult",
                                       stage.finished_job);
  v1::ReadArraysRequest read;
  read.set_name(stage.finished_job);
  seeds.Add("ResultService/ReadArrays", read);
}

void AddServerCalls(const Stage& stage, Seeds& seeds) {
  seeds.Add("ServerService/GetServerInfo", v1::GetServerInfoRequest());
  seeds.AddList<v1::ListModelsRequest>("ServerService/ListModels");
  const std::string& model = stage.spec.model();
  seeds.AddNamed<v1::LoadModelRequest>("ServerService/LoadModel", model);
  seeds.AddNamed<v1::UnloadModelRequest>("ServerService/UnloadModel", model);
  seeds.AddNamed<v1::PinModelRequest>("ServerService/PinModel", model);
  seeds.AddNamed<v1::UnpinModelRequest>("ServerService/UnpinModel", model);
  v1::CreateBackupRequest backup;
  backup.set_directory(stage.new_directory);
  seeds.Add("AdminService/CreateBackup", backup);
}

void AddUserCalls(Seeds& seeds) {
  seeds.Add("UserService/GetCaller", v1::GetCallerRequest());
  seeds.Add("UserService/CreateUser",
            FromText<v1::CreateUserRequest>(
                "user { name: 'users/ann' role: ROLE_USER weight: 2 } "
                "lifetime { seconds: 3600 }"));
  seeds.Add("UserService/RenewUser",
            FromText<v1::RenewUserRequest>(
                "name: 'users/ann' lifetime { seconds: 3600 }"));
  seeds.AddNamed<v1::RevokeUserRequest>("UserService/RevokeUser", "users/ann");
  seeds.Add("UserService/SetUserWeight",
            FromText<v1::SetUserWeightRequest>("name: 'users/ann' weight: 2"));
  seeds.AddList<v1::ListUsersRequest>("UserService/ListUsers");
}

v1::ArrayChunk ChunkOf(const std::string& name) {
  const std::string npy = NpyOfTestWorker(name);
  v1::ArrayChunk chunk;
  v1::ArrayInfo& info = *chunk.mutable_info();
  info.set_name(name);
  info.set_probe("routing");
  info.set_data_type(v1::DATA_TYPE_FLOAT64);
  info.add_shape(2);
  info.set_sha256(Sha256Hex(npy));
  info.set_size_bytes(static_cast<int64_t>(npy.size()));
  chunk.set_data(npy);
  return chunk;
}

// Of the first layer, that a worker publishes, and of the whole model.
void AddPublishCalls(const v1::Task& task, Seeds& seeds) {
  for (const int layer : {0, -1}) {
    v1::PublishLayerRequest first;
    v1::FinishedLayer& finished = *first.mutable_layer();
    finished.set_job(task.job());
    finished.set_attempt(task.attempt());
    finished.set_layer(layer);
    finished.set_weights_fingerprint("weights");
    finished.set_data_fingerprint(Sha256Hex("data"));
    finished.add_warnings("a warning");
    finished.set_array_count(1);
    v1::PublishLayerRequest second;
    *second.mutable_chunk() =
        ChunkOf(layer < 0 ? "nll" : absl::StrCat("layer", layer, "/routing"));
    seeds.Add("WorkerService/PublishLayer", first, second);
  }
}

void AddEndCalls(const v1::Task& task, Seeds& seeds) {
  v1::FinishTaskRequest finish;
  finish.set_job(task.job());
  finish.set_attempt(task.attempt());
  v1::FinishTaskRequest fail = finish;
  fail.mutable_error()->set_code(9);
  fail.mutable_error()->set_message("no such weights");
  for (const v1::TaskPart& part : task.parts()) {
    v1::Provenance& provenance = *finish.add_provenance();
    provenance.set_prefix(part.prefix());
    provenance.set_token_count(64);
    provenance.add_first_token_ids(1);
    (*provenance.mutable_environment())["device"] = "cpu";
  }
  seeds.Add("WorkerService/FinishTask", finish);
  seeds.Add("WorkerService/FinishTask", fail);
}

void AddWorkerCalls(const v1::Task& task, Seeds& seeds) {
  seeds.Add("WorkerService/ClaimTask",
            FromText<v1::ClaimTaskRequest>(
                "worker_pid: 4712 devices: DEVICE_CUDA rates { "
                "float32_rate: 1e9 bfloat16_rate: 1e9 float64_rate: 1e9 "
                "eigen_rate: 1e9 memory_rate: 1e9 digest_rate: 1e9 "
                "resting_bytes: 1000 threads: 1 libtorch_version: '2' }"));
  v1::ReportTaskRequest report;
  report.set_job(task.job());
  report.set_attempt(task.attempt());
  report.mutable_progress()->set_phase("layer 1");
  report.mutable_progress()->set_fraction(0.5);
  report.add_warnings("a warning");
  seeds.Add("WorkerService/ReportTask", report);
  v1::StoreTokensRequest store;
  store.set_job(task.job());
  store.set_attempt(task.attempt());
  store.set_text_sha256(Sha256Hex("text"));
  store.set_tokenizer_sha256(Sha256Hex("tokenizer"));
  store.set_ids_path(task.scratch_directory() + "/ids.npy");
  seeds.Add("WorkerService/StoreTokens", store);
}

}  // namespace

Calls SeedCalls(const Stage& stage) {
  Seeds seeds;
  AddJobCalls(stage, seeds);
  AddDatasetCalls(stage, seeds);
  AddResultCalls(stage, seeds);
  AddServerCalls(stage, seeds);
  AddUserCalls(seeds);
  AddWorkerCalls(stage.task, seeds);
  AddPublishCalls(stage.task, seeds);
  AddEndCalls(stage.task, seeds);
  return seeds.Take();
}

}  // namespace moeprobe
