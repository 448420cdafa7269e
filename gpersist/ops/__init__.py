"""TensorFlow's operations, one class each, and the functions that add them to a graph, under TensorFlow's Python names.

Importing this package registers all of them with `gpersist.graph`, says what Python's operators do with tensors, and how values become constants.
"""

# The rooms whose functions are reached as `gpersist.ops.<room>`; one line each. Importing them registers their operations.
from gpersist.ops import (  # noqa: F401  # derivatives, and the steps of optimizers  # noqa: F401  # branches, loops, arrays of tensors  # noqa: F401  # noqa: F401  # noqa: F401  # what is done with variables  # noqa: F401  # neural networks
    activations,
    bias,
    checks,
    control_flow,
    control_flow_case,
    convolution,
    decoding,
    depthwise,
    functional_loops,
    gradients,
    hashing,
    indexed_slices,
    initializers,
    nest,
    normalization,
    numerics,
    parsing,
    pooling,
    printing,
    random,
    regular_expressions,
    scatter,
    softmax,
    sparse_tensor,
    state,
    stateless_random,
    string_splitting,
    strings,
    summary,
    template,
    tensor_array,
    training,
    variable_creation,
)
from gpersist.ops import control_flow_gradients as _control_flow_gradients  # noqa: F401  # gradients of branches and loops
from gpersist.ops import functional as _functional  # noqa: F401
from gpersist.ops import get_variable as _get_variable  # noqa: F401  # variable scopes, partitions
from gpersist.ops import loops as _loops  # noqa: F401
from gpersist.ops import operators as _operators  # noqa: F401  # installs Python's operators
from gpersist.ops import save as _save  # noqa: F401  # saving and restoring in a graph
from gpersist.ops import stacks as _stacks  # noqa: F401
from gpersist.ops import tensor_list as _tensor_list  # noqa: F401
from gpersist.ops import variable_collections as _variable_collections  # noqa: F401  # how they enter a MetaGraphDef
from gpersist.ops import audio  # noqa: F401
from gpersist.ops import image_resizing  # noqa: F401
from gpersist.ops import image_cropping, suppression  # noqa: F401
from gpersist.ops import sparse_arithmetic, sparse_structure  # noqa: F401
from gpersist.ops import fake_quantization, image_colors  # noqa: F401
from gpersist.ops.array import fill, identity, ones, reshape, shape_of, stack, stop_gradient, unstack, zeros
from gpersist.ops.constants import constant, placeholder, placeholder_with_default
from gpersist.ops.control import control_dependencies, group, no_op, tuple_
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
