#include "client/result/array_reader.h"

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

namespace moeprobe {
namespace {

absl::StatusOr<std::string> ReadNpy(ArrayVerifier& verifier,
                                    const v1::ArrayInfo& info) {
  std::string npy;
  while (true) {
    MOEPROBE_ASSIGN_OR_RETURN(const std::string piece,
                              verifier.NextPiece(info));
    if (piece.empty()) return npy;
    npy += piece;
  }
}

absl::StatusOr<Array> Decode(const std::string& npy,
                             const v1::ArrayInfo& info) {
  absl::StatusOr<Array> array = DecodeNpy(npy);
  if (array.ok()) return array;
  return absl::DataLossError(absl::StrCat("array ", Quoted(info.name()), ": ",
                                          array.status().message()));
}

}  // namespace

absl::StatusOr<std::vector<Array>> ReadArrays(
    Client& client, const std::string& job_name,
    const std::vector<v1::ArrayInfo>& infos) {
  std::vector<Array> arrays;
  if (infos.empty()) return arrays;  // no names would mean all
  ArrayStream stream = client.ReadArrays(job_name, infos);
  ArrayVerifier verifier([&stream] { return stream.Next(); });
  for (const v1::ArrayInfo& info : infos) {
    MOEPROBE_ASSIGN_OR_RETURN(const std::string npy, ReadNpy(verifier, info));
    MOEPROBE_ASSIGN_OR_RETURN(Array array, Decode(npy, info));
    arrays.push_back(std::move(array));
  }
  return arrays;
}

}  // namespace moeprobe
