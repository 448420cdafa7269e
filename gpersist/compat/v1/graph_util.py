"""TensorFlow 1's `tf.graph_util`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.graph_util",
    "",
    {
        "gpersist.graph": (
            "convert_variables_to_constants extract_sub_graph import_graph_def must_run_on_cpu remove_training_nodes tensor_shape_from_node_def_name"
        ),
    },
)
