"""Keras's HDF5 files, read in a process of their own; see `hdf5_child` for the format, and why."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
import json
import math
import os
import signal
import subprocess
import sys
import threading
from typing import IO, Any

import numpy as np

from gpersist import files
from gpersist.errors import CheckpointNotFoundError, DataLossError, FailedPreconditionError, NotACheckpointError, UnimplementedError

MAGIC = b"\x89HDF\r\n\x1a\n"

_CHILD = os.path.join(os.path.dirname(os.path.abspath(__file__)), "hdf5_child.py")
_LEAST_S, _BYTES_PER_S = 60.0, 10 << 20
"""How long a file may take, so that one on which HDF5's library never ends is found."""


@dataclasses.dataclass(frozen=True)
class Stored:
    """An array of a file.

    Attributes:
        name: as the file has it, such as "dense/kernel:0".
        value: the array, in memory.
    """

    name: str
    value: np.ndarray[Any, Any]


@dataclasses.dataclass(frozen=True)
class KerasFile:
    """What a Keras HDF5 file holds.

    Attributes:
        path: of the file.
        architecture: the model's JSON; None in a file of weights only.
        version: Keras's, or nothing.
        layers: names of the layers that have weights, and these, both in the file's order.
    """

    path: str
    architecture: str | None
    version: str
    layers: list[tuple[str, list[Stored]]] | None


def is_hdf5(path: str | os.PathLike[str]) -> bool:
    """Whether a file begins as HDF5 files do."""
    name = os.fsdecode(path)
    return files.active().is_file(name) and _head(name) == MAGIC


def read_keras_file(path: str | os.PathLike[str]) -> KerasFile:
    """Reads a file whole.

    Raises:
        CheckpointNotFoundError: there is no such file.
        NotACheckpointError: it is of another kind.
        DataLossError: it is damaged.
        UnimplementedError: it holds arrays of another kind.
        FailedPreconditionError: h5py is not installed.
    """
    name = os.fsdecode(path)
    system = files.active()
    if not system.is_file(name):
        hint = " but a folder; a SavedModel is frozen with gpersist.convert.freeze" if system.stat(name) is not None else ""
        raise CheckpointNotFoundError(f"{name!r} is no file{hint}")
    if (head := _head(name)) != MAGIC:
        hint = ": a .keras archive; save the model as .h5" if head.startswith(b"PK\3\4") else ""
        raise NotACheckpointError(f"{name!r} is no HDF5 file: it begins with {head!r}, expected {MAGIC!r}{hint}")
    if importlib.util.find_spec("h5py") is None:
        raise FailedPreconditionError("Keras's HDF5 files are read with h5py, which is not installed: pip install 'gpersist[keras]'")
    environment = {**os.environ, "HDF5_PLUGIN_PRELOAD": "::", "OPENBLAS_NUM_THREADS": "1"}  # the first: plugins are not loaded
    command = [sys.executable, "-P", _CHILD, os.path.abspath(name)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment) as child:
        assert child.stdout is not None
        limit_s = _LEAST_S + os.path.getsize(name) / _BYTES_PER_S
        timer = threading.Timer(limit_s, child.kill)
        timer.start()
        try:
            found = _received(child.stdout, name)
            status = child.wait()
        finally:
            timer.cancel()
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            timer.join()
    if found is None or status:
        why = f"it did not end within {limit_s:.0f} s" if status == -signal.SIGKILL else f"it ended with {status}"
        raise DataLossError(f"{name!r} is damaged: HDF5's library could not read it: {why}")
    return found


def _received(stream: IO[bytes], path: str) -> KerasFile | None:
    """What the other process writes; None if it ended before."""
    line = stream.readline()
    if not line.endswith(b"\n"):
        return None
    header = json.loads(line)
    if "error" in header:
        raise (UnimplementedError if header["error"] == "UnimplementedError" else DataLossError)(header["message"])
    layers: list[tuple[str, list[Stored]]] | None = None if header["layers"] is None else []
    for layer, weights in header["layers"] or ():
        stored = []
        for name, kind, shape in weights:
            dtype = np.dtype(kind)
            buffer = bytearray(math.prod(shape) * dtype.itemsize)
            if stream.readinto(buffer) != len(buffer):  # type: ignore[attr-defined]  # of a buffered reader
                return None
            stored.append(Stored(name, np.frombuffer(buffer, dtype).reshape(shape)))
        if stored and layers is not None:
            layers.append((layer, stored))
    return KerasFile(path, header["architecture"], header["version"], layers)


def _head(path: str) -> bytes:
    system = files.active()
    fd = system.open_read(path)
    try:
        head = bytearray(min(len(MAGIC), system.size(fd, path)))
        if head:
            system.preadv(fd, [head], len(head), 0, path)
        return bytes(head)
    finally:
        system.close(fd)
