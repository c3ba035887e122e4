"""The audit log: who did what, and what becomes of the file."""

import json
import os
import resource
import signal
import stat

import access
import pytest
import service


@pytest.fixture
def audited(start_server):
    return start_server(
        workers=0, options=("--listen", "127.0.0.1:0", "--require-token")
    )


@pytest.fixture
def methods(root, api_stubs):
    assert api_stubs
    return access.methods(root)


def lines(server, name="audit.log"):
    text = (server.data_dir / name).read_text()
    return [json.loads(line) for line in text.splitlines()]


def test_every_call_has_a_line_before_its_answer(audited, methods):
    bob = access.Caller(audited.addresses[1], audited.add_user("bob"))
    nobody = access.Caller(audited.addresses[1])
    cancel = methods["JobService/CancelJob"]
    request = access.module("job_service").CancelJobRequest(name="jobs/7")
    bob.call(cancel, request)
    nobody.call(cancel, request)
    added, cancelled, refused = lines(audited)[-3:]
    assert added["method"] == "UserService/CreateUser"
    assert (added["resource"], added["outcome"]) == ("users/bob", "OK")
    assert (added["proof"], added["from"].startswith("uid ")) == ("peer", True)
    assert cancelled["user"] == "bob"
    assert cancelled["proof"] == "token"
    assert cancelled["from"].startswith("ipv4:127.0.0.1:")
    assert cancelled["resource"] == "jobs/7"
    assert cancelled["outcome"] == "NOT_FOUND"
    assert (refused["user"], refused["proof"]) == ("", "none")
    assert refused["outcome"] == "UNAUTHENTICATED"


def test_every_method_is_in_it(audited, methods):
    caller = access.Caller(audited.address)
    for method in methods.values():
        request = access.message_class(method.input_type)()
        caller.call(method, [request] if method.client_streaming else request)
    assert {line["method"] for line in lines(audited)} == set(methods)


def test_a_backup_is_in_it(audited, tmp_path):
    for outcome in ("OK", "ALREADY_EXISTS"):
        audited.admin("backup", tmp_path / "backup")
        last = lines(audited)[-1]
        assert last["method"] == "AdminService/CreateBackup"
        assert last["resource"] == str(tmp_path / "backup")
        assert last["from"] == f"uid {os.getuid()}"
        assert (last["proof"], last["outcome"]) == ("peer", outcome)


def test_a_created_job_is_named_in_it(audited, make_client, short_request):
    job = make_client(audited).submit(short_request)
    created = [x for x in lines(audited) if x["method"] == "JobService/CreateJob"]
    assert created[-1]["resource"] == f"jobs/{job}"


def test_it_holds_no_texts_and_is_for_the_server_alone(audited, make_client, root):
    client = make_client(audited)
    text = client.folder / "secret words.txt"
    text.write_text("nobody expects this sentence\n" * 100)
    client.run(
        "submit",
        client.write_request(
            {"model": "tiny-mixtral", "data": {"text": str(text)}, "name": "my label"}
        ),
    )
    log = audited.data_dir / "audit.log"
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    content = log.read_text()
    for hidden in ("secret words", "sentence", "my label"):
        assert hidden not in content
    assert root


def test_a_signal_begins_a_new_file(audited, methods):
    log = audited.data_dir / "audit.log"
    caller = access.Caller(audited.address)
    info = methods["ServerService/GetServerInfo"]
    request = access.module("server_service").GetServerInfoRequest()
    caller.call(info, request)
    log.rename(log.with_suffix(".1"))
    caller.call(info, request)
    audited.process.send_signal(signal.SIGHUP)
    service.wait_until(log.exists, "the new audit log")
    caller.call(info, request)
    assert len(lines(audited, "audit.1")) == 2
    assert len(lines(audited)) == 1
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_lines_that_cannot_be_written_are_reported(audited, methods, make_client):
    log = audited.data_dir / "audit.log"
    caller = access.Caller(audited.address)
    info = methods["ServerService/GetServerInfo"]
    request = access.module("server_service").GetServerInfoRequest()
    # So long that the limit is none for what the server logs meanwhile.
    while log.stat().st_size < (audited.data_dir / "stderr.txt").stat().st_size + 4096:
        caller.call(info, request)
    pid, limits = audited.process.pid, resource.RLIMIT_FSIZE
    full = (log.stat().st_size, resource.RLIM_INFINITY)
    before = resource.prlimit(pid, limits, full)
    for _ in range(3):
        assert caller.call(info, request)[0] == access.OK
    resource.prlimit(pid, limits, before)
    assert caller.call(info, request)[2].audit_failure_count == 3
    assert "audit log" in audited.log()
    assert "3 lines could not be written" in make_client(audited).ok("info")
