#ifndef MOEPROBE_TESTS_TESTING_CHILD_H_
#define MOEPROBE_TESTS_TESTING_CHILD_H_

#include <functional>

namespace moeprobe {

// Calls `body` in a process forked from this one, where it may do what cannot
// be undone, and returns how that ended, as waitpid() has it; its exit status
// is what `body` returned. -1 if there is no process.
int WaitStatusOfChild(const std::function<int()>& body);

// The same for bodies that return: their exit status, -1 if a signal ended it.
int ExitStatusOfChild(const std::function<int()>& body);

}  // namespace moeprobe

#endif  // MOEPROBE_TESTS_TESTING_CHILD_H_
