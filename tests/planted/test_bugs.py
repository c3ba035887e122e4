"""That the table of planted bugs is about the code as it is.

And that only a test that ran and failed has caught one.
"""

import pathlib
import re
import subprocess

import planted_bugs
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUGS = planted_bugs.read_bugs()
GOOGLE_TEST = re.compile(
    r"^(?:TEST(?:_F|_P)?|RC_GTEST(?:_FIXTURE)?_PROP)\(\s*(\w+),\s*(\w+)", re.MULTILINE
)
# Tests for ctest, and what becomes of a bug that each of them is to catch.
TABLE_OF_CTEST = r"""
add_test(Passes true)
add_test(Fails false)
add_test(Dies sh -c "kill -SEGV $$")
add_test(Hangs sleep 60)
set_tests_properties(Hangs PROPERTIES TIMEOUT 1)
add_test(Gone /nowhere/at_all)
add_test(Skips sh -c "exit 4")
set_tests_properties(Skips PROPERTIES SKIP_RETURN_CODE 4)
add_test("With/Values/\"of a kind\"" false)
"""
ENDS = {
    "Passes": ("missed", []),
    "Fails": ("caught", ["Fails"]),
    "Dies": ("caught", ["Dies"]),
    "Hangs": ("caught", ["Hangs"]),
    "Passes|Fails": ("caught", ["Fails"]),
    "Passes|Skips": ("missed", []),
    "With": ("caught", ['With/Values/"of a kind"']),
    "Gone": ("not run", []),
    "Passes|Gone": ("not run", []),
    "Skips": ("not run", []),
    "NobodyHasThisName": ("not run", []),
}


def names_of_tests():
    """Names of all tests, by the programs that have them."""
    return {
        path.stem: [".".join(names) for names in GOOGLE_TEST.findall(path.read_text())]
        for folder in ("core", "server", "spec", "storage")
        for path in (ROOT / folder).rglob("*_test.cc")
    }


TESTS = names_of_tests()


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug["bug"])
def test_can_be_planted(bug):
    assert set(bug) == {"bug", "file", "find", "plant", "build", "test"}
    text = (ROOT / bug["file"]).read_text()
    assert len(planted_bugs.places(bug, text)) == 1
    assert bug["plant"] != bug["find"]


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug["bug"])
def test_names_tests_of_each_program_it_builds(bug):
    for program in bug["build"].split():
        assert any(re.search(bug["test"], name) for name in TESTS[program]), program


@pytest.mark.parametrize(("pattern", "end"), ENDS.items())
def test_is_caught_by_a_test_that_ran_and_failed(tmp_path, pattern, end):
    (tmp_path / "CTestTestfile.cmake").write_text(TABLE_OF_CTEST)
    command = ("ctest", "--no-tests=error", "--output-on-failure", "-R", pattern)
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    tests = planted_bugs.read_tests(said.stdout)
    assert (planted_bugs.end_of(tests), tests.failed) == end


def test_is_caught_by_a_test_that_never_ended():
    tests = planted_bugs.read_tests("Test project build\n    Start 1: Suite.Hangs\n")
    assert planted_bugs.end_of(tests) == "caught"


def test_has_twenty():
    assert len(BUGS) >= 20
    assert len({bug["bug"] for bug in BUGS}) == len(BUGS)
