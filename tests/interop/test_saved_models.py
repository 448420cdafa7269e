"""SavedModels cross both ways: TensorFlow loads and runs ours, we load and run TensorFlow's; the checkpoints in them have the same bytes."""

import json

import pytest

import gpersist.compat.v1 as tf
from tests.interop.saved_model_programs import PROGRAMS, answer

pytestmark = [pytest.mark.interop, pytest.mark.timeout(300)]
_LINES = [[5.5], [-1.25]]
_WORDS = [1.0, -1.0, 0.0]


def estimated(folder):
    """What an Estimator exports."""

    def model_fn(features, mode):
        w = tf.get_variable("w", [2, 1], initializer=tf.ones_initializer())
        step = tf.assign_add(tf.train.get_global_step(), 1)
        return tf.estimator.EstimatorSpec(mode, {"y": tf.matmul(features["x"], w)}, tf.reduce_sum(w), step)

    estimator = tf.estimator.Estimator(model_fn, str(folder / "estimator"))
    estimator.train(lambda: {"x": tf.zeros([1, 2])}, steps=1)
    with tf.Graph().as_default():
        receiver = tf.estimator.export.build_raw_serving_input_receiver_fn({"x": tf.placeholder(tf.float32, [None, 2], name="x")})
    estimator.export_saved_model(str(folder / "exports"), receiver)
    (path,) = (folder / "exports").iterdir()
    path.rename(folder / "ours" / "estimated")


@pytest.fixture(scope="module")
def crossed(tensorflow, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    (folder / "ours").mkdir()
    for name, program in PROGRAMS.items():
        with tf.Graph().as_default():
            program(tf, str(folder / "ours" / name))
    estimated(folder)
    return folder, json.loads(tensorflow("saved_models.py", folder))


@pytest.mark.parametrize("name", PROGRAMS)
def test_tensorflow_runs_ours(crossed, name):
    assert crossed[1][name] == (_WORDS if name == "tables" else _LINES)


def test_tensorflow_runs_what_an_estimator_exported(crossed):
    assert crossed[1]["estimated"] == [[3.0], [-0.75]]


@pytest.mark.parametrize("name", PROGRAMS)
def test_we_run_tensorflows(crossed, name):
    assert answer(tf, str(crossed[0] / "theirs" / name)) == (_WORDS if name == "tables" else _LINES)


@pytest.mark.parametrize("name", PROGRAMS)
def test_same_files(crossed, name):
    ours, theirs = ({path.relative_to(crossed[0] / who): path for path in sorted((crossed[0] / who / name).rglob("*"))} for who in ("ours", "theirs"))
    assert list(ours) == list(theirs)
    for path, file in ours.items():
        assert file.is_dir() or path.name.startswith("saved_model.") or file.read_bytes() == theirs[path].read_bytes()
