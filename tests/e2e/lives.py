"""Whole lives of jobs, for servers that have to be the same after many of them."""

import collections


def live_once(api, request):
    """Creates, watches, lists, cancels and deletes a job, whatever it is at."""
    messages = api.messages("job_service")
    name = api.jobs.CreateJob(request).name
    watch = api.watch(name)
    next(watch)
    api.jobs.ListJobs(messages.ListJobsRequest())
    api.jobs.CancelJob(messages.CancelJobRequest(name=name))
    collections.deque(watch, maxlen=0)
    api.jobs.DeleteJob(messages.DeleteJobRequest(name=name))


def compute_once(api, request):
    """Has a job of the next seed computed, reads its results and deletes it."""
    messages = api.messages("result_service")
    request.job.analyze.seed += 1
    job = api.jobs.CreateJob(request)
    ended = collections.deque(api.watch(job.name), maxlen=1).pop()
    assert ended.state == job.STATE_SUCCEEDED, ended
    api.results.GetResult(messages.GetResultRequest(name=job.name))
    arrays = api.results.ReadArrays(messages.ReadArraysRequest(name=job.name))
    assert any(chunk.data for chunk in arrays)
    delete = api.messages("job_service").DeleteJobRequest(name=job.name)
    api.jobs.DeleteJob(delete)


def repeat_while(goes_on, live, api, request):
    """Lives one job after the other, and returns how many."""
    count = 0
    while goes_on():
        live(api, request)
        count += 1
    return count
