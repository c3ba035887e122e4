#ifndef MOEPROBE_BENCH_FIGURE_H_
#define MOEPROBE_BENCH_FIGURE_H_

#include <nlohmann/json.hpp>

namespace moeprobe {

// What a benchmark measured, printed as one line of JSON. Names carry their
// units: seconds, bytes, gflops (1e9 floating point operations a second).
using Figure = nlohmann::ordered_json;

}  // namespace moeprobe

#endif  // MOEPROBE_BENCH_FIGURE_H_
