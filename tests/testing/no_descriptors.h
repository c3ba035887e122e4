#ifndef MOEPROBE_TESTS_TESTING_NO_DESCRIPTORS_H_
#define MOEPROBE_TESTS_TESTING_NO_DESCRIPTORS_H_

#include <sys/resource.h>

namespace moeprobe {

// While it lives, this process may open nothing, as one that has used up its
// descriptors.
class NoDescriptors {
 public:
  NoDescriptors() {
    getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit none{.rlim_cur = 0, .rlim_max = before_.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

 private:
  rlimit before_{};
};

}  // namespace moeprobe

#endif  // MOEPROBE_TESTS_TESTING_NO_DESCRIPTORS_H_
