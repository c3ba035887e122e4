"""What pages show, and who may see them: functions and requests, no browser."""

import dataclasses
import datetime
import json
import math
import sys

import experiments
import moeprobe
import numpy as np
import pytest
import service
from moeprobe import command_line
from moeprobe.catalog import Dataset, Model, ModelHolder, ModelMemory
from moeprobe.dashboard import Settings, make_app
from moeprobe.dashboard.access import content_security_policy, local_path
from moeprobe.dashboard.elements import drawn
from moeprobe.dashboard.pages import job as job_page
from moeprobe.dashboard.pages import training as training_page
from moeprobe.dashboard.parts.job_explorer import pair_section
from moeprobe.dashboard.results import Part, Results, is_matrix, is_of_layer
from moeprobe.dashboard.sessions import Sessions
from moeprobe.dashboard.views.catalogue import model_rows, short_name
from moeprobe.dashboard.views.cells import cell_options, first_cell
from moeprobe.dashboard.views.comparison import (
    asked_jobs,
    common_choices,
    distributions,
    means_over_layers,
)
from moeprobe.dashboard.views.explorer import (
    choices_of,
    first_pair,
    matrix_figure,
    order_of,
)
from moeprobe.dashboard.views.job_row import chosen_rows, job_row
from moeprobe.dashboard.views.marked import marked
from moeprobe.dashboard.views.pair import pair_detail
from moeprobe.dashboard.views.server_state import server_state
from moeprobe.dashboard.views.starter import starter_experiment, starter_request
from moeprobe.dashboard.views.times import moment, now, span, spent
from moeprobe.dashboard.views.validation import Complaint, verdict_on
from moeprobe.errors import RequestError
from moeprobe.estimate import Estimate, Validation
from moeprobe.figures.figure import Heat
from moeprobe.result.cells import CellIndex

UTC = datetime.timezone.utc
NOON = datetime.datetime(2026, 1, 2, 12, tzinfo=UTC)
ALIGNMENT, DISTANCE = "jacobian_cosine/routed", "grassmann/routed"


@pytest.fixture(scope="module")
def status(full_job):
    return full_job.status()


def model(name="m", **changes):
    known = Model(name, "mixtral", 4, 8, 2, 64, 10_000_000, "")
    return dataclasses.replace(known, **changes)


def dataset(name, display_name):
    return Dataset(name, display_name, "text", "0" * 64, 5, NOON, "bob", "lab", [])


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (9.96, "10 s"),
        (61, "1 min 1 s"),
        (7260, "2 h 1 min"),
        (2 * 86400 + 3600, "2 d 1 h"),
        (-1, "0.0 s"),
    ],
)
def test_spans_of_time(seconds, text):
    assert span(seconds) == text


def test_moments_have_a_year_where_it_is_another():
    assert "2019" in moment(NOON.replace(year=2019))
    assert str(now().year) not in moment(now())
    assert moment(None) == "\N{EN DASH}"


def test_a_job_says_how_long_it_takes(status):
    running = dataclasses.replace(
        status,
        state=moeprobe.JobState.RUNNING,
        cached=False,
        start_time=NOON,
        end_time=None,
        estimated_seconds=60.0,
    )
    later = NOON + datetime.timedelta(seconds=12)
    assert spent(running, later) == "12 s of about 1 min 0 s"
    assert spent(dataclasses.replace(running, estimated_seconds=None), later) == "12 s"
    assert spent(dataclasses.replace(running, cached=True), later) == "from the cache"
    assert spent(dataclasses.replace(running, start_time=None), later) == "\N{EN DASH}"


def test_a_row_says_what_a_job_waits_for(status):
    queued = dataclasses.replace(
        status, state=moeprobe.JobState.QUEUED, fraction=0.0, queue_position=2, error=""
    )
    row = job_row(queued, NOON)
    assert (row.detail, row.can_be_cancelled) == ("2 ahead of it", True)
    row = job_row(dataclasses.replace(queued, queue_position=0), NOON)
    assert row.detail == "next in the queue"
    row = job_row(dataclasses.replace(queued, estimated_start_time=NOON), NOON)
    assert row.detail == f"2 ahead of it, to start about {moment(NOON)}"
    failed = dataclasses.replace(queued, state=moeprobe.JobState.FAILED, error="why")
    assert job_row(failed, NOON).detail == "why"
    assert not job_row(failed, NOON).can_be_cancelled


