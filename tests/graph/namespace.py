"""What `import tensorflow.compat.v1 as tf` gives, as far as `gpersist.graph` and `gpersist.ops` have it, for tests below the face of it."""

from __future__ import annotations

import types

from gpersist import dtypes, graph, ops, protos
from gpersist.devices import DeviceSpec
from gpersist.graph import get_default_graph
from gpersist.shapes import Dimension, TensorShape


def _names() -> dict[str, object]:
    found = {name: getattr(graph, name) for name in graph.__all__} | {name: getattr(ops, name) for name in ops.__all__}
    found |= {dtype.name: dtype for dtype in dtypes.all_dtypes()}
    found |= {name: getattr(protos, name) for name in ("GraphDef", "MetaGraphDef", "NodeDef", "ConfigProto")}
    found |= {
        "as_dtype": dtypes.as_dtype,
        "shape": ops.shape_of,
        "tuple": ops.tuple_,
        "TensorShape": TensorShape,
        "Dimension": Dimension,
        "DeviceSpec": DeviceSpec,
    }
    found |= {
        "device": lambda device: get_default_graph().device(device),
        "colocate_with": lambda op, ignore_existing=False: get_default_graph().colocate_with(op, ignore_existing),
        "add_to_collection": lambda name, value: get_default_graph().add_to_collection(name, value),
        "get_collection": lambda name, scope=None: get_default_graph().get_collection(name, scope),
    }
    return found


tf = types.SimpleNamespace(**_names())
