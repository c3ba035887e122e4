"""Who is logged in: tokens by the random ids that browsers keep in a cookie."""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

_MOST = 1000
_IDLE_SECONDS = 12 * 3600.0


class Sessions:
    """Tokens of browsers that logged in; in memory, and nowhere else.

    One that is not used for twelve hours ends, and so does the one that was used
    the longest ago where there are too many. Thread-safe.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._tokens: OrderedDict[str, tuple[str, float]] = OrderedDict()
        # Cookies know no ports: another dashboard here has one of another name.
        self.cookie = f"moeprobe-{secrets.token_hex(4)}"

    def begin(self, token: str) -> str:
        """Return the id of a new session."""
        session = secrets.token_urlsafe(32)
        with self._lock:
            self._tokens[session] = (token, self._clock())
            while len(self._tokens) > _MOST:
                self._tokens.popitem(last=False)
        return session

    def token(self, session: str | None) -> str | None:
        """Return the token of a session; None if there is no such session."""
        with self._lock:
            token, used = self._tokens.get(session or "", ("", 0.0))
            if not token or session is None:
                return None
            if self._clock() - used > _IDLE_SECONDS:
                del self._tokens[session]
                return None
            self._tokens[session] = (token, self._clock())
            self._tokens.move_to_end(session)
            return token

    def end(self, session: str | None) -> None:
        """Forget a session."""
        with self._lock:
            self._tokens.pop(session or "", None)
