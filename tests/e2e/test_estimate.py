"""What a job will take, told before it runs."""

import json

import pytest

# Between what is estimated and what is measured here. The machine is shared,
# and jobs of well under a second are mostly overhead; bench/run.py estimate
# measures how close estimates come on a quiet one.
TOLERANCE = 10


@pytest.fixture
def estimate_of(api):
    def estimate(job):
        """Of a job like this one, as the server's answer."""
        body = api.messages("job").Job(analyze=job.analyze)
        request = api.messages("job_service").ValidateJobRequest(job=body)
        return api.jobs.ValidateJob(request).estimate

    return estimate


def dry_run(client, request):
    """Returns what stands beside the resolved request."""
    status, out, errors = client.run(
        "submit", client.write_request(request), "--dry-run"
    )
    assert status == 0, errors
    assert out.startswith("kind: analyze\n")
    return errors


def seconds_of(job):
    return job.end_time.ToNanoseconds() / 1e9 - job.start_time.ToNanoseconds() / 1e9


def test_an_estimate_stands_beside_the_resolved_request(client, api, long_request):
    client.submit(long_request | {"layers": [0]}, "--wait")  # a worker is there
    errors = dry_run(client, long_request)
    assert errors.startswith("estimate: "), errors
    assert "of memory" in errors
    name = client.submit(long_request, "--wait")
    job = api.job(name)
    assert 1 / TOLERANCE < job.estimated_seconds / seconds_of(job) < TOLERANCE
    result = json.loads((client.fetch(name) / "result.json").read_text())
    assert result["times"]["estimated_seconds"] == job.estimated_seconds


def test_what_is_cached_takes_nothing(client, api, short_request, estimate_of):
    job = api.job(client.submit(short_request, "--wait"))
    assert dry_run(client, short_request).startswith("estimate: nothing to compute")
    estimate = estimate_of(job)
    assert estimate.seconds == 0
    assert estimate.disk_read_bytes == 0
    assert estimate.cached_group_count == estimate.group_count > 0


def test_stored_hidden_states_make_a_job_cheaper(
    client, api, short_request, estimate_of
):
    request = short_request | {"layers": [2], "nll": False, "probes": {"pca": {}}}
    job = api.job(client.submit(request, "--wait"))
    job.analyze.probes.Clear()
    job.analyze.probes.jacobian.SetInParent()
    from_stored = estimate_of(job).disk_read_bytes
    job.analyze.data[0].sequence_length = 32
    assert 0 < from_stored < estimate_of(job).disk_read_bytes
