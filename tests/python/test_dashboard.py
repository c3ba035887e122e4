"""The dashboard in a real browser, with a real server behind it."""

import contextlib
import re
import urllib.parse

import dashboards
import moeprobe
import pytest
import service
from playwright.sync_api import expect

HOSTILE = '<img src=x onerror="alert(1)">{{7*7}}</script><b>&amp;'


@pytest.fixture(scope="module")
def dashboard(package, common_server):
    with dashboards.Dashboard(package, common_server.address) as dashboard:
        yield dashboard


@pytest.fixture(scope="module")
def chromium():
    with dashboards.chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def experiment(client, root):
    """Two small models from two seeds, probed twice."""
    request = {
        "kind": "train",
        "name": "small experiment",
        "model": {"layers": 1, "width": 16, "heads": 2, "context": 16, "experts": 4,
                  "expert_width": 16, "expert": "gated_mlp"},
        "variants": {
            "dense": {"block": "dense"},
            "top-2": {"block": "moe", "routing": {"select": "top_k", "top_k": 2}},
        },
        "seeds": [0, 1],
        "data": {"text": moeprobe.Text((root / "examples/texts/jargon.txt")
                                       .read_text()[:20000])},
        "optimizer": {"steps": 6, "batch": 4},
        "probe": {"every": 3, "tokens": 256,
                  "nulls": {"random_router": 0, "random_weights": 0, "bootstrap": 0}},
    }  # fmt: skip
    return client.submit(request).wait(progress=False)


@pytest.fixture
def open_page(chromium):
    """Opens pages that end with the test, and that have done no wrong by then."""
    with contextlib.ExitStack() as stack:
        pages = []

        def open_page(dashboard, path, **options):
            made = dashboards.Page(chromium, dashboard.address, **options)
            stack.callback(made.page.close)
            pages.append(made)
            made.page.goto(path)
            return made.page

        yield open_page
        assert [wrong for page in pages for wrong in page.wrongs] == []


@pytest.fixture(scope="module")
def hostile_job(client, ids):
    request = {
        "name": HOSTILE,
        "model": "mixtral",
        "data": {"ids": ids, "sequence_length": 64},
        "nulls": {"random_router": 9, "bootstrap": 0},
    }
    return client.submit(request).wait()


def write_request(page, text):
    page.get_by_label("The request").fill(text)


def choose(page, legend, name):
    """Choose one of a row of choices."""
    choices = page.get_by_role("group", name=legend)
    choices.get_by_role("radio", name=name, exact=True).check()


def cell_of(page, side, row, column):
    """Where a cell of a matrix is on the screen."""
    return page.evaluate(
        """([side, row, column]) => {
          const graph = document.querySelector(`#job-${side}-heat .js-plotly-plot`);
          const {xaxis, yaxis} = graph._fullLayout;
          const box = graph.getBoundingClientRect();
          return [box.left + xaxis._offset + xaxis.c2p(column),
                  box.top + yaxis._offset + yaxis.c2p(row)];
        }""",
        [side, row, column],
    )


def test_a_request_is_checked_as_it_is_typed_submitted_and_watched(
    dashboard, open_page, client, ids, short_request
):
    client.submit(short_request).wait()  # the server has its data, then
    page = open_page(dashboard, "/submit?model=mixtral")
    expect(page.get_by_role("heading", name="Ready")).to_be_visible()
    request = page.get_by_label("The request").input_value()
    assert 'model: "mixtral"' in request
    text = f"""\
kind: analyze
name: typed
model: mixtral
data: {{ids: {client.datasets()[0].name}, sequence_length: 0}}
nulls: {{random_router: 0, bootstrap: 0}}
"""
    write_request(page, text)
    complaint = page.locator(".complaints li").first
    expect(complaint.locator("code")).to_have_text(re.compile(r"sequence_length"))
    expect(complaint).to_contain_text("line 4")
    expect(page.get_by_role("button", name="Submit")).to_be_disabled()
    write_request(page, text.replace("model:", "modell:"))
    expect(complaint).to_contain_text('did you mean "model"?')
    write_request(page, text.replace("sequence_length: 0", "sequence_length: 64"))
    expect(page.get_by_role("heading", name="Ready")).to_be_visible()
    expect(page.locator("#submit-verdict")).to_contain_text("memory at its peak")
    page.get_by_role("button", name="Submit").click()
    expect(page).to_have_url(re.compile(r"/jobs/\d+"))
    expect(page.get_by_role("heading", name="typed")).to_be_visible()
    expect(page.locator(".state")).to_have_text(re.compile("succeeded"))
    expect(page.locator("#job-left-heat .main-svg").first).to_be_visible()
    number = int(re.search(r"/jobs/(\d+)", page.url)[1])
    assert client.job(number).status().label == "typed"


