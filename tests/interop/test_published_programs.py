"""Programs like those that others published: TensorFlow's graphs of them give its answers here, and our own graphs are the same, node by node."""

import numpy as np
import pytest

import gpersist.compat.v1 as tf
from tests.interop.published_programs import PROGRAMS, answers

pytestmark = [pytest.mark.interop, pytest.mark.timeout(300)]

_OTHER_NODES = {"critic"}
"""Where TensorFlow builds a derivative on a tape, whose nodes have other names."""


@pytest.fixture(scope="module")
def published(tensorflow, tmp_path_factory):
    folder = tmp_path_factory.mktemp("published")
    tensorflow("published_models.py", folder)
    return folder


@pytest.mark.parametrize("name", PROGRAMS)
def test_tensorflows_graphs_give_its_answers(published, name):
    with tf.Graph().as_default():
        feeds, fetches, ops = PROGRAMS[name](tf)
        names = {key: tensor.name for key, tensor in fetches.items()}
        told = {tensor.name: value for tensor, value in feeds.items()}, names, [op.name for op in ops]
        variables = [variable.op.name for variable in tf.global_variables()]
    with tf.Graph().as_default() as graph, tf.Session() as sess:
        saver = tf.train.import_meta_graph(str(published / f"{name}.meta"))
        if variables:
            saver.restore(sess, str(published / name))
        held = {variable.op.name: variable for variable in tf.global_variables()}
        assert sorted(held) == sorted(variables)
        _compare(answers(sess, told[0], told[1], [graph.get_operation_by_name(op) for op in told[2]], held), published / f"{name}.npz")


@pytest.mark.parametrize("name", PROGRAMS)
def test_our_graphs_are_the_same(published, name):
    with tf.Graph().as_default() as graph:
        tf.train.import_meta_graph(str(published / f"{name}.meta"))
        theirs = [(op.name, op.type, [value.name for value in op.inputs]) for op in graph.get_operations() if not op.name.startswith("save/")]
    with tf.Graph().as_default() as graph, tf.Session() as sess:
        tf.set_random_seed(7)
        feeds, fetches, ops = PROGRAMS[name](tf)
        if name not in _OTHER_NODES:
            ours = [(op.name, op.type, [value.name for value in op.inputs]) for op in graph.get_operations()]
            assert [node for node in ours if node not in theirs] == [node for node in theirs if node not in ours and node[0] != "init"]
        variables = {variable.op.name: variable for variable in tf.global_variables()}
        if variables:
            tf.train.Saver().restore(sess, str(published / name))
        _compare(answers(sess, feeds, fetches, ops, variables), published / f"{name}.npz")


def _compare(found, path):
    with np.load(path, allow_pickle=True) as wanted:
        assert sorted(found) == sorted(wanted.files)
        for key, value in found.items():
            if wanted[key].dtype.kind == "O":
                assert value.tolist() == wanted[key].tolist(), key
            else:
                np.testing.assert_allclose(value, wanted[key], rtol=2e-4, atol=2e-5, err_msg=key)
