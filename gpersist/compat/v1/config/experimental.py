"""TensorFlow 1's `tf.config.experimental`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.config.experimental",
    "",
    {
        "gpersist.compat.config_experimental": (
            "VirtualDeviceConfiguration get_device_details get_memory_growth get_virtual_device_configuration "
            "get_visible_devices list_logical_devices list_physical_devices set_memory_growth "
            "set_virtual_device_configuration set_visible_devices"
        ),
    },
)
