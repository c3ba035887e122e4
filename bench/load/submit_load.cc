// Clients that submit jobs as fast as the server acknowledges them.
//
// usage: moeprobe-submit-load --server ADDRESS [--clients N] [--seconds S]
//          [--watch]
//
// Each client has a connection and a thread of its own, gives every submission
// a request id, and waits for its acknowledgement before the next; with --watch
// also for the first event of a watch of the job. Prints one line of JSON, of
// acknowledgements alone.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>
#include <ratio>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_format.h"
#include "core/base/npy.h"
#include "moeprobe/v1/dataset_service.pb.h"
#include "moeprobe/v1/job.pb.h"
#include "server/testing/test_client.h"

namespace moeprobe {
namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

struct Load {
  std::string server;
  std::string model = "mixtral";  // of tests/fixtures
  int clients = 64;
  double seconds = 5;
  bool watch = false;
};

// What one client saw.
struct Acknowledgements {
  std::vector<double> milliseconds;  // one entry for each
  int64_t refused = 0;
  std::string refusal;  // the last one
};

// Returns the analysis of `model` on some ids, which are uploaded first.
v1::AnalyzeSpec MakeSpec(const Load& load) {
  TestClient client(load.server);
  const v1::Dataset dataset =
      client.Upload(v1::Dataset::KIND_IDS, "load.npy",
                    EncodeTokenIds(std::vector<int32_t>(64, 3)));
  v1::AnalyzeSpec spec;
  spec.set_model(load.model);
  spec.add_data()->set_ids(dataset.name());
  spec.mutable_data(0)->set_sequence_length(16);
  return spec;
}

// A UUID that no other submission of this program has.
std::string RequestId(int client, size_t number) {
  return absl::StrFormat("00000000-0000-4000-8%03x-%012x", client, number);
}

bool IsAnything(const v1::JobEvent& /*event*/) { return true; }

Acknowledgements Submit(const Load& load, v1::AnalyzeSpec spec, int client,
                        Clock::time_point end) {
  Acknowledgements result;
  TestClient connection(load.server);
  for (size_t number = 0; Clock::now() < end; ++number) {
    spec.set_seed(static_cast<int64_t>(number));
    const auto begin = Clock::now();
    const v1::Job job = connection.Create(spec, RequestId(client, number));
    const Milliseconds taken = Clock::now() - begin;
    if (!connection.status().ok()) {
      ++result.refused;
      result.refusal = connection.status().error_message();
      continue;
    }
    result.milliseconds.push_back(taken.count());
    if (load.watch) connection.Watch(job.name(), 0, IsAnything);
  }
  return result;
}

double Quantile(const std::vector<double>& sorted, double share) {
  if (sorted.empty()) return 0;
  const auto last = static_cast<double>(sorted.size() - 1);
  return sorted[static_cast<size_t>(last * share)];
}

int Run(const Load& load) {
  const v1::AnalyzeSpec spec = MakeSpec(load);
  std::vector<Acknowledgements> seen(static_cast<size_t>(load.clients));
  const auto begin = Clock::now();
  const auto end = begin + std::chrono::duration_cast<Clock::duration>(
                               std::chrono::duration<double>(load.seconds));
  {
    std::vector<std::jthread> threads;
    threads.reserve(seen.size());
    for (int client = 0; client < load.clients; ++client) {
      threads.emplace_back([&, client] {
        seen[static_cast<size_t>(client)] = Submit(load, spec, client, end);
      });
    }
  }
  const std::chrono::duration<double> taken = Clock::now() - begin;
  std::vector<double> all;
  int64_t refused = 0;
  for (const Acknowledgements& one : seen) {
    all.insert(all.end(), one.milliseconds.begin(), one.milliseconds.end());
    refused += one.refused;
    if (one.refused > 0) std::cerr << one.refusal << '\n';
  }
  std::ranges::sort(all);
  const nlohmann::ordered_json figure = {
      {"benchmark", "submits"},
      {"clients", load.clients},
      {"acknowledged", all.size()},
      {"refused", refused},
      {"per_second", static_cast<double>(all.size()) / taken.count()},
      {"p50_ms", Quantile(all, 0.5)},
      {"p99_ms", Quantile(all, 0.99)},
      {"max_ms", Quantile(all, 1)}};
  std::cout << figure.dump() << '\n';
  return all.empty() ? EXIT_FAILURE : EXIT_SUCCESS;
}

}  // namespace
}  // namespace moeprobe

// Only a wrong declaration of an option could throw past main.
// NOLINTNEXTLINE(bugprone-exception-escape)
int main(int argc, char** argv) {
  moeprobe::Load load;
  CLI::App app("Submits jobs from many clients at once.");
  app.add_option("--server", load.server, "its address")->required();
  app.add_option("--clients", load.clients, "connections")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option("--seconds", load.seconds, "for how long")
      ->capture_default_str();
  app.add_flag("--watch", load.watch, "each watches what it submitted");
  CLI11_PARSE(app, argc, argv);
  return moeprobe::Run(load);
}
