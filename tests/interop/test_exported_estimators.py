"""TensorFlow runs what a ready-made estimator of ours exported, with a vocabulary file as its asset, and answers as we do."""

import json

import numpy as np
import pytest

import gpersist.compat.v1 as tf

pytestmark = [pytest.mark.interop, pytest.mark.timeout(300)]

_FEATURES = {
    "w": np.array(["a", "b", "zz", "c"]),
    "x": np.array([-1.0, 0.5, 2.0, 3.0], np.float32),
    "h": np.array(["u", "v", "u", "t"]),
}


def _example(row):
    example = tf.train.Example()
    example.features.feature["x"].float_list.value.append(_FEATURES["x"][row])
    for key in "wh":
        example.features.feature[key].bytes_list.value.append(_FEATURES[key][row].encode())
    return example.SerializeToString().hex()


def test_tensorflow_runs_a_wide_and_deep_classifier(tensorflow, tmp_path):
    words = tmp_path / "words.txt"
    words.write_text("a\nb\nc\n")
    feature_column = tf.feature_column
    w = feature_column.categorical_column_with_vocabulary_file("w", str(words), num_oov_buckets=1)
    h, x = feature_column.categorical_column_with_hash_bucket("h", 20), feature_column.numeric_column("x")
    wide = [w, h, feature_column.crossed_column(["w", "h"], 30), feature_column.bucketized_column(x, [0.0, 1.0])]
    deep = [x, feature_column.embedding_column(w, 3), feature_column.indicator_column(h)]
    names = ["p", "q", "r"]
    estimator = tf.estimator.DNNLinearCombinedClassifier(
        str(tmp_path / "model"), wide, dnn_feature_columns=deep, dnn_hidden_units=[5], n_classes=3, label_vocabulary=names, batch_norm=True
    )
    numpy_input_fn = tf.estimator.inputs.numpy_input_fn
    labels = np.array(["p", "q", "r", "p"])
    estimator.train(numpy_input_fn(_FEATURES, labels, batch_size=4, num_epochs=None, shuffle=False), steps=5)
    ours = list(estimator.predict(numpy_input_fn(_FEATURES, batch_size=4, num_epochs=1, shuffle=False)))
    spec = feature_column.make_parse_example_spec([*wide, *deep])
    exported = estimator.export_saved_model(str(tmp_path / "exports"), tf.estimator.export.build_parsing_serving_input_receiver_fn(spec))
    words.unlink()
    theirs = json.loads(tensorflow("exported_estimators.py", exported.decode(), input=json.dumps([_example(row) for row in range(4)])))
    assert set(theirs) == {"serving_default", "classification", "predict"}
    np.testing.assert_allclose(theirs["predict"]["probabilities"], [each["probabilities"] for each in ours], atol=1e-6)
    np.testing.assert_allclose(theirs["serving_default"]["scores"], theirs["predict"]["probabilities"], atol=1e-6)
    assert [name for (name,) in theirs["predict"]["classes"]] == [each["classes"][0].decode() for each in ours]
