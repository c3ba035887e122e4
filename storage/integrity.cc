#include "storage/integrity.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "storage/connection.h"
#include "storage/statement.h"

namespace moeprobe {

std::vector<std::string> FindDamage(Connection& database) {
  std::vector<std::string> damage;
  Statement pages(database, "PRAGMA integrity_check(20)");
  while (pages.executeStep()) {
    const std::string found = pages.getColumn(0).getString();
    if (found != "ok") damage.push_back(found);
  }
  Statement keys(database, "PRAGMA foreign_key_check");
  while (keys.executeStep()) {
    damage.push_back(absl::StrCat("a row of ", keys.getColumn(0).getString(),
                                  " refers to none of ",
                                  keys.getColumn(2).getString()));
  }
  return damage;
}

}  // namespace moeprobe
