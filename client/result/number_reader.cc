#include "client/result/number_reader.h"

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "client/result/array_reader.h"
#include "client/service/client.h"
#include "core/base/array_entries.h"
#include "core/base/npy.h"
#include "core/base/quoted.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/result.pb.h"

namespace moeprobe {
namespace {

absl::StatusOr<std::vector<double>> Entries(const std::string& name,
                                            const Array& array) {
  if (array.type != DataType::kFloat64) {
    return absl::DataLossError(
        absl::StrCat("array ", Quoted(name), ": expected a .npy of float64"));
  }
  return EntriesOf<double>(array);
}

}  // namespace

absl::StatusOr<std::map<std::string, std::vector<double>>> ReadNumbers(
    Client& client, const std::string& job_name,
    const std::vector<v1::ArrayInfo>& infos) {
  MOEPROBE_ASSIGN_OR_RETURN(const std::vector<Array> arrays,
                            ReadArrays(client, job_name, infos));
  std::map<std::string, std::vector<double>> numbers;
  for (size_t i = 0; i < infos.size(); ++i) {
    const std::string& name = infos[i].name();
    MOEPROBE_ASSIGN_OR_RETURN(numbers[name], Entries(name, arrays[i]));
  }
  return numbers;
}

}  // namespace moeprobe
