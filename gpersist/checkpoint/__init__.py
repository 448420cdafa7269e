"""Checkpoints of named arrays, with no graph in sight: plan, save, restore, commit, look into, verify, keep.

Owns what a save and a restore are, from the caller's arrays down to the files, and the one decision of where a tensor goes.
"""

from gpersist.checkpoint.commit import one_file
from gpersist.checkpoint.fetch import Wanted, fetch
from gpersist.checkpoint.handle import FollowedSave, SaveHandle
from gpersist.checkpoint.locate import locate
from gpersist.checkpoint.manager import CheckpointManager
from gpersist.checkpoint.merge import merge
from gpersist.checkpoint.meta import SavedAs, VariableInfo, decode_devices, decode_part_devices, decode_variables, encode_meta, saved_as
from gpersist.checkpoint.object_graph import OBJECT_GRAPH_KEY, ObjectGraph, ObjectNode, object_graph_message
from gpersist.checkpoint.placement import Placement, place, recorded_rule
from gpersist.checkpoint.placement_keys import first_match, warn_of_idle_keys
from gpersist.checkpoint.placement_plan import DeviceLoad, PlacementPlan, TensorSpec
from gpersist.checkpoint.preemption import PreemptionGuard
from gpersist.checkpoint.reader import CheckpointReader, StoredTensor
from gpersist.checkpoint.restore import load
from gpersist.checkpoint.retention import delete_checkpoint
from gpersist.checkpoint.save import SaveOptions, SaveResult, save, save_async, save_frozen
from gpersist.checkpoint.snapshot import release_memory
from gpersist.checkpoint.source import PartitionedArray
from gpersist.checkpoint.state import MAX_STATE_BYTES, STATE_NAME, follow, read_state, replace_file
from gpersist.checkpoint.v1 import is_v1_file, save_v1
from gpersist.checkpoint.verify import DAMAGE, Verified, damaged_tensors, verify

__all__ = [
    "DAMAGE",
    "MAX_STATE_BYTES",
    "OBJECT_GRAPH_KEY",
    "STATE_NAME",
    "CheckpointManager",
    "CheckpointReader",
    "DeviceLoad",
    "FollowedSave",
    "ObjectGraph",
    "ObjectNode",
    "PartitionedArray",
    "Placement",
    "PlacementPlan",
    "PreemptionGuard",
    "SaveHandle",
    "SaveOptions",
    "SaveResult",
    "SavedAs",
    "StoredTensor",
    "TensorSpec",
    "VariableInfo",
    "Verified",
    "Wanted",
    "damaged_tensors",
    "decode_devices",
    "decode_part_devices",
    "decode_variables",
    "delete_checkpoint",
    "encode_meta",
    "fetch",
    "first_match",
    "follow",
    "is_v1_file",
    "load",
    "locate",
    "merge",
    "object_graph_message",
    "one_file",
    "place",
    "read_state",
    "recorded_rule",
    "release_memory",
    "replace_file",
    "save",
    "save_async",
    "save_frozen",
    "save_v1",
    "saved_as",
    "verify",
    "warn_of_idle_keys",
]
