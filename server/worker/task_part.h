#ifndef MOEPROBE_SERVER_WORKER_TASK_PART_H_
#define MOEPROBE_SERVER_WORKER_TASK_PART_H_

#include "core/base/token_windows.h"
#include "core/pipeline/analyze.h"
#include "moeprobe/v1/analysis.pb.h"
#include "moeprobe/v1/worker_service.pb.h"

namespace moeprobe {

// Returns how a part's token ids are cut.
WindowOptions WindowsOf(const v1::DataSpec& data);

// Returns a task part as the core understands it, still without token ids and
// the directory for hidden states. The server has filled in every default.
AnalysisRequest RequestOf(const v1::TaskPart& part);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_WORKER_TASK_PART_H_
