#include "client/commands/show_matrix.h"

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/commands/screen.h"
#include "client/commands/session.h"
#include "client/result/array_place.h"
#include "client/result/array_reader.h"
#include "client/result/cell_index.h"
#include "client/result/summary_place.h"
#include "client/result/training_rows.h"
#include "client/service/client.h"
#include "client/text/heat_blocks.h"
#include "core/base/array_entries.h"
#include "core/base/npy.h"
#include "core/base/printable.h"
#include "core/base/quoted.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/result.pb.h"

namespace moeprobe {
namespace {

bool IsMatrixOfPairs(const v1::ArrayInfo& info) {
  return info.shape_size() == 2 && info.shape(0) == info.shape(1) &&
         info.shape(0) > 1;
}

// Whether a part of an experiment is of a step before the last one.
bool IsPast(const v1::Result& result, const CellIndex& cells,
            const TrainingRows& rows, const std::string& prefix) {
  const std::optional<int> cell = cells.Find(prefix);
  const auto place = cell ? TrainingPlaceOf(result.cells(*cell)) : std::nullopt;
  return place && place->step < rows.LastStep(place->column);
}

// Tells which matrices are shown.
class Selection {
 public:
  Selection(const v1::Result& result, const MatrixView& view)
      : result_(result), view_(view), cells_(result), rows_(result) {}

  bool Has(const ArrayPlace& place) const {
    const bool asked = place.quantity == view_.quantity &&
                       (!view_.layer || place.layer == *view_.layer);
    if (!asked) return false;
    return view_.part ? PartName(place.prefix) == *view_.part
                      : !IsPast(result_, cells_, rows_, place.prefix);
  }

 private:
  const v1::Result& result_;
  const MatrixView& view_;
  CellIndex cells_;
  TrainingRows rows_;
};

absl::Status NoSuchMatrix(const v1::Result& result, const MatrixView& view) {
  std::set<std::string> names;
  for (const v1::ArrayInfo& info : result.arrays()) {
    const std::optional<ArrayPlace> place = PlaceOf(info.name());
    if (place && IsMatrixOfPairs(info)) names.insert(place->quantity);
  }
  return absl::NotFoundError(absl::StrCat(
      result.job().name(), " has no matrix ", Quoted(view.quantity),
      view.layer ? absl::StrCat(" of layer ", *view.layer) : "",
      view.part ? absl::StrCat(" of ", Quoted(*view.part)) : "",
      names.empty() ? "" : "; it has ", absl::StrJoin(names, ", ")));
}

}  // namespace

absl::Status ShowMatrix(Session& session, const MatrixView& view) {
  MOEPROBE_ASSIGN_OR_RETURN(const std::string name, JobName(view.job));
  MOEPROBE_ASSIGN_OR_RETURN(const v1::Result result,
                            session.client.GetResult(name));
  const Selection selection(result, view);
  std::vector<ArrayPlace> places;
  std::vector<v1::ArrayInfo> infos;
  for (const v1::ArrayInfo& info : result.arrays()) {
    const std::optional<ArrayPlace> place = PlaceOf(info.name());
    if (!place || !IsMatrixOfPairs(info) || !selection.Has(*place)) continue;
    places.push_back(*place);
    infos.push_back(info);
  }
  if (infos.empty()) return NoSuchMatrix(result, view);
  MOEPROBE_ASSIGN_OR_RETURN(const std::vector<Array> arrays,
                            ReadArrays(session.client, name, infos));
  for (size_t i = 0; i < arrays.size(); ++i) {
    session.out.Print(absl::StrCat(
        i > 0 ? "\n" : "",
        PrintableLine(absl::StrCat(PartName(places[i].prefix), ", layer ",
                                   places[i].layer, ", ", view.quantity)),
        "\n",
        HeatBlocks({.entries = NumbersOf(arrays[i]), .size = infos[i].shape(0)},
                   session.out.width(), session.out.is_terminal())));
  }
  return absl::OkStatus();
}

}  // namespace moeprobe
