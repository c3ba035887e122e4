"""The whole life of a job but its computation, for servers without workers."""

import collections


def live_once(api, request):
    """Creates, watches, lists, cancels and deletes a job."""
    messages = api.messages("job_service")
    name = api.jobs.CreateJob(request).name
    watch = api.watch(name)
    next(watch)
    api.jobs.ListJobs(messages.ListJobsRequest())
    api.jobs.CancelJob(messages.CancelJobRequest(name=name))
    collections.deque(watch, maxlen=0)
    api.jobs.DeleteJob(messages.DeleteJobRequest(name=name))


def live_while(goes_on, api, request):
    """Lives one job after the other, and returns how many."""
    count = 0
    while goes_on():
        live_once(api, request)
        count += 1
    return count
