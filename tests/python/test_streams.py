"""Where streams stand while they are followed."""

import datetime

from moeprobe.events import Event, PlaceEvent, ProgressEvent, event_of
from moeprobe.streams import Watch
from moeprobe.v1 import job_pb2

KEPT = job_pb2.JobEvent(sequence=3, progress=job_pb2.Progress(phase="soft: step 1"))
PASSING = job_pb2.JobEvent(progress=job_pb2.Progress(phase="soft: step 2"))
PLACE = job_pb2.JobEvent(place=job_pb2.QueuePlace(queue_position=2))
# A field of JobEvent that there is not yet, of no bytes.
NEWS = job_pb2.JobEvent.FromString(b"\xfa\x01\x00")


def test_a_watch_leaves_out_what_is_in_no_history():
    watch = Watch("jobs/1")
    assert watch.take(KEPT).phase == "soft: step 1"
    assert watch.take(PASSING) is None
    assert watch.take(PLACE) is None
    assert watch.take(KEPT) is None
    assert watch.request.after_sequence == 3


def test_a_watch_may_ask_for_what_passes_and_keeps_its_place():
    watch = Watch("jobs/1", passing=True)
    for message in (KEPT, PASSING, PASSING):
        assert isinstance(watch.take(message), ProgressEvent)
    assert watch.take(KEPT) is None
    assert watch.request.after_sequence == 3


def test_a_place_says_when_the_job_starts_if_it_is_known():
    unknown = event_of(PLACE)
    assert isinstance(unknown, PlaceEvent)
    assert (unknown.sequence, unknown.queue_position) == (0, 2)
    assert unknown.estimated_start_time is None
    place = job_pb2.QueuePlace(queue_position=2)
    place.estimated_start_time.seconds = 90
    start = event_of(job_pb2.JobEvent(place=place)).estimated_start_time
    assert start == datetime.datetime(
        1970, 1, 1, 0, 1, 30, tzinfo=datetime.timezone.utc
    )


def test_news_to_this_version_are_events():
    watch = Watch("jobs/1", passing=True)
    assert type(watch.take(NEWS)) is Event
    assert not watch.ended
