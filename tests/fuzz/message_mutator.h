#ifndef MOEPROBE_TESTS_FUZZ_MESSAGE_MUTATOR_H_
#define MOEPROBE_TESTS_FUZZ_MESSAGE_MUTATOR_H_

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/random_stream.h"
#include "tests/fuzz/mutator.h"

namespace moeprobe {

// Spoils messages field by field: numbers at the ends of their range and beyond
// what makes sense, NaN, unknown values of enumerations, texts that are too
// long, not UTF-8 or names of something else, fields that are missing, twice or
// there a thousand times. The same way whenever it is made with the same seed.
class MessageMutator {
 public:
  // `words`: texts that mean something to whom the messages are for.
  MessageMutator(int64_t seed, std::vector<std::string> words);

  // Makes one to four changes.
  void Mutate(google::protobuf::Message& message);

 private:
  using Field = google::protobuf::FieldDescriptor;
  using Message = google::protobuf::Message;

  void Change(Message& message);
  void ChangeField(Message& message, const Field& field);
  void ChangeRepeated(Message& message, const Field& field);
  void Add(Message& message, const Field& field);
  void AddMany(Message& message, const Field& field);
  void PutScalar(Message& message, const Field& field);

  const Field* PickField(const Message& message);
  int64_t Integer();
  double Real();
  int EnumNumber(const Field& field);
  std::string Text(const std::string& before);
  size_t Below(size_t bound) { return random_.Below(bound); }

  RandomStream random_;
  Mutator bytes_;
  std::vector<std::string> words_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_TESTS_FUZZ_MESSAGE_MUTATOR_H_
