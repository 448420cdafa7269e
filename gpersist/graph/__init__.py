"""TensorFlow 1's graph: operations and tensors, their names, scopes and collections; placement on devices; sessions; GraphDef in and out.

Owns what a graph is and how it runs, and no operation: those are `gpersist.ops`, one class each, made with `OpType` and `apply_op`. Opens no file.
"""

from gpersist.graph.attr_value import shape_proto
from gpersist.graph.collection_def import (
    add_collection_def,
    get_collection_proto_type,
    get_from_proto_function,
    get_to_proto_function,
    register_proto_function,
)
from gpersist.graph.constant_value import constant_shape, constant_value
from gpersist.graph.context import Context
from gpersist.graph.conversion import convert_to_tensor, register_tensor_conversion_function
from gpersist.graph.defaults import get_default_graph, get_default_session, reset_default_graph
from gpersist.graph.executor import check_deadline
from gpersist.graph.fetches import register_fetch
from gpersist.graph.freezing import (
    check_frozen_size,
    convert_variables_to_constants,
    needed_part,
    variable_nodes,
    variables_to_constants,
    with_calls_inlined,
)
from gpersist.graph.function_library import known_signature
from gpersist.graph.gradients import NoGradient, NotDifferentiable, RegisterGradient, backpropagate, get_gradient_function, is_trainable
from gpersist.graph.graph import Graph
from gpersist.graph.graph_def import encode_node
from gpersist.graph.graph_keys import GraphKeys
from gpersist.graph.graph_util import (
    colocated_with,
    extract_sub_graph,
    input_name,
    must_run_on_cpu,
    remove_training_nodes,
    tensor_shape_from_node_def_name,
)
from gpersist.graph.importing import import_graph_def
from gpersist.graph.inlining import inline_calls
from gpersist.graph.memory_guard import check_free
from gpersist.graph.messages import own
from gpersist.graph.meta_graph import TENSORFLOW_VERSION, create_meta_graph_def, export_scoped_meta_graph, import_scoped_meta_graph
from gpersist.graph.name_scope import name_scope
from gpersist.graph.op_type import OpType, Sample, SessionOpType, sample
from gpersist.graph.operation import Operation
from gpersist.graph.plan import DEAD
from gpersist.graph.registry import add_modules as add_op_modules
from gpersist.graph.registry import find as find_op_type
from gpersist.graph.registry import get as get_op_type
from gpersist.graph.registry import names as op_type_names
from gpersist.graph.requirements import Requirement, requirements
from gpersist.graph.rescoping import prepend_name_scope, strip_name_scope
from gpersist.graph.resolve import apply, apply_op, graph_of, resolve
from gpersist.graph.session import BaseSession, InteractiveSession, Session, set_default_config
from gpersist.graph.stripped_op_list import ops_used_by_graph_def, strip_graph_default_valued_attrs, stripped_op_list_for_graph
from gpersist.graph.tensor import Operand, Reference, Tensor, install_operators
from gpersist.graph.tensor_handle import device_of_handle
from gpersist.graph.tensor_proto import as_array, encode_filled, make_ndarray, make_tensor_proto
from gpersist.graph.variables_store import Buffer, Held, VariablesStore

__all__ = [
    "DEAD",
    "TENSORFLOW_VERSION",
    "BaseSession",
    "Buffer",
    "Context",
    "Graph",
    "GraphKeys",
    "Held",
    "InteractiveSession",
    "NoGradient",
    "NotDifferentiable",
    "OpType",
    "Operand",
    "Operation",
    "Reference",
    "RegisterGradient",
    "Requirement",
    "Sample",
    "Session",
    "SessionOpType",
    "Tensor",
    "VariablesStore",
    "add_collection_def",
    "add_op_modules",
    "apply",
    "apply_op",
    "as_array",
    "backpropagate",
    "check_deadline",
    "check_free",
    "check_frozen_size",
    "colocated_with",
    "constant_shape",
    "constant_value",
    "convert_to_tensor",
    "convert_variables_to_constants",
    "create_meta_graph_def",
    "device_of_handle",
    "encode_filled",
    "encode_node",
    "export_scoped_meta_graph",
    "extract_sub_graph",
    "find_op_type",
    "get_collection_proto_type",
    "get_default_graph",
    "get_default_session",
    "get_from_proto_function",
    "get_gradient_function",
    "get_op_type",
    "get_to_proto_function",
    "graph_of",
    "import_graph_def",
    "import_scoped_meta_graph",
    "inline_calls",
    "input_name",
    "install_operators",
    "is_trainable",
    "known_signature",
    "make_ndarray",
    "make_tensor_proto",
    "must_run_on_cpu",
    "name_scope",
    "needed_part",
    "op_type_names",
    "ops_used_by_graph_def",
    "own",
    "prepend_name_scope",
    "register_fetch",
    "register_proto_function",
    "register_tensor_conversion_function",
    "remove_training_nodes",
    "requirements",
    "reset_default_graph",
    "resolve",
    "sample",
    "set_default_config",
    "shape_proto",
    "strip_graph_default_valued_attrs",
    "strip_name_scope",
    "stripped_op_list_for_graph",
    "tensor_shape_from_node_def_name",
    "variable_nodes",
    "variables_to_constants",
    "with_calls_inlined",
]
