"""Models in memory: loaded, let go of, and pinned."""

import ctypes
import json
import mmap
import os
import pathlib
import resource
import shutil

import pytest
import service

PAGE = mmap.PAGESIZE


def resident(path):
    """Pages of a file that are in memory, and all of them, as the kernel tells."""
    mincore = ctypes.CDLL(None, use_errno=True).mincore
    with path.open("rb") as file:
        mapping = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    pages = -(-len(mapping) // PAGE)
    found = (ctypes.c_ubyte * pages)()
    view = ctypes.c_char.from_buffer(mapping)
    failed = mincore(
        ctypes.c_void_p(ctypes.addressof(view)), ctypes.c_size_t(len(mapping)), found
    )
    assert failed == 0, os.strerror(ctypes.get_errno())
    del view
    mapping.close()
    return sum(page & 1 for page in found), pages


def forget(path):
    """Asks the kernel to let go of a file."""
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(descriptor)


@pytest.fixture
def roots(tmp_path, root):
    """One model, of which the kernel can let go."""
    folder = tmp_path / "models/tiny-mixtral"
    shutil.copytree(root / "examples/models/tiny-mixtral", folder)
    weights = folder / "model.safetensors"
    forget(weights)
    if resident(weights)[0] > 0:
        pytest.skip("this file system keeps its pages")
    return [tmp_path / "models"]


@pytest.fixture
def weights(roots):
    return roots[0] / "tiny-mixtral/model.safetensors"


def may_lock(path):
    """Whether the server, which has the rights of the tests, may lock a file."""
    _, most = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    if most == resource.RLIM_INFINITY or most >= path.stat().st_size:
        return True
    status = pathlib.Path("/proc/self/status").read_text()
    rights = int(status.partition("CapEff:")[2].split()[0], 16)
    return bool(rights >> 14 & 1)  # CAP_IPC_LOCK


@pytest.fixture
def lockable(weights):
    """The weights, where the server may lock them."""
    if not may_lock(weights):
        pytest.skip("this account may not lock so much memory")
    return weights


def memory_of(client):
    (model,) = json.loads(client.ok("models", "--json"))
    return model["memory"]


def wait_for(client, state):
    return service.wait_until(
        lambda: (memory := memory_of(client))["state"] == state and memory,
        f"a model that is {state}",
    )


def request_of(root, **changes):
    return {
        "kind": "analyze",
        "model": "tiny-mixtral",
        "data": {
            "ids": str(root / "tests/fixtures/mixtral/ids.npy"),
            "sequence_length": 64,
        },
        "nulls": {"random_router": 0, "bootstrap": 0},
    } | changes


def read_bytes(server):
    """Bytes that the workers have had read from disks."""
    total = 0
    for pid in server.workers():
        io = pathlib.Path(f"/proc/{pid}/io").read_text()
        total += int(io.partition("\nread_bytes:")[2].split()[0])
    return total


def test_a_loaded_model_is_in_memory_until_it_is_unloaded(
    start_server, make_client, roots, weights
):
    client = make_client(start_server(roots=roots, workers=0))
    client.ok("models", "load", "tiny-mixtral")
    memory = wait_for(client, "loaded")
    assert memory["resident_bytes"] == memory["size_bytes"] == weights.stat().st_size
    assert (memory["pinned"], memory["holders"], memory["problem"]) == (False, [], "")
    assert memory["user"]
    assert resident(weights)[0] == resident(weights)[1]
    assert "loaded" in client.ok("models")
    client.ok("models", "unload", "tiny-mixtral")
    # Not asked of the server: when it reads a header, some kernels read on.
    assert resident(weights)[0] <= resident(weights)[1] // 4


def test_workers_read_nothing_of_a_loaded_model(
    start_server, make_client, roots, root, weights
):
    server = start_server(roots=roots, workers=2)
    client = make_client(server)
    client.submit(request_of(root), "--wait")  # programs and libraries are there

    def read_by_a_job(seed):
        before = read_bytes(server)
        jobs = [
            client.submit(request_of(root, seed=s, data=data(s)), "--wait")
            for s in (seed, seed + 1)
        ]
        assert len(set(jobs)) == 2
        return read_bytes(server) - before

    def data(seed):  # no hidden states are kept for it
        return request_of(root)["data"] | {"tokens": 64 * seed}

    client.ok("models", "unload", "tiny-mixtral")
    cold = read_by_a_job(1)
    if cold == 0:
        pytest.skip("this kernel does not tell what is read")
    client.ok("models", "unload", "tiny-mixtral")
    client.ok("models", "load", "tiny-mixtral")
    wait_for(client, "loaded")
    assert cold >= weights.stat().st_size // 2
    assert read_by_a_job(3) < cold // 4


def test_a_pinned_model_stays(start_server, make_client, roots, lockable):
    weights = lockable
    server = start_server(roots=roots)
    client = make_client(server)
    client.ok("models", "pin", "tiny-mixtral")
    client.ok("models", "pin", "tiny-mixtral")
    memory = wait_for(client, "loaded")
    assert memory["pinned"]
    assert memory["user"]
    forget(weights)
    assert resident(weights)[0] == resident(weights)[1]
    info = json.loads(client.ok("info", "--json"))
    assert info["pinned_bytes"] == weights.stat().st_size
    status, _, errors = client.run("models", "unload", "tiny-mixtral")
    assert status == 1
    assert "is pinned by" in errors
    assert "unpin it first" in errors
    server.kill()
    forget(weights)
    assert resident(weights)[0] == 0
    server.start()
    assert wait_for(client, "loaded")["pinned"]
    forget(weights)
    assert resident(weights)[0] == resident(weights)[1]
    client.ok("models", "unpin", "tiny-mixtral")
    client.ok("models", "unpin", "tiny-mixtral")
    assert not memory_of(client)["pinned"]
    assert json.loads(client.ok("info", "--json"))["pinned_bytes"] == 0
    client.ok("models", "unload", "tiny-mixtral")
    assert resident(weights)[0] <= resident(weights)[1] // 4
    audit = (server.data_dir / "audit.log").read_text()
    assert '"ServerService/PinModel","resource":"tiny-mixtral"' in audit


def test_pins_take_memory_from_jobs(start_server, make_client, roots, root, lockable):
    size = lockable.stat().st_size
    server = start_server(
        roots=roots, options=("--memory-budget", f"{size + 1_000_000}B")
    )
    client = make_client(server)
    client.ok("models", "pin", "tiny-mixtral")
    path = client.write_request(request_of(root))
    client.run("submit", path)  # what it names is uploaded, whatever becomes of it

    def explained():
        _, _, errors = client.run("explain", path)
        return errors if "would be refused" in errors else None

    errors = service.wait_until(explained, "an estimate")
    assert "more than the 1000000 " in errors
    assert "less what pinned models have" in errors
    other = start_server("other", roots=roots, options=("--memory-budget", "1MB"))
    status, _, errors = make_client(other).run("models", "pin", "tiny-mixtral")
    assert status == 1
    assert f"{size} bytes to pin leave 0 of the memory budget to jobs" in errors


def test_a_model_that_a_job_uses_says_so(start_server, make_client, roots, root):
    server = start_server(roots=roots, workers=2)
    client = make_client(server)
    nulls = {"random_router": 1000, "bootstrap": 1000}
    job = client.submit(request_of(root, nulls=nulls))
    (holder,) = service.wait_until(lambda: memory_of(client)["holders"], "a holder")
    assert holder["job"] == f"jobs/{job}"
    assert holder["worker_pid"] in server.workers()
    assert holder["owner"]
    assert holder["since"]
    assert f"jobs/{job} (" in client.ok("models")
    status, _, errors = client.run("models", "unload", "tiny-mixtral")
    assert status == 1
    assert f"is used by jobs/{job} (" in errors
    client.ok("cancel", job)
    service.wait_until(lambda: not memory_of(client)["holders"], "no holder")


def test_what_is_no_model_or_no_action_is_refused(start_server, make_client, roots):
    client = make_client(start_server(roots=roots, workers=0))
    for action in ("load", "unload", "pin", "unpin"):
        status, _, errors = client.run("models", action, "tiny-mixtrel")
        assert status == 1
        assert 'there is no model "tiny-mixtrel"' in errors
    assert client.run("models", "eat", "tiny-mixtral")[0] == 2
    assert client.run("models", "load")[0] == 2
