#include "client/result/intervention_table.h"

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/service/cancellation.h"
#include "client/service/client.h"
#include "client/testing/fake_server.h"
#include "core/base/npy.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/result.pb.h"

namespace moeprobe {
namespace {

using testing::HasSubstr;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::string Npy(const std::vector<double>& numbers) {
  Array array{.type = DataType::kFloat64,
              .shape = {static_cast<int64_t>(numbers.size())},
              .bytes = {}};
  array.bytes.assign(reinterpret_cast<const char*>(numbers.data()),
                     numbers.size() * sizeof(double));
  return EncodeNpy(array);
}

class InterventionTableTest : public testing::Test {
 protected:
  InterventionTableTest() {
    state_.job.set_name("jobs/17");
    Add("layer10", "ablate", {.5, .25}, {1, -1, kNaN, 0});
    Add("layer9", "average", {-.001, 0}, {.5, .25, 0, 0});
  }

  void Add(const std::string& layer, const std::string& kind,
           const std::vector<double>& delta, const std::vector<double>& rho) {
    state_.arrays[layer + "/intervention_delta_nll/" + kind] = Npy(delta);
    state_.arrays[layer + "/intervention_rank_correlation/" + kind] = Npy(rho);
  }

  absl::StatusOr<std::string> Table() {
    const FakeServer server(state_);
    Client client({.address = server.address()}, cancellation_);
    const absl::StatusOr<v1::Result> result = client.GetResult("jobs/17");
    if (!result.ok()) return result.status();
    return InterventionTable(client, *result, 120);
  }

  FakeServerState state_;
  Cancellation cancellation_;
};

TEST_F(InterventionTableTest, HasARowForEachLayerAndKind) {
  const auto table = Table();
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_THAT(*table,
              HasSubstr("\n    9  model  average          2     -0.0005     "
                        "0.5000   0.2500     0.0000   0.0000\n"
                        "   10  model  ablate           2     +0.3750     "
                        "1.0000  -1.0000          \u2013   0.0000\n"));
  EXPECT_THAT(*table, HasSubstr("rank correlation with"));
}

TEST_F(InterventionTableTest, IsEmptyWithoutInterventions) {
  state_.arrays = {{"layer0/grassmann/routed", "bytes"}};
  EXPECT_EQ(*Table(), "");
}

TEST_F(InterventionTableTest, RefusesAnotherForm) {
  Add("layer9", "average", {1, 2}, {1, 2});
  EXPECT_TRUE(absl::IsDataLoss(Table().status()));
}

}  // namespace
}  // namespace moeprobe
