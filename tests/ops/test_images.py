"""Images are read, written and changed as TensorFlow does it: nodes, shapes, values and errors (tests/golden/images)."""

from __future__ import annotations

import base64
import builtins
import importlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gpersist.compat.v1 as tf
from gpersist.errors import UnimplementedError
from gpersist.graph import apply
from gpersist.ops import jpeg
from tests.golden.images.cases import OPERATIONS, told
from tests.interop.expressions import answer

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "images" / "images.json").read_text())
FILES = [(name, place) for name in GOLDEN["files"] for place in range(len(OPERATIONS[name.partition("/")[0]]))]


@pytest.mark.parametrize("name,place", FILES, ids=[f"{name}-{place}" for name, place in FILES])
def test_of_a_file(name: str, place: int) -> None:
    kind = name.partition("/")[0]
    if kind == "jpeg":
        pytest.importorskip("simplejpeg")
    if kind in ("webp", "other"):
        pytest.importorskip("PIL")
    op_name, attrs = OPERATIONS[kind][place]
    with tf.Graph().as_default(), tf.Session() as session:
        try:
            found: Any = told(session.run(apply(op_name, base64.b64decode(GOLDEN["files"][name]), **attrs)))
        except Exception as error:
            found = type(error).__name__
    assert found == GOLDEN["answers"][name][place]


@pytest.mark.parametrize("text", GOLDEN["expressions"])
def test_of_an_expression(text: str) -> None:
    if "jpeg_quality(tf.constant" in text or "jpeg_quality(ph" in text or "encode_jpeg" in text:
        pytest.importorskip("PIL")
        pytest.importorskip("simplejpeg")
    wanted, found = GOLDEN["expressions"][text], json.loads(json.dumps(answer(tf, text)))
    values, found_values = wanted.pop("values", []), found.pop("values", [])
    assert found == wanted
    assert len(values) == len(found_values)
    for value, found_value in zip(values, found_values, strict=True):
        if len(value) != 3 or not isinstance(value[2], list):
            assert found_value == value
            continue
        assert found_value[:2] == value[:2]
        np.testing.assert_allclose(found_value[2], value[2], rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("op_name,package", [("DecodeJpeg", "simplejpeg"), ("EncodeJpeg", "PIL")])
def test_without_the_extra(op_name: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    plain = importlib.import_module

    def without(name: str, *rest: Any) -> Any:
        if name.partition(".")[0] == package:
            raise builtins.ImportError(name)
        return plain(name, *rest)

    monkeypatch.setattr(jpeg.importlib, "import_module", without)
    given: Any = np.zeros((2, 2, 3), np.uint8) if op_name == "EncodeJpeg" else base64.b64decode(GOLDEN["files"]["jpeg/gray"])
    with tf.Graph().as_default(), tf.Session() as session, pytest.raises(UnimplementedError, match=r"pip install 'gpersist\[images\]'"):
        session.run(apply(op_name, given))


@pytest.mark.parametrize("size", [(60000, 60000), (65535, 65535)])
def test_too_large_an_image_is_refused_before_it_is_made(size: tuple[int, int]) -> None:
    file = bytearray(base64.b64decode(GOLDEN["files"]["jpeg/gray"]))
    at = jpeg.header(bytes(file)).frame_at + 5
    file[at : at + 4] = size[0].to_bytes(2, "big") + size[1].to_bytes(2, "big")
    with tf.Graph().as_default(), tf.Session() as session, pytest.raises(tf.errors.InvalidArgumentError, match="too large"):
        session.run(apply("DecodeJpeg", bytes(file)))
