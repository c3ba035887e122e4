#ifndef MOEPROBE_CLIENT_RESULT_INTERVENTION_TABLE_H_
#define MOEPROBE_CLIENT_RESULT_INTERVENTION_TABLE_H_

#include <string>

#include "absl/status/statusor.h"
#include "client/service/client.h"
#include "moeprobe/v1/result.pb.h"

namespace moeprobe {

// Reads what interventions did to the loss and returns it as a table: a row for
// each layer and kind, with the mean over pairs and the rank correlation with
// what is known of the pairs. Empty if there were none; no line wider than
// `width` where that can be had.
//
// Errors: those of ReadArrays; DataLoss for arrays of another form.
absl::StatusOr<std::string> InterventionTable(Client& client,
                                              const v1::Result& result,
                                              int width);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_RESULT_INTERVENTION_TABLE_H_
