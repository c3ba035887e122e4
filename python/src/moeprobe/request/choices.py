"""Names that requests use for the values of enumerations."""

import re

from google.protobuf.descriptor import EnumDescriptor, EnumValueDescriptor

_UNSET = "UNSPECIFIED"
# What names of protobuf have for a decimal point.
_POINT = re.compile(r"(?<=\d)_(?=\d)")


def choice_name(value: EnumValueDescriptor) -> str:
    """Return "float32" for PRECISION_FLOAT32, "normal_0.02" for ..._NORMAL_0_02."""
    prefix = len(value.type.values[0].name) - len(_UNSET)
    return _POINT.sub(".", value.name[prefix:].lower())


def choices_of(kind: EnumDescriptor) -> dict[str, int]:
    """Return the numbers of all values by their names, but for "not set"."""
    return {choice_name(value): value.number for value in kind.values[1:]}
