"""When to try again, read from what stands behind an error."""

import datetime

from moeprobe.retry_info import retry_after_of
from moeprobe.v1 import error_details_pb2

KEY = "grpc-status-details-bin"


def details(type_url, seconds):
    status = error_details_pb2.ErrorStatus(code=8, message="full")
    status.details.add(type_url="type.googleapis.com/google.rpc.Help")
    delay = error_details_pb2.RetryDelay()
    delay.retry_delay.seconds = seconds
    status.details.add(type_url=type_url, value=delay.SerializeToString())
    return status.SerializeToString()


def test_the_delay_is_found_among_other_metadata():
    found = details("type.googleapis.com/google.rpc.RetryInfo", 90)
    metadata = [("server", "moeprobe"), (KEY, found)]
    assert retry_after_of(metadata) == datetime.timedelta(seconds=90)


def test_metadata_without_a_delay_say_nothing():
    other = details("type.googleapis.com/google.rpc.QuotaFailure", 90)
    for metadata in (None, [], [("server", "moeprobe")], [(KEY, other)]):
        assert retry_after_of(metadata) is None


def test_damaged_metadata_say_nothing():
    assert retry_after_of([(KEY, b"\xff")]) is None
