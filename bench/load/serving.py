"""A server to measure, and the stubs to call it with."""

import contextlib
import pathlib
import tempfile

import service
import stubs

ROOT = pathlib.Path(__file__).resolve().parents[2]


@contextlib.contextmanager
def served(**options):
    """Its data is beside the build: a temporary directory may be in memory."""
    with tempfile.TemporaryDirectory(dir=ROOT / "build") as folder:
        stub_folder = pathlib.Path(folder) / "stubs"
        stub_folder.mkdir()
        stubs.generate(ROOT / "proto", stub_folder)
        data = pathlib.Path(folder) / "data"
        with service.Server(data, [ROOT / "tests/fixtures"], **options) as server:
            yield server
