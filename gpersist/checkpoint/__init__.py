"""Checkpoints of named arrays, with no graph in sight: plan, save, restore, commit, look into, verify, keep.

Owns what a save and a restore are, from the caller's arrays down to the files, and the one decision of where a tensor goes.
"""

from gpersist.checkpoint.handle import SaveHandle
from gpersist.checkpoint.locate import locate
from gpersist.checkpoint.manager import CheckpointManager
from gpersist.checkpoint.meta import VariableInfo, decode_variables
from gpersist.checkpoint.placement import DeviceLoad, Placement, PlacementPlan, TensorSpec, place
from gpersist.checkpoint.preemption import PreemptionGuard
from gpersist.checkpoint.reader import CheckpointReader, StoredTensor
from gpersist.checkpoint.restore import load
from gpersist.checkpoint.save import SaveOptions, SaveResult, save, save_async
from gpersist.checkpoint.snapshot import release_memory
from gpersist.checkpoint.source import PartitionedArray
from gpersist.checkpoint.state import read_state
from gpersist.checkpoint.v1 import save_v1
from gpersist.checkpoint.verify import Verified, verify

__all__ = [
    "CheckpointManager",
    "CheckpointReader",
    "DeviceLoad",
    "PartitionedArray",
    "Placement",
    "PlacementPlan",
    "PreemptionGuard",
    "SaveHandle",
    "SaveOptions",
    "SaveResult",
    "StoredTensor",
    "TensorSpec",
    "VariableInfo",
    "Verified",
    "decode_variables",
    "load",
    "locate",
    "place",
    "read_state",
    "release_memory",
    "save",
    "save_async",
    "save_v1",
    "verify",
]
