"""Servers and workers that die at every place there is, and what is left of it.

Nothing that was acknowledged is lost, nothing happens twice, results are what
they are where nobody dies, and no garbage stays. Places come from the sources
(crash_points.py), what reaches them is in crash_scenarios.py.

MOEPROBE_CRASH_ROUNDS says how often somebody has to die at each place, 1 by
default: at visits that are spread over those that are made to it, and at the same
ones again where there are fewer.
"""

import collections
import concurrent.futures
import dataclasses
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
# Which visits a round begins with. The first commits of a server are those of its
# start.
FIRST_VISITS = dict.fromkeys(SCENARIOS, (1,)) | dict.fromkeys(
    ("commit-due", "commit-done-callers-waiting"), (1, 4, 7, 10)
)


def test_every_place_has_a_name_of_its_own_and_a_scenario():
    assert not {name: files for name, files in PLACES.items() if len(files) > 1}
    assert set(PLACES) == set(SCENARIOS)
    assert len(SCENARIOS) == sum(map(len, REACHED_BY.values()))


class Visits:
    """At which visits to a place somebody has died, and where to try next.

    How many visits a life makes is learnt by dying at them: at twice the last one
    until nobody dies, then between the two. After that it is the visit at which
    somebody died least often, of these the one farthest from all others.
    """

    def __init__(self, first):
        self.deaths = collections.Counter()
        self.first = list(first)
        self.beyond = None  # a visit that a life did not make

    def next(self):
        if self.first:
            return self.first.pop(0)
        known = [v for v in self.deaths if self.beyond is None or v < self.beyond]
        last = max(known)
        if self.beyond is None:
            return 2 * last
        if self.beyond - last > 1:
            return (last + self.beyond) // 2
        return max(
            range(1, self.beyond),
            key=lambda v: (-self.deaths[v], min(abs(v - other) for other in known)),
        )

    def note(self, visit, has_died):
        if has_died:
            self.deaths[visit] += 1
        else:
            self.beyond = visit


@pytest.mark.parametrize("count", [1, 2, 3, 5, 6, 10, 40, 1000])
def test_visits_are_found_and_shared_between_rounds(count):
    visits, idle = Visits((1,)), 0
    while visits.deaths.total() < 10:
        visit = visits.next()
        visits.note(visit, visit <= count)
        idle += visit > count
    assert set(visits.deaths) <= set(range(1, count + 1))
    assert len(visits.deaths) == min(count, 10)
    assert max(visits.deaths.values()) - min(visits.deaths.values()) <= 1
    assert idle <= count.bit_length()


@dataclasses.dataclass(frozen=True)
class Attempt:
    """One life, in which somebody was to die at a visit."""

    visit: int
    has_died: bool
    result: object


class Lives:
    """Runs scenarios, several at once, each combination once."""

    def __init__(self, folder, make_api, pool):
        self.folder = folder
        self.make_api = make_api
        self.pool = pool
        self.undisturbed = {}
        self.crashes = {}
        self.deaths = 0

    def begin(self, place):
        """Begins what is asked of a place, unless it has begun."""
        scenario = SCENARIOS[place]
        if scenario not in self.undisturbed:
            self.undisturbed[scenario] = self.pool.submit(self.run, scenario)
        if place not in self.crashes:
            self.crashes[place] = self.pool.submit(self.die_at, place)

    def die_at(self, place):
        """Lives until somebody has died there in each round. Returns attempts."""
        first = FIRST_VISITS[place]
        visits, attempts = Visits(first), []
        while visits.deaths.total() < ROUNDS * len(first):
            visit = visits.next()
            try:
                result, has_died = self.run(SCENARIOS[place], place, visit)
            except Exception as error:
                raise AssertionError(f"{place}, visit {visit}") from error
            attempts.append(Attempt(visit, has_died, result))
            if not has_died and visit in first:
                break
            visits.note(visit, has_died)
        return attempts

    def run(self, scenario, place=None, visit=0):
        """Returns what came of a scenario, and whether somebody died."""
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
                all_lives.begin(item.callspec.params["place"])
        yield all_lives
    print(f"\n{all_lives.deaths} deaths of {len(all_lives.crashes)} places")


@pytest.mark.parametrize("place", SCENARIOS)
def test_what_is_left_of_a_crash(lives, place):
    lives.begin(place)
    expected, _ = lives.undisturbed[SCENARIOS[place]].result()
    attempts = lives.crashes[place].result()
    deaths = collections.Counter(a.visit for a in attempts if a.has_died)
    lives.deaths += deaths.total()
    print(
        f"\n{place}: died {deaths.total()} times in {len(attempts)} lives, "
        f"by visit: {dict(sorted(deaths.items()))}"
    )
    missed = [a.visit for a in attempts if not a.has_died]
    assert deaths.total() == ROUNDS * len(FIRST_VISITS[place]), f"not at {missed}"
    wrong = [a.visit for a in attempts if a.result != expected]
    assert not wrong, f"other results after visits {wrong}"
