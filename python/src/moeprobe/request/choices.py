"""Names that requests use for the values of enumerations."""

from google.protobuf.descriptor import EnumDescriptor, EnumValueDescriptor

_UNSET = "UNSPECIFIED"


def choice_name(value: EnumValueDescriptor) -> str:
    """Return "float32" for PRECISION_FLOAT32."""
    prefix = len(value.type.values[0].name) - len(_UNSET)
    return value.name[prefix:].lower()


def choices_of(kind: EnumDescriptor) -> dict[str, int]:
    """Return the numbers of all values by their names, but for "not set"."""
    return {choice_name(value): value.number for value in kind.values[1:]}
