"""The report: what it says, that it opens offline, and that names stay names."""

import json
import random
import re

import browser
import plotly.offline
import pytest
from moeprobe import Result, command_line
from moeprobe.report import make_page, write_report
from moeprobe.report.numbers import decimals, number, share
from moeprobe.report.page import script_json
from moeprobe.result.names import place_of

HOSTILE = "</script><img src=x onerror=\"document.title='owned'\">{{ 7*7 }}&<b>"


@pytest.fixture(scope="module")
def page(full_result):
    return make_page([full_result])


def with_names(result, name):
    """A result whose every text that others choose is `name`."""
    document = json.loads(json.dumps(result.document))
    document["request"] |= {"name": name, "model": name, "baseline": name}
    document["warnings"] = [name]
    document["job"] = {"name": "jobs/1", "state": "failed", "error": {"message": name}}
    for part in document["provenance"]:
        part |= {"model": name, "environment": {name: name}}
    return Result(document, result.arrays)


def test_it_says_everything_a_result_says(page, full_result):
    for text in (
        "everything",
        "Jacobian cosine, routed",
        "95 % interval",
        "random router",
        "shuffled gates",
        "random weights",
        full_result.provenance[0]["model_fingerprint"],
        full_result.provenance[0]["data_fingerprint"],
        "components: 3",
        "The request, to run it again",
        *full_result.warnings,
    ):
        assert text in page, text
    assert page.count('class="plot"') == 15


def test_the_table_has_the_numbers_of_the_result(page, full_result):
    table = full_result.table()
    chosen = (table.part == "model") & (table.layer == 1)
    row = table[chosen & (table.quantity == "grassmann/routed")].iloc[0]
    rows = [re.findall("<t[hd][^>]*>(.*?)</t[hd]>", line)
            for line in page.split("<tr>")]  # fmt: skip
    found = next(
        cells
        for cells in rows
        if cells[:1] == ["1"] and abs(float(cells[1]) - row["mean"]) < 1e-3
    )
    assert float(found[3].strip("[]").split(",")[0]) == pytest.approx(
        row.interval_low, abs=1e-3
    )
    assert found[6] == share(row.p)


def test_plotly_is_the_version_that_notebooks_draw_with(package):
    script = (package / "moeprobe/report/plotly-cartesian.min.js").read_text()[:200]
    assert f"v{plotly.offline.get_plotlyjs_version()}\n" in script


def test_it_needs_no_network(page):
    # Addresses may stand in plotly.js, but nothing may load from one.
    assert "default-src 'none'" in page
    outside = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    assert not re.search(r"(src|href)\s*=\s*[\"']?(https?:)?//", outside)
    assert "@import" not in outside


def test_names_stay_names(full_result):
    page = make_page([with_names(full_result, HOSTILE)])
    assert HOSTILE not in page
    assert "<img src=x" not in page
    assert "&lt;/script&gt;&lt;img src=x" in page


def test_json_in_scripts_cannot_end_them():
    text = script_json({"a": "</script>\u2028&"})
    assert "<" not in text
    assert "\u2028" not in text
    assert json.loads(text) == {"a": "</script>\u2028&"}


DRAWN = "[...document.querySelectorAll('.main-svg')].length >= 3 * %d"
COUNT = "document.querySelectorAll('.js-plotly-plot').length"


def test_a_browser_draws_it_and_owns_nothing(full_result, tmp_path):
    path = tmp_path / "report.html"
    write_report([with_names(full_result, HOSTILE)], path)
    question = f"[document.title, {COUNT}, document.images.length]"
    answer, said = browser.ask(path, DRAWN % 15, question, height=20000)
    assert answer == [f"{HOSTILE} - moeprobe", 15, 0]
    assert said == []


def test_figures_are_drawn_when_they_come_near(full_result, tmp_path):
    path = tmp_path / "report.html"
    write_report([full_result], path)
    drawn, _ = browser.ask(path, DRAWN % 1, COUNT, height=400)
    assert 1 <= drawn < 15


