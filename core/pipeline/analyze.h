#ifndef MOEPROBE_CORE_PIPELINE_ANALYZE_H_
#define MOEPROBE_CORE_PIPELINE_ANALYZE_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/model/routing_rule.h"
#include "core/probe/probe_options.h"
#include "core/probe/probe_result.h"

namespace moeprobe {

// Arithmetic of the forward pass.
enum class Precision : std::uint8_t { kFloat32, kBFloat16 };

// Where to compute.
enum class Device : std::uint8_t { kAuto, kCpu, kCuda };

// Where the residual stream in front of probed layers is kept, so that another
// analysis of the same tokens, or another attempt at this one, starts from it.
struct HiddenStateOptions {
  std::filesystem::path directory;  // any number of processes share it
  int64_t limit_bytes = 0;          // of all that is in it; 0: nothing is kept
};

// Fingerprints of weights that were taken before.
struct KnownWeights {
  std::string stamp;  // Checkpoint::stamp() of the files they are of
  std::map<int64_t, std::string> fingerprints;  // by layer; -1: of all weights
};

// One model on one data set.
struct AnalysisRequest {
  std::filesystem::path model_directory;
  std::filesystem::path model_root;  // its links end inside; see ModelDirectory
  std::vector<int32_t> token_ids;    // whole windows: a multiple of the next
  int64_t sequence_length = 512;
  int64_t skip_first = 0;       // positions of each window left out
  std::vector<int64_t> layers;  // to probe: ascending, from 0
  ProbeOptions probes;
  std::optional<RoutingChange> routing = {};  // nullopt: the model's own
  Precision precision = Precision::kFloat32;
  Device device = Device::kAuto;
  int64_t seed = 0;  // of everything random
  bool nll = false;  // compute the loss even if no probe needs all layers
  HiddenStateOptions hidden_states;
  KnownWeights known_weights;
};

// Everything computed at one layer; layer -1 holds what belongs to the whole
// model, such as "nll".
struct LayerResult {
  int64_t layer = 0;
  // Digest of config.json and of every weight the arrays depend on.
  std::string weights_fingerprint;
  std::vector<NamedArray> arrays;
  std::vector<std::string> warnings = {};
};

// What an analysis tells while it runs. Called from the analysing thread.
class AnalysisObserver {
 public:
  virtual ~AnalysisObserver() = default;

  // `phase` is such as "layer 3 (last: 16), attention"; `fraction` in [0, 1]
  // never falls. A status other than OK, such as Cancelled, stops the analysis
  // with it.
  virtual absl::Status OnProgress(const std::string& phase,
                                  double fraction) = 0;

  // A layer is done. A status other than OK stops the analysis with it.
  virtual absl::Status OnLayer(const LayerResult& result) = 0;
};

// What remains to be said at the end.
struct AnalysisReport {
  std::string model_fingerprint = {};  // of the last layer that ran
  std::optional<double> nll = {};      // mean next-token loss, nats
  std::string device;                  // what kAuto became
  int threads = 0;                     // that computed
  std::string libtorch_version;        // LibtorchVersion()
  int64_t layers_run = 0;   // the others' hidden states were not needed or kept
  int64_t layer_count = 0;  // of the model
  // Why hidden states are not kept from here on, such as a full disk.
  absl::Status keeping_hidden_states;
};

// Runs analyses and remembers between them what is dear to find out: digests of
// weights. Thread-safe.
class Analyzer {
 public:
  // Computes with `threads` threads, in the whole process but for the threads
  // of RunInLanes, which compute with one.
  explicit Analyzer(int threads);
  ~Analyzer();

  int threads() const { return threads_; }

  // Runs the probes over the layers of a checkpoint: for each layer in turn,
  // all windows pass through it before the next layer's weights are touched.
  // Layers that lie behind the last probed one, or in front of kept hidden
  // states, are not run; weights that nothing needs are read only where their
  // fingerprint is not known.
  //
  // Statistics are sums over fixed groups of tokens, added in order: the same
  // request gives the same bytes, whatever hidden states were kept.
  //
  // Errors: those of Checkpoint::Open; InvalidArgument for token ids outside
  // the vocabulary or layers the model lacks; DataLoss for weights that cannot
  // be read or give numbers that are not finite; ResourceExhausted where memory
  // or disk runs out; Unavailable where a CUDA device is asked for and there is
  // none; what the observer returned.
  absl::StatusOr<AnalysisReport> Analyze(const AnalysisRequest& request,
                                         AnalysisObserver& observer);

 private:
  struct State;
  int threads_;
  std::unique_ptr<State> state_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PIPELINE_ANALYZE_H_
