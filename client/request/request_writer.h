#ifndef MOEPROBE_CLIENT_REQUEST_REQUEST_WRITER_H_
#define MOEPROBE_CLIENT_REQUEST_REQUEST_WRITER_H_

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "moeprobe/v1/job.pb.h"

namespace moeprobe {

// Returns a value of a sweep as JSON: a number, or the text of a choice.
nlohmann::ordered_json SettingJson(const std::string& value);

// Returns what a request file with the spec of `job` says, as JSON with its
// keys in the order of docs/request.md; unset fields are left out.
nlohmann::ordered_json RequestJson(const v1::Job& job);

// Returns a request file that ReadRequest turns into the spec of `job`.
std::string RequestYaml(const v1::Job& job);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_REQUEST_REQUEST_WRITER_H_
