"""Moments and spans of time as text."""

from __future__ import annotations

import datetime

from moeprobe.job_status import JobStatus
from moeprobe.report.numbers import ABSENT

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def span(seconds: float) -> str:
    """Return "0.4 s", "12 s", "3 min 5 s", "2 h 10 min" or "3 d 4 h"."""
    seconds = max(seconds, 0.0)
    if seconds < 9.95:  # noqa: PLR2004 (rounds to 10)
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR} h"


def now() -> datetime.datetime:
    """Return this moment."""
    return datetime.datetime.now(datetime.timezone.utc)


def moment(time: datetime.datetime | None) -> str:
    """Return a moment to the minute, in the time zone of this machine.

    The year is left out where it is this one.
    """
    if time is None:
        return ABSENT
    here = time.astimezone()
    year = "" if here.year == now().astimezone().year else f"{here.year} "
    return f"{here.day} {here:%b} {year}{here:%H:%M}"


def spent(status: JobStatus, now: datetime.datetime) -> str:
    """Return how long a job has run, and of how much as far as that is known."""
    if status.cached:
        return "from the cache"
    if status.start_time is None:
        return ABSENT
    taken = ((status.end_time or now) - status.start_time).total_seconds()
    if status.state.is_final or status.estimated_seconds is None:
        return span(taken)
    return f"{span(taken)} of about {span(status.estimated_seconds)}"
