"""The private pool and the face of `gpersist.protos`."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from gpersist import protos

ROOT = Path(__file__).parents[2]


# The package without gpersist/__init__.py, which imports more than this layer, and more than TensorFlow's interpreter has.
BARE = f"""
import sys, types
sys.modules["gpersist"] = types.ModuleType("gpersist")
sys.modules["gpersist"].__path__ = [{str(ROOT / "gpersist")!r}]
"""


def run(code: str, interpreter: str = sys.executable, **environment: str) -> str:
    env = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"} | environment
    done = subprocess.run([interpreter, "-c", BARE + code], capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_loads_neither_schema_nor_text_format():
    loaded = run("import gpersist.protos; print(*sys.modules)").split()
    assert "gpersist.protos.codec" in loaded
    assert not {"gpersist.protos.pool", "google.protobuf.descriptor_pb2", "google.protobuf.text_format"} & set(loaded)


def test_protobufs_default_pool_is_left_alone():
    code = """
from google.protobuf import descriptor_pool
from gpersist import protos
protos.GraphDef(), protos.MetaGraphDef()
try:
    print(descriptor_pool.Default().FindMessageTypeByName("tensorflow.GraphDef"))
except KeyError:
    print("absent")
"""
    assert run(code) == "absent\n"


def test_messages_are_attributes_by_short_name():
    node = protos.NodeDef(name="a", op="VariableV2", device="/device:GPU:0", input=["^b"])
    node.attr["dtype"].type = protos.DataType.DT_FLOAT
    graph = protos.GraphDef(node=[node])
    assert protos.GraphDef.FromString(graph.SerializeToString()) == graph
    assert protos.GraphDef is protos.GraphDef
    assert protos.AttrValue.ListValue(i=[1]).i == [1]
    assert protos.BundleHeaderProto.Endianness.Name(protos.BundleHeaderProto.BIG) == "BIG"
    assert protos.Code.DATA_LOSS == 15
    assert protos.GraphDef.DESCRIPTOR.full_name == "tensorflow.GraphDef"
    assert protos.Signatures.DESCRIPTOR.full_name == "tensorflow.serving.Signatures"


def test_enums_translate_both_ways():
    assert protos.DataType.DT_HALF == protos.DataType.Value("DT_HALF") == 19
    assert protos.DataType.Name(14) == "DT_BFLOAT16"


@pytest.mark.parametrize("name", ["GraphDeff", "nope", "__wrapped__"])
def test_no_other_attributes(name):
    with pytest.raises(AttributeError, match=name):
        getattr(protos, name)


def test_dir_lists_messages_enums_and_functions():
    assert {"GraphDef", "DataType", "BundleEntryProto", "SavedTensorSlices", "CheckpointState", "parse", "to_text"} <= set(dir(protos))
    assert sorted(protos.__all__) == protos.__all__


def test_any_packs_and_unpacks_by_tensorflows_names():
    packed = protos.MetaGraphDef().meta_info_def.any_info
    packed.Pack(protos.AssetFileDef(filename="vocabulary"))
    assert packed.type_url == "type.googleapis.com/tensorflow.AssetFileDef"
    unpacked = protos.AssetFileDef()
    assert packed.Unpack(unpacked)
    assert unpacked.filename == "vocabulary"
    assert not packed.Unpack(protos.GraphDef())


def test_messages_pickle():
    version = protos.VersionDef(producer=3)
    assert pickle.loads(pickle.dumps(version)) == version


def test_threads_that_ask_first_get_one_class():
    code = """
import threading
import gpersist.protos
barrier, found = threading.Barrier(8), []
def ask():
    barrier.wait()
    found.append(gpersist.protos.GraphDef)
threads = [threading.Thread(target=ask) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(found), len(set(map(id, found))))
"""
    assert run(code) == "8 1\n"


def test_works_where_protobuf_is_pure_python():
    code = """
from google.protobuf.internal import api_implementation
from gpersist import protos
from gpersist.errors import DataLossError
graph = protos.GraphDef(node=[protos.NodeDef(name="a")])
graph.node[0].attr["s"].list.CopyFrom(protos.AttrValue.ListValue(s=[b"x"]))
assert protos.parse(protos.GraphDef, graph.SerializeToString(), "x") == protos.parse_text(protos.GraphDef, protos.to_text(graph), "x") == graph
refused = 0
for data in (b"\\x0a", b"\\x0a\\xff\\xff\\xff\\xff\\x0f", b"\\x0a\\x03\\x0a\\x01\\xff", b"\\x1b" * 5000, b"\\x00"):
    try:
        protos.parse(protos.GraphDef, data, "x")
    except DataLossError:
        refused += 1
print(api_implementation.Type(), refused)
"""
    assert run(code, PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION="python") == "python 5\n"


IMPORTS = ["import tensorflow as tf\nfrom gpersist import protos", "from gpersist import protos\nprotos.GraphDef\nimport tensorflow as tf"]


@pytest.mark.interop
@pytest.mark.parametrize("imports", IMPORTS, ids=["tensorflow first", "gpersist first"])
def test_lives_with_tensorflow_in_one_process(imports):
    interpreter = os.environ.get("GPERSIST_TF_PYTHON")
    if not interpreter:
        pytest.skip("GPERSIST_TF_PYTHON names no interpreter that has TensorFlow")
    code = f"""{imports}
from google.protobuf import text_format
v1 = tf.compat.v1
with tf.Graph().as_default():
    with tf.device("/gpu:1"):
        v = v1.get_variable("v", [2, 3], use_resource=False)
    v1.train.Saver()
    v1.add_to_collection("names", "é")
    theirs = v1.train.export_meta_graph()
theirs.meta_info_def.any_info.Pack(v1.GraphDef(version=7))
ours = protos.parse(protos.MetaGraphDef, theirs.SerializeToString(), "theirs")
assert type(ours) is not type(theirs)
assert ours.SerializeToString(deterministic=True) == theirs.SerializeToString(deterministic=True)
assert protos.to_text(ours) == text_format.MessageToString(theirs)
assert text_format.Parse(protos.to_text(ours), v1.MetaGraphDef()) == theirs
assert protos.parse_text(protos.MetaGraphDef, text_format.MessageToString(theirs), "theirs") == ours
assert ours.graph_def.node[0].device == theirs.graph_def.node[0].device
unpacked = protos.GraphDef()
assert ours.meta_info_def.any_info.Unpack(unpacked) and unpacked.version == 7
with tf.Graph().as_default():
    v1.train.import_meta_graph(v1.MetaGraphDef.FromString(ours.SerializeToString()))
print("both")
"""
    assert run(code, interpreter) == "both\n"
