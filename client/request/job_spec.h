#ifndef MOEPROBE_CLIENT_REQUEST_JOB_SPEC_H_
#define MOEPROBE_CLIENT_REQUEST_JOB_SPEC_H_

#include <cstdint>
#include <string>

#include "moeprobe/v1/analysis.pb.h"
#include "moeprobe/v1/job.pb.h"

namespace moeprobe {

// What requests of every kind have.

// The label of a job.
const std::string& LabelOf(const v1::Job& job);

// What is looked at: the model, or "3 variants x 5 seeds".
std::string SubjectOf(const v1::Job& job);

// What means are held against.
const v1::NullSpec& NullsOf(const v1::Job& job);

// The seed of what is random in probes and nulls.
int64_t SeedOf(const v1::Job& job);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_REQUEST_JOB_SPEC_H_