def test_rows_are_chosen_by_state_and_words(status):
    rows = [job_row(status, NOON)]
    assert chosen_rows(rows, "all", "EVERY mixtral") == rows
    assert chosen_rows(rows, "all", "nothing") == []
    assert chosen_rows(rows, "failed", "") == []


def test_a_starter_is_a_request(client, root):
    for shape in (model("mixtral"), model("mixtral", layer_count=40, expert_count=60)):
        text = starter_request(shape, "NAME")
        found = moeprobe.request.request.read_request(moeprobe.YamlText(text))
        assert found.job.analyze.model == "mixtral"
    assert "early-middle-late" in text
    assert "gate, all" not in text
    assert "gate, all" in starter_request(model(), "x")
    hostile = 'a: b\n"\\'
    read = moeprobe.request.request.read_request
    text = starter_request(model("m"), 'q"\\: {x}')
    assert read(moeprobe.YamlText(text)).job.analyze.data[0].text == 'q"\\: {x}'
    with pytest.raises(RequestError):  # a name of several lines is refused, not split
        read(moeprobe.YamlText(starter_request(model(hostile), "x")))


@pytest.mark.parametrize("kind", ["text", "ids"])
def test_a_starter_of_an_experiment_is_a_request(kind):
    text = starter_experiment("a set", kind)
    spec = moeprobe.request.request.read_request(moeprobe.YamlText(text)).job.train
    assert getattr(spec.data, kind) == "a set"
    assert [variant.name for variant in spec.variants] == ["dense", "top-2", "soft"]


def test_starters_are_those_of_moeprobe_client(client, common_server, tmp_path):
    """But for a name, which lists of the dashboard show."""
    program = service.Client(common_server.address, tmp_path)

    def job(text):
        found = moeprobe.request.request.read_request(moeprobe.YamlText(text)).job
        getattr(found, found.WhichOneof("spec")).ClearField("name")
        return found

    models = [found for found in client.models() if not found.problem]
    assert models
    for found in models:
        theirs = job(program.ok("init", found.name))
        (data,) = theirs.analyze.data
        assert job(starter_request(found, data.text)) == theirs
    theirs = job(program.ok("init", "--train", "a set"))
    ours = job(starter_experiment("a set"))
    assert ours == theirs


def test_a_data_set_is_named_by_its_file_where_that_says_which():
    shown = {"a": "x.txt", "b": "y.txt", "c": "y.txt", "d": "z\n.txt"}
    sets = [dataset(f"datasets/{name}", file) for name, file in shown.items()]
    names = [short_name(d, sets) for d in sets]
    assert names == ["x.txt", "datasets/b", "datasets/c", "datasets/d"]


def memory_held_by(*jobs):
    holders = [ModelHolder(job, "bob" if job else "", 4711, NOON) for job in jobs]
    return ModelMemory(
        "loaded", 5, 5, holders, pinned=False, user="", request_time=None, problem=""
    )


def test_models_say_who_works_with_them():
    # A job that one may not see has no name.
    memory = memory_held_by("jobs/17", "", "jobs/3")
    rows = model_rows(
        [
            model("broken", problem="no weights"),
            model("mixtral", memory=memory),
            model("qwen3", memory=memory_held_by()),
        ]
    )
    found = {row.name: row.jobs for row in rows}
    assert found == {"mixtral": [3, 17], "qwen3": [], "broken": []}
    assert rows[-1].name == "broken"
    odd = model_rows([model("a&b ?=/")])[0]
    assert odd.submit_link == "/submit?model=a%26b+%3F%3D%2F"


def test_one_warning_is_counted_as_one(status):
    for warnings, text in ((["a"], "'1 warning'"), (["a", "b"], "'2 warnings'")):
        warned = dataclasses.replace(status, warnings=warnings)
        assert text in str(job_page.live_section(warned))


def test_complaints_stand_at_lines_and_fields(client):
    text = "kind: analyze\nmodel: mixtral\ndata: {ids: x, tokens: -3}\n"
    with pytest.raises(RequestError) as caught:
        client.validate(moeprobe.YamlText(text))
    verdict = verdict_on(caught.value)
    assert not verdict.is_right
    (complaint,) = verdict.complaints
    assert (complaint.line, complaint.field) == ("line 3", "data.tokens")
    assert "-3" in complaint.what
    bare = verdict_on(moeprobe.NotFoundError("there is no model x"))
    assert bare.complaints == [Complaint("", "", "there is no model x")]


