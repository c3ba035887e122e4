"""The client against the real server: jobs, data, errors, restarts, files."""

import asyncio
import datetime
import itertools
import re
import threading

import moeprobe
import moeprobe.aio
import numpy as np
import pytest
import service
import yaml
from moeprobe import methods
from moeprobe.v1 import (
    dataset_service_pb2,
    job_service_pb2,
    result_service_pb2,
    server_service_pb2,
    user_service_pb2,
)

SECONDS = 120
SERVICES = {
    name: module.DESCRIPTOR.services_by_name[name]
    for name, module in {
        "ServerService": server_service_pb2,
        "DatasetService": dataset_service_pb2,
        "JobService": job_service_pb2,
        "ResultService": result_service_pb2,
        "UserService": user_service_pb2,
    }.items()
}


@pytest.fixture
def cpp_client(common_server, tmp_path):
    folder = tmp_path / "client"
    folder.mkdir()
    return service.Client(common_server.address, folder)


@pytest.mark.parametrize(
    "method", [m for m in vars(methods).values() if isinstance(m, methods.Method)]
)
def test_methods_carry_what_the_api_says(method):
    _, full_name, name = method.path.split("/")
    described = SERVICES[full_name.split(".")[-1]].methods_by_name[name]
    assert described.containing_service.full_name == full_name
    assert described.input_type == method.request.DESCRIPTOR
    assert described.output_type == method.response.DESCRIPTOR


def test_server_and_models_say_what_they_are(client):
    info = client.server_info()
    assert "mixtral" in info.families
    assert info.isolation.max_open_file_count == 4096
    walls = (info.isolation.landlock_version, info.isolation.are_sockets_forbidden)
    assert all(walls) or info.isolation.gaps
    models = {model.name: model for model in client.models()}
    assert models["mixtral"].expert_count == 6
    assert models["mixtral"].problem == ""


def test_models_are_brought_into_memory(client):
    loaded = client.load_model("mixtral").memory
    assert loaded.size_bytes > 0
    assert (loaded.pinned, loaded.holders, loaded.problem) == (False, [], "")
    assert loaded.user == client.whoami().user
    assert not client.unload_model("mixtral").memory.pinned
    with pytest.raises(moeprobe.NotFoundError):
        client.load_model("mixtrel")


def test_address_and_socket_are_those_of_the_cpp_client(monkeypatch):
    monkeypatch.setenv("MOEPROBE_SERVER", "host:1")
    assert moeprobe.Client().address == "host:1"
    monkeypatch.delenv("MOEPROBE_SERVER")
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/x")
    assert moeprobe.Client().address == "unix:/run/x/moeprobe.sock"
    assert moeprobe.Client("other:2").address == "other:2"


def test_a_job_is_a_future_of_its_result(client, short_request, ids):
    job = client.submit(short_request)
    assert job.wait() is job
    status = job.status()
    assert status.state is moeprobe.JobState.SUCCEEDED
    assert status.fraction == 1
    assert status.request["model"] == "mixtral"
    result = job.result()
    assert result.complete
    assert (
        result["expert_count"].value.sum("expert").values.tolist() == [2 * len(ids)] * 3
    )
    assert job.name in {listed.name for listed in client.jobs()}
    assert client.job(job.id).status() == client.job(job.name).status()


def test_a_file_is_submitted_with_its_data_beside_it(client, tmp_path, ids):
    np.save(tmp_path / "tokens.npy", ids)
    request = {
        "model": "mixtral",
        "data": {"ids": "tokens.npy", "sequence_length": 64},
        "nulls": {"random_router": 0, "bootstrap": 0},
    }
    path = tmp_path / "analyze.yaml"
    path.write_text(yaml.dump(request))
    job = client.submit(path).wait(SECONDS, progress=False)
    stored = job.status().request["data"]["ids"]
    assert stored in {dataset.name for dataset in client.datasets()}


def test_texts_and_arrays_are_uploaded_once_by_digest(client, root):
    content = (root / "examples/texts/jargon.txt").read_text()[:9000]
    request = {
        "model": "tiny-mixtral",
        "data": {"text": moeprobe.Text(content, "part of jargon.txt"), "tokens": 512,
                 "sequence_length": 64},
        "layers": [0],
        "probes": {"routing": {}},
    }  # fmt: skip
    first = client.submit(request).wait(progress=False)
    again = client.submit(request)
    assert first.status().request == again.wait(progress=False).status().request
    named = [d for d in client.datasets() if d.display_name == "part of jargon.txt"]
    assert [d.kind for d in named] == ["text"]


