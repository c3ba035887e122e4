"""A server that is killed, again and again, while jobs are submitted to it.

What was acknowledged is there afterwards, and a request id stands for one job,
however often it was sent. MOEPROBE_KILLS says how many kills; 20 by default.
"""

import hashlib
import os
import random
import threading
import uuid

import grpc

KILLS = int(os.environ.get("MOEPROBE_KILLS", "20"))
CLIENTS = 4
SECONDS_TO_LIVE = (0.05, 0.5)
# A channel waits longer each time before it connects again, and would wait out
# many lives of the server.
RECONNECT_SOON = [
    (f"grpc.{which}_reconnect_backoff_ms", 100) for which in ("initial", "min", "max")
]


class Submitter(threading.Thread):
    """Sends each submission until it is acknowledged, as clients do."""

    def __init__(self, address, make_api, analyze, seed):
        super().__init__()
        self.address = address
        self.make_api = make_api
        self.analyze = analyze
        self.seed = seed
        self.chance = random.Random(seed)
        self.stopping = threading.Event()
        self.acknowledged = {}  # names of jobs by request id
        self.contradictions = []
        self.failures = []

    def run(self):
        api = self.make_api(self.address, RECONNECT_SOON)
        create = api.messages("job_service").CreateJobRequest
        number = 0
        while not self.stopping.is_set():
            number += 1
            job = api.messages("job").Job(analyze=self.analyze)
            job.analyze.seed = self.seed * 1_000_000 + number
            request = create(job=job, request_id=str(uuid.uuid4()))
            self.send(api, request)

    def send(self, api, request):
        while not self.stopping.is_set():
            try:
                name = api.jobs.CreateJob(request, timeout=10, wait_for_ready=True).name
            except grpc.RpcError as error:
                if error.code() != grpc.StatusCode.UNAVAILABLE:
                    self.failures.append(error)
                continue
            known = self.acknowledged.setdefault(request.request_id, name)
            if known != name:
                self.contradictions.append((known, name))
            # Some are sent again all the same.
            if self.chance.random() < 0.5:
                return


def all_jobs(api):
    names, token = [], ""
    while True:
        page = api.jobs.ListJobs(
            api.messages("job_service").ListJobsRequest(
                page_size=1000, page_token=token
            )
        )
        names += [job.name for job in page.jobs]
        if not (token := page.next_page_token):
            return names


def upload(api, root):
    data = (root / "tests/fixtures/mixtral/ids.npy").read_bytes()
    messages = api.messages("dataset_service")
    dataset = messages.Dataset(
        display_name="ids.npy",
        kind=messages.Dataset.KIND_IDS,
        sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
    )
    parts = [{"dataset": dataset}, {"data": data}]
    requests = (messages.UploadDatasetRequest(**part) for part in parts)
    return api.datasets.UploadDataset(requests).name


def test_acknowledged_jobs_survive_and_no_request_makes_two(
    start_server, api_stubs, root
):
    server = start_server(workers=0)
    api = api_stubs(server.address)
    analyze = api.messages("analysis").AnalyzeSpec(model="mixtral")
    analyze.data.add(ids=upload(api, root), sequence_length=64)
    submitters = [
        Submitter(server.address, api_stubs, analyze, seed) for seed in range(CLIENTS)
    ]
    for submitter in submitters:
        submitter.start()
    chance = random.Random(0)
    for _ in range(KILLS):
        # Some time of life, with submissions under way.
        threading.Event().wait(chance.uniform(*SECONDS_TO_LIVE))
        server.kill()
        server.start()
    for submitter in submitters:
        submitter.stopping.set()
    for submitter in submitters:
        submitter.join()
    assert not [f for s in submitters for f in s.failures]
    assert not [c for s in submitters for c in s.contradictions]
    acknowledged = [n for s in submitters for n in s.acknowledged.values()]
    assert len(acknowledged) > KILLS
    assert len(set(acknowledged)) == len(acknowledged)
    there = all_jobs(api_stubs(server.address))
    assert len(set(there)) == len(there)
    assert set(acknowledged) <= set(there)
    # Of each client at most the last one was never acknowledged.
    assert len(there) <= len(acknowledged) + CLIENTS
