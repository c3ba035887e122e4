"""A job's progress on the screen: a bar in a terminal or a notebook."""

from __future__ import annotations

import sys
import types

from tqdm.auto import tqdm

from moeprobe.events import (
    Event,
    JobState,
    PlaceEvent,
    ProgressEvent,
    StateEvent,
    WarningEvent,
)

_FORMAT = "{desc} {percentage:3.0f} %|{bar:30}| {elapsed}<{remaining}{postfix}"


def _printable(text: str) -> str:
    """Return `text` without what would move a terminal's cursor."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _place(event: PlaceEvent) -> str:
    ahead = f"{event.queue_position} ahead"
    if event.estimated_start_time is None:
        return ahead
    start = event.estimated_start_time.astimezone()
    return f"{ahead}, to start about {start:%Y-%m-%d %H:%M}"


class ProgressBar:
    """Shows events as they come; a context manager that leaves the last state.

    Shows nothing where `shown` is False, and no bar where nobody would see it.
    """

    def __init__(self, label: str, *, shown: bool) -> None:
        self._label = label
        self._bar = tqdm(
            total=1.0,
            desc=label,
            bar_format=_FORMAT,
            disable=None if shown else True,
            leave=True,
        )

    def observe(self, event: Event) -> None:
        """Show what happened."""
        match event:
            case StateEvent():
                if event.state is JobState.SUCCEEDED:
                    self._bar.n = 1.0
                self._bar.set_postfix_str("", refresh=False)
                self._bar.set_description_str(f"{self._label} {event.state.value}")
            case ProgressEvent():
                self._bar.n = event.fraction
                self._bar.set_postfix_str(_printable(event.phase))
            case PlaceEvent():
                self._bar.set_postfix_str(_place(event))
            case WarningEvent():
                text = f"{self._label}: warning: {_printable(event.text)}"
                self._bar.write(text, file=sys.stderr)

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: types.TracebackType | None,
    ) -> None:
        self._bar.refresh()
        self._bar.close()
