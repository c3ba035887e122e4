"""Takes the pictures of the dashboard and of the report in the README.

usage: docs/screenshots/take.py [NAME ...]

Runs a server with the bundled models, some jobs, and the dashboard in headless
Chromium; writes NAME.png beside this file, all of them by default. Needs
build/release and the package with its dashboard in .venv.
"""

import argparse
import contextlib
import pathlib
import sys
import tempfile

import moeprobe
from moeprobe.report import write_report

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ("tests/e2e", "tests/python")
sys.path[:0] = [str(ROOT / folder) for folder in FOLDERS]

import dashboards  # noqa: E402
import service  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
SIZE = {"width": 1280, "height": 800}
TEXTS = ROOT / "examples/texts"


def request(name, text="jargon.txt", tokens=8192, **changes):
    return {
        "name": name,
        "model": "tiny-mixtral",
        "baseline": "tiny-llama",
        "data": {"text": TEXTS / text, "tokens": tokens, "sequence_length": 128},
        "probes": {
            "routing": {},
            "jacobian": {},
            "spectra": {"tokens_per_expert": 4},
            "pca": {"angles": True},
            "redundancy": {"rank": 32},
        },
        "nulls": {"random_router": 19, "bootstrap": 100},
    } | changes


def experiment():
    return {
        "kind": "train",
        "name": "top-2 and soft",
        "model": {"layers": 2, "width": 64, "context": 32, "experts": 4,
                  "expert_width": 64, "expert": "gated_mlp"},
        "variants": {
            "top-2": {"block": "moe", "routing": {"select": "top_k", "top_k": 2}},
            "soft": {"block": "moe", "routing": {"select": "all"}},
        },
        "seeds": [0, 1, 2],
        "data": {"text": TEXTS / "jargon.txt"},
        "optimizer": {"steps": 120, "batch": 16},
        "swap_routing": ["top-2", "soft"],
        "probe": {"every": 20, "tokens": 2048,
                  "nulls": {"random_router": 0, "random_weights": 0, "bootstrap": 0}},
    }  # fmt: skip


def long_request(name):
    """A job that runs while pictures are taken."""
    return request(name, "king-james.txt", "all", nulls={"random_router": 999})


def wait_for_matrices(page, count=2):
    dashboards.expect(page.locator(".heatmaplayer image")).to_have_count(count)


def take_jobs(page, _client):
    page.goto("/")
    dashboards.expect(page.locator(".state.running")).to_be_visible()


def take_submit(page, _client):
    page.goto("/submit?model=tiny-mixtral")
    box = page.get_by_label("The request")
    text = box.input_value()
    wrong = text.replace("components: 5", "components: 500")
    box.fill(wrong.replace("tokens: 16384 ", "tokens: 8192  "))
    dashboards.expect(page.locator(".complaints li").first).to_be_visible()


def take_job(page, client):
    done = client.jobs()[-1]
    number = done.name.removeprefix("jobs/")
    page.goto(f"/jobs/{number}?layer=2")
    wait_for_matrices(page)
    page.get_by_role("radio", name="alike on the right").check()
    dashboards.expect(page.locator("#job-pair-figure .main-svg").first).to_be_visible()


def take_compare(page, client):
    numbers = sorted(int(j.name.removeprefix("jobs/")) for j in client.jobs())
    page.goto(f"/compare?jobs={numbers[0]},{numbers[1]}")
    wait_for_matrices(page)
    dashboards.expect(page.locator("#compare-result table").first).to_be_visible()


def take_training(page, _client):
    page.goto("/training")
    title = "Grassmann distance, routed over training"
    dashboards.expect(page.get_by_role("heading", name=title)).to_be_visible()
    dashboards.expect(page.locator(".main-svg").first).to_be_visible()


def take_models(page, _client):
    page.goto("/models")
    dashboards.expect(page.get_by_role("heading", name="Data sets")).to_be_visible()


def take_report(page, client):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "report.html"
        write_report([client.job(client.jobs()[-1].name).result(wait=False)], path)
        page.goto(path.as_uri())
        dashboards.expect(page.locator(".main-svg").first).to_be_visible()
        page.wait_for_timeout(1000)  # its figures have no end to wait for
        page.screenshot(path=HERE / "report.png")


PICTURES = {
    "jobs": (take_jobs, 420),
    "submit": (take_submit, 720),
    "job": (take_job, 1560),
    "compare": (take_compare, 1250),
    "training": (take_training, 1240),
    "models": (take_models, 420),
}


def take(browser, client, dashboard, name):
    picture, height = PICTURES[name]
    size = SIZE | {"height": height}
    page = browser.new_page(base_url=dashboard.address, viewport=size)
    with contextlib.closing(page):
        picture(page, client)
        page.mouse.move(0, 0)
        page.wait_for_timeout(500)  # until nothing fades any more
        page.screenshot(path=HERE / f"{name}.png")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=[*PICTURES, "report"])
    names = parser.parse_args().names
    package = pathlib.Path(moeprobe.__file__).resolve().parents[1]
    with (
        tempfile.TemporaryDirectory() as folder,
        service.Server(pathlib.Path(folder), [ROOT / "examples/models"]) as server,
        moeprobe.Client(server.address) as client,
        dashboards.Dashboard(package, server.address) as dashboard,
        dashboards.chromium() as browser,
    ):
        client.submit(request("jargon")).wait(progress=False)
        client.submit(request("King James", "king-james.txt")).wait(progress=False)
        client.submit(experiment()).wait(progress=False)
        client.submit(long_request("too long")).cancel()
        client.submit(long_request("every verse"))
        client.submit(request("next"))
        for name in names:
            if name == "report":
                with contextlib.closing(browser.new_page(viewport=SIZE)) as page:
                    take_report(page, client)
            else:
                take(browser, client, dashboard, name)


if __name__ == "__main__":
    main()
