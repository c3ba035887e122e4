#ifndef MOEPROBE_STORAGE_ACCESS_H_
#define MOEPROBE_STORAGE_ACCESS_H_

#include <string>
#include <vector>

namespace moeprobe {

// Who asks. What they may not see does not exist for them.
struct Viewer {
  std::string name;
  bool is_admin = false;  // sees and changes everything
};

// Whose something is, and who else may see it.
struct Access {
  std::string owner;
  bool is_private = false;                // otherwise every user sees it
  std::vector<std::string> readers = {};  // who see it although it is private
};

// The server itself, for which everything is there.
Viewer ServerItself();

bool MayRead(const Viewer& viewer, const Access& access);

// Of what may be read: whether it may be changed, too.
bool MayChange(const Viewer& viewer, const Access& access);

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_ACCESS_H_
