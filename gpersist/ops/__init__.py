"""TensorFlow's operations, one class each, and the functions that add them to a graph, under TensorFlow's Python names.

Importing this package tells `gpersist.graph` where each of them is (`index`), what Python's operators do with tensors, and how values become
constants.
Each module with an `__all__` is a face of its own, by topic; what stands below is what the other packages need most.
"""

from gpersist.graph import add_op_modules as _add_op_modules
from gpersist.ops import operators as _operators  # noqa: F401  # what `a + b` does
from gpersist.ops import variable_collections as _variable_collections  # noqa: F401  # variables in collections
from gpersist.ops import while_context as _while_context  # noqa: F401  # loops and branches in collections
from gpersist.ops.array import fill, identity, ones, reshape, shape_of, stack, stop_gradient, unstack, zeros
from gpersist.ops.constants import constant, placeholder, placeholder_with_default
from gpersist.ops.control import control_dependencies, group, no_op, tuple_
from gpersist.ops.index import OPERATIONS as _OPERATIONS
from gpersist.ops.math import (
    abs,
    add,
    cast,
    floordiv,
    floormod,
    greater,
    greater_equal,
    less,
    less_equal,
    log,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    matmul,
    maximum,
    minimum,
    multiply,
    negative,
    pow,
    realdiv,
    reduce_sum,
    sign,
    square,
    subtract,
    truediv,
)
from gpersist.ops.ref_variable import RefVariable
from gpersist.ops.resource_variable import ResourceVariable
from gpersist.ops.save_slice_info import SaveSliceInfo
from gpersist.ops.variable import Variable
from gpersist.ops.variable_lists import (
    all_variables,
    global_variables,
    global_variables_initializer,
    initialize_all_variables,
    initialize_variables,
    local_variables,
    local_variables_initializer,
    model_variables,
    moving_average_variables,
    trainable_variables,
    variables_initializer,
)
from gpersist.ops.variables import assign, assign_add, assign_sub, is_variable_initialized

_add_op_modules(__name__, _OPERATIONS)

__all__ = [
    "RefVariable",
    "ResourceVariable",
    "SaveSliceInfo",
    "Variable",
    "abs",
    "add",
    "all_variables",
    "assign",
    "assign_add",
    "assign_sub",
    "cast",
    "constant",
    "control_dependencies",
    "fill",
    "floordiv",
    "floormod",
    "global_variables",
    "global_variables_initializer",
    "greater",
    "greater_equal",
    "group",
    "identity",
    "initialize_all_variables",
    "initialize_variables",
    "is_variable_initialized",
    "less",
    "less_equal",
    "local_variables",
    "local_variables_initializer",
    "log",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "matmul",
    "maximum",
    "minimum",
    "model_variables",
    "moving_average_variables",
    "multiply",
    "negative",
    "no_op",
    "ones",
    "placeholder",
    "placeholder_with_default",
    "pow",
    "realdiv",
    "reduce_sum",
    "reshape",
    "shape_of",
    "sign",
    "square",
    "stack",
    "stop_gradient",
    "subtract",
    "trainable_variables",
    "truediv",
    "tuple_",
    "unstack",
    "variables_initializer",
    "zeros",
]