def pick(page, name, option):
    """Choose from a list that opens, with the keyboard."""
    page.locator(name).focus()
    page.keyboard.press("Enter")
    page.get_by_role("searchbox").fill(option)
    page.get_by_role("radio", name=option).focus()
    page.keyboard.press("Space")


def test_requests_begin_with_a_model_or_with_none(dashboard, open_page, experiment):
    page = open_page(dashboard, "/submit")
    text = page.get_by_label("The request")
    expect(text).to_have_value(re.compile("kind: analyze"))
    pick(page, "#submit-model", "qwen2_moe-mixed")
    expect(text).to_have_value(re.compile('model: "qwen2_moe-mixed"'))
    pick(page, "#submit-model", "none: train small ones")
    expect(text).to_have_value(re.compile("kind: train"))
    pick(page, "#submit-dataset", "text.txt")
    expect(text).to_have_value(re.compile('text: "text.txt"'))
    expect(page.get_by_role("heading", name="Ready")).to_be_visible()


def test_a_click_on_a_matrix_shows_the_pair(
    dashboard, open_page, full_job, full_result
):
    page = open_page(dashboard, f"/jobs/{full_job.id}?layer=1")
    expect(page.locator("#job-left-heat .heatmaplayer image")).to_be_visible()
    page.mouse.click(*cell_of(page, "left", 4, 2))
    heading = page.get_by_role("heading", name="Experts 4 and 2")
    expect(heading).to_be_visible()
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(page.url).query)
    assert query == {"layer": ["1"], "first": ["4"], "second": ["2"]}
    row = page.locator("#job-pair tr", has_text="distance, routed").first
    found = full_result["grassmann/routed"].value.sel(layer=1)[4, 2].item()
    assert float(row.locator("td").first.inner_text()) == pytest.approx(found, abs=1e-3)
    for title in (
        "Jacobians at single tokens",
        "variance of inputs, routed",
        "principal angles, routed",
        "load",
    ):
        expect(page.locator("#job-pair-figure")).to_contain_text(title)
    # Both matrices frame the pair, and the other one can be clicked as well.
    expect(page.locator("#job-right-heat .shapelayer path")).to_have_count(2)
    page.mouse.click(*cell_of(page, "right", 0, 5))
    expect(page.get_by_role("heading", name="Experts 0 and 5")).to_be_visible()


def test_an_address_leads_to_a_pair(dashboard, open_page, full_job):
    page = open_page(dashboard, f"/jobs/{full_job.id}?layer=2&first=1&second=3")
    expect(page.get_by_role("heading", name="Experts 1 and 3")).to_be_visible()
    layers = page.get_by_role("group", name="layer")
    expect(layers.get_by_role("radio", name="2")).to_be_checked()


def test_everything_can_be_reached_by_keys(dashboard, open_page, full_job):
    page = open_page(dashboard, f"/jobs/{full_job.id}?layer=0&first=1&second=3")
    expect(page.get_by_role("heading", name="Experts 1 and 3")).to_be_visible()
    layers = page.get_by_role("group", name="layer")
    layers.get_by_role("radio", name="0").focus()
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile("layer=1"))
    page.get_by_role("spinbutton", name="expert e").focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("5")
    expect(page.get_by_role("heading", name="Experts 5 and 3")).to_be_visible()
    page.goto("/")
    page.get_by_role("link", name=str(full_job.id), exact=True).first.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/jobs/{full_job.id}"))


def test_names_stay_names(dashboard, open_page, hostile_job, full_job):
    page = open_page(dashboard, "/")
    expect(page.get_by_role("link", name=HOSTILE)).to_be_visible()
    page.get_by_role("link", name=HOSTILE).click()
    expect(page.get_by_role("heading", name=HOSTILE)).to_be_visible()
    expect(page.locator("#job-left-heat .heatmaplayer image")).to_be_visible()
    page.goto(f"/compare?jobs={hostile_job.id},{full_job.id}")
    expect(page.locator("#compare-result svg", has_text=HOSTILE).first).to_be_visible()
    assert page.evaluate("document.images.length") == 0
    page.goto(f"/submit?from={hostile_job.id}")
    expect(page.get_by_role("heading", name="Ready")).to_be_visible()
    page.goto(f"/jobs/{urllib.parse.quote(HOSTILE, safe='')}")
    expect(page.get_by_role("heading", name="Not found")).to_be_visible()


