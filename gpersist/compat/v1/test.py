"""TensorFlow 1's `tf.test`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.test",
    "",
    {
        "gpersist.compat.test_case": "TestCase",
        "gpersist.compat.testing": (
            "assert_equal_graph_def compute_gradient compute_gradient_error get_temp_dir gpu_device_name "
            "is_built_with_cuda is_built_with_gpu_support is_built_with_rocm is_built_with_xla is_gpu_available "
            "main mock test_src_dir_path"
        ),
    },
)
