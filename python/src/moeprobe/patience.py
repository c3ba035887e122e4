"""How long a server that does not answer is tried again."""

import time

_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 1.0


class Patience:
    """Pauses between tries, in seconds; they grow until the time is up."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.restart()

    def restart(self) -> None:
        """Begin anew: the server has answered."""
        self._end = time.monotonic() + self._seconds
        self._pause = _FIRST_PAUSE

    def next_pause(self) -> float | None:
        """Return how long to wait before the next try; None to give up."""
        pause = self._pause
        if time.monotonic() + pause > self._end:
            return None
        self._pause = min(2 * pause, _LONGEST_PAUSE)
        return pause
