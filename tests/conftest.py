"""Folders of the checkout, and of larger material where there is some."""

import os
import pathlib

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def root():
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared():
    """Checkpoints, tokenizers and texts too large to check in.

    MOEPROBE_SHARED names their folder; by default it is `shared` beside the
    checkout. Tests that use it are skipped where there is none.
    """
    folder = pathlib.Path(os.environ.get("MOEPROBE_SHARED", ROOT.parent / "shared"))
    if not (folder / "fixtures").is_dir():
        pytest.skip(f"no {folder}/fixtures; MOEPROBE_SHARED may name another place")
    return folder
