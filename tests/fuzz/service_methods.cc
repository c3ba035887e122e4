#include "tests/fuzz/service_methods.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor_database.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace moeprobe {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptor;
using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;

// Files that are linked register themselves there, and nowhere else.
std::vector<std::string> LinkedFiles() {
  std::vector<std::string> names;
  DescriptorPool::internal_generated_database()->FindAllFileNames(&names);
  std::ranges::sort(names);
  return names;
}

void AddMethods(const FileDescriptor& file,
                std::vector<const MethodDescriptor*>& methods) {
  for (int i = 0; i < file.service_count(); ++i) {
    const ServiceDescriptor* service = file.service(i);
    for (int j = 0; j < service->method_count(); ++j) {
      methods.push_back(service->method(j));
    }
  }
}

}  // namespace

std::vector<const MethodDescriptor*> AllMethods() {
  std::vector<const MethodDescriptor*> methods;
  for (const std::string& name : LinkedFiles()) {
    const auto* file = DescriptorPool::generated_pool()->FindFileByName(name);
    if (file->package() == "moeprobe.v1") AddMethods(*file, methods);
  }
  return methods;
}

std::string PathOf(const MethodDescriptor& method) {
  return absl::StrCat("/", std::string(method.service()->full_name()), "/",
                      std::string(method.name()));
}

}  // namespace moeprobe