def test_a_request_id_creates_one_job_only(client, short_request):
    key = "0f0e0d0c-0b0a-4908-8706-050403020100"
    first = client.submit(short_request, request_id=key)
    assert client.submit(short_request, request_id=key).id == first.id
    with pytest.raises(moeprobe.AlreadyExistsError):
        client.submit(short_request | {"seed": 1}, request_id=key)


def test_a_resolved_request_is_that_of_the_cpp_client(
    client, cpp_client, full_request, root
):
    ids = str(root / "tests/fixtures/mixtral/ids.npy")
    request = full_request | {"data": {"ids": ids, "sequence_length": 16}}
    out = cpp_client.ok("submit", cpp_client.write_request(request), "--dry-run")
    assert client.validate(request).request == yaml.safe_load(out)


def test_validation_creates_nothing_and_says_what_it_takes(client, full_job, ids):
    assert full_job.id
    count = len(client.jobs())
    request = {"model": "mixtral", "data": {"ids": ids, "sequence_length": 64}}
    validation = client.validate(request)
    assert validation.request["nulls"]["random_router"] == 99
    assert validation.estimate is None or validation.estimate.group_count > 0
    assert len(client.jobs()) == count


def test_errors_have_types_and_the_servers_words(client, short_request, tmp_path):
    with pytest.raises(moeprobe.NotFoundError, match='there is no model "nope"'):
        client.submit(short_request | {"model": "nope"})
    with pytest.raises(moeprobe.NotFoundError):
        client.job(123456).status()
    with pytest.raises(moeprobe.RequestError, match="no file /none.npy"):
        client.submit({"model": "mixtral", "data": {"ids": "/none.npy"}})
    path = tmp_path / "wrong.yaml"
    path.write_text("model: mixtral\ndata:\n  text: x\n  sequence_length: 0\n")
    with pytest.raises(moeprobe.RequestError, match=r"wrong\.yaml:4:20: data\[0\]"):
        client.validate(path)
    with pytest.raises(ValueError, match="is empty, expected data"):
        client.submit({"model": "mixtral", "data": {"text": moeprobe.Text("")}})


def test_nobody_there_is_told_with_the_address(tmp_path):
    connection = moeprobe.Connection(f"unix:{tmp_path}/none.sock", patience=0.1)
    client = moeprobe.Client(connection=connection)
    with pytest.raises(moeprobe.UnavailableError, match=r"none\.sock") as found:
        client.server_info()
    assert isinstance(found.value, ConnectionError)


def test_waiting_ends_at_its_deadline_and_leaves_the_job(client, long_request):
    job = client.submit(long_request)
    with pytest.raises(moeprobe.DeadlineError):
        job.wait(timeout=0.2, progress=False)
    assert not job.status().state.is_final
    job.cancel()
    with pytest.raises(moeprobe.JobCancelledError, match=job.name):
        job.wait(progress=False)
    job.delete()
    with pytest.raises(moeprobe.NotFoundError):
        job.status()


def test_a_failed_job_says_why(client, root):
    ids = np.full(256, 10**6, np.int32)  # no vocabulary has them
    request = {"model": "mixtral", "data": {"ids": ids, "sequence_length": 64}}
    with pytest.raises(moeprobe.MoeprobeError, match="1000000"):
        client.submit(request).result()


def test_events_come_once_each_though_the_server_restarts(server, long_request):
    client = moeprobe.Client(server.address)
    job = client.submit(long_request)
    seen = []
    begun = threading.Event()

    def watch():
        for event in job.events(timeout=SECONDS):
            seen.append(event)
            if isinstance(event, moeprobe.LayerEvent):
                begun.set()

    thread = threading.Thread(target=watch)
    thread.start()
    assert begun.wait(SECONDS)
    server.kill()
    server.start()
    thread.join(SECONDS)
    assert [event.sequence for event in seen] == list(range(1, len(seen) + 1))
    assert isinstance(seen[-1], moeprobe.StateEvent)
    assert seen[-1].state is moeprobe.JobState.SUCCEEDED
    later = list(itertools.islice(job.events(after_sequence=2), 1))
    assert later == [seen[2]]


