"""What a page of the dashboard is."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from urllib.parse import parse_qs

import dash
from dash import ClientsideFunction, Output
from dash.dependencies import DashDependency
from dash.development.base_component import Component

from moeprobe.dashboard.context import Context


def in_browser(app: dash.Dash, function: str, *places: DashDependency) -> None:
    """Let a function of assets/dashboard.js be called by the browser itself.

    `places`: an output, then inputs and states.
    """
    called = ClientsideFunction("moeprobe", function)
    app.clientside_callback(called, *places)  # type: ignore[no-untyped-call]


def not_meanwhile(interval: str) -> list[tuple[Output, bool, bool]]:
    """Keep a poll from being asked again before it is answered (`running`).

    Dash drops the answer to a question that was asked again: a server that is slow
    would never be heard.
    """
    return [(Output(interval, "disabled"), True, False)]


@dataclasses.dataclass(frozen=True)
class Query:
    """What an address says: the parts of its path, and what follows "?"."""

    path: Mapping[str, str]
    search: Mapping[str, str]

    def number(self, name: str, otherwise: int = 0) -> int:
        """Return a number of the path or of what follows it."""
        text = self.path.get(name) or self.search.get(name, "")
        return int(text) if re.fullmatch(r"\d{1,15}", text) else otherwise


@dataclasses.dataclass(frozen=True)
class Page:
    """A page: its address as a pattern, its title, and what is on it.

    `layout` may raise MoeprobeError. `register` adds its callbacks, once.
    """

    pattern: str
    title: str
    layout: Callable[[Context, Query], Component]
    register: Callable[[dash.Dash, Context], None]

    def query(self, pathname: str, search: str) -> Query | None:
        """Return what an address says, if it is this page's."""
        found = re.fullmatch(self.pattern, pathname)
        if not found:
            return None
        values = parse_qs(search.removeprefix("?"))
        return Query(found.groupdict(), {name: v[-1] for name, v in values.items()})
