"""Names, numbers, types and labels of every message are TensorFlow's."""

import itertools
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from gpersist.protos.pool import POOL, TYPES

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
GOLDEN = HERE.parent / "golden" / "protos" / "tensorflow-2.21.txt"
MANIFEST = "tensorflow/contrib/session_bundle/manifest.proto"  # older than every TensorFlow that can be asked
SCRIPT = HERE / "ask_tensorflow.py"

describe = runpy.run_path(str(SCRIPT))["describe"]


def names() -> list[str]:
    return sorted(path.relative_to(ROOT / "protos").as_posix() for path in (ROOT / "protos").rglob("*.proto"))


def ours(name: str) -> list[str]:
    return list(describe(FileDescriptorProto.FromString(POOL.FindFileByName(name).serialized_pb)))


def facts(lines: list[str]) -> dict[str, str]:
    return dict(line.split(" = ", 1) for line in lines)


def test_every_fact_is_tensorflows():
    assert sorted(line for name in names() if name != MANIFEST for line in ours(name)) == GOLDEN.read_text().splitlines()


def test_the_golden_file_holds_what_persistence_rests_on():
    golden = facts(GOLDEN.read_text().splitlines())
    assert golden["tensorflow.BundleEntryProto.crc32c"] == "6 fixed32"
    assert golden["tensorflow.NodeDef.device"] == "4 string"
    assert golden["tensorflow.MetaGraphDef.graph_def"] == "2 tensorflow.GraphDef"
    assert golden["tensorflow.DataType.DT_BFLOAT16"] == "14"
    assert golden["tensorflow.TensorProto.half_val"] == "13 repeated int32 packed"


def test_manifest_has_the_numbers_of_session_bundles():
    manifest = facts(ours(MANIFEST))
    assert manifest["tensorflow.serving.Signatures.named_signatures"] == "2 repeated tensorflow.serving.Signatures.NamedSignaturesEntry"
    assert manifest["tensorflow.serving.Signature.generic_signature"] == "3 tensorflow.serving.GenericSignature oneof type"
    assert manifest["tensorflow.serving.AssetFile.filename"] == "2 string"


def test_every_message_and_enum_says_what_it_is_for():
    for name in names():
        lines = (ROOT / "protos" / name).read_text().splitlines()
        assert lines[0].startswith("// "), name
        for above, line in itertools.pairwise(lines):
            if line.lstrip().startswith(("message ", "enum ")):
                assert above.lstrip().startswith("// "), f"{name}: {line}"


def test_compiled_files_are_fresh():
    pytest.importorskip("grpc_tools", reason="grpcio-tools is not installed")
    done = subprocess.run([sys.executable, str(ROOT / "protos" / "build.py"), "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_stub_names_every_type_of_the_face():
    stub = (ROOT / "gpersist" / "protos" / "__init__.pyi").read_text()
    assert [name for name in TYPES if f"\nclass {name}(Message):" not in stub and f"\n{name}: _{name}\n" not in stub] == []


@pytest.mark.interop
def test_tensorflow_says_the_same_today():
    interpreter = os.environ.get("GPERSIST_TF_PYTHON")
    if not interpreter:
        pytest.skip("GPERSIST_TF_PYTHON names no interpreter that has TensorFlow")
    command = [interpreter, str(SCRIPT), *(name for name in names() if name != MANIFEST)]
    asked = facts(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines())
    golden = facts(GOLDEN.read_text().splitlines())
    # another version may have more or fewer fields, but none that differs
    numbered = [name for name in asked.keys() & golden.keys() if golden[name][0].isdigit()]
    assert len(numbered) > 900
    assert {name: asked[name] for name in numbered} == {name: golden[name] for name in numbered}
