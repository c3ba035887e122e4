#ifndef MOEPROBE_CLIENT_COMMANDS_JOB_TEXT_H_
#define MOEPROBE_CLIENT_COMMANDS_JOB_TEXT_H_

#include <google/protobuf/timestamp.pb.h>

#include <string>

#include "moeprobe/v1/access.pb.h"
#include "moeprobe/v1/analysis.pb.h"
#include "moeprobe/v1/job.pb.h"

namespace moeprobe {

// Short texts about a job, for people. Parts that others wrote are not yet made
// printable.

// "running, 42 %, model layer 3 of 32", "queued, 2 ahead, to start about
// 2026-11-21 23:57" in local time, "queued, 2 ahead, start unknown",
// "succeeded, cached", "succeeded, results dropped".
std::string StateText(const v1::Job& job);

// "bob", "bob, private", of something that has an owner.
template <typename Message>
std::string OwnerText(const Message& message) {
  return message.visibility() == v1::VISIBILITY_PRIVATE
             ? message.owner() + ", private"
             : message.owner();
}

// What a job that waits for memory waits for, such as "1.2 GB of memory; 0.8 GB
// of 1.0 GB are held by jobs/3"; "" for one that does not.
std::string MemoryWaitText(const v1::Job& job);

// "low" or "high"; empty if it is normal.
std::string PriorityText(const v1::Job& job);

// "kept", since when and why its results are dropped, or nothing of both.
std::string RetentionText(const v1::Job& job);

// "2026-11-21 23:57:01" in local time; empty if the time is not set.
std::string TimeText(const google::protobuf::Timestamp& time);

// When it was created, as above.
std::string CreatedText(const v1::Job& job);

// "1:23", from its start to its end; empty if it has not ended, or never ran.
std::string DurationText(const v1::Job& job);

// "top 4, temperature 0.5, in the forward pass, too", of a resolved request.
std::string RoutingText(const v1::RoutingSpec& routing);

// "routing.temperature: 0.5, 1, 2".
std::string SweepText(const v1::SweepAxis& axis);

// "16384 tokens in windows of 512, datasets/abc".
std::string DataText(const v1::DataSpec& data);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_COMMANDS_JOB_TEXT_H_
