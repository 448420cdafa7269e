"""TensorFlow 1's `tf.config`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.config",
    "experimental optimizer threading",
    {
        "gpersist.compat.config": (
            "LogicalDevice LogicalDeviceConfiguration PhysicalDevice functions_run_eagerly "
            "get_logical_device_configuration get_soft_device_placement get_visible_devices list_logical_devices "
            "list_physical_devices run_functions_eagerly set_logical_device_configuration "
            "set_soft_device_placement set_visible_devices"
        ),
    },
)
