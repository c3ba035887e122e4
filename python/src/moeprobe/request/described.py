"""What requests of every kind have, from requests as dictionaries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Request = Mapping[str, Any]


def is_experiment(request: Request) -> bool:
    """Tell whether a request trains models."""
    return request.get("kind") == "train"


def counted(count: int | str, noun: str) -> str:
    """Return "1 seed", "3 seeds", "2 to 3 seeds"."""
    return f"{count} {noun}{'' if str(count) == '1' else 's'}"


def subject_of(request: Request) -> str:
    """Return what is looked at: the model, or "3 variants x 5 seeds"."""
    if not is_experiment(request):
        return str(request.get("model", ""))
    variants, seeds = request.get("variants", {}), request.get("seeds", [])
    return f"{counted(len(variants), 'variant')} x {counted(len(seeds), 'seed')}"


def loss_unit(request: Request) -> str:
    """Return what the losses of an experiment are numbers of."""
    data: Request = request.get("data", {})
    objective = data.get("synthetic", {}).get("objective")
    return "squared error" if objective == "regression" else "nats"


def probes_of(request: Request) -> Request:
    """Return what is computed, by probe."""
    holder = request.get("probe", {}) if is_experiment(request) else request
    probes: Request = holder.get("probes", {})
    return probes
