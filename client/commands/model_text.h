// How models in memory are shown.

#ifndef MOEPROBE_CLIENT_COMMANDS_MODEL_TEXT_H_
#define MOEPROBE_CLIENT_COMMANDS_MODEL_TEXT_H_

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "moeprobe/v1/server_service.pb.h"

namespace moeprobe {

// "loaded", "93.4 GB of 186.8 GB", "loading, 1.2 GB of 186.8 GB", "no",
// "unknown"; "loaded, pinned by alice"; and ": " with what is wrong, if
// anything is. Empty for a model that cannot be analysed, unless it is pinned.
std::string ModelMemoryText(const v1::Model& model);

// "jobs/3 (alice, worker 4711, since 2026-11-21 23:57:01)" of each job that
// uses it; "a private job (worker 4711, ...)" of one that one may not see.
std::string HoldersText(const v1::Model& model);

// The same as an object; null where ModelMemoryText is empty.
nlohmann::ordered_json MemoryJson(const v1::Model& model);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_COMMANDS_MODEL_TEXT_H_
