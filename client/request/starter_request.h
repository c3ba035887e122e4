#ifndef MOEPROBE_CLIENT_REQUEST_STARTER_REQUEST_H_
#define MOEPROBE_CLIENT_REQUEST_STARTER_REQUEST_H_

#include <string>

#include "moeprobe/v1/server_service.pb.h"

namespace moeprobe {

// Returns a request file to begin with: an analysis of `model` on `text`, every
// key that one is likely to change with a word on it. ReadRequest reads it.
std::string StarterRequest(const v1::Model& model, const std::string& text);

// The same of an experiment: models trained on `text` that differ in their
// routing alone.
std::string StarterExperiment(const std::string& text);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_REQUEST_STARTER_REQUEST_H_
