#include "storage/prepared_statements.h"  // IWYU pragma: keep

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "storage/connection.h"
#include "storage/statement.h"

namespace moeprobe {
namespace {

class PreparedStatementsTest : public testing::Test {
 protected:
  PreparedStatementsTest() {
    connection_.exec("CREATE TABLE t(x INTEGER UNIQUE, y TEXT)");
    connection_.exec("INSERT INTO t VALUES(1, 'one'), (2, 'two')");
  }

  // How many statements the connection holds.
  int PreparedCount() {
    int count = 0;
    sqlite3_stmt* statement = nullptr;
    while ((statement = sqlite3_next_stmt(connection_.getHandle(),
                                          statement)) != nullptr) {
      ++count;
    }
    return count;
  }

  Connection connection_{":memory:",
                         SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE};
};

TEST_F(PreparedStatementsTest, PreparesATextOnce) {
  for (int x = 1; x <= 2; ++x) {
    EXPECT_EQ(QueryText(connection_, "SELECT y FROM t WHERE x = ?1", x),
              x == 1 ? "one" : "two");
  }
  EXPECT_EQ(PreparedCount(), 1);
}

TEST_F(PreparedStatementsTest, ForgetsArguments) {
  constexpr const char* kText = "SELECT ?1 IS NULL AND ?2 IS NULL";
  EXPECT_EQ(QueryInteger(connection_, kText, 1, 2), 0);
  EXPECT_EQ(QueryInteger(connection_, kText), 1);
}

TEST_F(PreparedStatementsTest, LendsATextTwiceAtOnce) {
  constexpr const char* kText = "SELECT x FROM t ORDER BY x";
  {
    Statement outer = Query(connection_, kText);
    ASSERT_TRUE(outer.executeStep());
    EXPECT_EQ(QueryInteger(connection_, kText), 1);
    ASSERT_TRUE(outer.executeStep());
    EXPECT_EQ(outer.getColumn(0).getInt(), 2);
    EXPECT_EQ(PreparedCount(), 2);
  }
  EXPECT_EQ(PreparedCount(), 1);
}

TEST_F(PreparedStatementsTest, BeginsAgainWhereOneWasLeft) {
  constexpr const char* kText = "SELECT x FROM t ORDER BY x";
  EXPECT_EQ(QueryInteger(connection_, kText), 1);  // stops after a row
  EXPECT_EQ(
      sqlite3_stmt_busy(sqlite3_next_stmt(connection_.getHandle(), nullptr)),
      0);
  EXPECT_EQ(QueryInteger(connection_, kText), 1);
}

TEST_F(PreparedStatementsTest, ServesAgainAfterAFailure) {
  constexpr const char* kText = "INSERT INTO t(x) VALUES(?1)";
  EXPECT_THROW(Execute(connection_, kText, 1), SQLite::Exception);
  EXPECT_EQ(Execute(connection_, kText, 3), 1);
  EXPECT_EQ(PreparedCount(), 1);
}

TEST_F(PreparedStatementsTest, SeesTheSchemaChange) {
  constexpr const char* kText = "SELECT count(*) FROM t";
  EXPECT_EQ(QueryInteger(connection_, kText), 2);
  connection_.exec("DROP TABLE t; CREATE TABLE t(z)");
  EXPECT_EQ(QueryInteger(connection_, kText), 0);
}

TEST_F(PreparedStatementsTest, KeepsNothingThatCannotBePrepared) {
  EXPECT_THROW(QueryInteger(connection_, "SELECT nothing FROM nowhere"),
               SQLite::Exception);
  EXPECT_EQ(PreparedCount(), 0);
}

}  // namespace
}  // namespace moeprobe
