"""Reads a value into a message, whose descriptor says which keys there are."""

from collections.abc import Callable
from typing import Any, cast

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

from moeprobe.request.choices import choices_of
from moeprobe.request.nearest_name import nearest_name
from moeprobe.request.sweep_fields import sweepable_fields
from moeprobe.request.tree import Kind
from moeprobe.request.value import Reader, Value
from moeprobe.v1 import analysis_pb2, job_pb2, training_pb2

_MOST = {
    FieldDescriptor.CPPTYPE_INT32: 2**31 - 1,
    FieldDescriptor.CPPTYPE_INT64: 2**63 - 1,
}
# Fields where -1 stands for the word.
_ALL = "all"
_COUNTS_OF_TOKENS = (
    "DataSpec.tokens",
    "SpectraProbe.tokens_per_expert",
    "TrainingProbe.tokens",
)
# Keys whose values may be paths.
_PATHS = ("text", "ids")
# A shell would expand these; nothing here does.
_EXPANDED = ("~", "$", "file://")


# Keys of a request of any kind that are no part of its spec.
JOB_KEYS = ("visibility", "shared_with", "priority")


def _full_name(field: FieldDescriptor) -> str:
    return field.full_name.removeprefix("moeprobe.v1.")


def _read_choice(value: Value, kind: EnumDescriptor) -> int:
    choices = choices_of(kind)
    for name, number in choices.items():
        if value.is_word(name):
            return number
    meant = nearest_name(value.node.text, choices)
    advice = f"; did you mean {meant}?" if meant else ""
    raise value.expected(" or ".join(choices) + advice)


def _read_integer(value: Value, field: FieldDescriptor) -> int:
    if _full_name(field) not in _COUNTS_OF_TOKENS:
        return value.integer(_MOST[field.cpp_type])
    if value.is_word(_ALL):
        return -1
    return value.integer(_MOST[field.cpp_type], or_else=f", or {_ALL}")


def _read_scalar(value: Value, field: FieldDescriptor) -> Any:
    match field.cpp_type:
        case FieldDescriptor.CPPTYPE_STRING:
            return value.text()
        case FieldDescriptor.CPPTYPE_BOOL:
            return value.boolean()
        case FieldDescriptor.CPPTYPE_DOUBLE:
            return value.number()
        case FieldDescriptor.CPPTYPE_ENUM:
            return _read_choice(value, cast("EnumDescriptor", field.enum_type))
        case _:
            return _read_integer(value, field)


def _read_list(value: Value, field: FieldDescriptor, message: Message) -> None:
    target = getattr(message, field.name)
    for item in value.items():
        found = _read_scalar(item, field)
        if found in target:
            raise item.error(f"found {item.node.text} twice, expected it once")
        target.append(found)


def _read_layers(value: Value, layers: analysis_pb2.LayerSelection) -> None:
    presets = choices_of(analysis_pb2.LayerSelection.Preset.DESCRIPTOR)
    for name, number in presets.items():
        if value.is_word(name.replace("_", "-")):
            layers.preset = number  # type: ignore[assignment]
            return
    if value.node.kind is not Kind.LIST:
        raise value.expected("all, early-middle-late or a list such as [3, 16, 29]")
    most = _MOST[FieldDescriptor.CPPTYPE_INT32]
    layers.layers.extend(item.integer(most) for item in value.items())


def _check_path(value: Value) -> None:
    for prefix in _EXPANDED:
        if value.text().startswith(prefix):
            raise value.error(
                f'"{prefix}" is not expanded in "{value.node.text}"; write the whole '
                "path, or one relative to this file"
            )


def _read_data_set(
    value: Value, data: analysis_pb2.DataSpec | training_pb2.TrainingData
) -> None:
    read_message(value, data)
    keys = [field.name for field in data.DESCRIPTOR.oneofs_by_name["source"].fields]
    found = [key for key in keys if value.find(key)]
    if len(found) != 1:
        both, neither = " and ".join(found), " nor ".join(keys)
        what = f"both {both}" if found else f"neither {neither}"
        raise value.error(f"found {what}, expected one of them")
    if found[0] in _PATHS:
        _check_path(cast("Value", value.find(found[0])))


