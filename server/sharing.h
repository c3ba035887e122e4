#ifndef MOEPROBE_SERVER_SHARING_H_
#define MOEPROBE_SERVER_SHARING_H_

#include <google/protobuf/repeated_ptr_field.h>

#include <string>

#include "moeprobe/v1/access.pb.h"
#include "server/violations.h"
#include "storage/access.h"

namespace moeprobe {

// How a request says who may see what it makes.
struct Sharing {
  v1::Visibility visibility = v1::VISIBILITY_UNSPECIFIED;
  google::protobuf::RepeatedPtrField<std::string> shared_with;
};

// Returns who may see what `owner` makes, or adds what is wrong to
// `violations`. What is shared with somebody is private; what says nothing is
// as `default_visibility` has it.
Access ResolveSharing(const std::string& owner, const Sharing& sharing,
                      v1::Visibility default_visibility,
                      Violations& violations);

// Puts `access` into a message that has an owner, a visibility and readers.
template <typename Message>
void FillAccess(const Access& access, Message& message) {
  message.set_owner(access.owner);
  message.set_visibility(access.is_private ? v1::VISIBILITY_PRIVATE
                                           : v1::VISIBILITY_LAB);
  message.mutable_shared_with()->Assign(access.readers.begin(),
                                        access.readers.end());
}

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_SHARING_H_
