"""What operators see: metrics, health, the log, and the files in deploy/."""

import concurrent.futures
import contextlib
import http
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

import grpc
import pytest
import stubs
import yaml
from service import PROGRAMS, SECONDS, is_alive, wait_until

SERVING, NOT_SERVING = b"\x08\x01", b"\x08\x02"


WATCHED = ("--metrics", "127.0.0.1:0", "--log-format", "json")


@pytest.fixture
def watched(start_server):
    return start_server(options=WATCHED)


def log_lines(server):
    """Every line of the server and its workers, all of which are JSON."""
    lines = (server.data_dir / "stderr.txt").read_text().splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


def metrics_address(server):
    """Where a server says that it shows them."""
    lines = wait_until(
        lambda: [
            x for x in log_lines(server) if x["message"].startswith("metrics on ")
        ],
        "metrics",
    )
    return lines[0]["message"].removeprefix("metrics on ")


def page(server):
    """The text of /metrics."""
    with urllib.request.urlopen(metrics_address(server), timeout=10) as response:
        return response.read().decode()


def metrics(server):
    """Values by name and labels, such as 'moeprobe_jobs{state="queued"}'."""
    lines = [x for x in page(server).splitlines() if not x.startswith("#")]
    return {name: float(value) for name, value in (x.rsplit(" ", 1) for x in lines)}


def metrics_after_jobs(server, count):
    """The metrics once they know of the end of so many jobs, just after it."""
    ended = 'moeprobe_jobs_ended_total{state="succeeded"}'
    return wait_until(
        lambda: (now := metrics(server))[ended] == count and now, "the end of a job"
    )


def health(address, service):
    with grpc.insecure_channel(address) as channel:
        check = channel.unary_unary("/grpc.health.v1.Health/Check")
        name = service.encode()
        return check(b"\x0a" + bytes([len(name)]) + name if name else b"", timeout=10)


def test_metrics_count_jobs_calls_and_answers_of_the_cache(
    watched, make_client, short_request
):
    client = make_client(watched)
    client.submit(short_request, "--wait")
    first = metrics_after_jobs(watched, 1)
    assert first["moeprobe_jobs_submitted_total"] == 1
    assert first['moeprobe_jobs_ended_total{state="succeeded"}'] == 1
    assert first['moeprobe_jobs{state="succeeded"}'] == 1
    assert first["moeprobe_job_waiting_seconds_count"] == 1
    assert first['moeprobe_attempt_seconds_count{end="succeeded"}'] == 1
    assert first['moeprobe_cache_groups_total{found="yes"}'] == 0
    computed = first['moeprobe_cache_groups_total{found="no"}']
    assert computed > 0
    created = 'moeprobe_call_seconds_count{code="OK",method="CreateJob"}'
    assert first[created] == 1
    client.submit(short_request, "--wait")
    second = metrics_after_jobs(watched, 2)
    assert second['moeprobe_cache_groups_total{found="yes"}'] == computed
    assert second['moeprobe_cache_groups_total{found="no"}'] == computed
    assert second['moeprobe_jobs_ended_total{state="succeeded"}'] == 2
    assert client.run("show", "99")[0] == 1
    wait_until(
        lambda: any("NOT_FOUND" in name for name in metrics(watched)), "an error"
    )


def test_metrics_count_workers_that_die(watched):
    before = wait_until(watched.workers, "a worker")
    os.kill(before[0], signal.SIGKILL)
    wait_until(lambda: metrics(watched)["moeprobe_worker_deaths_total"] == 1, "a death")
    wait_until(lambda: metrics(watched)["moeprobe_worker_starts_total"] == 2, "a start")


def test_metrics_count_no_death_of_a_worker_that_the_server_ends(
    watched, make_client, api_stubs, long_request
):
    job = make_client(watched).submit(long_request)
    api = api_stubs(watched.address)
    wait_until(lambda: api.state(job) == "RUNNING", "a worker")
    (worker,) = watched.workers()
    os.kill(worker, signal.SIGSTOP)  # so that it does not hear of it
    api.jobs.CancelJob(
        api.messages("job_service").CancelJobRequest(name=stubs.job_name(job))
    )
    wait_until(lambda: api.state(job) == "CANCELLED", "the end of the worker")
    wait_until(lambda: metrics(watched)["moeprobe_worker_starts_total"] == 2, "a start")
    assert metrics(watched)["moeprobe_worker_deaths_total"] == 0
    assert f"worker {worker} was ended by the server" in watched.log()