@pytest.mark.parametrize("seed", range(12))
def test_what_a_running_job_has_is_drawn(full_result, seed):
    chance = random.Random(seed)
    layers = {layer for layer in range(-1, 3) if chance.random() < 0.6}
    arrays = {
        name: array
        for name, array in full_result.arrays.items()
        if place_of(name).layer in layers and chance.random() < 0.9
    }
    rows = [row for row in full_result.document["summary"] if chance.random() < 0.8]
    job = full_result.document["job"] | {"state": "running"}
    document = full_result.document | {
        "job": job,
        "summary": rows,
        "provenance": [],
        "complete": False,
    }
    assert "This job was not done" in make_page([Result(document, arrays)])


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_what_will_not_come_any_more_is_not_promised(full_result, state):
    job = full_result.document["job"] | {"state": state}
    document = full_result.document | {"job": job, "complete": False}
    page = make_page([Result(document, {})])
    assert "This job did not succeed" in page
    assert "not done" not in page


def test_jobs_stand_side_by_side(full_result, client, full_request):
    other = client.submit(full_request | {"seed": 1, "name": "other"}).result()
    page = make_page([full_result, other])
    assert "Side by side" in page
    assert page.count('class="plot"') == 30
    assert other.job in page


def test_a_sweep_is_shown_by_curves_and_its_ends(client, ids, tmp_path):
    request = {
        "model": "mixtral",
        "data": [{"ids": ids, "sequence_length": 64},
                 {"ids": ids[:512], "sequence_length": 64}],
        "probes": {"jacobian": {"average": ["routed"]}},
        "sweep": {"routing.top_k": [1, 2, 3]},
        "nulls": {"random_router": 0, "bootstrap": 0},
    }  # fmt: skip
    page = make_page([client.submit(request).result()])
    assert "Over the sweep" in page
    for title in ("routing.top_k 1, data set 0", "routing.top_k 3, data set 1"):
        assert f"<h3>{title}</h3>" in page
    assert "<h3>routing.top_k 2" not in page


def test_the_command_writes_it(full_job, full_result, common_server, tmp_path, capsys):
    full_result.save(tmp_path / "saved")
    out = tmp_path / "report.html"
    server = ("--server", common_server.address)
    jobs = (str(full_job.id), str(tmp_path / "saved"))
    assert command_line.main(["report", *jobs, "-o", str(out), *server]) == 0
    assert capsys.readouterr().out == f"Report is in {out}\n"
    assert out.read_text().count(f"<small>{full_job.name}</small>") == 2
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_a_command_exports(full_job, common_server, tmp_path, capsys):
    server = ("--server", common_server.address)
    out = tmp_path / "means.csv"
    arguments = ["export", str(full_job.id), *server, "-o"]
    assert command_line.main([*arguments, str(out)]) == 0
    assert out.read_text().startswith("part,layer,quantity,mean")
    assert command_line.main([*arguments, str(tmp_path / "means.xls")]) == 1
    assert "ends with none of" in capsys.readouterr().err


def test_the_command_says_what_is_wrong(common_server, tmp_path, capsys):
    arguments = ["report", "123456", "--server", common_server.address]
    assert command_line.main([*arguments, "-o", str(tmp_path / "x.html")]) == 1
    assert "there is no job 123456" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(SystemExit, match="2"):
        command_line.main(["report"])


@pytest.mark.parametrize(
    ("numbers", "errors", "places"),
    [([0.5], [], 3), ([12.3], [], 1), ([0.5], [0.0012], 4), ([0.002], [], 5),
     ([2.8], [0.012], 3), ([float("nan")], [float("nan")], 3)],
)  # fmt: skip
def test_digits_are_those_that_mean_anything(numbers, errors, places):
    assert decimals(numbers, errors) == places


def test_what_is_no_number_is_a_dash():
    assert number(float("nan"), 3) == "\N{EN DASH}"
    assert share(0.0004) == "0.0004"
