"""A request as a dictionary and as YAML, from the API's messages."""

import json
from collections.abc import Callable
from typing import Any

import yaml
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from moeprobe.request.choices import choice_name
from moeprobe.v1 import analysis_pb2, job_pb2, training_pb2

_COUNTS_OF_TOKENS = ("tokens", "tokens_per_expert")


def setting_value(text: str) -> Any:
    """Return a value of a sweep: a number if it is one, else the text."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return value if is_number else text


def _layers(layers: analysis_pb2.LayerSelection) -> str | list[int]:
    if not layers.preset:
        return list(layers.layers)
    preset = analysis_pb2.LayerSelection.Preset.DESCRIPTOR.values_by_number
    return choice_name(preset[layers.preset]).replace("_", "-")


def _sweep(spec: analysis_pb2.AnalyzeSpec) -> dict[str, list[Any]]:
    return {axis.field: [setting_value(v) for v in axis.values] for axis in spec.sweep}


def _data(spec: analysis_pb2.AnalyzeSpec) -> Any:
    data = [_message(item) for item in spec.data]
    return data[0] if len(data) == 1 else data


def _variants(spec: training_pb2.TrainSpec) -> dict[str, Any]:
    variants = {variant.name: _message(variant) for variant in spec.variants}
    for fields in variants.values():
        fields.pop("name", None)
    return variants


# What a request writes otherwise than its messages.
_OWN: dict[tuple[str, str], Callable[[Any], Any]] = {
    ("AnalyzeSpec", "data"): _data,
    ("AnalyzeSpec", "layers"): lambda spec: _layers(spec.layers),
    ("AnalyzeSpec", "sweep"): _sweep,
    ("TrainSpec", "variants"): _variants,
}


def _scalar(field: FieldDescriptor, value: Any) -> Any:
    if field.enum_type:
        return choice_name(field.enum_type.values_by_number[value])
    if field.message_type:
        return _message(value)
    is_all = value == -1 and field.name in _COUNTS_OF_TOKENS
    return "all" if is_all else value


def _message(message: Message) -> dict[str, Any]:
    """Return the fields that are set, in the order of their numbers."""
    fields: dict[str, Any] = {}
    for field, value in message.ListFields():
        own = _OWN.get((message.DESCRIPTOR.name, field.name))
        if own:
            fields[field.name] = own(message)
        elif field.is_repeated:
            fields[field.name] = [_scalar(field, item) for item in value]
        else:
            fields[field.name] = _scalar(field, value)
    return fields


def request_dict(job: job_pb2.Job) -> dict[str, Any]:
    """Return the request of a job as a request file has it."""
    kind = job.WhichOneof("spec") or "analyze"
    rest = job_pb2.Job(
        visibility=job.visibility, shared_with=job.shared_with, priority=job.priority
    )
    return {"kind": kind, **_message(getattr(job, kind)), **_message(rest)}


class _Dumper(yaml.SafeDumper):
    """Writes what a request may contain: no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write everything out, however often it comes."""
        del data
        return True


def request_yaml(request: dict[str, Any]) -> str:
    """Return a request file."""
    return yaml.dump(
        request,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=None,
        width=2**31,
    )
