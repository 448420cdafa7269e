"""Trains with each optimizer of tests/golden/train/cases.py, from a checkpoint of another; with real TensorFlow when run as a script.

python training.py FOLDER    saves FOLDER/theirs-NAME after five steps, resumes FOLDER/ours-NAME, and prints where ten further steps lead from both
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from pathlib import Path
from typing import Any

_SPEC = importlib.util.spec_from_file_location("train_cases", Path(__file__).parents[1] / "golden" / "train" / "cases.py")
assert _SPEC is not None and _SPEC.loader is not None
CASES = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(CASES)

FIRST, FURTHER = 5, 10


def train(tf: Any, name: str, prefix: Path, *, use_resource: bool, resumes: bool) -> dict[str, Any]:
    """The values of all variables after fifteen steps, the first five of them saved, or restored from what somebody else saved."""
    tf.reset_default_graph()
    loss, *_ = CASES.model(tf, use_resource=use_resource)
    step = CASES.OPTIMIZERS[name](tf).minimize(loss)
    average = tf.train.ExponentialMovingAverage(0.8)
    with tf.control_dependencies([step]):
        step = average.apply()
    saver = tf.train.Saver()
    with tf.Session() as session:
        if resumes:
            saver.restore(session, str(prefix))
        else:
            session.run(tf.global_variables_initializer())
            for _ in range(FIRST):
                session.run(step)
            saver.save(session, str(prefix), write_meta_graph=False)
        for _ in range(FURTHER):
            session.run(step)
        variables = tf.global_variables()
        return {variable.name: value.tolist() for variable, value in zip(variables, session.run(variables), strict=True)}


if __name__ == "__main__":
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import tensorflow.compat.v1 as tensorflow

    tensorflow.disable_v2_behavior()
    folder = Path(sys.argv[1])
    found: dict[str, Any] = {}
    for kind in (False, True):
        for optimizer in CASES.OPTIMIZERS:
            key = f"{optimizer}{'-resource' if kind else ''}"
            found[f"theirs-{key}"] = train(tensorflow, optimizer, folder / f"theirs-{key}", use_resource=kind, resumes=False)
            found[f"ours-{key}"] = train(tensorflow, optimizer, folder / f"ours-{key}", use_resource=kind, resumes=True)
    print(json.dumps(found))
