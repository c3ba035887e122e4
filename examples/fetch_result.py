"""Reads one array of a job over plain gRPC.

usage: fetch_result.py ADDRESS JOB ARRAY
such as: fetch_result.py unix:/tmp/moeprobe-1000.sock 1 \
             layer0/jacobian_cosine/routed

The stubs are the Python package's (pip install ./python); for other languages,
make them from proto/.
"""

import io
import sys

import grpc
import numpy as np
from moeprobe.v1 import result_service_pb2, result_service_pb2_grpc


def read_array(address, job, name):
    """Returns array `name` of job number `job`."""
    with grpc.insecure_channel(address) as channel:
        results = result_service_pb2_grpc.ResultServiceStub(channel)
        request = result_service_pb2.ReadArraysRequest(
            name=f"jobs/{job}", arrays=[name]
        )
        chunks = (chunk.data for chunk in results.ReadArrays(request))
        return np.load(io.BytesIO(b"".join(chunks)))


if __name__ == "__main__":
    print(read_array(*sys.argv[1:4]))