def test_what_is_right_comes_with_its_estimate():
    estimate = Estimate(90.0, 2_000_000_000, 0, 0, 8, 3)
    verdict = verdict_on(Validation({}, ["careful"], estimate))
    assert verdict.is_right
    assert ("time", "about 1 min 30 s") in verdict.estimate
    assert ("memory at its peak", "2.0 GB") in verdict.estimate
    assert ("already known", "3 of 8 groups of numbers") in verdict.estimate
    unknown = verdict_on(Validation({}, [], None)).estimate
    assert unknown[0][1].startswith("not known yet")


def test_files_of_the_dashboard_are_not_read(client, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("a secret of this machine " * 500)
    text = f"model: tiny-mixtral\ndata: {{text: {secret}}}\n"
    with pytest.raises(moeprobe.MoeprobeError, match=r"secret\.txt"):
        client.submit(moeprobe.YamlText(text))
    assert "secret.txt" not in {d.display_name for d in client.datasets()}


def test_only_what_is_shown_is_fetched():
    part = Part(cell=3, data=1)
    index = CellIndex([{"prefix": f"sweep{i}/"} for i in range(4)])
    assert is_matrix(index.place_of("sweep3/data1/layer2/grassmann/routed"), part)
    assert is_matrix(
        index.place_of("sweep3/data1/layer2/grassmann/routed/null_mean"), part
    )
    assert not is_matrix(index.place_of("sweep2/data1/layer2/grassmann/routed"), part)
    assert not is_matrix(
        index.place_of("sweep3/data1/layer2/grassmann/routed/null_draws"), part
    )
    assert not is_matrix(
        index.place_of("sweep3/data1/baseline/layer2/coactivation"), part
    )
    assert not is_matrix(
        index.place_of("sweep3/data1/layer2/pca/routed/eigenvalues"), part
    )
    assert is_of_layer(
        index.place_of("sweep3/data1/layer2/pca/routed/eigenvalues"), part, 2, 1
    )
    assert is_of_layer(
        index.place_of("sweep3/data1/baseline/layer1/pca/all/gap"), part, 2, 1
    )
    assert not is_of_layer(
        index.place_of("sweep3/data1/baseline/layer2/pca/all/gap"), part, 2, 1
    )
    assert not is_of_layer(
        index.place_of("sweep3/data1/layer2/pca/routed/basis"), part, 2, 1
    )


def test_results_are_kept_for_whoever_fetched_them(common_server, full_job, status):
    results = Results()
    with (
        moeprobe.Client(common_server.address) as one,
        moeprobe.Client(common_server.address) as other,
    ):
        first = results.overview(one, status)
        assert results.overview(one, status) is first
        assert results.overview(other, status) is not first
        assert not first.arrays
        layer = results.layer(one, status, Part(), 1)
        assert set(layer.model["expert_count"].layer.values) == {1}


@pytest.mark.parametrize("data_sets", [1, 2])
def test_a_part_of_a_sweep_is_what_select_gives(client, ids, data_sets):
    data = [{"ids": ids, "sequence_length": n} for n in (32, 64)][:data_sets]
    request = {
        "model": "mixtral",
        "data": data,
        "layers": [1, 2],
        "sweep": {"routing.temperature": [0.5, 2]},
        "nulls": {"random_router": 0, "bootstrap": 0},
    }
    job = client.submit(request).wait(progress=False)
    whole = job.result()
    part = Part(cell=1, data=data_sets - 1)
    found = Results().matrices(client, job.status(), part)
    expected = whole.select(part.cell, part.data)
    for quantity in choices_of(expected).left:
        np.testing.assert_array_equal(
            found[quantity].value.values, expected[quantity].value.values
        )
    assert found.document == expected.document


def test_there_is_a_choice_of_what_there_is(full_result):
    choices = choices_of(full_result)
    assert choices.layers == [0, 1, 2]
    assert choices.left[0] == ALIGNMENT
    assert choices.right[0] == DISTANCE
    assert "output_similarity" in choices.left
    assert not any("error" in q or "split" in q for q in choices.left + choices.right)


def test_limits_hold_all_layers(full_result):
    figures = [
        matrix_figure([("", full_result)], DISTANCE, layer) for layer in (0, 1, 2)
    ]
    assert len({figure.colours.limits for figure in figures}) == 1
    values = full_result[DISTANCE].value.values
    off_diagonal = values[:, ~np.eye(values.shape[-1], dtype=bool)]
    low, high = figures[0].colours.limits
    assert low == pytest.approx(np.nanmin(off_diagonal))
    assert high == pytest.approx(np.nanmax(off_diagonal))


def test_both_sides_have_one_order(full_result):
    order = order_of(full_result, 1, ALIGNMENT, DISTANCE, "right")
    assert sorted(order.tolist()) == list(range(6))
    for quantity in (ALIGNMENT, DISTANCE):
        figure = matrix_figure([("", full_result)], quantity, 1, order)
        (heat,) = [m for m in figure.panels[0].marks if isinstance(m, Heat)]
        assert heat.rows == [str(e) for e in order]
        matrix = full_result[quantity].value.sel(layer=1).values
        assert heat.matrix[0, 1] == matrix[order[0], order[1]]
    assert order_of(full_result, 1, ALIGNMENT, DISTANCE, "number") is None


def test_the_first_pair_stands_out(full_result):
    pair = first_pair(full_result, ALIGNMENT, 1)
    matrix = np.abs(full_result[ALIGNMENT].value.sel(layer=1).values)
    assert matrix[pair] == np.nanmax(np.triu(matrix, 1))
    closest = first_pair(full_result, DISTANCE, 1)
    distances = full_result[DISTANCE].value.sel(layer=1).values
    assert distances[closest] == np.nanmin(distances[np.triu_indices(6, 1)])


def test_a_frame_stands_around_both_cells_of_a_pair(full_result):
    order = np.array([3, 1, 0, 2, 5, 4])
    figure = drawn(matrix_figure([("", full_result)], DISTANCE, 1, order))
    shapes = marked(figure, (0, 4))["layout"]["shapes"]
    centres = {((s["x0"] + s["x1"]) / 2, (s["y0"] + s["y1"]) / 2) for s in shapes}
    assert centres == {(5, 2), (2, 5)}
    again = drawn(matrix_figure([("", full_result)], DISTANCE, 1, order))
    assert marked(again, (0, 99))["layout"]["shapes"] == []


def test_a_pair_says_everything_about_it(full_result):
    detail = pair_detail(full_result, 1, 4, 2)
    rows = {row[0]: row[1:] for row in detail.table.rows}
    matrix = full_result[DISTANCE].value.sel(layer=1).values
    value, rank, mean, null, p = rows["distance, routed"][:5]
    assert float(value) == pytest.approx(matrix[4, 2], abs=1e-3)
    pairs = matrix[np.triu_indices(6, 1)]
    assert rank == f"{(pairs > matrix[4, 2]).sum() + 1} of 15"
    assert float(mean.split()[0]) == pytest.approx(pairs.mean(), abs=1e-3)
    known = full_result[DISTANCE].sel(layer=1)
    assert float(null.split()[0]) == pytest.approx(known.null_mean.item(), abs=1e-3)
    assert float(p) == pytest.approx(known.p.item(), abs=1e-3)
    for name in ("cosine, routed", "cosine, gate", "cosine, all", "cosine, token"):
        assert name in rows
    facts = dict(detail.facts)
    counts = full_result["expert_count"].value.sel(layer=1).values
    assert facts["load of 4"].startswith(f"{counts[4]:,} tokens")
    shared = full_result["coactivation"].value.sel(layer=1).values[4, 2]
    assert facts["together"].startswith(f"{shared:,} tokens, ")
    titles = [panel.title for panel in detail.figure.panels]
    assert titles == [
        "Jacobians at single tokens",
        "variance of inputs, routed",
        "principal angles, routed",
        "load",
    ]


@pytest.mark.parametrize("pair", [(0, 0), (-1, 2), (2, 6)])
def test_there_is_no_pair_of_others(full_result, pair):
    assert pair_detail(full_result, 1, *pair) is None


def test_a_pair_without_numbers_is_dashes(full_result):
    arrays = dict(full_result.arrays)
    name = f"layer1/{DISTANCE}"
    arrays[name] = arrays[name].copy()
    arrays[name][4, :] = arrays[name][:, 4] = math.nan
    result = moeprobe.Result(full_result.document, arrays)
    rows = {row[0]: row[1:] for row in pair_detail(result, 1, 4, 2).table.rows}
    assert rows["distance, routed"][:2] == ["\N{EN DASH}", "\N{EN DASH}"]


def test_compared_jobs_share_limits(full_result):
    document = json.loads(json.dumps(full_result.document))
    document["job"]["name"] = "jobs/99"
    arrays = {n: 2 * a if n.endswith(DISTANCE) else a
              for n, a in full_result.arrays.items()}  # fmt: skip
    results = [full_result, moeprobe.Result(document, arrays)]
    assert common_choices(results).layers == [0, 1, 2]
    spread = distributions(results, DISTANCE, 1)
    assert len({panel.x.limits for panel in spread.panels}) == 1
    assert len({panel.y.limits for panel in spread.panels}) == 1
    means = means_over_layers(results)
    assert all(len(panel.marks) == 2 for panel in means.panels)
    titled = [(r.job, r) for r in results]
    matrices = matrix_figure(titled, DISTANCE, 1)
    assert len(matrices.panels) == 2
    largest = 2 * np.nanmax(full_result[DISTANCE].value.values)
    assert matrices.colours.limits[1] == pytest.approx(largest)


def test_jobs_are_asked_for_by_numbers():
    assert asked_jobs("3,1,3,x,<b>2") == [3, 1, 2]
    assert asked_jobs("") == []
    assert len(asked_jobs(",".join(map(str, range(20))))) == 6


def test_an_experiment_begins_with_a_model_that_has_pairs():
    result = experiments.make()
    options = dict(cell_options(result))
    assert len(options) == len(result.cells)
    cell = first_cell(result)
    assert options[cell] == "variant top-2, seed 0, step 20"
    index = CellIndex(result.cells)
    matrices = [n for n in result.arrays if is_matrix(index.place_of(n), Part(cell))]
    assert {index.split(name)[0] for name in matrices} == {cell}
    choices = choices_of(result.select(cell))
    assert (choices.layers, choices.right[0]) == ([0, 1], DISTANCE)


def test_of_an_experiment_that_begins_there_is_what_there_is():
    whole = experiments.make()
    document = whole.document | {"summary": whole.document["summary"][:1]}
    begun = moeprobe.Result(document, {})
    assert [place for place, _ in cell_options(begun)] == [0]
    assert first_cell(begun) == 0
    training_page.variants_section(begun)
    nothing = moeprobe.Result(whole.document | {"summary": []}, {})
    assert cell_options(nothing) == []
    training_page.variants_section(nothing)


@pytest.mark.parametrize("seed", range(3))
def test_what_a_running_job_has_is_shown(full_result, seed):
    """Whatever is missing: arrays come layer by layer, and some never."""
    random = np.random.default_rng(seed)
    arrays = {n: a for n, a in full_result.arrays.items() if random.random() < 0.5}
    result = moeprobe.Result(full_result.document | {"provenance": []}, arrays)
    choices = choices_of(result)
    for layer in choices.layers:
        for quantity in choices.left + choices.right:
            drawn(matrix_figure([("", result)], quantity, layer))
        detail = pair_detail(result, layer, 0, 1)
        if detail is not None:
            pair_section(detail).to_plotly_json()


def test_sessions_end():
    now = [0.0]
    sessions = Sessions(lambda: now[0])
    one = sessions.begin("token")
    assert sessions.token(one) == "token"
    assert sessions.token("other") is None
    assert sessions.token(None) is None
    now[0] += 11 * 3600
    assert sessions.token(one) == "token"
    now[0] += 13 * 3600
    assert sessions.token(one) is None
    two = sessions.begin("token")
    sessions.end(two)
    assert sessions.token(two) is None
    first = sessions.begin("first")
    for _ in range(1000):
        sessions.begin("token")
    assert sessions.token(first) is None


@pytest.mark.parametrize(
    ("path", "local"),
    [
        ("/jobs/3?layer=1", "/jobs/3?layer=1"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("/a\nb", "/"),
        ("/login?next=/", "/"),
        (None, "/"),
    ],
)
def test_a_login_leads_to_pages_of_its_own(path, local):
    assert local_path(path) == local


def test_the_policy_names_no_other_address():
    policy = content_security_policy(["'sha256-x'"])
    directives = dict(d.split(" ", 1) for d in policy.split("; "))
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == "'self' 'sha256-x'"
    assert "http" not in policy
    assert "unsafe-eval" not in policy


def test_other_addresses_are_refused_until_it_is_said_in_words():
    for host in ("127.0.0.1", "127.8.8.8", "::1", "localhost"):
        Settings(host=host).check()
    for host in ("0.0.0.0", "::", "192.168.1.2", "lab.example"):
        with pytest.raises(ValueError, match="--open-to-network"):
            Settings(host=host).check()
        Settings(host=host, open_to_network=True).check()
    assert "s3cret" not in repr(Settings(moeprobe.Connection(token="s3cret")))


@pytest.fixture(scope="module")
def web(common_server):
    """Requests to a dashboard, without a network."""
    return make_app(
        Settings(moeprobe.Connection(common_server.address))
    ).server.test_client()


@pytest.fixture(scope="module")
def guarded(common_server):
    settings = Settings(moeprobe.Connection(common_server.address), require_token=True)
    return make_app(settings).server.test_client()


def test_a_page_says_what_it_may_do(web):
    answer = web.get("/")
    assert answer.status_code == 200
    assert "sha256-" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8050", "[::2]"])
def test_other_names_are_refused(web, host):
    assert web.get("/", headers={"Host": host}).status_code == 421


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "null",
        "http://evil.example",
        "http://localhost:1",
        "http://localhost.evil",
    ],
)
def test_other_sites_change_nothing(web, origin):
    headers = {"Origin": origin} if origin else {}
    for path in ("/_dash-update-component", "/login", "/logout"):
        answer = web.post(path, json={}, headers=headers)
        assert answer.status_code == 403, path


