"""The files in docker/ agree with the programs and with each other.

There is no container engine here: docker/test-build-steps carries out the steps of
the Dockerfile, and these tests do with the programs what compose.yaml does.
"""

import json
import re
import subprocess

import pytest
import yaml
from service import PROGRAMS


@pytest.fixture
def compose(root):
    return yaml.safe_load((root / "docker/compose.yaml").read_text())


@pytest.fixture
def entrypoint(root):
    """The words of the image's ENTRYPOINT."""
    text = (root / "docker/Dockerfile").read_text()
    return json.loads(text.partition("ENTRYPOINT ")[2].replace("\\\n", ""))


def option(words, name):
    (value,) = (x.partition("=")[2] for x in words if x.startswith(f"--{name}="))
    return value


def seconds(text):
    return int(re.fullmatch(r"(\d+)s", text)[1])


def make_certificates(compose, tls):
    """What the service for that does, in a folder of the test."""
    *shell, script = compose["services"]["certificates"]["entrypoint"]
    script = script.replace("$$", "$").replace("/tls", str(tls))
    script = script.replace("moeprobe-server", str(PROGRAMS / "moeprobe-server"))
    subprocess.run([*shell, script, "localhost"], check=True, capture_output=True)


def test_the_server_starts_as_compose_starts_it(compose, entrypoint, tmp_path):
    make_certificates(compose, tmp_path / "tls")
    places = {"/data": tmp_path / "data", "/models": tmp_path / "models"}
    places |= {"/run/secrets": tmp_path / "tls"}
    places["/models"].mkdir()
    words = [*entrypoint, *compose["services"]["server"]["command"]]
    # Whether this kernel can isolate workers is not what this is about.
    words.remove("--require-isolation")
    command = [PROGRAMS / words[0]]
    for word in words[1:]:
        here = re.sub(r"(?<=\.0\.[01]:)\d+", "0", word)
        for place, own in places.items():
            here = re.sub(rf"(?<![\w/]){place}(?!\w)", str(own), here)
        command.append(here)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        lines = [process.stdout.readline() for _ in range(2)]
    finally:
        process.terminate()
        assert process.wait(60) == 0
    assert lines[0] == f"listening on unix:{tmp_path}/data/moeprobe.sock\n"
    assert re.fullmatch(r"listening on 0\.0\.0\.0:\d+\n", lines[1])


def test_containers_are_given_the_time_that_the_server_takes_to_stop(compose):
    server = compose["services"]["server"]
    drain = int(option(server["command"], "drain-seconds"))
    assert seconds(server["stop_grace_period"]) >= drain + 10


def test_containers_write_to_their_volumes_alone(compose):
    for name, service in compose["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert "privileged" not in service, name


def test_only_the_server_and_loopback_are_published(compose):
    published = compose["services"]["server"]["ports"]
    assert [x for x in published if not x.startswith("127.0.0.1:")] == ["7600:7600"]
    for name in ("prometheus", "grafana"):
        service = compose["services"][name]
        assert "ports" not in service
        assert service["network_mode"] == "service:server"


def test_files_that_containers_are_given_are_there(compose, root):
    mounted = [
        volume.partition(":")[0]
        for service in compose["services"].values()
        for volume in service["volumes"]
    ]
    files = [x for x in mounted if x.startswith(".") and x != "./tls"]
    assert len(files) == 4
    for file in files:
        assert (root / "docker" / file).exists(), file


def test_prometheus_scrapes_where_the_server_shows_metrics(compose, root):
    config = yaml.safe_load((root / "deploy/prometheus/moeprobe.yml").read_text())
    (scraped,) = config["scrape_configs"]
    metrics = option(compose["services"]["server"]["command"], "metrics")
    assert scraped["static_configs"] == [{"targets": [metrics]}]


def test_grafana_asks_prometheus_and_finds_the_dashboard(compose, root):
    datasource = root / "docker/grafana/datasource.yaml"
    (source,) = yaml.safe_load(datasource.read_text())["datasources"]
    listens = option(compose["services"]["prometheus"]["command"], "web.listen-address")
    assert source["url"] == f"http://{listens}"
    dashboards = root / "docker/grafana/dashboards.yaml"
    (provider,) = yaml.safe_load(dashboards.read_text())["providers"]
    volumes = compose["services"]["grafana"]["volumes"]
    assert f"../deploy/grafana:{provider['options']['path']}:ro" in volumes


def test_what_is_secret_is_neither_committed_nor_sent_to_the_build(compose, root):
    ignored = (root / ".dockerignore").read_text().split()
    for secret in compose["secrets"].values():
        path = "docker/" + secret["file"].removeprefix("./")
        assert any(path == x or path.startswith(f"{x}/") for x in ignored)
        asked = subprocess.run(
            ["git", "-c", "safe.directory=*", "check-ignore", "-q", path],
            cwd=root,
            check=False,
        )
        assert asked.returncode == 0, path
