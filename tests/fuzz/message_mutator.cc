#include "tests/fuzz/message_mutator.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "tests/fuzz/mutator.h"

namespace moeprobe {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr size_t kMostChanges = 4;
constexpr int kManyElements = 1000;
constexpr size_t kLongText = size_t{1} << 14;

constexpr std::array<int64_t, 14> kIntegers = {
    0,
    1,
    -1,
    2,
    7,
    1000,
    -1000,
    std::numeric_limits<int32_t>::max(),
    std::numeric_limits<int32_t>::min(),
    int64_t{1} << 32,
    int64_t{1} << 53,
    std::numeric_limits<int64_t>::max() - 1,
    std::numeric_limits<int64_t>::max(),
    std::numeric_limits<int64_t>::min()};

constexpr std::array kReals = {0.0,
                               -0.0,
                               1.0,
                               -1.0,
                               0.5,
                               1e-300,
                               1e300,
                               std::numeric_limits<double>::denorm_min(),
                               std::numeric_limits<double>::max(),
                               std::numeric_limits<double>::infinity(),
                               -std::numeric_limits<double>::infinity(),
                               std::numeric_limits<double>::quiet_NaN()};

// Where a value goes.
struct Place {
  Message& message;
  const FieldDescriptor& field;

  template <typename Value>
  using Setter = void (Reflection::*)(Message*, const FieldDescriptor*,
                                      Value) const;

  template <typename Value>
  void Put(Setter<Value> set, Setter<Value> add,
           std::type_identity_t<Value> value) const {
    const Setter<Value> put = field.is_repeated() ? add : set;
    (message.GetReflection()->*put)(&message, &field, std::move(value));
  }

  // The text that is there.
  std::string Now() const {
    if (field.is_repeated()) return "";
    return message.GetReflection()->GetString(message, &field);
  }
};

}  // namespace

MessageMutator::MessageMutator(int64_t seed, std::vector<std::string> words)
    : random_(seed, /*index=*/2),
      bytes_(seed, words),
      words_(std::move(words)) {}

void MessageMutator::Mutate(Message& message) {
  for (size_t left = 1 + Below(kMostChanges); left > 0; --left) Change(message);
}

void MessageMutator::Change(Message& message) {
  const Field* field = PickField(message);
  if (field == nullptr) return;
  if (field->is_repeated()) {
    ChangeRepeated(message, *field);
  } else {
    ChangeField(message, *field);
  }
}

// One that is set, as often as any.
const MessageMutator::Field* MessageMutator::PickField(const Message& message) {
  std::vector<const Field*> set;
  message.GetReflection()->ListFields(message, &set);
  if (!set.empty() && Below(2) == 0) return set[Below(set.size())];
  const auto* type = message.GetDescriptor();
  if (type->field_count() == 0) return nullptr;
  return type->field(
      static_cast<int>(Below(static_cast<size_t>(type->field_count()))));
}

void MessageMutator::ChangeField(Message& message, const Field& field) {
  const auto* reflection = message.GetReflection();
  if (Below(8) == 0) {
    reflection->ClearField(&message, &field);
  } else if (field.cpp_type() == Field::CPPTYPE_MESSAGE) {
    Change(*reflection->MutableMessage(&message, &field));
  } else {
    PutScalar(message, field);
  }
}

void MessageMutator::ChangeRepeated(Message& message, const Field& field) {
  const auto* reflection = message.GetReflection();
  const int size = reflection->FieldSize(message, &field);
  switch (Below(8)) {
    case 0:
      reflection->ClearField(&message, &field);
      break;
    case 1:
      if (size > 0) reflection->RemoveLast(&message, &field);
      break;
    case 2:
      AddMany(message, field);
      break;
    case 3:
      if (size > 1) reflection->SwapElements(&message, &field, 0, size - 1);
      break;
    case 4:
      Add(message, field);
      break;
    default:
      if (size == 0 || field.cpp_type() != Field::CPPTYPE_MESSAGE) {
        Add(message, field);
      } else {
        Change(*reflection->MutableRepeatedMessage(
            &message, &field,
            static_cast<int>(Below(static_cast<size_t>(size)))));
      }
  }
}

void MessageMutator::AddMany(Message& message, const Field& field) {
  Add(message, field);
  const auto* reflection = message.GetReflection();
  for (int i = 0; i < kManyElements; ++i) {
    if (field.cpp_type() == Field::CPPTYPE_MESSAGE) {
      Message* added = reflection->AddMessage(&message, &field);
      added->CopyFrom(reflection->GetRepeatedMessage(message, &field, 0));
    } else {
      PutScalar(message, field);
    }
  }
}

// A message that is added is often one that is there already.
void MessageMutator::Add(Message& message, const Field& field) {
  if (field.cpp_type() != Field::CPPTYPE_MESSAGE) {
    PutScalar(message, field);
    return;
  }
  const auto* reflection = message.GetReflection();
  Message* added = reflection->AddMessage(&message, &field);
  if (reflection->FieldSize(message, &field) > 1 && Below(2) == 0) {
    added->CopyFrom(reflection->GetRepeatedMessage(message, &field, 0));
  } else {
    Change(*added);
  }
}

// Sets a field, or adds an element where it is repeated.
void MessageMutator::PutScalar(Message& message, const Field& field) {
  const Place to{.message = message, .field = field};
  switch (field.cpp_type()) {
    case Field::CPPTYPE_INT32:
      to.Put(&Reflection::SetInt32, &Reflection::AddInt32,
             static_cast<int32_t>(Integer()));
      break;
    case Field::CPPTYPE_INT64:
      to.Put(&Reflection::SetInt64, &Reflection::AddInt64, Integer());
      break;
    case Field::CPPTYPE_UINT32:
      to.Put(&Reflection::SetUInt32, &Reflection::AddUInt32,
             static_cast<uint32_t>(Integer()));
      break;
    case Field::CPPTYPE_UINT64:
      to.Put(&Reflection::SetUInt64, &Reflection::AddUInt64,
             static_cast<uint64_t>(Integer()));
      break;
    case Field::CPPTYPE_DOUBLE:
      to.Put(&Reflection::SetDouble, &Reflection::AddDouble, Real());
      break;
    case Field::CPPTYPE_FLOAT:
      to.Put(&Reflection::SetFloat, &Reflection::AddFloat,
             static_cast<float>(Real()));
      break;
    case Field::CPPTYPE_BOOL:
      to.Put(&Reflection::SetBool, &Reflection::AddBool, Below(2) == 0);
      break;
    case Field::CPPTYPE_ENUM:
      to.Put(&Reflection::SetEnumValue, &Reflection::AddEnumValue,
             EnumNumber(field));
      break;
    case Field::CPPTYPE_STRING:
      to.Put(&Reflection::SetString, &Reflection::AddString, Text(to.Now()));
      break;
    case Field::CPPTYPE_MESSAGE:
      break;
  }
}

int64_t MessageMutator::Integer() {
  return kIntegers.at(Below(kIntegers.size()));
}

double MessageMutator::Real() { return kReals.at(Below(kReals.size())); }

// Of one that is known, or the number after, which is not.
int MessageMutator::EnumNumber(const Field& field) {
  const auto* type = field.enum_type();
  return static_cast<int>(Below(static_cast<size_t>(type->value_count()) + 1));
}

std::string MessageMutator::Text(const std::string& before) {
  switch (Below(8)) {
    case 0:
      return before + std::string(1 + Below(kLongText), 'x');
    case 1:
      return "";
    case 2:
    case 3:
      return bytes_.Mutate(before);
    default:
      return words_[Below(words_.size())];
  }
}

}  // namespace moeprobe
