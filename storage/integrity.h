#ifndef MOEPROBE_STORAGE_INTEGRITY_H_
#define MOEPROBE_STORAGE_INTEGRITY_H_

#include <SQLiteCpp/Database.h>

#include <string>
#include <vector>

namespace moeprobe {

// Looks at every page and row and returns what is wrong with them, one line
// each: nothing, in a good database.
std::vector<std::string> FindDamage(SQLite::Database& database);

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_INTEGRITY_H_
