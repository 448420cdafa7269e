"""TensorFlow 1's `tf.initializers`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.initializers",
    "",
    {
        "gpersist.ops.initializers": (
            "constant=constant_initializer glorot_normal=glorot_normal_initializer "
            "glorot_uniform=glorot_uniform_initializer he_normal he_uniform identity=Identity lecun_normal "
            "lecun_uniform ones=ones_initializer orthogonal=orthogonal_initializer "
            "random_normal=random_normal_initializer random_uniform=random_uniform_initializer "
            "truncated_normal=truncated_normal_initializer uniform_unit_scaling=uniform_unit_scaling_initializer "
            "variance_scaling=variance_scaling_initializer zeros=zeros_initializer"
        ),
        "gpersist.ops.lookup": "tables_initializer",
        "gpersist.ops.variable_lists": (
            "global_variables=global_variables_initializer local_variables=local_variables_initializer variables=variables_initializer"
        ),
    },
)
