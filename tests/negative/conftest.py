"""Servers that bad inputs are given to."""

import pytest
import service
import stubs
from target import Target


@pytest.fixture(scope="session")
def api_stubs(root, tmp_path_factory):
    stubs.generate(root / "proto", tmp_path_factory.mktemp("stubs"))
    return stubs.Api


@pytest.fixture(scope="module")
def target(root, api_stubs, tmp_path_factory):
    """One server for all cases of a module; nothing ever runs on it."""
    folder = tmp_path_factory.mktemp("target")
    (folder / "models").mkdir()
    good = root / "tests/fixtures/mixtral"
    # No lease ends while a case holds a task.
    options = ("--lease-seconds", "86400")
    with service.Server(
        folder / "data", [folder / "models"], workers=0, options=options
    ) as server:
        yield Target(server, api_stubs(server.address), folder / "models", good)
        assert server.stop() == 0


@pytest.fixture
def unharmed(target):
    """After a case, the server is what it was before it."""
    yield target
    target.assert_unharmed()
