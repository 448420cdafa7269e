"""TensorFlow 1's `tf.DeviceSpec`, whose parts can be set; `gpersist.devices.DeviceSpec`, which does all the work, never changes."""

from __future__ import annotations

from typing import Any

from gpersist.devices import DeviceSpec as FixedSpec

__all__ = ["DeviceSpec"]


def _part(name: str) -> Any:
    def get(self: DeviceSpec) -> Any:
        return getattr(self._spec, name)

    def put(self: DeviceSpec, value: Any) -> None:
        self._spec = self._spec.replace(**{name: value})

    return property(get, put, doc=f"The part `{name}`; None where it is left out.")


class DeviceSpec:
    """A device's name taken apart (`tf.DeviceSpec` of TensorFlow 1); its parts can be set.

    Args:
        job, replica, task, device_type, device_index: the parts, see `gpersist.devices.DeviceSpec`; None for those that are left out.

    Raises:
        InvalidArgumentError: a part is empty, or a number is not one from 0 to 2**31 - 1.
    """

    __slots__ = ("_spec",)

    job = _part("job")
    replica = _part("replica")
    task = _part("task")
    device_type = _part("device_type")
    device_index = _part("device_index")

    def __init__(
        self,
        job: str | None = None,
        replica: int | None = None,
        task: int | None = None,
        device_type: str | None = None,
        device_index: int | None = None,
    ) -> None:
        self._spec = FixedSpec(job, replica, task, device_type, device_index)

    @classmethod
    def from_string(cls, spec: str) -> DeviceSpec:
        """Reads any spelling of a device.

        Raises:
            InvalidArgumentError: it is none.
        """
        return cls().parse_from_string(spec)

    def parse_from_string(self, spec: str) -> DeviceSpec:
        """Takes the parts of a device string instead of its own; gives itself.

        Raises:
            InvalidArgumentError: it is no device string.
        """
        self._spec = FixedSpec.from_string(spec)
        return self

    def to_string(self) -> str:
        """Writes `/job:worker/replica:0/task:1/device:GPU:3`, without the parts that are None."""
        return self._spec.to_string()

    def merge_from(self, dev: DeviceSpec) -> None:
        """Takes over the parts that another one has."""
        self._spec = self.make_merged_spec(dev)._spec

    def make_merged_spec(self, dev: DeviceSpec) -> DeviceSpec:
        """A new one with the parts of `dev`, and this one's where `dev` has none."""
        return self._of(self._spec.make_merged_spec(FixedSpec(dev.job, dev.replica, dev.task, dev.device_type, dev.device_index)))

    def replace(self, **parts: Any) -> DeviceSpec:
        """A new one with some parts changed, or dropped with None."""
        return self._of(self._spec.replace(**parts))

    @classmethod
    def _of(cls, spec: FixedSpec) -> DeviceSpec:
        found = cls()
        found._spec = spec
        return found

    def __eq__(self, other: object) -> bool:
        return self.to_string() == other.to_string() if isinstance(other, (DeviceSpec, FixedSpec)) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.to_string())

    def __repr__(self) -> str:
        parts = ("job", "replica", "task", "device_type", "device_index")
        return f"<DeviceSpec({', '.join(f'{part}={getattr(self, part)}' for part in parts)})>"
