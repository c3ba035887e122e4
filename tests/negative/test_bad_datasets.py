"""Uploads that are not what they say: refused, and nothing of them is kept."""

import hashlib
import struct

import pytest
import tables
from target import SECONDS, assert_says, outcome


def npy(header, data):
    """An .npy of format 1.0 with this header."""
    text = header + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + data


def content_of(case):
    if "npy" in case:
        data = tables.content(case.get("values", {"zeros": case.get("data", 0)}))
        return npy(tables.content(case["npy"]), data)
    return tables.content(case.get("content", "text"))


def messages_of(target, case):
    content = content_of(case)
    dataset = {
        "kind": case.get("kind", "KIND_TEXT"),
        "display_name": "data",
        "sha256": hashlib.sha256(content).hexdigest(),
        "size_bytes": len(content),
    }
    dataset |= tables.written_out(case.get("announce", {}))
    parts = {"announced": {"dataset": dataset}}
    for part in case.get("messages", ["announced", "content"]):
        message = target.message(
            "dataset_service",
            "UploadDatasetRequest",
            part if isinstance(part, dict) else parts.get(part, {}),
        )
        if part == "content":
            message.data = content
        yield message


def blobs(target):
    return {path.name for path in (target.server.data_dir / "blobs").iterdir()}


@pytest.mark.parametrize("case", tables.cases("datasets"))
def test_a_wrong_upload_is_refused(unharmed, case):
    before = blobs(unharmed)
    messages = [*messages_of(unharmed, case)]
    upload = unharmed.api.datasets.UploadDataset
    found = outcome(lambda: upload(iter(messages), timeout=SECONDS))
    code = case.get("code", "INVALID_ARGUMENT")
    assert_says(found, code, tables.words(case))
    assert blobs(unharmed) == before
