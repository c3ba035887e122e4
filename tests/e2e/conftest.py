"""Servers, clients and requests for the end-to-end tests."""

import crash_scenarios
import numpy as np
import pytest
import service
import stubs


@pytest.fixture(scope="session")
def api_stubs(root, tmp_path_factory):
    stubs.generate(root / "proto", tmp_path_factory.mktemp("stubs"))
    return stubs.Api


@pytest.fixture(scope="session")
def model_roots(root):
    return [root / "tests/fixtures", root / "examples/models"]


@pytest.fixture
def start_server(tmp_path, model_roots):
    """Starts servers that end with the test."""
    servers = []

    def start(name="data", roots=model_roots, **options):
        servers.append(service.Server(tmp_path / name, roots, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.__exit__()


@pytest.fixture
def server(start_server):
    return start_server()


@pytest.fixture
def make_client(tmp_path):
    def make(server):
        folder = tmp_path / f"client-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        return service.Client(server.address, folder)

    return make


@pytest.fixture
def client(server, make_client):
    return make_client(server)


@pytest.fixture
def api(server, api_stubs):
    return api_stubs(server.address)


@pytest.fixture(scope="module")
def common_server(tmp_path_factory, model_roots):
    """One server for all tests of a module that do it no harm."""
    with service.Server(tmp_path_factory.mktemp("data"), model_roots) as server:
        yield server


@pytest.fixture
def common_client(common_server, make_client):
    return make_client(common_server)


@pytest.fixture
def common_api(common_server, api_stubs):
    return api_stubs(common_server.address)


# What most tests are not about; hundreds of draws take longer than all else.
NO_NULLS = {"random_router": 0, "bootstrap": 0}


@pytest.fixture
def analyze_checkpoint(tmp_path, make_client):
    """Runs a job on a server of its own and returns its arrays."""

    def analyze(folder, model, ids, length, **changes):
        own = tmp_path / f"job-{len(list(tmp_path.iterdir()))}"
        own.mkdir()
        np.save(own / "ids.npy", np.asarray(ids, np.int32))
        request = {
            "kind": "analyze",
            "model": model,
            "data": {
                "ids": str(own / "ids.npy"),
                "sequence_length": length,
                "tokens": "all",
            },
            "nulls": NO_NULLS,
        }
        with service.Server(own / "data", [folder]) as server:
            return make_client(server).analyze(request | changes)

    return analyze


@pytest.fixture
def short_request(root):
    """A job of well under a second."""
    return {
        "kind": "analyze",
        "model": "mixtral",
        "data": {
            "ids": str(root / "tests/fixtures/mixtral/ids.npy"),
            "sequence_length": 64,
        },
        "nulls": NO_NULLS,
    }


@pytest.fixture(scope="session")
def long_request(tmp_path_factory):
    """A job of some seconds, with time to do things to it between layers."""
    path = tmp_path_factory.mktemp("ids") / "long.npy"
    ids = np.random.default_rng(0).integers(0, 1024, 400 * 128).astype(np.int32)
    np.save(path, ids)
    return {
        "kind": "analyze",
        "model": "tiny-mixtral",
        "data": {"ids": str(path), "tokens": len(ids), "sequence_length": 128},
        "nulls": NO_NULLS,
    }


@pytest.fixture(scope="module")
def undisturbed_work(root, tmp_path_factory, api_stubs):
    """Arrays by the kind of work, where the disk is well."""
    arrays = {}
    for kind, (spec_of, spec_kind) in crash_scenarios.WORK.items():
        life = crash_scenarios.Life(root, tmp_path_factory.mktemp("w"), api_stubs, {})
        life.serve()
        job = life.create(spec_of(life.upload_text()), spec_kind)
        life.wait(job)
        arrays[kind] = life.arrays(job)
        life.end()
    return arrays


@pytest.fixture(scope="module")
def fetchable(root, tmp_path_factory, api_stubs):
    """A server that has results, on a disk that is well."""
    life = crash_scenarios.Life(root, tmp_path_factory.mktemp("w"), api_stubs, {})
    life.serve()
    job = life.create(crash_scenarios.analysis_spec(life.upload_text()))
    life.wait(job)
    yield life, job
    life.end()
