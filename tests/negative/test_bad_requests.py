"""Request files that are wrong, read by the real client: one line that says where."""

import pytest
import service
import tables
from target import assert_says

GOOD = """\
kind: analyze
model: good
data: {ids: data, sequence_length: 64}
nulls: {random_router: 0, bootstrap: 0}
# what follows is wrong
"""


@pytest.fixture
def client(target, tmp_path):
    return service.Client(target.server.address, tmp_path)


def test_what_is_appended_to_is_good(unharmed, client):
    client.ok("submit", client.write_request(GOOD), "--dry-run")


@pytest.mark.parametrize("case", tables.cases("requests"))
def test_a_wrong_file_is_refused_by_one_line(unharmed, client, tmp_path, case):
    path = tmp_path / "request.yaml"
    good = b"" if "file" in case else GOOD.encode()
    path.write_bytes(good + tables.content(case.get("file", case.get("append"))))
    status, out, message = client.run("submit", path)
    assert (status, out) == (case.get("status", 2), ""), message
    assert message.endswith("\n")
    assert_says(("", message[:-1]), "", tables.words(case))
    if "at" in case:
        assert f"{path}:{case['at']}: " in message
