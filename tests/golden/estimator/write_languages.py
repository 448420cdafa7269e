"""Trains and exports a small model that tells languages of text by hashed pairs of bytes: `python write_languages.py`, with TensorFlow 2.15.

It is built as the language guessers are which others published: a wide and deep classifier of TensorFlow 2, whose input is text that a `map_fn` takes
apart. The SavedModel goes to languages/, and what TensorFlow answers to languages.json.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import tensorflow as tf

FOLDER = Path(__file__).resolve().parent
LENGTH = 60
TEXTS = {
    "C": ["int main(void) { return 0; }", "#include <stdio.h>\nstatic int x;", "for (int i = 0; i < n; i++) sum += a[i];"],
    "Python": ["import os\nprint(os.getcwd())", "def f(x):\n    return x + 1", "for name in names:\n    print(name)"],
    "SQL": ["SELECT name FROM people WHERE age > 18;", "INSERT INTO people VALUES ('Ann', 30);", "DROP TABLE people;"],
}
ASKED = ["SELECT * FROM names;", "def main():\n    print('hello')", "int f(int x) { return x; }", ""]


def taken_apart(text: Any) -> Any:
    pairs = tf.strings.ngrams(tf.strings.bytes_split(text), 2)
    return tf.concat([pairs, tf.constant([""] * LENGTH)], axis=0)[:LENGTH]


def examples() -> Any:
    texts = [text for found in TEXTS.values() for text in found]
    labels = [name for name, found in TEXTS.items() for _ in found]
    data = tf.data.Dataset.from_tensor_slices((texts, labels)).map(lambda text, label: ({"content": taken_apart(text)}, label))
    return data.repeat().batch(len(texts))


def served() -> Any:
    texts = tf.compat.v1.placeholder(tf.string, [None], name="content")
    features = {"content": tf.map_fn(taken_apart, texts, fn_output_signature=tf.string)}
    return tf.estimator.export.ServingInputReceiver(features, {"content": texts})


pairs = tf.feature_column.categorical_column_with_hash_bucket("content", 40)
with tempfile.TemporaryDirectory() as folder:
    estimator = tf.estimator.DNNLinearCombinedClassifier(
        model_dir=folder,
        linear_feature_columns=[pairs],
        dnn_feature_columns=[tf.feature_column.embedding_column(pairs, 4)],
        dnn_hidden_units=[8, 4],
        dnn_dropout=0.1,
        n_classes=len(TEXTS),
        label_vocabulary=list(TEXTS),
        config=tf.estimator.RunConfig(tf_random_seed=7),
    )
    estimator.train(examples, steps=60)
    exported = estimator.export_saved_model(f"{folder}/exported", served)
    shutil.rmtree(FOLDER / "languages", ignore_errors=True)
    shutil.copytree(os.fsdecode(exported), FOLDER / "languages")
with tf.compat.v1.Session(graph=tf.Graph()) as session:
    meta_graph = tf.compat.v1.saved_model.load(session, ["serve"], str(FOLDER / "languages"))
    answers = {}
    for key, signature in meta_graph.signature_def.items():
        (given,) = signature.inputs.values()
        found = session.run({name: info.name for name, info in signature.outputs.items()}, {given.name: ASKED})
        answers[key] = {name: value.astype(str).tolist() if value.dtype == object else value.tolist() for name, value in found.items()}
(FOLDER / "languages.json").write_text(json.dumps({"tensorflow": tf.__version__, "asked": ASKED, "answers": answers}) + "\n")
print(answers)
