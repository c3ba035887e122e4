"""Extracts the two example corpora from Debian packages, split in two.

usage: make_texts.py OUT_DIR

Needs the packages bible-kjv (which brings bible-kjv-text) and jargon-text.
Writes OUT_DIR/{king-james,jargon}.train.txt and .held-out.txt. The held-out
parts, the last HELD_OUT_BYTES of each, are checked in as texts/*.txt: the
models beside them never saw them.
"""

import gzip
import pathlib
import re
import subprocess
import sys

HELD_OUT_BYTES = 160_000
JARGON = "/usr/share/doc/jargon-text/jargon.txt.gz"


def king_james():
    """The King James Bible, a verse a line, without verse numbers."""
    verses = subprocess.run(
        ["bible", "-f", "Gen1:1-Rev22:21"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    return re.sub(r"^\S+ ", "", verses, flags=re.MULTILINE)


def jargon():
    """The Jargon File 4.4.7."""
    return gzip.decompress(pathlib.Path(JARGON).read_bytes()).decode()


def split(text):
    """Cuts a text into training and held-out part, at the end of a line."""
    raw = text.encode()
    cut = raw.index(b"\n", len(raw) - HELD_OUT_BYTES) + 1
    return raw[:cut].decode(), raw[cut:].decode()


def write_texts(directory):
    """Writes both corpora; returns the four paths by name."""
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    paths = {}
    for name, text in (("king-james", king_james()), ("jargon", jargon())):
        for part, content in zip(("train", "held-out"), split(text)):
            paths[name, part] = directory / f"{name}.{part}.txt"
            paths[name, part].write_text(content)
    return paths


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    write_texts(sys.argv[1])
