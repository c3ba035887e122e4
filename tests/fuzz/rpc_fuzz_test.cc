// Every call that users and the operator can make.

#include <string>

#include "gtest/gtest.h"
#include "tests/fuzz/service_fuzz.h"
#include "tests/fuzz/service_methods.h"

namespace moeprobe {
namespace {

using RpcFuzzTest = ServiceFuzz;

TEST_F(RpcFuzzTest, AnswersEveryMethod) {
  Methods methods;
  for (const auto* method : AllMethods()) {
    if (method->service()->name() != "WorkerService") methods.push_back(method);
  }
  Fuzz(methods, /*call_count=*/1'500);
}

}  // namespace
}  // namespace moeprobe