def _read_data(value: Value, spec: analysis_pb2.AnalyzeSpec) -> None:
    if value.node.kind not in (Kind.LIST, Kind.MAPPING):
        raise value.expected("a mapping with text or ids, or a list of them")
    is_list = value.node.kind is Kind.LIST
    for item in value.items() if is_list else [value]:
        _read_data_set(item, spec.data.add())


def _read_axis(
    value: Value, path: str, field: FieldDescriptor, spec: analysis_pb2.AnalyzeSpec
) -> None:
    axis = spec.sweep.add(field=path)
    for item in value.items():
        _read_scalar(item, field)  # as it would stand there; it travels as text
        if item.node.text in axis.values:
            raise item.error(f"found {item.node.text} twice, expected it once")
        axis.values.append(item.node.text)


def _read_sweep(value: Value, spec: analysis_pb2.AnalyzeSpec) -> None:
    def reader(path: str, field: FieldDescriptor) -> Reader:
        return lambda axis: _read_axis(axis, path, field, spec)

    fields = sweepable_fields(cast("Descriptor", analysis_pb2.AnalyzeSpec.DESCRIPTOR))
    value.read_fields({path: reader(path, field) for path, field in fields})
    if not spec.sweep:
        raise value.error(
            "found no field, expected one such as routing.temperature: [0.5, 1, 2]"
        )


def _read_probes(value: Value, probes: analysis_pb2.ProbeSpec) -> None:
    read_message(value, probes)
    if not probes.ListFields():
        names = [field.name for field in probes.DESCRIPTOR.fields]
        raise value.error(
            "found no probe, expected at least one of "
            f"{', '.join(names[:-1])} and {names[-1]}"
        )


def _read_variants(value: Value, spec: training_pb2.TrainSpec) -> None:
    """Read a mapping from names to variants, whose order is kept."""
    for name, variant in value.entries():
        message = spec.variants.add(name=name)
        read_message(variant, message, without=("name",))
    if not spec.variants:
        raise value.error(
            "found no variant, expected one such as soft: {block: moe, routing: "
            "{select: all}}"
        )


# What a request writes otherwise than its messages.
_OWN: dict[str, Callable[[Value, Any], None]] = {
    "AnalyzeSpec.data": _read_data,
    "AnalyzeSpec.sweep": _read_sweep,
    "AnalyzeSpec.layers": lambda value, spec: _read_layers(value, spec.layers),
    "AnalyzeSpec.probes": lambda value, spec: _read_probes(value, spec.probes),
    "TrainSpec.data": lambda value, spec: _read_data_set(value, spec.data),
    "TrainSpec.variants": _read_variants,
    "TrainingProbe.probes": lambda value, probe: _read_probes(value, probe.probes),
}


def _read_field(value: Value, field: FieldDescriptor, message: Message) -> None:
    own = _OWN.get(_full_name(field))
    if own:
        own(value, message)
    elif field.message_type:
        part = getattr(message, field.name)
        part.SetInParent()
        read_message(value, part)
    elif field.is_repeated:
        _read_list(value, field, message)
    else:
        setattr(message, field.name, _read_scalar(value, field))


def read_message(value: Value, message: Message, without: tuple[str, ...] = ()) -> None:
    """Read a mapping whose keys are the fields of `message` into it.

    The fields `without` are no keys.

    Raises RequestError for a key that is no field, or a value of another type.
    Whether values make sense is for the server to say.
    """

    def reader(field: FieldDescriptor) -> Reader:
        return lambda value: _read_field(value, field, message)

    fields = cast("Descriptor", message.DESCRIPTOR).fields
    value.read_fields(
        {field.name: reader(field) for field in fields if field.name not in without}
    )


def read_job_keys(root: Value, job: job_pb2.Job) -> None:
    """Read who may see a job, and when it goes, whatever its kind."""
    fields = cast("Descriptor", job.DESCRIPTOR).fields_by_name
    for key in JOB_KEYS:
        if value := root.find(key):
            _read_field(value, fields[key], job)
