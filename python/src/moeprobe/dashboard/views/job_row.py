"""A job as a line of a list."""

from __future__ import annotations

import dataclasses
import datetime

from moeprobe.dashboard.views.times import moment, spent
from moeprobe.events import JobState
from moeprobe.job_status import JobStatus

# Marks that tell states apart without colours.
_MARKS = {
    JobState.QUEUED: "\N{WHITE CIRCLE}",
    JobState.RUNNING: "\N{BLACK RIGHT-POINTING TRIANGLE}",
    JobState.CANCELLING: "\N{WHITE SQUARE}",
    JobState.SUCCEEDED: "\N{CHECK MARK}",
    JobState.FAILED: "\N{MULTIPLICATION SIGN}",
    JobState.CANCELLED: "\N{BLACK SQUARE}",
}


@dataclasses.dataclass(frozen=True)
class JobRow:
    """What a list says of a job."""

    number: int
    label: str
    model: str
    owner: str  # and who may see it, where not everybody may
    state: str
    mark: str
    fraction: float
    detail: str  # what it does, waits for, or why it ended
    created: str
    spent: str
    can_be_cancelled: bool


def number_of(name: str) -> int:
    """Return 17 for "jobs/17"."""
    return int(name.removeprefix("jobs/"))


def _detail(status: JobStatus) -> str:
    if status.error:
        return status.error
    if status.state is JobState.QUEUED:
        ahead = status.queue_position
        place = f"{ahead} ahead of it" if ahead else "next in the queue"
        start = status.estimated_start_time
        return f"{place}, to start about {moment(start)}" if start else place
    return status.phase if not status.state.is_final else ""


def _model(status: JobStatus) -> str:
    baseline = status.request.get("baseline")
    return f"{status.subject} beside {baseline}" if baseline else status.subject


def _owner(status: JobStatus) -> str:
    if status.visibility != "private":
        return status.owner
    readers = ", ".join(status.shared_with)
    return (
        f"{status.owner}, shared with {readers}"
        if readers
        else (f"{status.owner}, private")
    )


def job_row(status: JobStatus, now: datetime.datetime) -> JobRow:
    """Return the line of a job."""
    done = status.state is JobState.SUCCEEDED
    return JobRow(
        number=number_of(status.name),
        label=status.label or "without a name",
        model=_model(status),
        owner=_owner(status),
        state=status.state.value,
        mark=_MARKS.get(status.state, "?"),
        fraction=1.0 if done else status.fraction,
        detail=_detail(status),
        created=moment(status.create_time),
        spent=spent(status, now),
        can_be_cancelled=status.state in (JobState.QUEUED, JobState.RUNNING),
    )


def chosen_rows(rows: list[JobRow], state: str, words: str) -> list[JobRow]:
    """Return the rows in a state ("all": any) that have all words somewhere."""
    wanted = words.lower().split()
    return [
        row
        for row in rows
        if state in ("all", row.state)
        and all(
            w in f"{row.number} {row.label} {row.model} {row.owner}".lower()
            for w in wanted
        )
    ]