def test_nothing_is_shown_before_a_login(guarded):
    answer = guarded.get("/jobs/3?layer=1")
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/login?next=/jobs/3?layer%3D1"
    for path in ("/_dash-layout", "/_dash-dependencies"):
        assert guarded.get(path).status_code == 401
    assert guarded.get("/loginx").status_code == 302
    assert guarded.get("/_favicon.ico").status_code == 302
    own = {"Origin": "http://localhost"}
    answer = guarded.post("/_dash-update-component", json={}, headers=own)
    assert answer.status_code == 401
    assert guarded.get("/login").status_code == 200
    assert guarded.get("/assets/dashboard.css").status_code == 200


def test_a_login_is_a_cookie_that_scripts_cannot_read(guarded, common_server):
    secret = common_server.add_user("somebody-who-logs-in")
    own = {"Origin": "http://localhost"}
    for token in ("", "two words", "\N{SNOWMAN}", "x" * 5000, "unknown"):
        answer = guarded.post("/login", data={"token": token}, headers=own)
        assert answer.status_code == 401
    answer = guarded.post("/login?next=/models", data={"token": secret}, headers=own)
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/models"
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert secret not in cookie
    assert guarded.get("/").status_code == 200
    assert guarded.post("/logout", headers=own).status_code == 303
    assert guarded.get("/").status_code == 302


