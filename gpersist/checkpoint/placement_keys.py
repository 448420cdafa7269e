"""The keys of a dict that says where tensors go: a tensor's name, a pattern of names, or the device that was recorded for them.

    key := name | pattern with `*`, `?` or `[...]`, as fnmatch's | device, such as `/gpu:1` or `/job:ps`: all that it names

A device begins with a slash, as no name of TensorFlow's does.
"""

from __future__ import annotations

import fnmatch
import functools
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from gpersist.bundle import nearest
from gpersist.devices import DeviceSpec
from gpersist.errors import InvalidArgumentError

_NO_DEVICE = DeviceSpec()


def first_match(places: Mapping[str, Any]) -> Callable[[str, str], int | None]:
    """What tells which of the keys is the first that a name, or a recorded device, matches: its position, or None."""
    position_of = {key: position for position, key in enumerate(places)}
    others = [(position, _pattern(key), _device(key)) for key, position in position_of.items() if set(key) & set("*?[") or _device(key)]
    spec_of = functools.cache(_spec)

    def first(name: str, recorded: str) -> int | None:
        exact = position_of.get(name)
        for position, matches, device in others:
            if exact is not None and exact < position:
                break
            if matches(name) or (device is not None and spec_of(recorded).matches(device)):
                return position
        return exact

    return first


def idle_keys(places: Mapping[str, Any], names: Collection[str], recorded: Collection[str]) -> list[str]:
    """The keys that match none of these names and recorded devices."""
    specs = set(map(_spec, recorded))

    def is_idle(key: str) -> bool:
        device = _device(key)
        return key not in names and not any(map(_pattern(key), names)) and not (device and any(spec.matches(device) for spec in specs))

    return list(filter(is_idle, places))


def device_keys(places: Mapping[str, Any]) -> list[str]:
    """The keys that are devices."""
    return [key for key in places if _device(key)]


def near_keys(idle: Collection[str], names: Sequence[str]) -> str:
    """What keys that match nothing may have meant: `"; did you mean 'net/*'?"`, or nothing."""
    scopes = [f"{key.rstrip('/')}/*" for key in idle if key.strip("/") and any(name.startswith(f"{key.rstrip('/')}/") for name in names)]
    if scopes:
        return f"; did you mean {', '.join(map(repr, scopes))}, all in that scope?"
    return next(filter(None, (nearest(key, names) for key in idle if not _device(key))), "")


def _pattern(key: str) -> Callable[[str], object]:
    return re.compile(fnmatch.translate(key)).match


def _device(key: str) -> DeviceSpec | None:
    spec = _spec(key) if key.startswith("/") else _NO_DEVICE
    return None if spec == _NO_DEVICE else spec


def _spec(text: str) -> DeviceSpec:
    try:
        return DeviceSpec.from_string(text)
    except InvalidArgumentError:
        return _NO_DEVICE
