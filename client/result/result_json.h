#ifndef MOEPROBE_CLIENT_RESULT_RESULT_JSON_H_
#define MOEPROBE_CLIENT_RESULT_RESULT_JSON_H_

#include <google/protobuf/timestamp.pb.h>

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "moeprobe/v1/job.pb.h"
#include "moeprobe/v1/result_service.pb.h"

namespace moeprobe {

// Returns the name users see for a state: "queued".
std::string StateName(v1::Job::State state);

// Returns a time as JSON has it: "2026-11-21T23:57:01.250Z".
std::string JsonTime(const google::protobuf::Timestamp& time);

// Returns a job: "job" (name, state, error, progress, ...), "request" as
// resolved, "warnings", and "times" apart from what repeats exactly.
nlohmann::ordered_json JobJson(const v1::Job& job);

// Returns a result: its job, whether it is "complete", the "cells" of a sweep
// with their prefixes and settings, the "summary" by part
// and layer (numbers that are not finite are null) and the "provenance" of
// each part.
nlohmann::ordered_json ResultJson(const v1::Result& result);

// Returns JSON text, indented, in ASCII, ending with a line break.
std::string JsonText(const nlohmann::ordered_json& json);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_RESULT_RESULT_JSON_H_
