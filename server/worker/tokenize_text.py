"""Turns a text into token ids with a model's own tokenizer.

usage: tokenize_text.py TEXT OUT.npy [--cpu-seconds N] [--memory-bytes N]
           < tokenizer.json

The whole UTF-8 text is encoded at once, as Tokenizer.encode(text) does, special
tokens as tokenizer.json says; a truncation or padding it asks for is left out.
OUT.npy becomes a one-dimensional int32 array, complete or not there at all. On
failure exits with one line on stderr and 1, or 75 where a disk has no room or
fails. Past a limit the kernel ends the process.
"""

import argparse
import ctypes
import errno
import io
import os
import pathlib
import resource
import signal
import sys

PR_SET_PDEATHSIG = 1
# Those that may be over when somebody tries again.
FAILURES_OF_DISKS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def limit(cpu_seconds, memory_bytes):
    """Bounds this process, and ties its life to the one that started it."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if cpu_seconds:
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))
    if memory_bytes:
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))


def read_text(path):
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path}: not UTF-8 at byte {error.start}: {error.reason}"
        ) from None


def load_tokenizer(content):
    import tokenizers

    try:
        tokenizer = tokenizers.Tokenizer.from_buffer(content)
    except Exception as error:
        raise ValueError(f"tokenizer.json: not a tokenizer: {error}") from None
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def save(ids, path):
    import numpy

    partial = path.with_name(f"{path.name}.{os.getpid()}")
    # Written to a file itself, an array does not say why that failed.
    npy = io.BytesIO()
    numpy.save(npy, numpy.array(ids, dtype=numpy.int32))
    with partial.open("wb") as file:
        file.write(npy.getbuffer())
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("text", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--cpu-seconds", type=int, default=0)
    parser.add_argument("--memory-bytes", type=int, default=0)
    options = parser.parse_args()
    limit(options.cpu_seconds, options.memory_bytes)
    tokenizer = load_tokenizer(sys.stdin.buffer.read())
    save(tokenizer.encode(read_text(options.text)).ids, options.out)


if __name__ == "__main__":
    try:
        main()
    except SystemExit:
        raise
    except MemoryError:
        sys.exit("more memory than allowed")
    # A panic inside the package is a BaseException.
    except BaseException as error:
        message = " ".join(str(error).split()) or type(error).__name__
        if isinstance(error, OSError) and error.errno in FAILURES_OF_DISKS:
            print(message, file=sys.stderr)
            sys.exit(os.EX_TEMPFAIL)
        sys.exit(message)
