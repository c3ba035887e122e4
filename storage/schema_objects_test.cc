#include "storage/schema_objects.h"  // IWYU pragma: keep

#include <SQLiteCpp/Database.h>

#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/connection.h"
#include "storage/database.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

using testing::HasSubstr;

class SchemaObjectsTest : public testing::Test {
 protected:
  absl::Status Open() { return Database::Open(file_).status(); }

  // Runs SQL on the file behind the back of the class.
  void Tamper(const std::string& sql) {
    Connection raw(file_.string(), SQLite::OPEN_READWRITE);
    raw.exec(sql);
  }

  TemporaryDirectory directory_;
  std::filesystem::path file_ = directory_.path() / "moeprobe.db";
};

TEST_F(SchemaObjectsTest, RefusesASchemaBeforeTheFirst) {
  ASSERT_TRUE(Open().ok());
  Tamper("PRAGMA user_version = -1");
  EXPECT_THAT(std::string(Open().message()),
              HasSubstr("schema version is -1, expected 0 to"));
}

TEST_F(SchemaObjectsTest, RefusesWhatIsNotOfItsSchema) {
  ASSERT_TRUE(Open().ok());
  const auto refusal_after = [&](const std::string& sql,
                                 const std::string& undo) {
    Tamper(sql);
    const std::string message(Open().message());
    Tamper(undo);
    EXPECT_TRUE(Open().ok()) << Open();
    return message;
  };
  EXPECT_THAT(refusal_after("CREATE TRIGGER planted AFTER INSERT ON job BEGIN "
                            "DELETE FROM event; END",
                            "DROP TRIGGER planted"),
              HasSubstr("trigger \"planted\" is not ours"));
  EXPECT_THAT(
      refusal_after("CREATE VIEW planted AS SELECT 1", "DROP VIEW planted"),
      HasSubstr("view \"planted\" is not ours"));
  Tamper("DROP TABLE estimate_ratio");
  EXPECT_THAT(std::string(Open().message()),
              HasSubstr("table \"estimate_ratio\" is missing"));
}

}  // namespace
}  // namespace moeprobe
