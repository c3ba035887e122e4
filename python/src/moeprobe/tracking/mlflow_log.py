"""Logs results to MLflow."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from moeprobe.job import Job
from moeprobe.result.result import Result
from moeprobe.result.result_json import result_json
from moeprobe.result.summary_csv import summary_csv
from moeprobe.tracking.points import Point, settings_of
from moeprobe.tracking.snapshots import NewPoints, snapshots

if TYPE_CHECKING:
    import mlflow

# What a server of MLflow takes at once.
_MOST_METRICS = 1000
_MOST_PARAMETERS = 100
_LONGEST_VALUE = 6000
_PARENT = "mlflow.parentRunId"
_STATUS = {"succeeded": "FINISHED", "cancelled": "KILLED", "failed": "FAILED"}


def to_mlflow(
    source: Job | Result,
    experiment: str = "moeprobe",
    *,
    tracking_uri: str | None = None,
) -> str:
    """Log a result as a run of `experiment`, and return the run's id.

    The request becomes parameters; result.json and summary.csv are kept beside the
    metrics. Where a job is several runs (variants and seeds, cells of a sweep), each
    is a run below it. A job is followed to its end. `tracking_uri` is where MLflow
    keeps runs; by default, where it is set up to. Needs the extra `mlflow`.
    """
    import mlflow  # noqa: PLC0415 (an extra)

    log = _Log(mlflow.MlflowClient(tracking_uri), experiment)
    new = NewPoints()
    last = None
    try:
        for result in snapshots(source):
            last = result
            for run, points in new.of(result).items():
                log.add(result, run, points)
    finally:
        log.end(last)
    return log.parent


class _Log:
    """Runs of MLflow, made when there is something to log."""

    def __init__(self, client: mlflow.MlflowClient, experiment: str) -> None:
        self._client = client
        found = client.get_experiment_by_name(experiment)
        self._experiment = (
            found.experiment_id if found else client.create_experiment(experiment)
        )
        self._runs: dict[str, str] = {}

    @property
    def parent(self) -> str:
        """Id of the run of the whole job."""
        return self._runs[""]

    def add(self, result: Result, run: str, points: list[Point]) -> None:
        """Log points of a run."""
        from mlflow.entities import Metric  # noqa: PLC0415 (an extra)

        self._begin(result)
        if run not in self._runs:
            tags = {_PARENT: self.parent}
            self._runs[run] = self._create(run, settings_of(result)[run], tags)
        now = round(time.time() * 1000)
        for start in range(0, len(points), _MOST_METRICS):
            part = points[start : start + _MOST_METRICS]
            metrics = [Metric(p.name, p.value, now, p.step) for p in part]
            self._client.log_batch(self._runs[run], metrics=metrics)

    def end(self, result: Result | None) -> None:
        """End all runs as the job has ended; None: nothing came of it."""
        if result is not None:
            self._begin(result)
            self._client.log_text(
                self.parent, result_json(result.document), "result.json"
            )
            self._client.log_text(
                self.parent, summary_csv(result.document), "summary.csv"
            )
        state = result.document["job"]["state"] if result else "failed"
        for run in self._runs.values():
            self._client.set_terminated(run, _STATUS.get(state, "FAILED"))

    def _begin(self, result: Result) -> None:
        """Make the run of the whole job."""
        if "" not in self._runs:
            name = str(result.request.get("name") or result.job)
            tags = {"moeprobe.job": result.job}
            self._runs[""] = self._create(name, _flat(result.request), tags)

    def _create(
        self, name: str, parameters: Mapping[str, Any], tags: dict[str, str]
    ) -> str:
        from mlflow.entities import Param  # noqa: PLC0415 (an extra)

        run = self._client.create_run(self._experiment, run_name=name, tags=tags)
        identity = str(run.info.run_id)
        params = [Param(k, str(v)[:_LONGEST_VALUE]) for k, v in parameters.items()]
        for start in range(0, len(params), _MOST_PARAMETERS):
            part = params[start : start + _MOST_PARAMETERS]
            self._client.log_batch(identity, params=part)
        return identity


def _flat(request: Any, path: str = "") -> dict[str, Any]:
    """Return the fields of a request by paths such as "data.tokens"."""
    if isinstance(request, Mapping) and (request or not path):
        steps = {f"{path}.{k}" if path else str(k): v for k, v in request.items()}
    elif isinstance(request, list) and request and isinstance(request[0], Mapping):
        steps = {f"{path}.{i}": v for i, v in enumerate(request)}
    else:
        return {path: request}
    flat: dict[str, Any] = {}
    for step, value in steps.items():
        flat |= _flat(value, step)
    return flat