def test_passing_events_tell_where_a_job_stands(tmp_path, model_roots, short_request):
    with service.Server(tmp_path / "data", model_roots, workers=0) as server:
        client = moeprobe.Client(server.address)
        first, second = (client.submit(short_request | {"seed": s}) for s in range(2))
        events = second.events(timeout=SECONDS, passing=True)
        places = (event for event in events if isinstance(event, moeprobe.PlaceEvent))
        assert next(places).queue_position == 1
        first.cancel()
        assert next(places).queue_position == 0
        second.cancel()
        assert list(places) == []


def test_a_refusal_says_when_to_try_again(tmp_path, model_roots, short_request):
    worker = tmp_path / "idle-worker"
    worker.write_text("#!/bin/sh\nexec sleep infinity\n")
    worker.chmod(0o755)
    options = ("--max-queued", "1", "--worker-binary", worker)
    with service.Server(tmp_path / "data", model_roots, options=options) as server:
        client = moeprobe.Client(server.address)
        client.submit(short_request)
        with pytest.raises(moeprobe.ResourceError, match="wait until") as refused:
            client.submit(short_request | {"seed": 1})
        assert refused.value.retry_after == datetime.timedelta(seconds=1)
        with pytest.raises(moeprobe.NotFoundError) as missing:
            client.job(99).status()
        assert missing.value.retry_after is None

        async def submit():
            async with moeprobe.aio.Client(server.address) as client:
                await client.submit(short_request | {"seed": 1})

        with pytest.raises(moeprobe.ResourceError) as refused:
            asyncio.run(submit())
        assert refused.value.retry_after == datetime.timedelta(seconds=1)


def shortest(text):
    """`text` with the fewest digits that say the same numbers, as not all write."""
    return re.sub(r"-?\d+\.\d+(e[-+]?\d+)?", lambda n: repr(float(n[0])), text)


def test_saved_files_are_those_that_the_cpp_client_fetches(
    full_job, full_result, cpp_client, tmp_path
):
    full_result.save(tmp_path / "saved")
    fetched = cpp_client.fetch(full_job.name)
    saved = tmp_path / "saved"
    for name, form in (("summary.csv", str), ("result.json", shortest)):
        ours, theirs = ((folder / name).read_text() for folder in (saved, fetched))
        assert form(ours) == form(theirs)
    with (
        np.load(tmp_path / "saved/arrays.npz") as ours,
        np.load(fetched / "arrays.npz") as theirs,
    ):
        assert ours.files == theirs.files
        for name in theirs.files:
            np.testing.assert_array_equal(ours[name], theirs[name], strict=True)


def test_what_is_saved_loads_again(full_result, tmp_path):
    full_result.save(tmp_path)
    (tmp_path / "notes.txt").write_text("kept")
    full_result.save(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "arrays.npz",
        "notes.txt",
        "result.json",
        "summary.csv",
    ]
    loaded = moeprobe.load(tmp_path)
    assert loaded.document == full_result.document
    assert loaded.table().equals(full_result.table())


def test_the_client_can_be_awaited(common_server, short_request, long_request):
    async def use():
        async with moeprobe.aio.Client(common_server.address) as client:
            jobs = [await client.submit(short_request | {"seed": s}) for s in range(8)]
            results = await asyncio.gather(*(job.result() for job in jobs))
            cancelled = await client.submit(long_request | {"seed": 99})
            await cancelled.cancel()
            with pytest.raises(moeprobe.JobCancelledError):
                await cancelled.wait()
            with pytest.raises(moeprobe.NotFoundError):
                await client.job(123456).status()
            events = [event async for event in jobs[0].events()]
            models = await client.models()
        return results, events, models

    results, events, models = asyncio.run(use())
    assert [result.request["seed"] for result in results] == list(range(8))
    assert events[-1].state is moeprobe.JobState.SUCCEEDED
    assert "mixtral" in {model.name for model in models}


def test_awaited_events_go_on_after_a_restart(server, long_request):
    async def watch():
        async with moeprobe.aio.Client(server.address) as client:
            job = await client.submit(long_request)
            seen = []
            first = server.process.pid
            async for event in job.events(timeout=SECONDS):
                seen.append(event)
                is_layer = isinstance(event, moeprobe.LayerEvent)
                if is_layer and server.process.pid == first:
                    server.kill()
                    server.start()
            return seen

    seen = asyncio.run(watch())
    assert [event.sequence for event in seen] == list(range(1, len(seen) + 1))
    assert seen[-1].state is moeprobe.JobState.SUCCEEDED
