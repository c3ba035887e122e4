"""Models and data sets as lines of lists."""

from __future__ import annotations

import dataclasses
from urllib.parse import urlencode

from moeprobe.catalog import Dataset, Model
from moeprobe.dashboard.views.job_row import number_of
from moeprobe.dashboard.views.times import moment
from moeprobe.report.numbers import size

_DIGEST_LENGTH = 12


@dataclasses.dataclass(frozen=True)
class ModelRow:
    """What a list says of a model; `jobs` run on it now, and may be seen."""

    name: str
    family: str
    layers: str
    experts: str
    width: str
    size: str
    problem: str
    jobs: list[int]

    @property
    def submit_link(self) -> str:
        """The address of a form that begins with this model."""
        return f"/submit?{urlencode({'model': self.name})}"


@dataclasses.dataclass(frozen=True)
class DatasetRow:
    """What a list says of a data set."""

    name: str
    kind: str
    size: str
    uploaded: str
    digest: str


def model_rows(models: list[Model]) -> list[ModelRow]:
    """Return the lines of models, those with problems last."""
    rows = [
        ModelRow(
            name=model.name,
            family=model.family,
            layers=str(model.layer_count),
            experts=_experts(model),
            width=str(model.width),
            size=size(model.size_bytes),
            problem=model.problem,
            jobs=_jobs_on(model),
        )
        for model in models
    ]
    return sorted(rows, key=lambda row: bool(row.problem))


def _jobs_on(model: Model) -> list[int]:
    """Return the running jobs that the reader may see."""
    holders = model.memory.holders if model.memory else []
    return sorted(number_of(holder.job) for holder in holders if holder.job)


def _experts(model: Model) -> str:
    if not model.expert_count:
        return "dense"
    return f"{model.expert_count}, top {model.experts_per_token}"


def short_name(dataset: Dataset, datasets: list[Dataset]) -> str:
    """Return a name that requests can use: the file's, where it says which one."""
    shown = dataset.display_name
    is_alone = [d.display_name for d in datasets].count(shown) == 1
    return shown if is_alone and shown.isprintable() and shown else dataset.name


def dataset_rows(datasets: list[Dataset]) -> list[DatasetRow]:
    """Return the lines of data sets."""
    return [
        DatasetRow(
            name=dataset.display_name or dataset.name,
            kind=dataset.kind,
            size=size(dataset.size_bytes),
            uploaded=moment(dataset.create_time),
            digest=dataset.sha256[:_DIGEST_LENGTH],
        )
        for dataset in datasets
    ]
