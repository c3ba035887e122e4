#include "client/result/number_reader.h"

#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "client/result/array_verifier.h"
#include "client/service/array_stream.h"
#include "client/service/client.h"
#include "core/base/npy.h"
#include "core/base/quoted.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/result_service.pb.h"

namespace moeprobe {
namespace {

absl::StatusOr<std::string> ReadWhole(ArrayVerifier& verifier,
                                      const v1::ArrayInfo& array) {
  std::string npy;
  while (true) {
    MOEPROBE_ASSIGN_OR_RETURN(const std::string piece,
                              verifier.NextPiece(array));
    if (piece.empty()) return npy;
    npy += piece;
  }
}

absl::StatusOr<std::vector<double>> Decode(const std::string& name,
                                           const std::string& npy) {
  const auto array = DecodeNpy(npy);
  if (!array.ok() || array->type != DataType::kFloat64) {
    return absl::DataLossError(
        absl::StrCat("array ", Quoted(name), ": expected a .npy of float64"));
  }
  std::vector<double> numbers(array->bytes.size() / sizeof(double));
  std::memcpy(numbers.data(), array->bytes.data(),
              numbers.size() * sizeof(double));
  return numbers;
}

}  // namespace

absl::StatusOr<std::map<std::string, std::vector<double>>> ReadNumbers(
    Client& client, const std::string& job_name,
    const std::vector<v1::ArrayInfo>& arrays) {
  std::map<std::string, std::vector<double>> numbers;
  if (arrays.empty()) return numbers;  // of a request, no names mean all
  v1::ReadArraysRequest request;
  request.set_name(job_name);
  for (const v1::ArrayInfo& array : arrays) request.add_arrays(array.name());
  ArrayStream stream = client.ReadArrays(request);
  ArrayVerifier verifier([&stream] { return stream.Next(); });
  for (const v1::ArrayInfo& array : arrays) {
    MOEPROBE_ASSIGN_OR_RETURN(const std::string npy,
                              ReadWhole(verifier, array));
    MOEPROBE_ASSIGN_OR_RETURN(numbers[array.name()], Decode(array.name(), npy));
  }
  return numbers;
}

}  // namespace moeprobe
