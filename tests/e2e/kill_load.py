"""Clients that submit, watch, cancel and delete while programs are killed.

Each notes what it was told, to be compared with what is there in the end.
"""

import random
import threading
import time
import uuid

import grpc
from supervised import RECONNECT_SOON, insist

# What a client does next, and how often.
ACTIONS = {"submit": 6, "watch": 3, "cancel": 2, "delete": 2}
LONGEST_PAUSE = 0.2
WATCH_SECONDS = 0.3
FINAL = ("SUCCEEDED", "FAILED", "CANCELLED")


class Client(threading.Thread):
    """Insists on each thing it does, until it is stopped."""

    def __init__(self, address, make_api, specs, seed):
        super().__init__()
        self.api = make_api(address, RECONNECT_SOON)
        self.specs = specs
        self.chance = random.Random(seed)
        self.stopping = threading.Event()
        self.submitted = {}  # seeds of acknowledged jobs, by name
        self.requests = {}  # names by request id
        self.unanswered = None  # the last submission, if nobody has answered it
        self.cancelled = {}  # states that were told, by name
        self.deleted = set()  # acknowledged
        self.perhaps_deleted = set()
        self.events = {}  # by name, in order
        self.contradictions = []
        self.failures = []

    def run(self):
        actions, weights = zip(*ACTIONS.items(), strict=True)
        while not self.stopping.is_set():
            action = self.chance.choices(actions, weights)[0]
            try:
                getattr(self, action)()
            except Exception as error:  # noqa: BLE001
                self.failures.append((action, error))
            self.stopping.wait(self.chance.uniform(0, LONGEST_PAUSE))
        try:
            self.submit_once_more()
        except Exception as error:  # noqa: BLE001
            self.failures.append(("submit once more", error))
        self.api.channel.close()

    def insist(self, call):
        """None if the client is stopped before anybody answers."""
        while not self.stopping.is_set():
            try:
                return call()
            except grpc.RpcError as error:
                if error.code() != grpc.StatusCode.UNAVAILABLE:
                    raise
            time.sleep(0.02)
        return None

    def new_submission(self):
        """A request, and the seed of its job."""
        create = self.api.messages("job_service").CreateJobRequest
        seed = self.chance.choice(list(self.specs))
        job = self.api.messages("job").Job(analyze=self.specs[seed])
        request = create(
            job=job, request_id=str(uuid.UUID(int=self.chance.getrandbits(128)))
        )
        return request, seed

    def submit(self):
        self.unanswered = request, seed = self.new_submission()
        # Some are sent again all the same.
        for _ in range(self.chance.choice((1, 1, 2))):
            made = self.insist(lambda: self.api.jobs.CreateJob(request, timeout=10))
            if made is None:
                return
            self.note_answer(request, seed, made.name)
        self.unanswered = None

    def note_answer(self, request, seed, name):
        known = self.requests.setdefault(request.request_id, name)
        if known != name:
            self.contradictions.append((known, name))
        self.submitted[name] = seed

    def submit_once_more(self):
        """Does not insist: the server may be killed meanwhile."""
        if self.unanswered is not None:
            return
        self.unanswered = request, seed = self.new_submission()
        try:
            made = self.api.jobs.CreateJob(request, timeout=10)
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.UNAVAILABLE:
                raise
            return
        self.note_answer(request, seed, made.name)
        self.unanswered = None

    def ask_for_answer(self, api):
        """Sends what was not answered as it was, and returns the name of its job."""
        request, seed = self.unanswered
        made = insist(lambda: api.jobs.CreateJob(request, timeout=10))
        self.note_answer(request, seed, made.name)
        return made.name

    def one_of_own(self):
        own = [name for name in self.submitted if name not in self.perhaps_deleted]
        return self.chance.choice(own) if own else None

    def watch(self):
        """Goes on behind what it has heard of a job."""
        if (name := self.one_of_own()) is None:
            return
        heard = self.events.setdefault(name, [])
        request = self.api.messages("job_service").WatchJobRequest(
            name=name, after_sequence=len(heard)
        )
        try:
            for event in self.api.jobs.WatchJob(request, timeout=WATCH_SECONDS):
                if event.sequence:  # the rest is in no history
                    heard.append(event)
        except grpc.RpcError as error:
            if error.code() not in (
                grpc.StatusCode.UNAVAILABLE,
                grpc.StatusCode.DEADLINE_EXCEEDED,
            ):
                raise

    def cancel(self):
        if (name := self.one_of_own()) is None:
            return
        request = self.api.messages("job_service").CancelJobRequest(name=name)
        # Unless it is told, it may have happened or not.
        self.cancelled.setdefault(name, None)
        job = self.insist(lambda: self.api.jobs.CancelJob(request, timeout=10))
        if job is not None:
            self.cancelled[name] = self.state_of(job)

    def delete(self):
        if (name := self.one_of_own()) is None:
            return
        self.perhaps_deleted.add(name)
        request = self.api.messages("job_service").DeleteJobRequest(name=name)
        try:
            done = self.insist(lambda: self.api.jobs.DeleteJob(request, timeout=10))
        except grpc.RpcError as error:
            if error.code() == grpc.StatusCode.FAILED_PRECONDITION:
                self.perhaps_deleted.remove(name)  # it has not ended
            elif error.code() == grpc.StatusCode.NOT_FOUND:
                self.deleted.add(name)  # the answer to an earlier try was lost
            else:
                raise
            return
        if done is not None:
            self.deleted.add(name)

    def state_of(self, job):
        name = self.api.messages("job").Job.State.Name(job.state)
        return name.removeprefix("STATE_")
