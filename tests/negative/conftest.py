"""Servers that bad inputs are given to."""

import pytest
import stubs
from target import started


@pytest.fixture(scope="session")
def api_stubs(root, tmp_path_factory):
    stubs.generate(root / "proto", tmp_path_factory.mktemp("stubs"))
    return stubs.Api


@pytest.fixture(scope="module")
def target(root, api_stubs, tmp_path_factory):
    """One server for all cases of a module; nothing ever runs on it."""
    with started(root, api_stubs, tmp_path_factory.mktemp("target")) as target:
        yield target


@pytest.fixture
def unharmed(target):
    """After a case, the server is what it was before it."""
    yield target
    target.assert_unharmed()
