"""gpersist's answers to tests/golden/distributions, against those that real TensorFlow gave: texts, values, samples, names, nodes, errors."""

from __future__ import annotations

import gzip
import importlib.util
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import gpersist.compat.v1 as tf

_FOLDER = Path(__file__).parents[1] / "golden" / "distributions"
_SPEC = importlib.util.spec_from_file_location("distribution_cases", _FOLDER / "cases.py")
assert _SPEC is not None and _SPEC.loader is not None
_CASES = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_CASES)
_ANSWERS = json.loads(gzip.decompress((_FOLDER / "distributions.json.gz").read_bytes()))


@pytest.mark.parametrize("name", _CASES.DISTRIBUTIONS)
def test_distribution(name: str) -> None:
    _check(_ANSWERS["distributions"][name], _CASES.ask(tf, name), name)


@pytest.mark.parametrize("name", _CASES.DIVERGENCES)
def test_divergence(name: str) -> None:
    _check(_ANSWERS["divergences"][name], _CASES.divergence(tf, name), "")


_OTHER_NODES = ("Normal", "Multinomial logits")
"""Cases whose graphs differ: the normal integral is written otherwise, and a sum that cannot be right is found before it is run."""


def _check(wanted: Any, found: Any, name: str) -> None:
    found = json.loads(json.dumps(found))
    if isinstance(wanted, list):
        assert not (told := list(_differences(wanted[0], found[0], ""))), "\n".join(told[:20])
        if not name.startswith(_OTHER_NODES):
            assert sorted(wanted[1]) == sorted(found[1])
    else:
        assert not (told := list(_differences(wanted, found, ""))), "\n".join(told[:20])


def _differences(wanted: Any, found: Any, where: str) -> Iterator[str]:
    if isinstance(wanted, dict) and "error" in wanted:
        if not isinstance(found, dict) or wanted["error"][0] not in found.get("error", ()):
            yield f"{where}: wanted {wanted}, found {found}"
        elif wanted["message"] is not None and wanted["message"] != found["message"]:
            yield f"{where}:\n  wanted {wanted['message']}\n  found  {found['message']}"
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for index, (a, b) in enumerate(zip(wanted, found, strict=True)):
            yield from _differences(a, b, f"{where}[{wanted[0] if index and isinstance(wanted[0], str) else index}]")
    elif isinstance(wanted, float) and isinstance(found, float):
        if not (wanted == found or (math.isnan(wanted) and math.isnan(found)) or math.isclose(wanted, found, rel_tol=2e-5, abs_tol=1e-6)):
            yield f"{where}: wanted {wanted}, found {found}"
    elif wanted != found:
        yield f"{where}: wanted {wanted!r}, found {found!r}"
