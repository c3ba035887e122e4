#ifndef MOEPROBE_CORE_PIPELINE_MEASURE_RATES_H_
#define MOEPROBE_CORE_PIPELINE_MEASURE_RATES_H_

#include "core/plan/machine_rates.h"

namespace moeprobe {

// Measures how fast this process computes with its threads; takes a fraction
// of a second.
MachineRates MeasureRates();

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PIPELINE_MEASURE_RATES_H_
