"""gpersist's answers to tests/golden/feature_columns, against those that real TensorFlow gave: nodes, variables, values, errors."""

from __future__ import annotations

import gzip
import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gpersist.compat.v1 as tf
from gpersist import feature_columns
from gpersist.feature_columns.features import Features

_FOLDER = Path(__file__).parents[1] / "golden" / "feature_columns"
_SPEC = importlib.util.spec_from_file_location("feature_column_cases", _FOLDER / "cases.py")
assert _SPEC is not None and _SPEC.loader is not None
_CASES = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_CASES)
_ANSWERS: dict[str, Any] = json.loads(gzip.decompress((_FOLDER / "feature_columns.json.gz").read_bytes()))


@pytest.mark.parametrize("name", _ANSWERS)
def test_same_as_tensorflow(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tf, "_sequence_of", lambda features, column: column.get_sequence_dense_tensor(Features(features)), raising=False)
    wanted, found = _ANSWERS[name], json.loads(json.dumps(_CASES.answer(tf, name)))
    for key in ("error", "words", "told", "variables"):
        assert found.get(key) == wanted.get(key), key
    assert found.get("nodes") == wanted.get("nodes")
    assert set(found.get("values", {})) == set(wanted.get("values", {}))
    for key, value in wanted.get("values", {}).items():
        for one, other in zip(value, found["values"][key], strict=True):
            np.testing.assert_allclose(np.array(other), np.array(one), rtol=1e-5, atol=2e-5)


def test_all_cases_have_answers() -> None:
    assert set(_CASES.CASES) == set(_ANSWERS)


def test_layer_of_sequences() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        words = feature_columns.sequence_categorical_column_with_vocabulary_list("w", ["a", "b"])
        columns = [feature_columns.indicator_column(words), feature_columns.sequence_numeric_column("x")]
        features = {
            "w": tf.SparseTensor([[0, 0], [0, 1], [1, 0]], ["b", "a", "a"], [2, 2]),
            "x": tf.SparseTensor([[0, 0], [0, 1], [1, 0]], [1.0, 2.0, 3.0], [2, 2]),
        }
        dense, length = feature_columns.sequence_input_layer(features, columns)
        session.run(tf.tables_initializer())
        found = session.run([dense, length])
    assert found[0].tolist() == [[[0.0, 1.0, 1.0], [1.0, 0.0, 2.0]], [[1.0, 0.0, 3.0], [0.0, 0.0, 0.0]]]
    assert found[1].tolist() == [2, 1]
    with pytest.raises(ValueError, match="columns of sequences"):
        feature_columns.sequence_input_layer(features, feature_columns.numeric_column("x"))
