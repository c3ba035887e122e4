#ifndef MOEPROBE_CLIENT_RESULT_TRAINING_ROWS_H_
#define MOEPROBE_CLIENT_RESULT_TRAINING_ROWS_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/result_service.pb.h"
#include "moeprobe/v1/training.pb.h"

namespace moeprobe {

// Where a cell of an experiment stands.
struct TrainingPlace {
  std::string column;  // the variant, or "top-2 as soft" under other gates
  int64_t seed = 0;
  int64_t step = 0;
};

// Returns where a cell of a job of kind train stands; nullopt for other cells.
std::optional<TrainingPlace> TrainingPlaceOf(const v1::SweepCell& cell);

// A quantity that tables of experiments show, where a result has it.
struct TrainedQuantity {
  std::string name;
  std::string title;  // "Grassmann, routed"
};

// Returns the losses of an experiment, then those of ShownQuantities() that a
// model is compared by with others.
std::vector<TrainedQuantity> TrainedQuantities(const v1::TrainSpec& spec);

// What the summary of an experiment says, by what was trained: every variant,
// and every variant under the gates of another. Refers to the result, which
// must outlive it.
class TrainingRows {
 public:
  // The rows of one quantity of one layer at one step, by seed.
  using Seeds = std::map<int64_t, const v1::SummaryRow*>;

  explicit TrainingRows(const v1::Result& result);

  // In the order of the cells, those under other gates last.
  const std::vector<std::string>& columns() const { return columns_; }

  // Returns the steps that a column was probed at, ascending; at least one.
  // `column` is one of columns().
  std::vector<int64_t> Steps(const std::string& column) const;

  // Returns the last of them; -1 for a column that has none.
  int64_t LastStep(const std::string& column) const;

  // Returns how many seeds of a column were probed at a step, one of
  // Steps(column).
  size_t SeedCount(const std::string& column, int64_t step) const;

  // Returns the layers that a quantity has anywhere; -1: it has none.
  std::set<int> Layers(const std::string& quantity) const;

  // Returns rows with a finite mean; none if there are none.
  Seeds Find(const std::string& column, int64_t step, int layer,
             const std::string& quantity) const;

 private:
  struct Place {
    std::string quantity;
    int layer = 0;
    std::string column;
    int64_t step = 0;

    auto operator<=>(const Place&) const = default;
  };

  std::vector<std::string> columns_;
  // Seeds by column and step.
  std::map<std::string, std::map<int64_t, std::set<int64_t>>> steps_;
  std::map<std::string, std::set<int>> layers_;  // by quantity
  std::map<Place, Seeds> rows_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_RESULT_TRAINING_ROWS_H_
