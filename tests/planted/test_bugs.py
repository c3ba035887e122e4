"""That the table of planted bugs is about the code as it is."""

import pathlib

import planted_bugs
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUGS = planted_bugs.read_bugs()


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug["bug"])
def test_can_be_planted(bug):
    assert set(bug) == {"bug", "file", "find", "plant", "build", "test"}
    text = (ROOT / bug["file"]).read_text()
    assert len(planted_bugs.places(bug, text)) == 1
    assert bug["plant"] != bug["find"]


def test_has_twenty():
    assert len(BUGS) >= 20
    assert len({bug["bug"] for bug in BUGS}) == len(BUGS)
