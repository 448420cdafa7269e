"""TensorFlow-1-compatible model persistence on CuPy, without TensorFlow.

    import gpersist

    gpersist.save("ckpt/model-100", {"w": w, "b": b})          # CuPy, NumPy, PyTorch, JAX; whole on the disk, or not there
    handle = gpersist.save_async("ckpt/model-200", arrays)     # their values of this moment; handle.result() waits
    arrays = gpersist.load("ckpt/model-200")                   # each on the device where it lived
    with gpersist.open("ckpt/model-200") as checkpoint: ...    # names, shapes, one tensor, one slice; nothing is read before

Everything raised derives from `GPersistError`. Logs go to the logger `gpersist`.
"""

import importlib as _importlib

from gpersist.bundle import TensorSlice
from gpersist.checkpoint import (
    CheckpointManager,
    CheckpointReader,
    PartitionedArray,
    PreemptionGuard,
    SaveHandle,
    SaveResult,
    StoredTensor,
    Verified,
    load,
    release_memory,
    save,
    save_async,
    save_v1,
    verify,
)
from gpersist.devices import Device, DeviceSpec, devices
from gpersist.devices import use_virtual as use_virtual_devices
from gpersist.errors import (
    AbortedError,
    AlreadyExistsError,
    CancelledError,
    CheckpointNotFoundError,
    DataLossError,
    DeadlineExceededError,
    DeviceMemoryError,
    DeviceNotFoundError,
    FailedPreconditionError,
    FileError,
    GPersistError,
    InternalError,
    InvalidArgumentError,
    MismatchError,
    NotACheckpointError,
    NotFoundError,
    OutOfRangeError,
    OutOfSpaceError,
    PermissionDeniedError,
    ResourceExhaustedError,
    TensorNotFoundError,
    UnavailableError,
    UnimplementedError,
    UnknownError,
    UnreadableFileError,
)
from gpersist.version import __version__

open = CheckpointReader

__all__ = [
    "AbortedError",
    "AlreadyExistsError",
    "CancelledError",
    "CheckpointManager",
    "CheckpointNotFoundError",
    "CheckpointReader",
    "DataLossError",
    "DeadlineExceededError",
    "Device",
    "DeviceMemoryError",
    "DeviceNotFoundError",
    "DeviceSpec",
    "FailedPreconditionError",
    "FileError",
    "GPersistError",
    "InternalError",
    "InvalidArgumentError",
    "MismatchError",
    "NotACheckpointError",
    "NotFoundError",
    "OutOfRangeError",
    "OutOfSpaceError",
    "PartitionedArray",
    "PermissionDeniedError",
    "PreemptionGuard",
    "ResourceExhaustedError",
    "SaveHandle",
    "SaveResult",
    "StoredTensor",
    "TensorNotFoundError",
    "TensorSlice",
    "UnavailableError",
    "UnimplementedError",
    "UnknownError",
    "UnreadableFileError",
    "Verified",
    "__version__",
    "devices",
    "load",
    "open",
    "release_memory",
    "save",
    "save_async",
    "save_v1",
    "use_virtual_devices",
    "verify",
]


def __getattr__(name: str) -> object:
    if name in ("convert", "saved_model"):  # graphs and operations take a while to import, and most programs need none
        return _importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