def test_a_job_is_counted_once_however_many_ask_for_it_or_cancel_it(
    start_server, make_client, api_stubs, short_request
):
    server = start_server(workers=0, options=WATCHED)
    first = make_client(server).submit(short_request)
    apis = [api_stubs(server.address, stubs.OWN_CONNECTION) for _ in range(8)]
    messages = apis[0].messages("job_service")
    job = apis[0].messages("job").Job(analyze=apis[0].job(first).analyze)

    def ask(method, request):
        def call(api):
            return getattr(api.jobs, method)(request, timeout=60)

        with concurrent.futures.ThreadPoolExecutor(len(apis)) as pool:
            return {answer.name for answer in pool.map(call, apis)}

    names = {f"jobs/{first}"}
    for _ in range(10):
        request = messages.CreateJobRequest(job=job, request_id=str(uuid.uuid4()))
        names |= ask("CreateJob", request)
    assert metrics(server)["moeprobe_jobs_submitted_total"] == len(names) == 11
    for name in names:
        ask("CancelJob", messages.CancelJobRequest(name=name))
    ended = 'moeprobe_jobs_ended_total{state="cancelled"}'
    assert metrics(server)[ended] == len(names)
    told = [x["message"] for x in log_lines(server) if "job" in x]
    assert sorted(told) == ["cancelled"] * len(names) + ["submitted"] * len(names)


