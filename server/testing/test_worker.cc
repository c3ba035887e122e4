#include "server/testing/test_worker.h"

#include <grpcpp/client_context.h>
#include <grpcpp/create_channel_posix.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "core/base/file_content.h"
#include "core/base/file_descriptor.h"
#include "core/base/npy.h"
#include "core/base/sha256.h"
#include "core/base/token_windows.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/worker/server_connection.h"

namespace moeprobe {
namespace {

constexpr size_t kChunkBytes = size_t{1} << 20;

struct Context : grpc::ClientContext {
  explicit Context(absl::Duration limit = absl::Seconds(60)) {
    set_deadline(absl::ToChronoTime(absl::Now() + limit));
  }
};

std::vector<std::string> GroupsOf(const v1::ProbeSpec& probes) {
  std::vector<std::string> groups;
  if (probes.has_routing()) groups.emplace_back("routing");
  constexpr std::array kWeightings = {"", "all", "routed", "gate"};
  for (const int weighting : probes.jacobian().average()) {
    groups.push_back(absl::StrCat(
        "jacobian/", kWeightings.at(static_cast<size_t>(weighting))));
  }
  constexpr std::array kConventions = {"", "routed", "all_tokens",
                                       "sample_weighted"};
  for (const int convention : probes.pca().conventions()) {
    groups.push_back(
        absl::StrCat("pca/", kConventions.at(static_cast<size_t>(convention))));
  }
  if (probes.has_pca()) groups.emplace_back("pca/reference");
  return groups;
}

// The fingerprint of the part's ids as cut, as a worker finds it; any other
// where they are still text.
std::string FingerprintOf(const v1::TaskPart& part) {
  if (part.tokenize()) return Sha256Hex("");
  const WindowOptions windows{.tokens = part.data().tokens(),
                              .sequence_length = part.data().sequence_length(),
                              .skip_first = part.data().skip_first()};
  const auto file = ReadFile(part.data_path(), int64_t{1} << 30);
  auto cut = CutWindows(*DecodeTokenIds(file->bytes), windows);
  return DataFingerprint(*cut, windows);
}

v1::ArrayInfo InfoOf(const std::string& name, const std::string& probe,
                     const std::string& npy) {
  v1::ArrayInfo info;
  info.set_name(name);
  info.set_data_type(v1::DATA_TYPE_FLOAT64);
  info.add_shape(2);
  info.set_sha256(Sha256Hex(npy));
  info.set_size_bytes(static_cast<int64_t>(npy.size()));
  info.set_probe(probe);
  return info;
}

v1::FinishedLayer LayerOf(const v1::Task& task, int part, int layer,
                          int array_count) {
  v1::FinishedLayer finished;
  finished.set_job(task.job());
  finished.set_attempt(task.attempt());
  finished.set_part(part);
  finished.set_layer(layer);
  finished.set_array_count(array_count);
  finished.set_weights_fingerprint(
      absl::StrCat(task.parts(part).model(), " layer ", layer));
  finished.set_data_fingerprint(FingerprintOf(task.parts(part)));
  return finished;
}

using LayerWriter = grpc::ClientWriter<v1::PublishLayerRequest>;

void WriteArray(LayerWriter& writer, const v1::ArrayInfo& info,
                const std::string& npy) {
  for (size_t start = 0; start < npy.size(); start += kChunkBytes) {
    v1::PublishLayerRequest request;
    if (start == 0) *request.mutable_chunk()->mutable_info() = info;
    request.mutable_chunk()->set_data(npy.substr(start, kChunkBytes));
    writer.Write(request);
  }
}

// Of a machine so slow that every estimate is far more than a task of a test
// takes, wherever it runs.
v1::MachineRates SomeRates() {
  v1::MachineRates rates;
  rates.set_float32_rate(1e6);
  rates.set_bfloat16_rate(1e6);
  rates.set_float64_rate(1e6);
  rates.set_eigen_rate(1e6);
  rates.set_memory_rate(1e6);
  rates.set_digest_rate(1e6);
  rates.set_resting_bytes(1'000'000);
  rates.set_threads(1);
  rates.set_libtorch_version("2.13.0");
  return rates;
}

}  // namespace

std::string NpyOfTestWorker(const std::string& array_name) {
  const std::array numbers = {static_cast<double>(array_name.size()), 1.0};
  Array array{.type = DataType::kFloat64, .shape = {2}, .bytes = {}};
  array.bytes.resize(sizeof(numbers));
  std::memcpy(array.bytes.data(), numbers.data(), sizeof(numbers));
  return EncodeNpy(array);
}

TestWorker::TestWorker(const std::string& address, int64_t pid) : pid_(pid) {
  FileDescriptor connection = ConnectToServer(address).value();
  stub_ = v1::WorkerService::NewStub(
      grpc::CreateInsecureChannelFromFd(address, connection.Release()));
}

std::optional<v1::Task> TestWorker::Claim(absl::Duration wait) {
  Context context(wait);
  v1::ClaimTaskRequest request;
  request.set_worker_pid(pid_);
  *request.mutable_rates() = SomeRates();
  v1::ClaimTaskResponse response;
  status_ = stub_->ClaimTask(&context, request, &response);
  if (!response.has_task()) return std::nullopt;
  return response.task();
}

bool TestWorker::Report(const v1::Task& task, const std::string& phase,
                        double fraction) {
  Context context;
  v1::ReportTaskRequest request;
  request.set_job(task.job());
  request.set_attempt(task.attempt());
  request.mutable_progress()->set_phase(phase);
  request.mutable_progress()->set_fraction(fraction);
  v1::ReportTaskResponse response;
  status_ = stub_->ReportTask(&context, request, &response);
  return response.cancel();
}

void TestWorker::StoreTokens(const v1::Task& task,
                             const std::string& text_sha256,
                             const std::string& tokenizer_sha256,
                             const std::string& ids_path) {
  Context context;
  v1::StoreTokensRequest request;
  request.set_job(task.job());
  request.set_attempt(task.attempt());
  request.set_text_sha256(text_sha256);
  request.set_tokenizer_sha256(tokenizer_sha256);
  request.set_ids_path(ids_path);
  v1::StoreTokensResponse response;
  status_ = stub_->StoreTokens(&context, request, &response);
}

void TestWorker::Publish(const v1::Task& task, int part, int layer) {
  Context context;
  v1::PublishLayerResponse response;
  const auto writer = stub_->PublishLayer(&context, &response);
  v1::PublishLayerRequest first;
  const std::vector<std::string> groups = GroupsOf(task.parts(part).probes());
  *first.mutable_layer() = LayerOf(
      task, part, layer, layer < 0 ? 1 : static_cast<int>(groups.size()));
  writer->Write(first);
  if (layer < 0) {
    const std::string npy = NpyOfTestWorker("nll");
    WriteArray(*writer, InfoOf("nll", "nll", npy), npy);
  } else {
    for (const std::string& group : groups) {
      const std::string name =
          absl::StrCat("layer", layer, "/", group, "/numbers");
      const std::string npy = NpyOfTestWorker(name);
      WriteArray(*writer, InfoOf(name, group, npy), npy);
    }
  }
  writer->WritesDone();
  status_ = writer->Finish();
}

void TestWorker::PublishArray(const v1::Task& task, int layer,
                              const v1::ArrayInfo& info,
                              const std::string& npy) {
  Context context;
  v1::PublishLayerResponse response;
  const auto writer = stub_->PublishLayer(&context, &response);
  v1::PublishLayerRequest first;
  *first.mutable_layer() = LayerOf(task, 0, layer, 1);
  writer->Write(first);
  WriteArray(*writer, info, npy);
  writer->WritesDone();
  status_ = writer->Finish();
}

void TestWorker::PublishPart(const v1::Task& task, int part) {
  for (const int layer : task.parts(part).layers()) {
    Publish(task, part, layer);
    if (!status_.ok()) return;
  }
  if (task.parts(part).nll()) Publish(task, part, -1);
}

void TestWorker::Run(const v1::Task& task) {
  for (int part = 0; part < task.parts_size(); ++part) {
    PublishPart(task, part);
    if (!status_.ok()) return;
  }
  Finish(task);
}

void TestWorker::Finish(const v1::Task& task) {
  Context context;
  v1::FinishTaskRequest request;
  request.set_job(task.job());
  request.set_attempt(task.attempt());
  for (const v1::TaskPart& part : task.parts()) {
    v1::Provenance* provenance = request.add_provenance();
    provenance->set_prefix(part.prefix());
    provenance->set_model(part.model());
    (*provenance->mutable_environment())["device"] = "cpu";
  }
  v1::FinishTaskResponse response;
  status_ = stub_->FinishTask(&context, request, &response);
}

void TestWorker::Fail(const v1::Task& task, int code,
                      const std::string& message) {
  Context context;
  v1::FinishTaskRequest request;
  request.set_job(task.job());
  request.set_attempt(task.attempt());
  request.mutable_error()->set_code(code);
  request.mutable_error()->set_message(message);
  v1::FinishTaskResponse response;
  status_ = stub_->FinishTask(&context, request, &response);
}

}  // namespace moeprobe
