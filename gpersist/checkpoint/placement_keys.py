"""The keys of a dict that says where tensors go: a tensor's name, a pattern of names, or the device that was recorded for them.

    key := name | pattern with `*`, `?` or `[...]`, as fnmatch's | device, such as `/gpu:1` or `/job:ps`: all that it names

A device begins with a slash, as no name of TensorFlow's does.
"""

from __future__ import annotations

import fnmatch
import functools
import logging
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from gpersist.bundle import nearest
from gpersist.devices import DeviceSpec
from gpersist.errors import InvalidArgumentError

_LOG = logging.getLogger("gpersist")
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


def device_keys(places: Mapping[str, Any]) -> list[str]:
    """The keys that are devices."""
    return [key for key in places if _device(key)]


def warn_of_idle_keys(places: Mapping[str, Any], names: Collection[str], recorded: Collection[str]) -> None:
    """Warns of keys that match none of these names and recorded devices, with what they may have meant."""
    known = set(names)
    specs = set(map(_spec, recorded))

    def is_idle(key: str) -> bool:
        device = _device(key)
        return key not in known and not any(map(_pattern(key), known)) and not (device and any(spec.matches(device) for spec in specs))

    idle = list(filter(is_idle, places))
    if idle:
        _LOG.warning(
            "placement: no tensor is called, or was recorded on, %s%s; a dict's keys are names of tensors, patterns of them, or recorded devices",
            ", ".join(map(repr, idle[:3])) + (f", ... ({len(idle)} of {len(places)})" if len(idle) > 3 else ""),
            _near(idle[:3], names),
        )


def _near(idle: Collection[str], names: Collection[str]) -> str:
    """What keys that match nothing may have meant: `"; did you mean 'net/*'?"`, or nothing."""
    below = {key: f"{key.rstrip('/')}/" for key in idle if key.strip("/")}
    scopes = [f"{scope}*" for scope in below.values() if any(name.startswith(scope) for name in names)]
    if scopes:
        return f"; did you mean {', '.join(map(repr, scopes))}, all in that scope?"
    return next(filter(None, (nearest(key, names) for key in below if not _device(key))), "")


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
