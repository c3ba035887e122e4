"""Makes the stubs of the API (`moeprobe.v1`) while the package is built."""

import importlib.resources
import pathlib

from setuptools import setup
from setuptools.command.build_py import build_py

FOLDER = pathlib.Path(__file__).resolve().parent
PROTO = FOLDER.parent / "proto"


def make_stubs(out: pathlib.Path) -> None:
    """Write modules and their types for every .proto of the API into `out`."""
    from grpc_tools import protoc  # noqa: PLC0415 (only there while building)

    files = sorted(str(path) for path in PROTO.rglob("*.proto"))
    if not files:
        message = f"no .proto files in {PROTO}: build the package in a checkout"
        raise FileNotFoundError(message)
    well_known = importlib.resources.files("grpc_tools") / "_proto"
    kinds = ("python", "pyi", "grpc_python")
    outputs = [f"--{kind}_out={out}" for kind in kinds]
    arguments = ["protoc", f"-I{PROTO}", f"-I{well_known}", *outputs, *files]
    if protoc.main(arguments) != 0:
        raise RuntimeError("protoc failed")
    (out / "moeprobe/v1/__init__.py").write_text('"""The API, as protoc made it."""\n')


class BuildWithStubs(build_py):
    """Adds the stubs to what is built, or to the sources of an editable install."""

    def run(self) -> None:
        """Build what is checked in, then the stubs."""
        super().run()
        out = FOLDER / "src" if self.editable_mode else pathlib.Path(self.build_lib)
        make_stubs(out)


setup(cmdclass={"build_py": BuildWithStubs})
