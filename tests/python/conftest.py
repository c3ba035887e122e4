"""The Python package, installed as its users install it, and a server."""

import atexit
import pathlib
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import pytest
import service

ROOT = pathlib.Path(__file__).resolve().parents[2]


def install(out):
    """Builds the package in a copy of its sources and puts it into `out`."""
    with tempfile.TemporaryDirectory() as folder:
        sources = pathlib.Path(folder)
        left_out = shutil.ignore_patterns("build", "*.egg-info", "__pycache__", "v1")
        shutil.copytree(ROOT / "python", sources / "python", ignore=left_out)
        shutil.copytree(ROOT / "proto", sources / "proto")
        options = ("--no-deps", "--no-build-isolation", "--disable-pip-version-check")
        subprocess.run(
            [sys.executable, "-m", "pip", "install", "-q", *options, "--target", out,
             sources / "python"],
            check=True,
        )  # fmt: skip


# Before the tests, which import it, are.
PACKAGE = tempfile.mkdtemp(prefix="moeprobe-python-")
atexit.register(shutil.rmtree, PACKAGE, ignore_errors=True)
install(PACKAGE)
sys.path.insert(0, PACKAGE)

import moeprobe  # noqa: E402

NO_NULLS = {"random_router": 0, "bootstrap": 0}


@pytest.fixture(scope="session")
def package():
    """The folder the package is installed in."""
    return pathlib.Path(PACKAGE)


@pytest.fixture(scope="session")
def model_roots(root):
    return [root / "tests/fixtures", root / "examples/models"]


@pytest.fixture(scope="session")
def common_server(tmp_path_factory, model_roots):
    """One server for all tests that do it no harm."""
    with service.Server(tmp_path_factory.mktemp("data"), model_roots) as server:
        yield server


@pytest.fixture
def server(tmp_path, model_roots):
    """A server that a test may kill."""
    with service.Server(tmp_path / "data", model_roots) as server:
        yield server


@pytest.fixture(scope="session")
def client(common_server):
    with moeprobe.Client(common_server.address) as client:
        yield client


@pytest.fixture(scope="session")
def ids(root):
    return np.load(root / "tests/fixtures/mixtral/ids.npy")


@pytest.fixture
def short_request(ids):
    """A job of well under a second."""
    return {
        "model": "mixtral",
        "data": {"ids": ids, "sequence_length": 64},
        "nulls": NO_NULLS,
    }


@pytest.fixture(scope="session")
def long_request():
    """A job of some seconds, with time to do things to it between layers."""
    ids = np.random.default_rng(0).integers(0, 1024, 400 * 128).astype(np.int32)
    return {
        "model": "tiny-mixtral",
        "data": {"ids": ids, "tokens": len(ids), "sequence_length": 128},
        "nulls": NO_NULLS,
    }


@pytest.fixture(scope="session")
def full_request(ids):
    """Every probe, of a model and a dense counterpart; few draws of all nulls."""
    return {
        "name": "everything",
        "model": "mixtral",
        "baseline": "qwen3",
        "data": {"ids": ids, "sequence_length": 16},
        "probes": {
            "routing": {},
            "jacobian": {"projections": 3, "by_tokens": True},
            "pca": {"components": 3, "basis": True, "angles": True},
            "spectra": {},
            "router_term": {},
            "redundancy": {"rank": 8},
            "interventions": {"pairs": 4, "tokens": 64},
        },
        "nulls": {
            "random_router": 9,
            "permutations": 3,
            "random_weights": 2,
            "bootstrap": 40,
            "keep_draws": True,
        },
    }


@pytest.fixture(scope="session")
def full_job(client, full_request):
    return client.submit(full_request).wait()


@pytest.fixture(scope="session")
def full_result(full_job):
    return full_job.result()
