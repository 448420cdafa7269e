"""What `import tensorflow.compat.v1 as tf` gives, as far as the programs of tests/golden/saver need it, for tests below the face of it."""

from __future__ import annotations

import types
from functools import partial

from gpersist import protos
from gpersist.graph import apply_op, get_default_graph
from gpersist.ops.get_variable import get_variable
from gpersist.ops.initializers import constant_initializer
from gpersist.ops.partitioners import fixed_size_partitioner
from gpersist.ops.variable_scope import variable_scope
from gpersist.train import checkpoint_reader, checkpoint_state, checkpoint_utils, graph_io, meta_graph
from gpersist.train.saver import Saver
from gpersist.train.saver_builder import BaseSaverBuilder
from tests.graph.namespace import tf as graph_tf

_MODULES = (checkpoint_reader, checkpoint_state, checkpoint_utils, graph_io)
_TRAIN = {name: getattr(module, name) for module in _MODULES for name in module.__all__}
_TRAIN |= {"import_meta_graph": meta_graph.import_meta_graph, "export_meta_graph": meta_graph.export_meta_graph}
_TRAIN |= {"Saver": Saver, "SaverDef": protos.SaverDef}

_RAW = {
    "SaveV2": ("prefix", "tensor_names", "shape_and_slices", "tensors"),
    "RestoreV2": ("prefix", "tensor_names", "shape_and_slices"),
    "MergeV2Checkpoints": ("checkpoint_prefixes", "destination_prefix"),
    "Save": ("filename", "tensor_names", "data"),
    "SaveSlices": ("filename", "tensor_names", "shapes_and_slices", "data"),
    "Restore": ("file_pattern", "tensor_name"),
    "RestoreSlice": ("file_pattern", "tensor_name", "shape_and_slice"),
    "ShardedFilename": ("basename", "shard", "num_shards"),
    "ShardedFilespec": ("basename", "num_shards"),
}


def _raw(name: str, **arguments: object) -> object:
    op = apply_op(name, *[arguments.pop(key) for key in _RAW[name]], **arguments)
    return op if not op.outputs else op.outputs if name == "RestoreV2" else op.outputs[0]


tf = types.SimpleNamespace(
    **vars(graph_tf)
    | {
        "train": types.SimpleNamespace(**_TRAIN),
        "raw_ops": types.SimpleNamespace(**{name: partial(_raw, name) for name in _RAW}),
        "get_variable": get_variable,
        "variable_scope": variable_scope,
        "fixed_size_partitioner": fixed_size_partitioner,
        "constant_initializer": constant_initializer,
        "control_dependencies": lambda inputs: get_default_graph().control_dependencies(inputs),
        "_saver_builder": BaseSaverBuilder,
    }
)
