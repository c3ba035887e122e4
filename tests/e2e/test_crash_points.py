"""Servers and workers that die at every place there is, and what is left of it.

Nothing that was acknowledged is lost, nothing happens twice, results are what
they are where nobody dies, and no garbage stays. Places come from the sources
(crash_points.py), what reaches them is in crash_scenarios.py.

MOEPROBE_CRASH_ROUNDS says how often each place is tried, each time at a later
visit to it; 1 by default.
"""

import concurrent.futures
import os
import pathlib
import tempfile

import crash_points
import pytest
from crash_scenarios import REACHED_BY, Life
from supervised import check_data_directory

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROUNDS = int(os.environ.get("MOEPROBE_CRASH_ROUNDS", "1"))
# Lives beside each other: much of one is waiting for programs to start.
LIVES_AT_ONCE = 3
SCENARIOS = {name: run for run, names in REACHED_BY.items() for name in names}
PLACES = crash_points.in_sources(ROOT)
# The first commits of a server are those of its start.
VISITS = {name: range(1, ROUNDS + 1) for name in SCENARIOS} | {
    name: range(1, 12 * ROUNDS, 3)
    for name in ("commit-due", "commit-done-callers-waiting")
}


def test_every_place_has_a_name_of_its_own_and_a_scenario():
    assert not {name: files for name, files in PLACES.items() if len(files) > 1}
    assert set(PLACES) == set(SCENARIOS)
    assert len(SCENARIOS) == sum(map(len, REACHED_BY.values()))


class Lives:
    """Runs scenarios, several at once, each combination once."""

    def __init__(self, folder, make_api, pool):
        self.folder = folder
        self.make_api = make_api
        self.pool = pool
        self.outcomes = {}

    def begin(self, scenario, place=None, visit=0):
        """Returns the future of (what came of it, whether somebody died)."""
        key = (scenario, place, visit)
        if key not in self.outcomes:
            self.outcomes[key] = self.pool.submit(self.run, *key)
        return self.outcomes[key]

    def run(self, scenario, place, visit):
        # Short: paths of sockets have at most 107 bytes.
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        note = folder / "note"
        environment = (
            {"MOEPROBE_CRASH_POINT": f"{place}:{visit}:{note}"} if place else {}
        )
        life = Life(ROOT, folder, self.make_api, environment)
        try:
            result = scenario(life)
        finally:
            life.end()
        if life.data.exists():
            check_data_directory(life.data)
        return result, note.exists() and note.read_text() == place


@pytest.fixture(scope="module")
def lives(request, tmp_path_factory, api_stubs):
    with concurrent.futures.ThreadPoolExecutor(LIVES_AT_ONCE) as pool:
        all_lives = Lives(tmp_path_factory.mktemp("lives"), api_stubs, pool)
        # Those that are asked for begin together.
        for item in request.session.items:
            if item.function is test_what_is_left_of_a_crash:
                name, visit = (item.callspec.params[p] for p in ("place", "visit"))
                all_lives.begin(SCENARIOS[name])
                all_lives.begin(SCENARIOS[name], name, visit)
        yield all_lives


@pytest.mark.parametrize(
    ("place", "visit"),
    [(name, visit) for name in SCENARIOS for visit in VISITS[name]],
)
def test_what_is_left_of_a_crash(lives, place, visit):
    expected, _ = lives.begin(SCENARIOS[place]).result()
    result, has_died = lives.begin(SCENARIOS[place], place, visit).result()
    # Not every place is visited often.
    assert has_died or visit > 1, f"nobody came by {place}"
    assert result == expected
