"""What two runs of one program told, held against each other: TensorFlow's, as tests/golden/seeds keeps it, and ours."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

Cell = dict[str, Any]

_NUMBER = re.compile(r"(?<![\w.])-?\d+\.?\d*(?:e[+-]?\d+)?(?![\w])")
_VERSIONS = re.compile(r'producer: \d+|tensorflow_version: ".*"|tensorflow_git_version: ".*"')
_ATTRS = re.compile(r"(?m)(?:^( *)attr \{\n(?:\1  .*\n)*\1\}\n)+")
_NEWER_THAN_1_15 = re.compile(r'key: "(?:grad_[ab]|_has_manual_control_dependencies)"')
_OURS_ONLY = re.compile(r"(?m)^(?:INFO:(?:Froze|Converted) \d+ variables.*|WARNING:.*\(soft placement\))\n")
_SHARD = re.compile(r"-00000-of-0000[12]$")


def check(found: Cell, wanted: Cell, *, numbers_until: str = "") -> None:
    """Asserts that two cells told the same.

    Not compared are versions, attributes that TensorFlow 1.15 did not have, the order of attributes, what only we log, and the number of shards: a
    second save to one prefix takes another. Numbers may differ in their last digit.

    Args:
        found: ours.
        wanted: TensorFlow's.
        numbers_until: where the numbers begin that are not compared.
    """
    mine, theirs = plain(found["printed"]), plain(wanted["printed"])
    assert _NUMBER.sub("#", mine) == _NUMBER.sub("#", theirs)
    if numbers_until:
        mine, theirs = mine.partition(numbers_until)[0], theirs.partition(numbers_until)[0]
    np.testing.assert_allclose(numbers(mine), numbers(theirs), rtol=1e-5, atol=2e-6)

    assert _OURS_ONLY.sub("", found["logged"]) == wanted["logged"]
    assert [_SHARD.sub("", name) for name in found["files"]] == [_SHARD.sub("", name) for name in wanted["files"]]

    assert ("raised" in found) == ("raised" in wanted), found.get("raised")
    if "raised" in wanted:
        assert wanted["raised"][0][0] in found["raised"][0]
        assert wanted["raised"][1].removeprefix("Unsuccessful TensorSliceReader constructor: ")[:60] in found["raised"][1]  # ours goes on


def plain(text: str) -> str:
    """A text without what may differ: see `check`."""
    text = _VERSIONS.sub("", _ATTRS.sub(_sorted, text))
    return re.sub(r"(?<=\[) | (?=\])", "", re.sub(r"\s+", " ", text))


def _sorted(attrs: re.Match[str]) -> str:
    each = re.findall(rf"(?m)^{attrs[1]}attr \{{\n(?:{attrs[1]}  .*\n)*{attrs[1]}\}}\n", attrs[0])
    return "".join(sorted(text for text in each if not _NEWER_THAN_1_15.search(text)))


def numbers(text: str) -> list[float]:
    return [float(number) for number in _NUMBER.findall(text)]
