"""TensorFlow 1's `tf.initializers`. Written by tests/compat/write_face.py."""

from gpersist.ops.initializers import (
    Identity as identity,
)
from gpersist.ops.initializers import (
    constant_initializer as constant,
)
from gpersist.ops.initializers import (
    glorot_normal_initializer as glorot_normal,
)
from gpersist.ops.initializers import (
    glorot_uniform_initializer as glorot_uniform,
)
from gpersist.ops.initializers import (
    he_normal,
    he_uniform,
    lecun_normal,
    lecun_uniform,
)
from gpersist.ops.initializers import (
    ones_initializer as ones,
)
from gpersist.ops.initializers import (
    orthogonal_initializer as orthogonal,
)
from gpersist.ops.initializers import (
    random_normal_initializer as random_normal,
)
from gpersist.ops.initializers import (
    random_uniform_initializer as random_uniform,
)
from gpersist.ops.initializers import (
    truncated_normal_initializer as truncated_normal,
)
from gpersist.ops.initializers import (
    uniform_unit_scaling_initializer as uniform_unit_scaling,
)
from gpersist.ops.initializers import (
    variance_scaling_initializer as variance_scaling,
)
from gpersist.ops.initializers import (
    zeros_initializer as zeros,
)
from gpersist.ops.lookup import (
    tables_initializer,
)
from gpersist.ops.variable_lists import (
    global_variables_initializer as global_variables,
)
from gpersist.ops.variable_lists import (
    local_variables_initializer as local_variables,
)
from gpersist.ops.variable_lists import (
    variables_initializer as variables,
)

__all__ = [
    "constant",
    "global_variables",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "lecun_normal",
    "lecun_uniform",
    "local_variables",
    "ones",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "tables_initializer",
    "truncated_normal",
    "uniform_unit_scaling",
    "variables",
    "variance_scaling",
    "zeros",
]
