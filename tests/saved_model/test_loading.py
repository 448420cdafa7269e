"""`gpersist.saved_model.load`: models of TensorFlow 2, from objects, and of TensorFlow 1; what is wrong with them, or with calls of them."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gpersist
import gpersist.compat.v1 as tf
import gpersist.saved_model as saved_model
from gpersist import protos
from gpersist.devices import device_of, use_virtual
from gpersist.errors import (
    CheckpointNotFoundError,
    DataLossError,
    DeviceNotFoundError,
    GPersistError,
    InvalidArgumentError,
    NotFoundError,
    PermissionDeniedError,
)
from tests.saved_model.object_answers import check, check_same

GOLDEN = Path(__file__).parents[1] / "golden" / "saved_model" / "objects"
MODELS = ("module", "tables", "control_flow")
PUBLISHED = (
    "mlnet_mnist_lr",
    "mlnet_string_test",
    "scisharp_lstm_sequential",
    "scisharp_simple_autocompile",
    "serving_counter",
    "serving_half_plus_two_gpu",
    "serving_half_plus_two_tf2",
    "tfjs_multi_signatures",
    "tfrust_regression_sm",
    "zoltar_iris",
)
X = np.ones((2, 3), np.float32)


@pytest.fixture
def module() -> Any:
    with saved_model.load(GOLDEN / "module" / "model") as model:
        yield model


@pytest.fixture
def copy(tmp_path: Path) -> Callable[[str], Path]:
    """A golden model that may be changed."""

    def copied(name: str = "module") -> Path:
        return Path(shutil.copytree(GOLDEN / name / "model", tmp_path / name))

    return copied


def changed(folder: Path, change: Callable[[Any], None]) -> Path:
    path = folder / "saved_model.pb"
    message = protos.SavedModel.FromString(path.read_bytes())
    change(message.meta_graphs[0])
    path.write_bytes(message.SerializeToString())
    return folder


# ---- what TensorFlow gave


@pytest.mark.parametrize("name", MODELS)
def test_calls_give_what_tensorflow_gave(name: str) -> None:
    check(GOLDEN / name)


@pytest.mark.parametrize("name", MODELS)
def test_on_other_devices(name: str) -> None:
    with use_virtual(2):
        with saved_model.load(GOLDEN / name / "model", device_map="/gpu:1") as model:
            assert {variable.device for variable in model.variables if not variable.dtype.is_string} <= {"/device:GPU:1"}
        check(GOLDEN / name, device_map="/gpu:1")


@pytest.mark.cuda
@pytest.mark.parametrize("name", MODELS)
def test_on_a_gpu(name: str) -> None:
    check(GOLDEN / name)


@pytest.mark.cuda
def test_arrays_of_cupy_in_and_out() -> None:
    cupy = pytest.importorskip("cupy")
    with saved_model.load(GOLDEN / "module" / "model", device_map="/gpu:0") as model:
        found = model.signatures["serving_default"](x=cupy.asarray(X))["y"]
        assert isinstance(found, cupy.ndarray)
        np.testing.assert_array_equal(found.get(), [[1, 3, 5]] * 2)
        np.testing.assert_array_equal(model.v.numpy(), [1, 2, 3])
        assert isinstance(model.v.read(), cupy.ndarray)


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_models(name: str, models: Path) -> None:
    folder = models / name
    inputs, outputs = np.load(folder / "inputs.npz"), np.load(folder / "outputs.npz")
    for run in json.loads((folder / "case.json").read_text())["runs"]:
        with saved_model.load(folder / "model") as model:
            for number, step in enumerate(run["steps"]):
                for repeat in range(step.get("repeat", 1)):
                    feeds = {name: inputs[f"{run['id']}/{key}"] for name, key in step["feeds"].items()}
                    found = model.signatures[step["signature"]](**feeds)
                    for key, name in step["fetches"].items():
                        wanted = outputs[f"{run['id']}/{number}/{repeat}/{key}"]
                        check_same(np.asarray(found[name]).astype(wanted.dtype), wanted, key, rtol=run["rtol"])


# ---- what it is


def test_signatures_tell_what_they_take(module: Any) -> None:
    assert list(module.signatures) == ["counted", "halves", "serving_default"]
    assert str(module.signatures).splitlines() == [
        "counted(by: int32[]) -> {output_0: int32[]}",
        "halves(x: bfloat16[2]) -> {output_0: bfloat16[2]}",
        "serving_default(x: float32[?, 3]) -> {total: float32[], y: float32[?, 3]}",
    ]
    (spec,) = module.signatures["serving_default"].inputs.values()
    assert (spec.name, spec.dtype.name, spec.shape.as_list()) == ("x", "float32", [None, 3])
    assert repr(spec) == "TensorSpec(shape=(None, 3), dtype=float32, name='x')"
    assert repr(module.signatures["halves"]) == "<Signature halves(x: bfloat16[2]) -> {output_0: bfloat16[2]}>"


def test_objects_by_their_names(module: Any) -> None:
    assert [variable.name for variable in module.variables] == ["v", "count", "Variable", "Variable", "Variable", "Variable"]
    np.testing.assert_array_equal(module.v.numpy(), [1, 2, 3])
    assert [float(layer.numpy()) for layer in module.layers] == [2.0, 3.0]
    assert module.named["a"].numpy() == b"text"
    assert repr(module.v) == "<LoadedVariable 'v': float32[3] on /device:CPU:0>"
    assert module.v.trainable
    assert not module.count.trainable
    assert {"v", "summed", "layers"} <= set(dir(module))
    assert len(module.summed.concrete_functions) == 4
    with pytest.raises(AttributeError, match="no 'w'; it has 'v', 'count'"):
        _ = module.w
    with pytest.raises(TypeError, match=r"no function '__call__'; its functions are .*scaled"):
        module(X)
    with pytest.raises(TypeError, match="not callable"):
        module.v()


def test_results_are_the_callers_own(module: Any) -> None:
    first = module.counted(np.int32(1))
    module.counted(np.int32(1))
    assert first == 1
    found = module.signatures["serving_default"](x=X)["y"]
    found[:] = 0
    np.testing.assert_array_equal(module.signatures["serving_default"](x=X)["y"], [[1, 3, 5]] * 2)
    value = module.v.read()
    value[:] = 0
    np.testing.assert_array_equal(module.v.numpy(), [1, 2, 3])


def test_inputs_of_many_kinds(module: Any) -> None:
    signature = module.signatures["serving_default"]
    for value in (X, X.tolist(), X.astype(np.float64), X.astype(np.int8), [[1, 1, 1], [1.0, 1, 1]], X[::-1]):
        np.testing.assert_array_equal(signature(x=value)["y"], [[1, 3, 5]] * 2)
        np.testing.assert_array_equal(signature(value)["total"], 8)
    with use_virtual(1) as (device,), saved_model.load(GOLDEN / "module" / "model") as model:
        there = device.empty((2, 3), np.dtype(np.float32))
        there[...] = X
        found = model.signatures["serving_default"](x=there)["y"]
        assert device_of(found) is device
        with pytest.raises(InvalidArgumentError, match=r"arrays on devices are not converted; give array.astype\('float32'\)"):
            model.signatures["serving_default"](x=device.empty((2, 3), np.dtype(np.float64)))


def test_wrong_calls(module: Any) -> None:
    signature = module.signatures["serving_default"]
    for call, said in (
        (lambda: signature(), "lacks 'x'; it takes x: float32\\[\\?, 3\\]"),
        (lambda: signature(y=X), "lacks 'x' and does not know 'y'; it takes x"),
        (lambda: signature(X, X), "takes its inputs by name, and got 2 without"),
        (lambda: module.scaled(X, X), "scaled\\(\\) takes 1 positional arguments \\(x\\), and got 2"),
        (lambda: module.scaled(), "scaled\\(\\) lacks 'x'"),
        (lambda: module.scaled(X, x=X), "scaled\\(\\) got twice 'x'"),
        (lambda: module.scaled(X, z=1), "scaled\\(\\) does not know 'z'"),
    ):
        with pytest.raises(TypeError, match=said):
            call()
    for call, said in (
        (lambda: signature(x=X[:, :2]), "input 'x' of signature 'serving_default' is float32\\[\\?, 3\\], and got float32\\[2, 2\\]"),
        (lambda: signature(x="text"), "'text' of type str"),
        (lambda: signature(x=X.astype(np.complex64)), "complex64 is not converted to float32"),
        (lambda: signature(x=None), "of type NoneType"),
        (lambda: module.signatures["counted"](by=np.int64(1 << 40)), "a value of it is none of int32"),
        (lambda: module.signatures["counted"](by=1.5), "Expected int32"),
        (lambda: module.summed(np.ones(3, np.float32)), "no trace of summed\\(\\) .*\n  x: float32\\[2\\], False\n"),
        (lambda: module.summed(X, None), "no trace"),
        (lambda: module.nested([X, X]), "no trace"),
    ):
        with pytest.raises(InvalidArgumentError, match=said):
            call()
    with pytest.raises(KeyError, match="no signature 'other'; it has 'counted', 'halves', 'serving_default'"):
        module.signatures["other"]
    assert "other" not in module.signatures


def test_a_closed_model(module: Any) -> None:
    module.close()
    with pytest.raises(GPersistError):
        module.signatures["serving_default"](x=X)


def test_devices(copy: Any) -> None:
    folder = copy()
    with use_virtual(2):
        with saved_model.load(folder, device_map={"v": "/gpu:1", "*": "host"}) as model:
            assert [model.v.device, model.count.device] == ["/device:GPU:1", "/device:CPU:0"]
        with saved_model.load(folder, device_map="balanced") as model:
            assert {variable.device for variable in model.variables} == {"/device:GPU:0", "/device:GPU:1", "/device:CPU:0"}
        with saved_model.load(folder) as model:
            assert model.v.device == "/device:GPU:0"
    with pytest.raises(DeviceNotFoundError, match="/device:GPU:3"):
        saved_model.load(folder, device_map="/device:GPU:3")


def test_recorded_devices_of_functions_are_moved(copy: Any) -> None:
    folder = copy()
    message = protos.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    for function in message.meta_graphs[0].graph_def.library.function:
        for node in function.node_def:
            if node.op in ("AddV2", "Identity"):
                node.device = "/device:GPU:1"
    (folder / "saved_model.pb").write_bytes(message.SerializeToString())
    for device_map, wanted in ((None, "GPU:1"), ({"/gpu:1": "/gpu:0"}, "GPU:0"), ({"/gpu:1": "host"}, "CPU:0")):
        with use_virtual(2), saved_model.load(folder, device_map=device_map) as model:
            assert device_of(model.signatures["serving_default"](x=X)["y"]).name.endswith(wanted)


def test_a_model_of_tensorflow_1(tmp_path: Path) -> None:
    folder = str(tmp_path / "m")
    with tf.Graph().as_default(), tf.Session() as sess:
        x, kind = tf.placeholder(tf.float32, [None, 2], name="x"), tf.sparse_placeholder(tf.float32, [None, 2], name="s")
        w = tf.Variable([[2.0], [3.0]], name="w")
        sess.run(tf.global_variables_initializer())
        tf.saved_model.simple_save(sess, folder, {"x": x, "s": kind}, {"y": tf.matmul(x, w) + tf.reduce_sum(kind.values), "w": w})
    with saved_model.load(folder, "serve") as model:
        assert str(model.signatures) == "serving_default(s: SparseTensorSpec of 3 tensors, x: float32[?, 2]) -> {w: float32[2, 1], y: float32[?, 1]}"
        inputs = {"x": [[1, 1]], "s": ([[0, 1]], np.array([4], np.float32), [1, 2])}
        found = model.signatures["serving_default"](**inputs)
        np.testing.assert_array_equal(found["y"], [[9]])
        found["w"][:] = 0
        np.testing.assert_array_equal(model.signatures["serving_default"](**inputs)["w"], [[2], [3]])
        assert [variable.name for variable in model.variables] == ["w:0"]
        with pytest.raises(InvalidArgumentError, match=r"input 's' .* tuple of the 3 arrays"):
            model.signatures["serving_default"](x=[[1, 1]], s=[[1, 2]])


# ---- bad models


def test_nodes_of_tensorflow_1_that_make_no_sense(tmp_path: Path) -> None:
    folder = tmp_path / "m"
    with tf.Graph().as_default(), tf.Session() as sess:
        x, w = tf.placeholder(tf.float32, [2], name="x"), tf.get_variable("w", [2], use_resource=True)
        sess.run(tf.global_variables_initializer())
        tf.saved_model.simple_save(sess, str(folder), {"x": x}, {"y": x * w + tf.constant(2.0, name="two")})
    whole = (folder / "saved_model.pb").read_bytes()
    for name, change in (("two", lambda node: setattr(node.attr["value"].tensor, "dtype", 20)), ("w", lambda node: setattr(node, "op", "NoOp"))):
        message = protos.SavedModel.FromString(whole)
        change(next(node for node in message.meta_graphs[0].graph_def.node if node.name == name))
        (folder / "saved_model.pb").write_bytes(message.SerializeToString())
        with pytest.raises(GPersistError), saved_model.load(folder) as model:
            model.signatures["serving_default"](x=[1, 2])


def test_tags(copy: Any) -> None:
    folder = copy()
    assert saved_model.load(folder, ["serve"]).tags == ["serve"]
    with pytest.raises(NotFoundError, match=r"tags 'x' could not be found .* available tags '\[\{'serve'\}\]'"):
        saved_model.load(folder, ["x"])
    message = protos.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    message.meta_graphs.add().CopyFrom(message.meta_graphs[0])
    message.meta_graphs[0].meta_info_def.tags[:] = ["train"]
    message.meta_graphs[1].meta_info_def.tags[:] = ["gpu", "serve"]
    (folder / "saved_model.pb").write_bytes(message.SerializeToString())
    assert saved_model.load(folder, ["serve", "gpu"]).tags == ["gpu", "serve"]
    with pytest.raises(NotFoundError, match=r"\[\{'train'\}, \{'gpu', 'serve'\}\]"):
        saved_model.load(folder)


def test_what_is_not_there(copy: Any, tmp_path: Path) -> None:
    with pytest.raises(CheckpointNotFoundError, match="no such folder"):
        saved_model.load(tmp_path / "nothing")
    with pytest.raises(CheckpointNotFoundError, match=r"neither a 'saved_model\.pb'"):
        saved_model.load(tmp_path)
    (tmp_path / "file").write_text("x")
    with pytest.raises(CheckpointNotFoundError, match="it is a file"):
        saved_model.load(tmp_path / "file")
    folder = copy()
    with pytest.raises(CheckpointNotFoundError, match=rf"; '{re.escape(str(folder))}' is one"):  # an Estimator's exports have a folder each
        saved_model.load(folder.parent)
    shutil.rmtree(folder / "variables")
    with pytest.raises(CheckpointNotFoundError, match="copy the whole folder"):
        saved_model.load(folder)
    folder = copy("tables")
    (folder / "assets" / "model_vocabulary.txt").unlink()
    with pytest.raises(CheckpointNotFoundError, match=r"no file .*model_vocabulary.txt"):
        saved_model.load(folder)


def test_folders_that_lead_out(copy: Any, tmp_path: Path) -> None:
    folder = copy()
    shutil.move(folder / "variables", tmp_path / "outside")
    (folder / "variables").symlink_to(tmp_path / "outside")
    with pytest.raises(InvalidArgumentError, match="out of the folder"):
        saved_model.load(folder)
    folder = copy("tables")
    shutil.move(folder / "assets" / "model_vocabulary.txt", tmp_path / "words.txt")
    (folder / "assets" / "model_vocabulary.txt").symlink_to(tmp_path / "words.txt")
    with pytest.raises(InvalidArgumentError, match="out of the folder"):
        saved_model.load(folder)
    folder = copy("control_flow")
    changed(folder, lambda meta: meta.asset_file_def.add(filename="../../secret"))
    with pytest.raises(InvalidArgumentError, match="out of the folder"):
        saved_model.load(folder)


def test_a_function_that_reads_what_nobody_named(copy: Any, tmp_path: Path) -> None:
    def change(meta: Any, which: str) -> None:
        number = next(number for number, node in enumerate(meta.object_graph_def.nodes) if node.WhichOneof("kind") == "constant")
        for name, function in meta.object_graph_def.concrete_functions.items():
            if which in name:
                assets = [place for place, bound in enumerate(function.bound_inputs) if meta.object_graph_def.nodes[bound].HasField("asset")]
                for place in assets:
                    function.bound_inputs[place] = number

    with pytest.raises(PermissionDeniedError, match="touches a file that is none of the model's assets"):
        saved_model.load(changed(copy("tables"), lambda meta: change(meta, "initializer")))
    shutil.rmtree(tmp_path / "tables")
    with saved_model.load(changed(copy("tables"), lambda meta: change(meta, "told"))) as model:
        model.found([b"a"])
        with pytest.raises(PermissionDeniedError, match="touches a file that is none of the model's assets"):
            model.told([1])


def _graph(meta: Any) -> Any:
    return meta.object_graph_def


CHANGES: dict[str, tuple[Callable[[Any], object], type[Exception], str]] = {
    "child out of range": (
        lambda meta: _graph(meta).nodes[0].children.add(node_id=99, local_name="x"),
        DataLossError,
        "'x' of object 0 is object 99",
    ),
    "negative child": (lambda meta: _graph(meta).nodes[0].children.add(node_id=-1, local_name="x"), DataLossError, "object -1 of"),
    "no such trace": (lambda meta: _graph(meta).concrete_functions.clear(), DataLossError, "no concrete function '__inference_"),
    "no such function": (lambda meta: meta.graph_def.library.Clear(), NotFoundError, "no function '__inference_"),
    "no such constant": (lambda meta: meta.graph_def.ClearField("node"), DataLossError, "no constant 'Const"),
    "another shape": (lambda meta: _graph(meta).nodes[1].variable.shape.dim[0].__setattr__("size", 4), InvalidArgumentError, r"\[3\]"),
    "another dtype": (lambda meta: _graph(meta).nodes[1].variable.__setattr__("dtype", 3), InvalidArgumentError, "int32"),
    "no dtype at all": (lambda meta: _graph(meta).nodes[1].variable.__setattr__("dtype", 999), GPersistError, "999"),
    "a variable more": (
        lambda meta: _graph(meta).nodes.add().CopyFrom(protos.SavedObject(variable=protos.SavedVariable(dtype=1, name="more"))),
        NotFoundError,
        "lacks 1 of 7 variables: 'more'",
    ),
    "capture out of range": (
        lambda meta: [function.bound_inputs.append(10**6) for function in _graph(meta).concrete_functions.values()],
        DataLossError,
        "is object 1000000",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_damaged_objects(name: str, copy: Any) -> None:
    change, error, said = CHANGES[name]
    with pytest.raises(error, match=said):
        saved_model.load(changed(copy(), lambda meta: change(meta)))


def test_an_object_that_has_itself(copy: Any) -> None:
    folder = changed(copy(), lambda meta: meta.object_graph_def.nodes[0].children.add(node_id=0, local_name="itself"))
    with saved_model.load(folder) as model:
        assert model.itself.itself is model
        np.testing.assert_array_equal(model.itself.v.numpy(), [1, 2, 3])


@pytest.mark.parametrize("name", ["saved_model.pb", "variables/variables.index", "variables/variables.data-00000-of-00001"])
def test_truncated_and_foreign_files(name: str, copy: Any) -> None:
    folder = copy()
    path = folder / name
    whole = path.read_bytes()
    for content in (b"", whole[: len(whole) // 2], whole[:-1], b"\x7fELF" + os.urandom(2000)):
        path.write_bytes(content)
        with pytest.raises((GPersistError, OSError)):
            saved_model.load(folder)
    path.write_bytes(whole)
    saved_model.load(folder).close()


def test_bytes_changed_at_random_are_told_of_or_harmless(copy: Any) -> None:
    folder = copy("control_flow")
    whole = bytearray((folder / "saved_model.pb").read_bytes())
    source = np.random.RandomState(7)
    for _ in range(25):
        damaged = bytearray(whole)
        for place in source.randint(0, len(whole), 3):
            damaged[place] = source.randint(256)
        (folder / "saved_model.pb").write_bytes(damaged)
        try:
            with saved_model.load(folder) as model:
                for signature in model.signatures.values():
                    str(signature)
        except (GPersistError, OSError):
            pass


def test_it_is_the_face() -> None:
    assert gpersist.saved_model.load is saved_model.load
    assert tf.saved_model.load is not saved_model.load
