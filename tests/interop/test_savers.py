"""Savers cross both ways: TensorFlow imports the graph that our Saver wrote and restores its data; we do the same with TensorFlow's."""

import json

import pytest

from gpersist import protos
from gpersist.graph import Graph, Session
from gpersist.train.meta_graph import import_meta_graph
from gpersist.train.saver import Saver
from tests.interop.saver_programs import OPTIONS, PROGRAMS, path_of, values
from tests.train.namespace import tf

pytestmark = [pytest.mark.interop, pytest.mark.timeout(300)]
_CONFIG = protos.ConfigProto(allow_soft_placement=True)
_NAMES = [f"{program}-{option}" for program in PROGRAMS for option in OPTIONS]


@pytest.fixture(scope="module")
def crossed(tensorflow, tmp_path_factory):
    folder = tmp_path_factory.mktemp("savers")
    (folder / "ours").mkdir()
    saved = {}
    for program in PROGRAMS:
        for option, arguments in OPTIONS.items():
            with Graph().as_default(), Session(config=_CONFIG) as sess:
                PROGRAMS[program](tf)
                saver = Saver(**arguments)
                sess.run(tf.global_variables_initializer())
                saver.save(sess, str(folder / "ours" / f"{program}-{option}"))
                saved[f"{program}-{option}"] = values(tf, sess)
    return folder, saved, json.loads(tensorflow("savers.py", folder))


@pytest.mark.parametrize("name", _NAMES)
def test_tensorflow_restores_ours(crossed, name):
    _, saved, restored = crossed
    assert restored[name] == saved[name]


@pytest.mark.parametrize("name", _NAMES)
def test_we_restore_tensorflows(crossed, name):
    folder, saved, _ = crossed
    program, _, option = name.partition("-")
    path = path_of(folder / "theirs", name, option)
    with Graph().as_default(), Session(config=_CONFIG) as sess:
        import_meta_graph(str(folder / "theirs" / name) + ".meta").restore(sess, path)
        assert values(tf, sess) == saved[name]
    with Graph().as_default(), Session(config=_CONFIG) as sess:
        PROGRAMS[program](tf)
        Saver().restore(sess, path)
        assert values(tf, sess) == saved[name]


@pytest.mark.parametrize("name", [name for name in _NAMES if "v1" not in name])
def test_same_bytes(crossed, name):
    folder = crossed[0]
    ours, theirs = ({path.name: path.read_bytes() for path in (folder / who).glob(f"{name}.[id]*")} for who in ("ours", "theirs"))
    assert ours == theirs
