#ifndef MOEPROBE_TESTS_TESTING_NO_DESCRIPTORS_H_
#define MOEPROBE_TESTS_TESTING_NO_DESCRIPTORS_H_

#include <sys/resource.h>

#include "gtest/gtest.h"

namespace moeprobe {

// While it lives, this process may open nothing, as one that has used up its
// descriptors.
class NoDescriptors {
 public:
  NoDescriptors() {
    EXPECT_EQ(getrlimit(RLIMIT_NOFILE, &before_), 0);
    const rlimit none{.rlim_cur = 0, .rlim_max = before_.rlim_max};
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  }
  ~NoDescriptors() { EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &before_), 0); }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

 private:
  rlimit before_{};
};

}  // namespace moeprobe

#endif  // MOEPROBE_TESTS_TESTING_NO_DESCRIPTORS_H_
