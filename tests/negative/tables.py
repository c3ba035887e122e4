"""The tables of cases: one file a family, one entry a bad input."""

import json
import pathlib

import pytest
import yaml

FOLDER = pathlib.Path(__file__).with_name("cases")


def read(family):
    """What cases/{family}.yaml holds."""
    return yaml.safe_load((FOLDER / f"{family}.yaml").read_text(encoding="utf-8"))


def cases(family, part=None):
    """A parameter for each entry of a family, or of a part of it."""
    table = read(family)
    entries = table if part is None else table[part]
    names = [entry["name"] for entry in entries]
    assert len(set(names)) == len(names), f"{family}: a name stands there twice"
    return [pytest.param(entry, id=entry["name"]) for entry in entries]


def content(written):
    """The bytes that a table writes as text, or as parts one after the other.

    A part is text (UTF-8), {bytes: text} with a character for each byte, {zeros: n},
    {repeat: part, times: n}, or {each: text, of: n}: the text n times, commas between,
    with a number from 0 for its #.
    """
    if isinstance(written, list):
        return b"".join(map(content, written))
    if isinstance(written, str):
        return written.encode()
    if "bytes" in written:
        return written["bytes"].encode("latin-1")
    if "zeros" in written:
        return bytes(written["zeros"])
    if "each" in written:
        numbers = map(str, range(written["of"]))
        return ",".join(written["each"].replace("#", n) for n in numbers).encode()
    return content(written["repeat"]) * written["times"]


def words(entry):
    """What the message of an entry has to say."""
    said = entry["says"]
    return [said] if isinstance(said, str) else said


def written_out(value):
    """What {repeat: text or list, times: n} and {each: text, of: n} are short for."""
    if isinstance(value, dict) and value.keys() == {"repeat", "times"}:
        return value["repeat"] * value["times"]
    if isinstance(value, dict) and value.keys() == {"each", "of"}:
        text = json.dumps(value["each"])
        return [json.loads(text.replace("#", str(i))) for i in range(value["of"])]
    if isinstance(value, dict):
        return {key: written_out(entry) for key, entry in value.items()}
    return [*map(written_out, value)] if isinstance(value, list) else value


def change(tree, changes):
    """Sets, in a tree of mappings and lists, what stands at paths such as a.0.b."""
    for path, value in changes.items():
        *steps, last = path.split(".")
        node = tree
        for step in steps:
            is_list = isinstance(node, list)
            node = node[int(step)] if is_list else node.setdefault(step, {})
        node[int(last) if isinstance(node, list) else last] = written_out(value)
    return tree
