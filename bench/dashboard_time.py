"""How soon the dashboard shows what a finished job has found.

usage: dashboard_time.py MODEL [--repetitions N]

The job: every expert and layer of MODEL, a checkpoint with 60 experts in 24
layers. open: from entering the address of the job, in a browser that is running
but has no file of the dashboard, until both matrices, the pair and its figures are
drawn. follow: the same from a click on the job in the list of jobs. The dashboard
has fetched nothing of the job before. layer: from choosing another layer until its
matrices are drawn. Needs build/release, the package with its
dashboard in .venv, playwright, and chromium.
"""

import argparse
import pathlib
import statistics
import sys
import tempfile

import moeprobe

ROOT = pathlib.Path(__file__).resolve().parents[1]
FOLDERS = ("tests/e2e", "tests/python", "bench", "bench/peers")
sys.path[:0] = [str(ROOT / folder) for folder in FOLDERS]

import dashboards  # noqa: E402
import measurement  # noqa: E402
import report_time  # noqa: E402
import service  # noqa: E402

# Returns milliseconds once everything in the first window is drawn.
DRAWN = """() => {
  const drawn = (name, what) => document.querySelector(`#${name} ${what}`);
  return drawn("job-left-heat", ".heatmaplayer image")
    && drawn("job-right-heat", ".heatmaplayer image")
    && drawn("job-pair-figure", ".main-svg")
    && performance.now();
}"""
# Clicks on a job, and returns when.
FOLLOW = """() => {
  const begin = performance.now();
  document.querySelector("a[href='/jobs/%d']").click();
  return begin;
}"""
NEXT_LAYER = """() => new Promise((resolve) => {
  const image = () => document.querySelector("#job-left-heat .heatmaplayer image");
  const before = image().getAttribute("href") || image().getAttribute("xlink:href");
  const begin = performance.now();
  const watch = () => {
    const now = image() &&
      (image().getAttribute("href") || image().getAttribute("xlink:href"));
    if (now && now !== before) resolve(performance.now() - begin);
    else requestAnimationFrame(watch);
  };
  document.querySelector("input[name='job-layer']:checked")
    .closest("label").nextElementSibling.querySelector("input").click();
  watch();
})"""


def visit(browser, server, job):
    """Milliseconds until a job's page is drawn: opened, followed to, turned over."""
    package = pathlib.Path(moeprobe.__file__).resolve().parents[1]
    with dashboards.Dashboard(package, server.address) as dashboard:
        size = {"width": 1280, "height": 900}
        page = browser.new_page(base_url=dashboard.address, viewport=size)
        page.goto(f"/jobs/{job.id}", wait_until="commit")
        opened = page.wait_for_function(DRAWN, polling="raf").json_value()
        turned = page.evaluate(NEXT_LAYER)
        page.close()
    with dashboards.Dashboard(package, server.address) as dashboard:
        page = browser.new_page(base_url=dashboard.address, viewport=size)
        page.goto("/")
        page.wait_for_selector(f"a[href='/jobs/{job.id}']")
        begin = page.evaluate(FOLLOW % job.id)
        followed = page.wait_for_function(DRAWN, polling="raf").json_value() - begin
        page.close()
    return opened, followed, turned


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--repetitions", type=int, default=5)
    arguments = parser.parse_args()
    model = arguments.model.resolve()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        with (
            service.Server(folder / "data", [model.parent], threads=None) as server,
            moeprobe.Client(server.address) as client,
            dashboards.chromium() as browser,
        ):
            job = client.submit(report_time.request_for(model.name)).wait()
            visits = [
                visit(browser, server, job) for _ in range(arguments.repetitions + 1)
            ]
    names = ("open_seconds", "follow_seconds", "layer_seconds")
    figure = {
        name: statistics.median(times) / 1e3
        for name, times in zip(names, zip(*visits[1:], strict=True), strict=True)
    }
    measurement.print_figure({"benchmark": "dashboard"} | figure)


if __name__ == "__main__":
    main()
