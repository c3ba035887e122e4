#include "client/result/cell_index.h"

#include <optional>

#include "gtest/gtest.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/result_service.pb.h"

namespace moeprobe {
namespace {

TEST(CellIndexTest, FindsTheLongestPrefix) {
  v1::Result result;
  for (const char* prefix :
       {"soft/seed0/step5/", "soft/seed0/step5/gates-top-2/", "soft/seed0/"}) {
    result.add_cells()->set_prefix(prefix);
  }
  const CellIndex cells(result);
  EXPECT_EQ(cells.Find("soft/seed0/step5/layer0/grassmann/routed"), 0);
  EXPECT_EQ(cells.Find("soft/seed0/step5/"), 0);
  EXPECT_EQ(cells.Find("soft/seed0/step5/gates-top-2/layer0/x"), 1);
  EXPECT_EQ(cells.Find("soft/seed0/step50/layer0/x"), 2);
  EXPECT_EQ(cells.Find("soft/seed01/step5/layer0/x"), std::nullopt);
  EXPECT_EQ(cells.Find(""), std::nullopt);
}

TEST(SettingOfTest, IsEmptyWhereThereIsNone) {
  v1::SweepCell cell;
  v1::SweepSetting& setting = *cell.add_settings();
  setting.set_field("variant");
  setting.set_value("soft");
  EXPECT_EQ(SettingOf(cell, "variant"), "soft");
  EXPECT_EQ(SettingOf(cell, "gates"), "");
}

}  // namespace
}  // namespace moeprobe
