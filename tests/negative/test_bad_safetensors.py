"""Hostile weight files: each is refused by one line that says what and where."""

import os
import struct

import pytest
import tables
from target import assert_says


def write(path, case):
    """Writes the file that a case describes."""
    if "file" in case:
        path.write_bytes(tables.content(case["file"]))
        return
    header = tables.content(case["header"])
    length = struct.pack("<Q", case.get("length", len(header)))
    path.write_bytes(length + header + bytes(case.get("data", 0)))
    if "size" in case:
        os.truncate(path, case["size"])


@pytest.mark.parametrize("case", tables.cases("safetensors"))
def test_a_hostile_file_is_refused(unharmed, case):
    with unharmed.spoiled_model("config.json") as folder:
        write(folder / "model.safetensors", case)
        assert_says(
            unharmed.refusal_of(folder), "FAILED_PRECONDITION", tables.words(case)
        )


HEADER = b'{"a.weight":{"dtype":"BF16","shape":[2,3],"data_offsets":[0,12]}} '
FILE = struct.pack("<Q", len(HEADER)) + HEADER + bytes(12)


def refusal_of(target, content):
    with target.spoiled_model("config.json") as folder:
        (folder / "model.safetensors").write_bytes(content)
        return target.create(target.analysis(folder.name))


def test_a_file_cut_anywhere_is_refused(unharmed):
    for size in range(len(FILE)):
        refusal = refusal_of(unharmed, FILE[:size])
        assert_says(refusal, "FAILED_PRECONDITION", ["model.safetensors: "])


def test_a_file_with_any_bit_turned_is_one_message(unharmed):
    """A turned bit of a name may leave the file right, but not the model."""
    for bit in range(8 * (8 + len(HEADER))):
        content = bytearray(FILE)
        content[bit // 8] ^= 1 << bit % 8
        assert_says(refusal_of(unharmed, content), "FAILED_PRECONDITION", [])
