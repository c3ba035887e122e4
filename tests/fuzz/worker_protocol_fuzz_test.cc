// Every call that workers make.

#include <string>

#include "gtest/gtest.h"
#include "tests/fuzz/service_fuzz.h"
#include "tests/fuzz/service_methods.h"

namespace moeprobe {
namespace {

using WorkerProtocolFuzzTest = ServiceFuzz;

TEST_F(WorkerProtocolFuzzTest, AnswersEveryMethod) {
  Methods methods;
  for (const auto* method : AllMethods()) {
    if (method->service()->name() == "WorkerService") methods.push_back(method);
  }
  Fuzz(methods, /*call_count=*/300);
}

}  // namespace
}  // namespace moeprobe
