"""Fields of a request that a sweep can vary."""

from collections.abc import Iterator

from google.protobuf.descriptor import Descriptor, FieldDescriptor

_SCALARS = frozenset(
    {
        FieldDescriptor.CPPTYPE_INT32,
        FieldDescriptor.CPPTYPE_INT64,
        FieldDescriptor.CPPTYPE_DOUBLE,
        FieldDescriptor.CPPTYPE_ENUM,
    }
)
# A sweep varies what is computed: neither where nor at which layers.
_LEFT_OUT = ("device", "layers")


def sweepable_fields(
    spec: Descriptor, prefix: str = ""
) -> Iterator[tuple[str, FieldDescriptor]]:
    """Return every number and choice by its path, such as "routing.temperature"."""
    for field in spec.fields:
        path = prefix + field.name
        if path in _LEFT_OUT:
            continue
        if field.cpp_type in _SCALARS and not field.is_repeated:
            yield path, field
        elif field.message_type and (not field.is_repeated or path == "data"):
            yield from sweepable_fields(field.message_type, f"{path}.")
