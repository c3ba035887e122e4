#include <ATen/Context.h>
#include <ATen/Parallel.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bench/analysis_benchmark.h"
#include "bench/figure.h"
#include "bench/forward_benchmark.h"
#include "bench/gemm_rate.h"
#include "bench/jacobian_benchmark.h"
#include "bench/pca_benchmark.h"
#include "bench/precision_benchmark.h"
#include "bench/spectra_benchmark.h"
#include "bench/training_benchmark.h"
#include "core/base/heap.h"
#include "core/base/status_macros.h"
#include "core/pipeline/analyze.h"
#include "core/tensor/torch_status.h"
#include "core/tensor/vector_math.h"

namespace moeprobe {
namespace {

using Benchmark = std::function<absl::StatusOr<Figure>()>;

void AddPrecision(CLI::App& command, Precision& precision) {
  const auto choose = [&precision](const std::string& name) {
    precision = name == "float32" ? Precision::kFloat32 : Precision::kBFloat16;
  };
  command.add_option_function<std::string>("precision", choose)
      ->required()
      ->check(CLI::IsMember({"float32", "bfloat16"}));
}

// Each of these adds a command to `app`; if it is the one that was given,
// parsing sets `chosen`. Options must outlive the application.

void AddGemm(CLI::App& app, int& repetitions, Benchmark& chosen) {
  CLI::App& command = *app.add_subcommand("gemm", "rates of matrix products");
  command.add_option("--repetitions", repetitions)->capture_default_str();
  command.callback(
      [&] { chosen = [&] { return GemmBenchmark(repetitions); }; });
}

void AddJacobian(CLI::App& app, JacobianBenchmarkOptions& options,
                 Benchmark& chosen) {
  CLI::App& command = *app.add_subcommand("jacobian", "an averaged Jacobian");
  command.add_option("d", options.width, "model width")->required();
  command.add_option("f", options.expert_width, "expert width")->required();
  command.add_option("tokens", options.token_count)->required();
  command.add_option("--repetitions", options.repetitions)
      ->capture_default_str();
  command.add_option("--dump", options.dump_directory,
                     "folder for inputs and result");
  command.callback(
      [&] { chosen = [&] { return JacobianBenchmark(options); }; });
}

void AddForward(CLI::App& app, ForwardBenchmarkOptions& options,
                Benchmark& chosen) {
  CLI::App& command = *app.add_subcommand("forward", "a forward pass");
  command.add_option("checkpoint", options.checkpoint)->required();
  command.add_option("ids", options.token_ids, "token ids, .npy")->required();
  command.add_option("sequence-length", options.sequence_length)->required();
  AddPrecision(command, options.precision);
  command.add_option("--repetitions", options.repetitions)
      ->capture_default_str();
  command.add_flag("--drop-caches-before-window",
                   options.drop_caches_before_window,
                   "one window at a time, each from disk; needs root");
  command.callback([&] { chosen = [&] { return ForwardBenchmark(options); }; });
}

void AddPca(CLI::App& app, PcaBenchmarkOptions& options, Benchmark& chosen) {
  CLI::App& command = *app.add_subcommand("pca", "PCA and Grassmann distances");
  command.add_option("experts", options.expert_count)->required();
  command.add_option("d", options.width, "model width")->required();
  command.add_option("tokens", options.token_count, "of each expert")
      ->required();
  command.add_option("--repetitions", options.repetitions)
      ->capture_default_str();
  command.add_option("--dump", options.dump_directory,
                     "folder for inputs and result");
  command.callback([&] { chosen = [&] { return PcaBenchmark(options); }; });
}

void AddPrecisionComparison(CLI::App& app, PrecisionBenchmarkOptions& options,
                            Benchmark& chosen) {
  CLI::App& command =
      *app.add_subcommand("precision", "what bfloat16 arithmetic changes");
  command.add_option("checkpoint", options.checkpoint)->required();
  command.add_option("ids", options.token_ids, "token ids, .npy")->required();
  command.add_option("sequence-length", options.sequence_length)->required();
  command.callback(
      [&] { chosen = [&] { return PrecisionBenchmark(options); }; });
}

void AddSpectra(CLI::App& app, SpectraBenchmarkOptions& options,
                Benchmark& chosen) {
  CLI::App& command =
      *app.add_subcommand("spectra", "singular values of token Jacobians");
  command.add_option("d", options.width, "model width")->required();
  command.add_option("f", options.expert_width, "expert width")->required();
  command.add_option("tokens", options.token_count)->required();
  command.add_option("--top", options.top)->capture_default_str();
  command.add_option("--repetitions", options.repetitions)
      ->capture_default_str();
  command.add_option("--dump", options.dump_directory,
                     "folder for inputs and result");
  command.callback([&] { chosen = [&] { return SpectraBenchmark(options); }; });
}

void AddAnalysis(CLI::App& app, AnalysisBenchmarkOptions& options,
                 Benchmark& chosen) {
  CLI::App& command = *app.add_subcommand("analysis", "a whole analysis");
  command.add_option("checkpoint", options.checkpoint)->required();
  command.add_option("ids", options.token_ids, "token ids, .npy")->required();
  command.add_option("sequence-length", options.sequence_length)->required();
  AddPrecision(command, options.precision);
  command.add_option("--layers", options.layers, "such as 3,16,22")
      ->required()
      ->delimiter(',');
  command.add_flag("--counted", options.counted,
                   "only averages and subspaces, whose work is counted");
  command.add_flag("--nulls", options.nulls,
                   "also nulls, intervals and the router term");
  command.callback(
      [&] { chosen = [&] { return AnalysisBenchmark(options); }; });
}

void AddTraining(CLI::App& app, TrainingBenchmarkOptions& options,
                 Benchmark& chosen) {
  CLI::App& command =
      *app.add_subcommand("training", "training of a small language model");
  command.add_option("text", options.text, "a file whose bytes are tokens")
      ->required();
  command
      .add_option("experts-per-token", options.experts_per_token,
                  "of 8; with 8, routing is soft")
      ->required()
      ->check(CLI::Range(1, 8));
  command.add_option("--warmup-steps", options.warmup_steps, "not timed")
      ->capture_default_str();
  command.add_option("--steps", options.steps)->capture_default_str();
  command.add_option("--dump", options.dump_directory,
                     "folder for weights, batches and losses");
  command.callback(
      [&] { chosen = [&] { return TrainingBenchmark(options); }; });
}

// Runs a benchmark and returns what it measured, as one line.
absl::StatusOr<std::string> Line(const Benchmark& benchmark) {
  MOEPROBE_ASSIGN_OR_RETURN(Figure figure, benchmark());
  figure["threads"] = at::get_num_threads();
  return figure.dump();
}

int Main(int argc, char** argv) {
  KeepFreedMemory(kKeptForTensors);  // as the worker does
  ChooseVectorMath();
  CLI::App app("Measures parts of moeprobe; prints one line of JSON.");
  app.require_subcommand(1);
  int threads = at::get_num_threads();
  int seed = 0;
  app.add_option("--threads", threads)->capture_default_str();
  app.add_option("--seed", seed)->capture_default_str();

  int gemm_repetitions = 9;
  JacobianBenchmarkOptions jacobian;
  ForwardBenchmarkOptions forward;
  PcaBenchmarkOptions pca;
  PrecisionBenchmarkOptions precision;
  SpectraBenchmarkOptions spectra;
  AnalysisBenchmarkOptions analysis;
  TrainingBenchmarkOptions training;
  Benchmark chosen;
  AddGemm(app, gemm_repetitions, chosen);
  AddJacobian(app, jacobian, chosen);
  AddForward(app, forward, chosen);
  AddPca(app, pca, chosen);
  AddPrecisionComparison(app, precision, chosen);
  AddSpectra(app, spectra, chosen);
  AddAnalysis(app, analysis, chosen);
  AddTraining(app, training, chosen);
  CLI11_PARSE(app, argc, argv);

  at::set_num_threads(threads);
  at::manual_seed(static_cast<uint64_t>(seed));
  const auto line = CatchTorchErrors([&] { return Line(chosen); });
  const absl::Status status = line.ok() ? line->status() : line.status();
  if (!status.ok()) {
    std::cerr << "moeprobe-bench: " << status << '\n';
    return EXIT_FAILURE;
  }
  std::cout << **line << '\n';
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace moeprobe

// Only a wrong declaration of an option could throw past Main.
// NOLINTNEXTLINE(bugprone-exception-escape)
int main(int argc, char** argv) { return moeprobe::Main(argc, argv); }