def test_metrics_are_shown_on_loopback_alone(tmp_path):
    command = [PROGRAMS / "moeprobe-server", "--data-dir", tmp_path / "data"]
    command += ["--model-root", tmp_path, "--listen", f"unix:{tmp_path}/s"]
    done = subprocess.run(
        [*command, "--metrics", "0.0.0.0:0"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert '"0.0.0.0:0" is not a loopback address' in done.stderr


def test_health_tells_of_a_worker_that_does_not_answer(server):
    address = server.address
    assert health(address, "") == SERVING
    wait_until(lambda: health(address, "workers") == SERVING, "a worker")
    (worker,) = server.workers()
    os.kill(worker, signal.SIGSTOP)
    wait_until(lambda: health(address, "workers") == NOT_SERVING, "silence")
    assert health(address, "") == SERVING
    os.kill(worker, signal.SIGCONT)
    wait_until(lambda: health(address, "workers") == SERVING, "an answer")


class Draining:
    """A server that waits for a worker that does not go on, until `let_go()`."""

    def __init__(self, server, api, job):
        self.server = server
        self.api = api
        self.job = job
        self.addresses = [*server.addresses, f"unix:{server.data_dir}/admin.sock"]
        wait_until(lambda: api.state(job) == "RUNNING", "a worker")
        for address in self.addresses:
            wait_until(lambda at=address: health(at, "workers") == SERVING, "health")
        (self.worker,) = server.workers()
        os.kill(self.worker, signal.SIGSTOP)
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: self.health() == {NOT_SERVING}, "the drain")

    def let_go(self):
        os.kill(self.worker, signal.SIGCONT)

    def health(self):
        return {health(a, x) for a in self.addresses for x in ("", "workers")}

    def submit(self):
        """Another job like the one that runs."""
        analysis = self.api.job(self.job).analyze
        job = self.api.messages("job").Job(analyze=analysis)
        request = self.api.messages("job_service").CreateJobRequest(job=job)
        return self.api.jobs.CreateJob(request, timeout=30)


@pytest.fixture
def draining(start_server, make_client, api_stubs, long_request):
    port = ("--listen", "127.0.0.1:0")
    server = start_server(options=("--drain-seconds", "100", *port))
    job = make_client(server).submit(long_request)
    return Draining(server, api_stubs(server.address), job)


def test_nothing_serves_from_the_first_signal_to_the_end(draining):
    # For longer than it takes to tell of workers again.
    end = time.monotonic() + 2
    while time.monotonic() < end:
        assert draining.health() == {NOT_SERVING}
    with pytest.raises(grpc.RpcError) as refused:
        draining.submit()
    assert refused.value.code() == grpc.StatusCode.UNAVAILABLE
    assert refused.value.details() == "the server is stopping"
    assert draining.server.process.poll() is None
    draining.let_go()
    while draining.server.process.poll() is None:
        with contextlib.suppress(grpc.RpcError):  # once it is gone
            assert draining.health() == {NOT_SERVING}
    assert draining.server.process.wait(SECONDS) == 0


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_a_server_that_waits(draining, second):
    assert draining.server.process.poll() is None
    draining.server.process.send_signal(second)
    assert draining.server.process.wait(10) == -second
    wait_until(lambda: not is_alive(draining.worker), "the end of the worker", 10)


def test_the_log_says_which_job_it_is_about(watched, make_client, short_request):
    job = make_client(watched).submit(short_request, "--wait")

    def told():
        return {x["message"]: x for x in log_lines(watched) if x.get("job") == job}

    # The last lines come just after the end of the job.
    wait_until(lambda: len(told()) >= 5, "the end of a job in the log")
    of_worker = {"running", "reported"}
    assert told().keys() == {"submitted", "started", "succeeded"} | of_worker
    (worker,) = watched.workers()
    for message in {"started"} | of_worker:
        line = told()[message]
        assert (line["worker"], line["attempt"]) == (str(worker), "1")


def test_what_grpc_says_stands_in_the_log_like_all_else(start_server, tmp_path):
    for made in (("ca",), ("server", "127.0.0.1")):
        command = [PROGRAMS / "moeprobe-server", "cert", *made, "--dir", tmp_path]
        subprocess.run(command, capture_output=True, check=True, timeout=SECONDS)
    port = ("--listen", "127.0.0.1:0", "--tls-cert", tmp_path / "server.crt")
    options = (*WATCHED, *port, "--tls-key", tmp_path / "server.key")
    server = start_server(workers=0, options=options)
    host, number = server.addresses[1].split(":")
    with socket.create_connection((host, int(number)), SECONDS) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n\r\n" * 10)  # no TLS
        line = wait_until(
            lambda: [x for x in log_lines(server) if "source" in x], "a line"
        )[0]
    assert line["level"] == "error"
    assert "andshake" in line["message"]


def names_in(text):
    names = re.findall(r"\bmoeprobe_\w+", text)
    return {re.sub("_(bucket|count|sum)$", "", name) for name in names}


@pytest.mark.parametrize(
    "file", ["prometheus/moeprobe-alerts.yml", "grafana/moeprobe.json"]
)
def test_files_for_operators_ask_for_metrics_that_there_are(root, watched, file):
    shown = set(re.findall("# TYPE (moeprobe_[a-z_]+)", page(watched)))
    asked = names_in((root / "deploy" / file).read_text())
    assert asked
    # Histograms of calls and attempts are there from the first on.
    assert asked <= shown | {"moeprobe_call_seconds", "moeprobe_attempt_seconds"}


def expressions(root):
    """What alerts and panels ask Prometheus."""
    alerts = yaml.safe_load(
        (root / "deploy/prometheus/moeprobe-alerts.yml").read_text()
    )
    for group in alerts["groups"]:
        for rule in group["rules"]:
            yield rule["expr"]
    board = json.loads((root / "deploy/grafana/moeprobe.json").read_text())
    for panel in board["panels"]:
        for target in panel["targets"]:
            # As Grafana does.
            yield target["expr"].replace("$__rate_interval", "1m")


class Prometheus:
    """A real one, which scrapes `server` as the sample configuration says."""

    def __init__(self, root, server, folder):
        config = yaml.safe_load((root / "deploy/prometheus/moeprobe.yml").read_text())
        shown = metrics_address(server).removeprefix("http://").partition("/")[0]
        config["scrape_configs"][0]["static_configs"] = [{"targets": [shown]}]
        config["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s"}
        for name in config["rule_files"]:
            shutil.copy(root / "deploy/prometheus" / name, folder)
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        command = ["prometheus", f"--config.file={folder}/prometheus.yml"]
        command += ["--web.listen-address=127.0.0.1:0"]
        command += [f"--storage.tsdb.path={folder}/tsdb"]
        self.log = folder / "prometheus.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, stderr=log, stdout=log)

    def address(self):
        """Where it listens; None while it does not."""
        found = re.search(r'"Listening on" address=(\S+)', self.log.read_text())
        return found and found[1]

    def ask(self, what, **parameters):
        """What its API answers; None while it does not."""
        url = f"http://{self.address()}/api/v1/{what}?"
        try:
            with urllib.request.urlopen(
                url + urllib.parse.urlencode(parameters), timeout=10
            ) as response:
                return json.load(response)["data"]
        except urllib.error.HTTPError as error:
            if error.code == http.HTTPStatus.SERVICE_UNAVAILABLE:
                return None
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


@pytest.mark.skipif(not shutil.which("prometheus"), reason="no Prometheus here")
def test_prometheus_scrapes_a_server_and_knows_what_is_asked(
    root, watched, make_client, short_request, tmp_path
):
    make_client(watched).submit(short_request, "--wait")
    metrics_after_jobs(watched, 1)
    folder = tmp_path / "prometheus"
    folder.mkdir()
    with Prometheus(root, watched, folder) as prometheus:
        wait_until(prometheus.address, "Prometheus")
        ended = 'moeprobe_jobs_ended_total{job="moeprobe",state="succeeded"}'
        found = wait_until(
            lambda: (x := prometheus.ask("query", query=ended)) and x["result"],
            "what was scraped",
        )
        assert found[0]["value"][1] == "1"
        for expression in expressions(root):
            assert prometheus.ask("query", query=expression) is not None, expression
        # All that is there from the first scrape on is found by its labels.
        for gauge in (
            'moeprobe_workers{state="answering"}',
            "moeprobe_disk_free_bytes",
        ):
            assert prometheus.ask("query", query=gauge)["result"], gauge
        rules = prometheus.ask("rules")["groups"][0]["rules"]
        assert [x["lastError"] for x in rules if x.get("lastError")] == []


def test_the_sample_configuration_is_one(root, tmp_path):
    text = (root / "deploy/moeprobe-server.conf").read_text()
    for path in ("/srv/models", "/var/lib/moeprobe", "/run/moeprobe"):
        assert path in text
        (tmp_path / path.strip("/")).mkdir(parents=True)
        text = text.replace(path, f"{tmp_path}{path}")
    text = text.replace("127.0.0.1:9464", "127.0.0.1:0")
    config = tmp_path / "moeprobe-server.conf"
    config.write_text(text)
    process = subprocess.Popen(
        [PROGRAMS / "moeprobe-server", "--config", config],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        line = process.stdout.readline()
        assert line == f"listening on unix:{tmp_path}/run/moeprobe/moeprobe.sock\n"
    finally:
        process.terminate()
        assert process.wait(60) == 0


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here")
@pytest.mark.parametrize(
    "unit", ["moeprobe-server.service", "moeprobe-server.system.service"]
)
def test_systemd_accepts_the_units(root, tmp_path, unit):
    text = (root / "deploy" / unit).read_text()
    # As if it were installed.
    text = text.replace(
        "/usr/local/bin/moeprobe-server", str(PROGRAMS / "moeprobe-server")
    )
    file = tmp_path / "moeprobe-server.service"
    file.write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", file],
        capture_output=True,
        text=True,
        timeout=60,
    )
    complaints = [line for line in done.stderr.splitlines() if "moeprobe" in line]
    assert done.returncode == 0, done.stderr
    assert not complaints


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here")
def test_systemd_finds_the_unit_of_a_laboratory_hardened(root, tmp_path):
    file = tmp_path / "moeprobe-server.service"
    shutil.copy(root / "deploy/moeprobe-server.system.service", file)
    # In tenths; of 100, and the program's words for it are "OK" below 50.
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", file],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout[-200:] + done.stderr
