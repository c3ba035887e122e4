"""What the server says of a request that is being written."""

from __future__ import annotations

import dataclasses
import re

from moeprobe.dashboard.views.times import span
from moeprobe.errors import MoeprobeError, RequestError
from moeprobe.estimate import Estimate, Validation
from moeprobe.report.numbers import size

# A path such as "probes.pca.components" or "data[0].text".
_FIELD = re.compile(r"([a-z][\w.\[\]]*): (.+)", re.DOTALL)


@dataclasses.dataclass(frozen=True)
class Complaint:
    """Something wrong: where in the text, at which field, and what."""

    line: str
    field: str
    what: str


@dataclasses.dataclass(frozen=True)
class Verdict:
    """Whether a request can be submitted, and what to know about it."""

    is_right: bool
    complaints: list[Complaint]
    warnings: list[str]
    estimate: list[tuple[str, str]]


def verdict_on(found: Validation | MoeprobeError) -> Verdict:
    """Return what to show of what `Client.validate` returned or raised."""
    if isinstance(found, Validation):
        return Verdict(
            is_right=True,
            complaints=[],
            warnings=found.warnings,
            estimate=_estimate(found.estimate),
        )
    return Verdict(
        is_right=False, complaints=_complaints(found), warnings=[], estimate=[]
    )


def _complaints(error: MoeprobeError) -> list[Complaint]:
    problems = error.problems if isinstance(error, RequestError) else ()
    if not problems:
        return [Complaint("", "", str(error))]
    found = []
    for problem in problems:
        place = f"line {problem.line}" if problem.line else ""
        named = _FIELD.fullmatch(problem.what)
        field, what = named.groups() if named else ("", problem.what)
        found.append(Complaint(place, field, what))
    return found


def _estimate(estimate: Estimate | None) -> list[tuple[str, str]]:
    if estimate is None:
        return [("time", "not known yet: no worker has said how fast it is")]
    groups = f"{estimate.cached_group_count} of {estimate.group_count}"
    return [
        ("time", f"about {span(estimate.seconds)}"),
        ("memory at its peak", size(estimate.peak_memory_bytes)),
        ("read from disk", size(estimate.disk_read_bytes)),
        ("written to disk", size(estimate.disk_write_bytes)),
        ("already known", f"{groups} groups of numbers"),
    ]
