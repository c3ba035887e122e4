"""What is logged of a result: numbers over layers, or over steps of training."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from moeprobe.result.cells import CellIndex
from moeprobe.result.nulls import NULLS
from moeprobe.result.result import Result

Array = npt.NDArray[Any]
Settings = Mapping[str, Any]

_STEP = "step"
_CURVES = "training/"
_EVALUATIONS = "evaluation_step"
_TOKENS = "expert_tokens"
# Of a mean in result.json, and what stands after the quantity's name.
_STATISTICS = (("std", ".std"), ("se", ".se"))


class Point(NamedTuple):
    """A number: of which run, under which name, at which layer or step.

    `run` is "" where a result is one run; else it says what sets a run apart, such
    as "variant top-2, seed 0" or "routing.temperature 0.5".
    """

    run: str
    name: str
    step: int
    value: float


def points_of(result: Result) -> Iterator[Point]:
    """Yield the means of a result and its curves; what is no number is left out.

    Names are those of quantities, with ".std", ".se", ".low" and ".high" of the
    95 % interval, and ".random_router.mean" and the like. Steps are layers, or
    steps of training; then names begin with the layer.
    """
    for point in (*_means(result), *_curves(result)):
        if math.isfinite(point.value):
            yield point


def settings_of(result: Result) -> dict[str, Settings]:
    """Return what sets each run apart; one run without settings, if there is one."""
    cells = [cell["settings"] for cell in result.cells]
    return {_run(settings): _apart(settings) for settings in cells} or {"": {}}


def _apart(settings: Settings) -> Settings:
    return {field: value for field, value in settings.items() if field != _STEP}


def _run(settings: Settings) -> str:
    return ", ".join(f"{field} {value}" for field, value in _apart(settings).items())


def _means(result: Result) -> Iterator[Point]:
    index, cells = CellIndex(result.cells), [c["settings"] for c in result.cells]
    for entry in result.document["summary"]:
        cell, within = index.split(entry["part"])
        settings = cells[cell] if cell >= 0 else {}
        part = within.removesuffix("model").removesuffix("/")
        layer, step = entry["layer"], settings.get(_STEP)
        names = [part] if part else []
        if step is not None and layer >= 0:
            names.append(f"layer{layer}")
        for quantity, found in entry["quantities"].items():
            name = "/".join([*names, quantity])
            at = max(layer, 0) if step is None else int(step)
            for suffix, value in _statistics(found):
                if value is not None:
                    yield Point(_run(settings), name + suffix, at, float(value))


def _statistics(found: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield "", found.get("mean")
    for key, suffix in _STATISTICS:
        yield suffix, found.get(key)
    low, high = found.get("interval", (None, None))
    yield from ((".low", low), (".high", high))
    for null in NULLS:
        for key, value in found.get(null.key, {}).items():
            yield f".{null.key}.{key}", value


def is_curve(name: str) -> bool:
    """Tell whether an array is a curve over training."""
    return f"/{_CURVES}" in name


def _curves(result: Result) -> Iterator[Point]:
    """Yield the curves of each run, from its last step that has any."""
    last: dict[str, tuple[int, str]] = {}
    for cell in result.cells:
        settings, prefix = cell["settings"], cell["prefix"]
        if f"{prefix}{_CURVES}loss" in result.arrays:
            run, step = _run(settings), int(settings[_STEP])
            last[run] = max(last.get(run, (step, prefix)), (step, prefix))
    for run, (_, prefix) in last.items():
        start = f"{prefix}{_CURVES}"
        arrays = {
            name.removeprefix(start): array
            for name, array in result.arrays.items()
            if name.startswith(start)
        }
        yield from _points_of_curves(run, arrays)


def _points_of_curves(run: str, arrays: Mapping[str, Array]) -> Iterator[Point]:
    evaluations = arrays.get(_EVALUATIONS, np.empty(0, int))
    for name, values in arrays.items():
        if name == _EVALUATIONS or values.ndim != 1:
            continue
        # The first step is 1: after it, there is a loss.
        by_step = np.arange(1, len(values) + 1)
        steps = evaluations if name == "held_out_loss" else by_step
        for step, value in zip(steps, values, strict=True):
            yield Point(run, f"{_CURVES}{name}", int(step), float(value))
    if _TOKENS in arrays:
        yield from _loads(run, evaluations, arrays[_TOKENS])


def _loads(run: str, steps: Array, tokens: Array) -> Iterator[Point]:
    """Yield the largest and the smallest load of each layer beside an even one."""
    with np.errstate(invalid="ignore", divide="ignore"):
        loads = tokens / tokens.mean(axis=-1, keepdims=True)  # [n, L, E]
    for name, extreme in (("largest", loads.max(-1)), ("smallest", loads.min(-1))):
        for step, layers in zip(steps, extreme, strict=True):
            for layer, load in enumerate(layers):
                label = f"layer{layer}/{_CURVES}{name}_load"
                yield Point(run, label, int(step), float(load))
