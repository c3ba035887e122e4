#ifndef MOEPROBE_TESTS_FUZZ_SERVICE_METHODS_H_
#define MOEPROBE_TESTS_FUZZ_SERVICE_METHODS_H_

#include <google/protobuf/descriptor.h>

#include <string>
#include <vector>

namespace moeprobe {

// Every method of every service of the API that is linked into this program.
std::vector<const google::protobuf::MethodDescriptor*> AllMethods();

// "/moeprobe.v1.JobService/GetJob"
std::string PathOf(const google::protobuf::MethodDescriptor& method);

}  // namespace moeprobe

#endif  // MOEPROBE_TESTS_FUZZ_SERVICE_METHODS_H_
