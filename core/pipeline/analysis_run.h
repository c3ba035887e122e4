#ifndef MOEPROBE_CORE_PIPELINE_ANALYSIS_RUN_H_
#define MOEPROBE_CORE_PIPELINE_ANALYSIS_RUN_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/checkpoint/checkpoint.h"
#include "core/model/hidden_state_store.h"
#include "core/model/layer_reader.h"
#include "core/model/weight_fingerprint.h"
#include "core/pipeline/analyze.h"
#include "core/pipeline/hidden_states.h"
#include "core/pipeline/intervention_runs.h"
#include "core/pipeline/layer_analysis.h"
#include "core/pipeline/random_weight_null.h"
#include "core/plan/itinerary.h"

namespace moeprobe {

// One analysis under way: takes hidden states by all layers that are wanted,
// from where some are stored to where they are needed, and publishes what is
// found there. Call Run once.
class AnalysisRun {
 public:
  // All arguments must outlive the object; the request fits the checkpoint.
  AnalysisRun(const AnalysisRequest& request, const Checkpoint& checkpoint,
              FingerprintMemory& memory, AnalysisObserver& observer);

  // Returns what the report says of the run; its environment is left out.
  absl::StatusOr<AnalysisReport> Run();

 private:
  // By layer, for hidden states that are stored: see HiddenStates::Stored.
  using Fingerprints = std::map<int64_t, std::string>;

  absl::Status DrawNulls();
  absl::Status Follow(const std::vector<LayerVisit>& visits,
                      const Fingerprints& stored);
  std::vector<LayerToRead> WhatToRead(const std::vector<LayerVisit>& visits,
                                      const Fingerprints& stored) const;
  absl::Status RunLayer(const LayerVisit& visit, LayerReader& reader);
  Fingerprints Reachable() const;
  absl::Status PublishWholeModel();
  absl::StatusOr<std::string> WholeModelFingerprint();
  absl::Status Report(int64_t layer, const std::string& step, double share);

  const AnalysisRequest& request_;
  const Checkpoint& checkpoint_;
  FingerprintMemory& memory_;
  AnalysisObserver& observer_;
  const LayerAnalysis analysis_;
  const int64_t layer_count_;  // of the model

  HiddenStates states_;
  InterventionRuns interventions_;
  RandomWeightNull untrained_;
  HiddenState state_;  // the current one
  // Layers still to be reached: those to probe and, where the loss is wanted,
  // be it of an edited model, the end behind the last one.
  std::set<int64_t> targets_;
  AnalysisReport report_;
  int64_t layers_to_run_ = 0;  // with those that have run
  int64_t last_layer_ = 0;     // to run
  double begin_ = 0;           // of the layers, among everything
  double fraction_ = 0;        // reported last
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PIPELINE_ANALYSIS_RUN_H_