def test_jobs_are_compared_with_the_same_limits(
    dashboard, open_page, hostile_job, full_job
):
    page = open_page(dashboard, f"/compare?jobs={hostile_job.id},{full_job.id}")
    matrices = page.locator("[id=compare-matrix] .heatmaplayer image")
    expect(matrices).to_have_count(2)
    expect(page.locator("#compare-result .cbcoloraxis")).to_have_count(1)
    choose(page, "pairs by", "distance, routed")
    expect(
        page.get_by_role("heading", name="distance, routed", exact=True)
    ).to_be_visible()
    tables = page.locator("#compare-result table")
    expect(tables.first).to_contain_text(hostile_job.name)
    expect(tables.first).to_contain_text(full_job.name)


def test_jobs_are_cancelled_and_run_again(dashboard, open_page, client, long_request):
    job = client.submit(long_request | {"seed": 7})
    page = open_page(dashboard, "/")
    page.get_by_role("button", name=f"Cancel job {job.id}").click()
    row = page.locator("tr", has=page.get_by_role("link", name=str(job.id), exact=True))
    expect(row.locator(".state")).to_have_text(re.compile("cancelled"))
    page.get_by_role("button", name=f"Run job {job.id} again").click()
    page.locator("#notice").get_by_role("link").click()
    expect(page).to_have_url(re.compile(r"/jobs/\d+"))
    again = int(re.search(r"/jobs/(\d+)", page.url)[1])
    assert again != job.id
    assert client.job(again).status().request == job.status().request
    page.get_by_role("button", name=f"Cancel job {again}").click()
    expect(page.locator(".state")).to_have_text(re.compile("cancelled"))


def test_a_list_shows_what_is_asked_for(dashboard, open_page, hostile_job, full_job):
    page = open_page(dashboard, "/")
    everything = page.get_by_role("link", name="everything").first
    expect(everything).to_be_visible()
    page.get_by_label("Find").fill("onerror")
    expect(everything).to_be_hidden()
    expect(page.get_by_role("link", name=HOSTILE)).to_be_visible()
    page.get_by_role("radio", name="failed").check()
    expect(page.get_by_role("link", name=HOSTILE)).to_be_hidden()


def test_an_experiment_is_shown_over_its_steps(dashboard, open_page, experiment):
    page = open_page(dashboard, f"/training?jobs={experiment.id}")
    heading = page.get_by_role("heading", name=f"{experiment.id}: small experiment")
    expect(heading).to_contain_text("succeeded")
    for title in ("Loss over training", "Jacobian cosine, routed over training",
                  "Use of experts over training"):  # fmt: skip
        expect(page.get_by_role("heading", name=title)).to_be_visible()
    expect(page.locator("#training-result .main-svg").first).to_be_visible()
    expect(page.get_by_text("Over 2 seeds, at step 6.")).to_be_visible()
    heading.get_by_role("link").click()
    cells = page.get_by_role("group", name="cell")
    top_2 = cells.get_by_role("radio", name="variant top-2, seed 0, step 6")
    expect(top_2).to_be_checked()
    expect(page.locator("#job-left-heat .heatmaplayer image")).to_be_visible()
    dense = cells.get_by_role("radio", name="variant dense, seed 0, step 6")
    dense.check()
    expect(page.get_by_text("Name two experts of this layer.")).to_be_visible()


def test_models_say_what_they_are(dashboard, open_page, client, long_request):
    job = client.submit(long_request | {"seed": 8})
    page = open_page(dashboard, "/models")
    row = page.locator("tr", has=page.get_by_role("link", name="tiny-mixtral"))
    expect(row).to_contain_text("8, top 2")
    expect(row.get_by_role("link", name=str(job.id))).to_be_visible()
    job.cancel()
    row.get_by_role("link", name="tiny-mixtral").click()
    expect(page.get_by_label("The request")).to_have_value(re.compile("tiny-mixtral"))


@pytest.mark.parametrize(
    "path", ["/", "/submit", "/models", "/jobs/{}", "/compare?jobs={}"]
)
def test_pages_fit_a_phone(dashboard, open_page, full_job, path):
    phone = {"width": 390, "height": 844}
    page = open_page(dashboard, path.format(full_job.id), viewport=phone)
    expect(page.locator("#page h1")).to_be_visible()
    if "{}" in path:
        expect(page.locator(".heatmaplayer image").first).to_be_visible()
    width = "document.documentElement.scrollWidth"
    assert page.evaluate(width) <= phone["width"]


