"""A request is written, checked at every key, and submitted."""

from __future__ import annotations

from typing import Any

import dash
from dash import Input, Output, State, dcc, html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from moeprobe.catalog import Dataset, Model
from moeprobe.client import Client
from moeprobe.dashboard.context import Context
from moeprobe.dashboard.elements import facts, labelled
from moeprobe.dashboard.page import Page, Query
from moeprobe.dashboard.views.catalogue import short_name
from moeprobe.dashboard.views.starter import starter_experiment, starter_request
from moeprobe.dashboard.views.validation import Verdict, verdict_on
from moeprobe.errors import MoeprobeError, UnauthenticatedError, UnavailableError
from moeprobe.request.request import YamlText
from moeprobe.request.writer import request_yaml

# Stands for a model in the list of them: no model, but some to be trained.
_TRAIN = "kind: train"


def _begin(
    client: Client, query: Query, models: list[Model], datasets: list[Dataset]
) -> str:
    """Return the request to begin with: that of another job, or a new one."""
    if number := query.number("from"):
        return request_yaml(client.job(number).status().request)
    wanted = query.search.get("model", "")
    usable = [m for m in models if not m.problem]
    preferred = [m for m in usable if wanted in ("", m.name)]
    moe = [m for m in preferred if m.expert_count or wanted]
    model = next(iter(moe or preferred), None)
    return _starter(model, datasets[0] if datasets else None, datasets)


def _starter(
    model: Model | None, dataset: Dataset | None, datasets: list[Dataset]
) -> str:
    if dataset is None:
        return starter_request(model, "")
    return starter_request(model, short_name(dataset, datasets), dataset.kind)


def _model_options(models: list[Model]) -> list[dict[str, str]]:
    usable = [{"value": m.name, "label": m.name} for m in models if not m.problem]
    return [{"value": _TRAIN, "label": "none: train small ones"}, *usable]


def _dataset_options(datasets: list[Dataset]) -> list[dict[str, str]]:
    return [
        {"value": d.name, "label": f"{d.display_name or d.name} ({d.kind})"}
        for d in datasets
    ]


def _choice(name: str, label: str, options: list[dict[str, str]]) -> Component:
    chooser = dcc.Dropdown(id=name, options=options, placeholder="any on the server")
    return html.Label([label, chooser], htmlFor=name)


def layout(context: Context, query: Query) -> Component:
    """Return the page, with a request that could be submitted."""
    client = context.client
    models, datasets = client.models(), client.datasets()
    return html.Section(
        [
            html.H1("Submit"),
            html.Div(
                [
                    _choice(
                        "submit-model",
                        "Begin with the model",
                        _model_options(models),
                    ),
                    _choice(
                        "submit-dataset",
                        "on the data set",
                        _dataset_options(datasets),
                    ),
                ],
                className="tools",
            ),
            html.Div(
                [
                    labelled(
                        "The request",
                        dcc.Textarea(
                            id="submit-text",
                            value=_begin(client, query, models, datasets),
                            spellCheck=False,
                        ),
                    ),
                    html.Div(
                        [
                            html.Div(id="submit-verdict", role="status"),
                            html.Button("Submit", id="submit-button", disabled=True),
                        ],
                        className="verdict",
                    ),
                ],
                className="columns",
            ),
        ]
    )


def _show(verdict: Verdict) -> Component:
    if not verdict.is_right:
        rows = [
            html.Li([html.Small(c.line), html.Code(c.field), html.Span(c.what)])
            for c in verdict.complaints
        ]
        return html.Div(
            [html.H2("Not yet a request"), html.Ul(rows, className="complaints")]
        )
    warnings = html.Ul([html.Li(w) for w in verdict.warnings], className="warnings")
    return html.Div(
        [
            html.H2("Ready"),
            facts(verdict.estimate, "long"),
            warnings if verdict.warnings else None,
        ]
    )


def register(app: dash.Dash, context: Context) -> None:
    """Add the callbacks."""

    @app.callback(
        Output("submit-verdict", "children"),
        Output("submit-button", "disabled"),
        Input("submit-text", "value"),
    )
    def validate(text: str | None) -> tuple[Component, bool]:
        try:
            verdict = verdict_on(context.client.validate(YamlText(text or "")))
        except (UnauthenticatedError, UnavailableError):
            raise
        except MoeprobeError as error:
            verdict = verdict_on(error)
        return _show(verdict), not verdict.is_right

    @app.callback(
        Output("submit-text", "value"),
        Input("submit-model", "value"),
        Input("submit-dataset", "value"),
        prevent_initial_call=True,
    )
    def begin(model: str | None, dataset: str | None) -> str:
        client = context.client
        models = [m for m in client.models() if m.name == model]
        datasets = client.datasets()
        named = [d for d in datasets if d.name == dataset] or datasets[:1]
        if not model and not dataset:
            raise PreventUpdate
        chosen = next(iter(named), None)
        if model == _TRAIN:
            name = short_name(chosen, datasets) if chosen else ""
            return starter_experiment(name, chosen.kind if chosen else "text")
        return _starter(next(iter(models), None), chosen, datasets)

    @app.callback(
        Output("url", "href", allow_duplicate=True),
        Input("submit-button", "n_clicks"),
        State("submit-text", "value"),
        prevent_initial_call=True,
    )
    def submit(clicks: int | None, text: str) -> Any:
        if not clicks:
            raise PreventUpdate
        return f"/jobs/{context.client.submit(YamlText(text)).id}"


PAGE = Page("/submit", "Submit", layout, register)
