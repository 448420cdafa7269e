"""TensorFlow 1's graph: operations and tensors, their names, scopes and collections; placement on devices; sessions; GraphDef in and out.

Owns what a graph is and how it runs, and no operation: those are `gpersist.ops`, one class each, made with `OpType` and `apply_op`. Opens no file.
"""

from gpersist.graph.attr_value import shape_proto
from gpersist.graph.constant_value import constant_shape, constant_value
from gpersist.graph.conversion import convert_to_tensor, register_tensor_conversion_function
from gpersist.graph.defaults import get_default_graph, get_default_session, reset_default_graph
from gpersist.graph.fetches import register_fetch
from gpersist.graph.graph import Graph
from gpersist.graph.graph_keys import GraphKeys
from gpersist.graph.importing import import_graph_def
from gpersist.graph.name_scope import name_scope
from gpersist.graph.op_type import OpType, Sample, SessionOpType, sample
from gpersist.graph.operation import Operation
from gpersist.graph.plan import DEAD, Context
from gpersist.graph.registry import find as find_op_type
from gpersist.graph.registry import get as get_op_type
from gpersist.graph.registry import names as op_type_names
from gpersist.graph.resolve import apply, apply_op, graph_of, resolve
from gpersist.graph.session import BaseSession, InteractiveSession, Session
from gpersist.graph.tensor import Operand, Tensor, install_operators
from gpersist.graph.tensor_proto import as_array, encode_filled, make_ndarray, make_tensor_proto
from gpersist.graph.variables_store import Buffer, Held, VariablesStore

__all__ = [
    "DEAD",
    "BaseSession",
    "Buffer",
    "Context",
    "Graph",
    "GraphKeys",
    "Held",
    "InteractiveSession",
    "OpType",
    "Operand",
    "Operation",
    "Sample",
    "Session",
    "SessionOpType",
    "Tensor",
    "VariablesStore",
    "apply",
    "apply_op",
    "as_array",
    "constant_shape",
    "constant_value",
    "convert_to_tensor",
    "encode_filled",
    "find_op_type",
    "get_default_graph",
    "get_default_session",
    "get_op_type",
    "graph_of",
    "import_graph_def",
    "install_operators",
    "make_ndarray",
    "make_tensor_proto",
    "name_scope",
    "op_type_names",
    "register_fetch",
    "register_tensor_conversion_function",
    "reset_default_graph",
    "resolve",
    "sample",
    "shape_proto",
]