def test_a_report_is_a_file_to_keep(web, guarded, full_job):
    answer = web.get(f"/jobs/{full_job.id}/report.html")
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith("attachment; ")
    assert "everything" in answer.text
    assert web.get("/jobs/999999/report.html").status_code == 404
    assert guarded.get(f"/jobs/{full_job.id}/report.html").status_code == 302


def test_a_server_that_is_gone_is_said_to_be():
    state = server_state(None, "unix:/x")
    assert "unix:/x" in state.trouble
    info = moeprobe.catalog.ServerInfo("1", 1, [], 1, 1, 1, 1, "lab", 0, 0, "", 0, 0)
    assert server_state(info, "unix:/x").trouble == ""


def test_the_command_says_what_it_lacks(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "moeprobe.dashboard", None)
    assert command_line.main(["dashboard"]) == 1
    assert "pip install './python[all]'" in capsys.readouterr().err


def test_the_help_names_no_server_that_settings_may_change(capsys, monkeypatch):
    monkeypatch.setenv("MOEPROBE_SERVER", "unix:/some/server.sock")
    with pytest.raises(SystemExit):
        command_line.main(["report", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "MOEPROBE_SERVER or the settings" in said
    assert "unix:/some/server.sock" not in said


def test_the_command_refuses_the_network(capsys):
    status = command_line.main(["dashboard", "--host", "0.0.0.0"])
    assert status == 1
    assert "--open-to-network" in capsys.readouterr().err
