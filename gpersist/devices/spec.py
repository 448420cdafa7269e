"""Device strings: what TensorFlow wrote into NodeDefs, taken apart, merged and written again.

    spec   = [ "/" ] part *( "/" part )
    part   = "job:" name | "replica:" number | "task:" number | device | ""
    device = "device:" type [ ":" number ] | short [ ":" number ]     ; "device:0" is no device: which type?
    short  = "CPU" | "GPU" | "TPU" | "EPU" | "CUSTOM"          ; in any case of letters
    number = 1*DIGIT | "*"

TensorFlow reads them twice: in Python (`tf.DeviceSpec`) and in the runtime (`DeviceNameUtils::ParseFullName`), and the two differ; what either
of them takes is taken here. Refused though one of them takes it: two device types in one string (the runtime keeps the last), numbers that are
not plain digits (Python's `int` reads "+1", "1_0" and " 1"), and empty names. Tested against both: tests/golden/devices.
"""

from __future__ import annotations

import dataclasses
from typing import NoReturn

from gpersist.errors import InvalidArgumentError

_SHORT_TYPES = frozenset({"CPU", "GPU", "TPU", "EPU", "CUSTOM"})
_MAX_NUMBER = 2**31 - 1
_LOCAL = {"job": "localhost", "replica": 0, "task": 0}


@dataclasses.dataclass(frozen=True, slots=True)
class DeviceSpec:
    """A device's name taken apart; None where a part is left out, so that a spec may name many devices. Hashable and immutable.

    The same as TensorFlow's `tf.DeviceSpec` (the immutable one of its version 2).

    Attributes:
        job: `"worker"`; `"*"` where the text said so, which stands for any, like None, but overrides when merged.
        replica: replica's number within the job.
        task: task's number within the replica.
        device_type: `"GPU"`; any text is allowed (`"XLA_GPU"`), `"*"` stands for any.
        device_index: number of the device among those of its type within the task.

    Raises:
        InvalidArgumentError: a part is empty, or a number is not one from 0 to 2**31 - 1.
    """

    job: str | None = None
    replica: int | None = None
    task: int | None = None
    device_type: str | None = None
    device_index: int | None = None

    def __post_init__(self) -> None:
        for part in ("job", "device_type"):
            value = getattr(self, part)
            if value is not None:
                object.__setattr__(self, part, _name(part, str(value)))
        if self.device_type in ("cpu", "gpu"):
            object.__setattr__(self, "device_type", self.device_type.upper())
        for part in ("replica", "task", "device_index"):
            value = getattr(self, part)
            if value is not None:
                object.__setattr__(self, part, _number(part, str(value)))

    @classmethod
    def from_string(cls, text: str | None) -> DeviceSpec:
        """Reads any spelling: `/gpu:0`, `/device:GPU:*`, `/job:worker/replica:0/task:1/device:GPU:3`; empty text or None names every device.

        Raises:
            InvalidArgumentError: `text` is no device string; the message quotes the part at fault.
        """
        parts: dict[str, str | int | None] = {}
        for part in (text or "").split("/"):
            try:
                found = _parse_part(part)
            except InvalidArgumentError as error:
                raise InvalidArgumentError(
                    f"device string {text!r}: {error}; expected '/job:NAME/replica:N/task:N/device:TYPE:N', of which any part may be left out"
                ) from None
            if "device_type" in parts and "device_type" in found:
                both = f"{parts['device_type']!r} and {found['device_type']!r}"
                raise InvalidArgumentError(f"device string {text!r}: two device types, {both}; leave one")
            parts.update(found)
        return cls(**parts)  # type: ignore[arg-type]  # each value was made for its field

    def parse_from_string(self, text: str) -> DeviceSpec:
        """The same as `from_string`; this spec itself never changes (as in TensorFlow 2)."""
        return self.from_string(text)

    def to_string(self) -> str:
        """Writes `/job:worker/replica:0/task:1/device:GPU:3`, without the parts that are None; a type with no index gets `:*`."""
        text = "" if self.job is None else f"/job:{self.job}"
        text += "" if self.replica is None else f"/replica:{self.replica}"
        text += "" if self.task is None else f"/task:{self.task}"
        if self.device_type is not None:
            text += f"/device:{self.device_type}:{'*' if self.device_index is None else self.device_index}"
        return text

    def make_merged_spec(self, dev: DeviceSpec) -> DeviceSpec:
        """A new spec with the parts of `dev`, and this one's where `dev` has none: what an inner `tf.device` scope does to an outer one."""
        return self.replace(**{field: value for field, value in zip(_FIELDS, dev._parts(), strict=True) if value is not None})

    def replace(self, **parts: str | int | None) -> DeviceSpec:
        """A new spec with some parts changed, or dropped with None."""
        return dataclasses.replace(self, **parts)  # type: ignore[arg-type]  # __post_init__ converts

    def matches(self, wanted: DeviceSpec) -> bool:
        """Whether this device, named in full, is one of those that the possibly partial spec `wanted` names.

        A job, replica or task that this device leaves out is that of a process without a cluster, as in TensorFlow:
        `/job:localhost/replica:0/task:0`.
        """
        for part, mine, asked in zip(_FIELDS, self._parts(), wanted._parts(), strict=True):
            if asked not in (None, "*") and asked != (_LOCAL.get(part) if mine is None else mine):
                return False
        return True

    def __str__(self) -> str:
        return self.to_string()

    def _parts(self) -> tuple[str | int | None, ...]:
        return (self.job, self.replica, self.task, self.device_type, self.device_index)


_FIELDS = tuple(field.name for field in dataclasses.fields(DeviceSpec))


def _parse_part(part: str) -> dict[str, str | int | None]:
    match part.split(":"):
        case ["", *_]:  # "//", and ":0", which both of TensorFlow's readers or Python's alone pass over
            return {}
        case ["job", name]:
            return {"job": _name("job", name)}
        case ["replica" | "task" as field, number]:
            return {field: _index(field, number)}
        case ["device", name, *rest] if len(rest) == 1 or (not rest and not name.isdigit()):
            return {"device_type": _name("device_type", name), "device_index": _index("device_index", *rest)}
        case [name, *rest] if len(rest) <= 1 and name.upper() in _SHORT_TYPES:
            return {"device_type": name.upper(), "device_index": _index("device_index", *rest)}
    name = part.rstrip("0123456789")
    near = f"; did you mean '{name}:{part[len(name) :]}'?" if name != part and name.upper() in _SHORT_TYPES else ""
    raise InvalidArgumentError(f"part {part!r} is none of job, replica, task, device, {', '.join(sorted(_SHORT_TYPES))}{near}")


def _index(field: str, text: str = "*") -> int | None:
    return None if text == "*" else _number(field, text)


def _name(field: str, text: str) -> str:
    return text or _refuse(field, text, "a name")


def _number(field: str, text: str) -> int:
    digits = text if text.isascii() and text.isdigit() else _refuse(field, text, "a number")
    number = int(digits) if len(digits) <= 10 else _MAX_NUMBER + 1  # int() of thousands of digits is refused, or slow
    return number if number <= _MAX_NUMBER else _refuse(field, text, f"at most {_MAX_NUMBER}")


def _refuse(field: str, text: str, expected: str) -> NoReturn:
    raise InvalidArgumentError(f"{field} must be {expected}, found {text!r}")
