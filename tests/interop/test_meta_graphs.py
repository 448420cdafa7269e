"""Graphs cross both ways: TensorFlow imports our `.meta`, restores our data and runs what we froze; we do the same with what it then writes."""

import json

import pytest

from gpersist import protos
from gpersist.graph import Graph, convert_variables_to_constants, get_default_graph, import_graph_def
from gpersist.train.meta_graph import import_meta_graph
from gpersist.train.saver import Saver
from tests.graph.namespace import tf

pytestmark = [pytest.mark.interop, pytest.mark.timeout(300)]


def plain():
    v1 = tf.Variable(tf.constant(1.0, shape=[1]), name="v1")
    v2 = tf.Variable(tf.constant(2.0, shape=[1]), name="v2")
    tf.add(v1, v2, name="out")


def resources():
    with tf.device("/gpu:1"):
        w = tf.Variable([[1.0, 2.0], [3.0, 4.0]], name="layer/w", use_resource=True)
    b = tf.Variable([0.5, 0.25], name="layer/b")
    tf.add(tf.matmul(w, w), b, name="out")


PROGRAMS = {"plain": (plain, [3.0]), "resources": (resources, [[7.5, 10.25], [15.5, 22.25]])}


@pytest.fixture(scope="module")
def crossed(tensorflow, tmp_path_factory):
    folder = tmp_path_factory.mktemp("metas")
    config = protos.ConfigProto(allow_soft_placement=True)
    for name, (program, _) in PROGRAMS.items():
        with Graph().as_default(), tf.Session(config=config) as sess:
            program()
            saver = Saver()
            sess.run(tf.global_variables_initializer())
            saver.save(sess, str(folder / name))
            frozen = convert_variables_to_constants(sess, get_default_graph().as_graph_def(), ["out"])
            (folder / f"{name}.pb").write_bytes(frozen.SerializeToString())
    return folder, json.loads(tensorflow("meta_graphs.py", folder))


@pytest.mark.parametrize("name", PROGRAMS)
def test_tensorflow_runs_ours(crossed, name):
    restored, frozen = crossed[1][name]
    assert restored == frozen == PROGRAMS[name][1]


@pytest.mark.parametrize("name", PROGRAMS)
def test_we_run_tensorflows(crossed, name):
    prefix = str(crossed[0] / "theirs" / name)
    with Graph().as_default(), tf.Session() as sess:
        import_meta_graph(prefix + ".meta", clear_devices=True).restore(sess, prefix)
        assert sess.run("out:0").tolist() == PROGRAMS[name][1]
    with Graph().as_default(), tf.Session() as sess, open(prefix + ".pb", "rb") as file:
        (out,) = import_graph_def(protos.GraphDef.FromString(file.read()), return_elements=["out:0"])
        assert sess.run(out).tolist() == PROGRAMS[name][1]
