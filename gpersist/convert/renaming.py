"""Names mapped by regular expressions."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping, Sequence

from gpersist.errors import InvalidArgumentError

_LOG = logging.getLogger("gpersist")
_MAX_TOLD = 10


def rename(names: Sequence[str], rules: Mapping[str, str] | Iterable[tuple[str, str]]) -> dict[str, str]:
    r"""New names by old ones.

    Args:
        names: to be mapped.
        rules: regular expressions and what takes the place of each match, with groups as `\1` or `\g<name>`; applied one after the other, each to
            what the one before has made. A tensor whose name becomes empty is left out.

    Raises:
        InvalidArgumentError: no regular expression, a group that isn't in it, or several tensors of one new name.
    """
    found = {name: name for name in names}
    for pattern, replacement in rules.items() if isinstance(rules, Mapping) else rules:
        count = 0
        try:
            expression = re.compile(pattern)
            for old, new in found.items():
                found[old], times = expression.subn(replacement, new)
                count += times
        except (re.error, IndexError) as error:
            raise InvalidArgumentError(f"the renaming {pattern!r} to {replacement!r}: {error}") from error
        if not count:
            _LOG.warning("the renaming %r to %r meets no name", pattern, replacement)
    found = {old: new for old, new in found.items() if new}
    _check_apart(found)
    return found


def _check_apart(renamed: Mapping[str, str]) -> None:
    olds: dict[str, list[str]] = {}
    for old, new in renamed.items():
        olds.setdefault(new, []).append(old)
    several = [(new, names) for new, names in olds.items() if len(names) > 1]
    if several:
        lines = "".join(f"\n  {new!r}, of {' and '.join(map(repr, names[:_MAX_TOLD]))}" for new, names in several[:_MAX_TOLD])
        more = f"\n  and {len(several) - _MAX_TOLD} more" if len(several) > _MAX_TOLD else ""
        raise InvalidArgumentError(f"{len(several)} new names would be those of several tensors; nothing is written:{lines}{more}")
