"""Where streams stand while they are followed."""

from moeprobe.events import ProgressEvent
from moeprobe.streams import Watch
from moeprobe.v1 import job_pb2

KEPT = job_pb2.JobEvent(sequence=3, progress=job_pb2.Progress(phase="soft: step 1"))
PASSING = job_pb2.JobEvent(progress=job_pb2.Progress(phase="soft: step 2"))


def test_a_watch_leaves_out_what_is_in_no_history():
    watch = Watch("jobs/1")
    assert watch.take(KEPT).phase == "soft: step 1"
    assert watch.take(PASSING) is None
    assert watch.take(KEPT) is None
    assert watch.request.after_sequence == 3


def test_a_watch_may_ask_for_what_passes_and_keeps_its_place():
    watch = Watch("jobs/1", passing=True)
    for message in (KEPT, PASSING, PASSING):
        assert isinstance(watch.take(message), ProgressEvent)
    assert watch.take(KEPT) is None
    assert watch.request.after_sequence == 3