def test_a_list_with_everything_fits_a_desk(dashboard, open_page, client, long_request):
    names = {"name": "a name that is so long that it has to be cut " * 4}
    job = client.submit(long_request | {"seed": 9, "baseline": "tiny-llama"} | names)
    page = open_page(dashboard, "/", viewport={"width": 1280, "height": 800})
    cancel = page.get_by_role("button", name=f"Cancel job {job.id}")
    row = page.locator("tr", has=cancel)
    expect(row).to_contain_text("of about")
    overflow = "table => table.scrollWidth - table.clientWidth"
    assert page.locator(".jobs").evaluate(overflow) <= 0
    cancel.click()


def test_a_page_says_that_the_server_went_and_goes_on(
    package, server, open_page, long_request
):
    with (
        moeprobe.Client(server.address) as client,
        dashboards.Dashboard(package, server.address) as dashboard,
    ):
        job = client.submit(long_request)
        page = open_page(dashboard, f"/jobs/{job.id}")
        expect(page.locator(".state")).to_have_text(re.compile("running"))
        workers = server.workers()
        server.kill()
        service.wait_until(
            lambda: not any(map(service.is_alive, workers)), "workers end"
        )
        trouble = page.get_by_text("No moeprobe-server answers")
        expect(trouble).to_be_visible()
        elsewhere = open_page(dashboard, "/models")
        expect(
            elsewhere.get_by_role("heading", name="This did not work")
        ).to_be_visible()
        server.start()
        expect(trouble).to_be_hidden()
        expect(elsewhere.get_by_role("link", name="tiny-mixtral")).to_be_visible()
        expect(page.locator(".state")).to_have_text(re.compile("succeeded"))
        expect(page.locator("#job-left-heat .heatmaplayer image")).to_be_visible()


def test_a_page_says_that_the_dashboard_itself_went(package, common_server, chromium):
    with dashboards.Dashboard(package, common_server.address) as dashboard:
        page = chromium.new_page(base_url=dashboard.address)
        page.goto("/")
        expect(page.locator("#server-state")).to_contain_text("worker")
        dashboard.end()
        expect(page.locator("body.silent")).to_be_visible()
        page.close()


@pytest.fixture(scope="module")
def token_server(tmp_path_factory, model_roots):
    """A server that lets nobody in without a token; tokens of two users."""
    options = ("--listen", "127.0.0.1:0", "--require-token")
    data = tmp_path_factory.mktemp("tokens") / "data"
    with service.Server(data, model_roots, options=options) as server:
        yield server, server.add_user("bob"), server.add_user("eve")


def log_in(page, token):
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Log in").click()


@pytest.mark.parametrize("options", [(), ("--require-token",)])
def test_a_server_that_wants_tokens_gets_them(
    package, token_server, open_page, short_request, options
):
    server, token, other = token_server
    address = server.addresses[1]
    with moeprobe.Client(address, token) as client:
        hidden = {"visibility": "private", "name": "for me alone"}
        job = client.submit(short_request | hidden).wait(progress=False)
    with dashboards.Dashboard(package, address, *options) as dashboard:
        page = open_page(dashboard, f"/jobs/{job.id}")
        expect(page.get_by_label("Token")).to_be_visible()
        log_in(page, "wrong")
        expect(page.get_by_role("alert")).to_have_text(
            "The server does not know this token."
        )
        log_in(page, token)
        expect(page.get_by_role("link", name="Submit", exact=True)).to_be_visible()
        page.goto(f"/jobs/{job.id}")
        expect(page.locator("#job-left-heat .heatmaplayer image")).to_be_visible()
        expect(page.get_by_text("bob, private")).to_be_visible()
        (cookie,) = page.context.cookies()
        assert cookie["httpOnly"]
        assert cookie["sameSite"] == "Strict"
        assert token not in cookie["value"]
        assert token not in page.url
        assert token not in page.content()
        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_label("Token")).to_be_visible()
        log_in(page, other)
        expect(page.get_by_role("link", name="Submit", exact=True)).to_be_visible()
        page.goto(f"/jobs/{job.id}")
        expect(page.get_by_text(f"there is no job {job.id}")).to_be_visible()
        said = dashboard.end()
        assert token not in said
        assert other not in said
