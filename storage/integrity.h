#ifndef MOEPROBE_STORAGE_INTEGRITY_H_
#define MOEPROBE_STORAGE_INTEGRITY_H_

#include <string>
#include <vector>

#include "storage/connection.h"

namespace moeprobe {

// Looks at every page and row and returns what is wrong with them, one line
// each: nothing, in a good database.
std::vector<std::string> FindDamage(Connection& database);

// Returns where sums of what is stored and who answers for it are not those of
// the rows, one line for each; none in a database of another schema.
std::vector<std::string> FindMiscounts(Connection& database);

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_INTEGRITY_H_
