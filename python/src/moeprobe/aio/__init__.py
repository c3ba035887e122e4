"""The client for asyncio: `moeprobe.aio.Client` and `moeprobe.aio.Job`.

They do what `moeprobe.Client` and `moeprobe.Job` do, and await it.
"""

from moeprobe.aio.client import Client
from moeprobe.aio.job import Job

__all__ = ["Client", "Job"]
