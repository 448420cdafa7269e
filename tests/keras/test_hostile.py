"""Broken, foreign and hostile files: a clear error each, and nothing else."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gpersist.compat.v1 as tf
from gpersist.errors import (
    AlreadyExistsError,
    CheckpointNotFoundError,
    DataLossError,
    GPersistError,
    InvalidArgumentError,
    NotACheckpointError,
    NotFoundError,
    UnimplementedError,
)
from gpersist.keras import hdf5, load_keras_model
from gpersist.keras.hdf5 import read_keras_file

h5py = pytest.importorskip("h5py")
GOLDEN = Path(__file__).parents[1] / "golden" / "keras" / "tf_keras"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A copy of a good model."""
    return Path(shutil.copy(GOLDEN / "cnn.h5", tmp_path / "cnn.h5"))


def load(path: Path, architecture: Any = None) -> Any:
    with tf.Graph().as_default():
        return load_keras_model(path, architecture)


def changed(path: Path, change: Any) -> Path:
    """The file with another architecture."""
    with h5py.File(path, "a") as file:
        spec = json.loads(file.attrs["model_config"])
        spec = change(spec) or spec
        del file.attrs["model_config"]
        file.attrs["model_config"] = json.dumps(spec)
    return path


def replaced(path: Path, name: str, **arguments: Any) -> Path:
    """The file with another dataset in the place of one."""
    with h5py.File(path, "a") as file:
        del file[name]
        file.create_dataset(name, **arguments)
    return path


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(CheckpointNotFoundError, match=r"is no file$"):
        load(tmp_path / "none.h5")
    with pytest.raises(CheckpointNotFoundError, match="but a folder"):
        load(tmp_path)


@pytest.mark.parametrize(("content", "told"), [(b"", "begins with b''"), (b"PK\3\4" + bytes(50), "a .keras archive"), (b"x" * 5000, "no HDF5 file")])
def test_other_kinds(content: bytes, told: str, tmp_path: Path) -> None:
    (tmp_path / "a.h5").write_bytes(content)
    with pytest.raises(NotACheckpointError, match=told):
        load(tmp_path / "a.h5")


@pytest.mark.parametrize("size", [8, 96, 500, 2000, 10000, 20000, 27000])
def test_truncated(size: int, path: Path) -> None:
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(DataLossError, match=r"cnn\.h5' is damaged"):
        load(path)


def test_damaged(path: Path) -> None:
    """Bytes of the file's structures set at random: it is read, or refused."""
    whole = path.read_bytes()
    rng = np.random.default_rng(1)
    for _ in range(12):
        damaged = bytearray(whole)
        for place in rng.integers(0, len(whole), 3):
            damaged[place] = rng.integers(256)
        path.write_bytes(damaged)
        try:
            read_keras_file(path)
        except GPersistError:
            pass


def test_weights_only(path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="holds weights and no model: give the model's JSON"):
        load(GOLDEN / "weights.h5")
    with pytest.raises(DataLossError, match="no JSON"):
        load(GOLDEN / "weights.h5", "{")
    with pytest.raises(DataLossError, match="no JSON"):
        load(GOLDEN / "weights.h5", '{"a":' * 100_000)


def test_foreign(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["a"] = [1.0]
    with pytest.raises(InvalidArgumentError, match="no model"):
        load(tmp_path / "a.h5")
    with pytest.raises(DataLossError, match="holds no Keras weights: it has no attribute 'layer_names'"):
        load(tmp_path / "a.h5", (GOLDEN / "architecture.json").read_text())


def test_unknown_layers_are_all_listed(path: Path) -> None:
    def change(spec: Any) -> None:
        spec["config"]["layers"][1]["class_name"] = "Fancy"
        spec["config"]["layers"][3] = {
            "class_name": "TimeDistributed",
            "config": {"name": "t", "layer": {"class_name": "Odd", "config": {"name": "o"}}},
        }

    with pytest.raises(UnimplementedError, match=r"layers that are not known: 'conv2d' \(Fancy\), 'o' \(Odd\)$"):
        load(changed(path, change))


def test_lambda(path: Path) -> None:
    config = {"name": "evil", "function": ["cHJpbnQoMSk=", None, None], "function_type": "lambda"}
    with pytest.raises(UnimplementedError, match="has Lambda layers: 'evil'; they hold Python code, and code in a file is never run"):
        load(changed(path, lambda spec: spec["config"]["layers"].insert(2, {"class_name": "Lambda", "config": config})))


def _set(key: str, value: Any, index: int = 1) -> Any:
    return lambda spec: spec["config"]["layers"][index]["config"].__setitem__(key, value)


@pytest.mark.parametrize(
    ("change", "error", "told"),
    [
        (
            _set("activation", "fancy"),
            UnimplementedError,
            r"layer 'conv2d' \(Conv2D\) has the activation 'fancy', which is not known; expected one of celu, elu",
        ),
        (
            _set("filters", 5),
            DataLossError,
            r"layer 'conv2d' \(Conv2D\) its kernel 'conv2d/kernel:0' has shape \(3, 3, 3, 4\); expected \(3, 3, 3, 5\)",
        ),
        (_set("filters", "many"), DataLossError, "layer 'conv2d' .*filters='many'"),
        (_set("filters", 10**400), DataLossError, "layer 'conv2d' "),
        (_set("kernel_size", [3]), DataLossError, r"kernel_size=\[3\]; expected 2 whole numbers"),
        (_set("strides", [0, 0]), DataLossError, "layer 'conv2d' .* does not go together"),
        (_set("padding", "odd"), DataLossError, "padding='odd'"),
        (_set("dtype", "odd"), UnimplementedError, "dtype 'odd'"),
        (_set("use_bias", False), DataLossError, r"'conv2d' takes 1 \(kernel\), has 2"),
        (_set("axis", 7, 2), DataLossError, "axis=7, and its input 4 dimensions"),
        (_set("batch_input_shape", None, 0), InvalidArgumentError, "the shape of the input 'input_1' is not in the file"),
        (_set("batch_input_shape", "abc", 0), DataLossError, "has the shape 'abc'"),
        (_set("batch_input_shape", [None, 8, 7, None], 0), DataLossError, "needs to know the size of dimension -1"),
        (_set("batch_input_shape", [None, 8, 3], 0), DataLossError, "takes 4 dimensions"),
        (_set("name", "conv2d", 4), DataLossError, "several layers named 'conv2d'"),
        (lambda spec: spec["config"].__setitem__("layers", []), InvalidArgumentError, "has no layers"),
        (lambda spec: spec["config"].__setitem__("layers", [3]), DataLossError, "something that is no layer"),
        (lambda spec: {"class_name": "Dense", "config": {"name": "d", "units": 3}}, DataLossError, "holds a Dense; expected a model"),
        (lambda spec: [1], DataLossError, "something that is no layer"),
        (lambda spec: spec["config"]["layers"].__delitem__(1), DataLossError, "layer 'batch_normalization'"),
    ],
)
def test_configs(change: Any, error: type[Exception], told: str, path: Path) -> None:
    with pytest.raises(error, match=told):
        load(changed(path, change))


def test_missing_weights(path: Path) -> None:
    with h5py.File(path, "a") as file:
        del file["model_weights/dense/dense/kernel:0"]
    with pytest.raises(DataLossError, match="'dense/kernel:0' in '/model_weights/dense' is missing"):
        load(path)
    with h5py.File(path, "a") as file:
        names = [name for name in file["model_weights"].attrs["layer_names"] if name not in (b"dense", "dense")]
        file["model_weights"].attrs["layer_names"] = names
    with pytest.raises(DataLossError, match="weights of 3 layers, and the model 4 layers with weights; missing are those of 'dense'"):
        load(path)


def test_cycles(tmp_path: Path) -> None:
    layers = [{"class_name": "InputLayer", "name": "x", "config": {"name": "x", "batch_input_shape": [None, 2]}, "inbound_nodes": []}]
    for name, other in (("a", "b"), ("b", "a")):
        layers.append(
            {"class_name": "Activation", "name": name, "config": {"name": name, "activation": "relu"}, "inbound_nodes": [[[other, 0, 0, {}]]]}
        )
    spec = {"class_name": "Model", "config": {"name": "m", "layers": layers, "input_layers": [["x", 0, 0]], "output_layers": [["b", 0, 0]]}}
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.attrs["model_config"] = json.dumps(spec)
        file.attrs["layer_names"] = np.array([], "S")
    with pytest.raises(DataLossError, match="cannot be built: the inputs of layers 'a', 'b' never come"):
        load(tmp_path / "a.h5")
    spec["config"]["output_layers"] = [["z", 0, 0]]
    spec["config"]["layers"] = layers[:1]
    with pytest.raises(DataLossError, match="takes output 0 of call 0 of layer 'z', which is not there"):
        load(changed(tmp_path / "a.h5", lambda _: spec))


def test_models_in_models_many_times(tmp_path: Path) -> None:
    """Two calls of each model in the next: 2 ** 40 calls."""
    inner: Any = {"class_name": "Activation", "config": {"name": "a", "activation": "relu"}}
    for level in range(40):
        name = f"m{level}"
        place = {"class_name": "InputLayer", "name": "x", "config": {"name": "x", "batch_input_shape": [None, 2]}, "inbound_nodes": []}
        called = {**inner, "name": inner["config"]["name"], "inbound_nodes": [[["x", 0, 0, {}]], [[inner["config"]["name"], 0, 0, {}]]]}
        config = {"name": name, "layers": [place, called], "input_layers": [["x", 0, 0]], "output_layers": [[inner["config"]["name"], 1, 0]]}
        inner = {"class_name": "Model", "config": config}
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.attrs["model_config"] = json.dumps(inner)
        file.attrs["layer_names"] = np.array([], "S")
    with pytest.raises(InvalidArgumentError, match="calls its layers more than"):
        load(tmp_path / "a.h5")


KERNEL = "model_weights/dense/dense/kernel:0"


def test_links(path: Path, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["k"] = np.zeros((72, 2), np.float32)
    for link in (h5py.ExternalLink(str(tmp_path / "other.h5"), "/k"), h5py.SoftLink("/model_weights/conv2d/conv2d/kernel:0")):
        with h5py.File(path, "a") as file:
            del file[KERNEL]
            file[KERNEL] = link
        with pytest.raises(DataLossError, match=f"is a {type(link).__name__}, and links are not followed"):
            load(path)


def test_data_elsewhere(path: Path, tmp_path: Path) -> None:
    (tmp_path / "raw").write_bytes(bytes(1000))
    with pytest.raises(DataLossError, match="lies in other files"):
        load(replaced(path, KERNEL, shape=(9, 2), dtype="f4", external=[(str(tmp_path / "raw"), 0, 72)]))
    layout = h5py.VirtualLayout((9, 2), "f4")
    layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "k", (9, 2))
    with h5py.File(path, "a") as file:
        del file[KERNEL]
        file.create_virtual_dataset(KERNEL, layout)
    with pytest.raises(DataLossError, match="lies in other files"):
        load(path)


@pytest.mark.parametrize(
    "arguments",
    [
        {"shape": (1 << 20, 1 << 20), "dtype": "f4"},
        {"shape": (1 << 20, 1 << 20), "dtype": "f4", "chunks": (16, 16)},
        {"shape": (1 << 20, 1 << 20), "dtype": "f4", "chunks": (16, 16), "compression": "gzip"},
        {"shape": (4, 4), "maxshape": (None, None), "dtype": "f8", "chunks": (1 << 14, 1 << 12)},
    ],
)
def test_more_than_the_file_holds(arguments: Any, path: Path) -> None:
    with pytest.raises(DataLossError, match=r"takes \d+ bytes; the file of \d+ bytes stores 0 of it"):
        load(replaced(path, KERNEL, **arguments))


def test_other_elements(path: Path) -> None:
    with pytest.raises(UnimplementedError, match="has elements object; expected numbers"):
        load(replaced(path, KERNEL, data=np.array([b"x"], object), dtype=h5py.string_dtype()))


def test_packed(path: Path) -> None:
    """Compression that the file may have."""
    with h5py.File(path) as file:
        value = file[KERNEL][()]
    before = load(path)
    after = load(replaced(path, KERNEL, data=value, compression="gzip", shuffle=True, fletcher32=True))
    for one, two in zip(before.values.values(), after.values.values(), strict=True):
        np.testing.assert_array_equal(one, two)


def test_targets(path: Path, tmp_path: Path) -> None:
    from gpersist.convert import keras_to_frozen, keras_to_saved_model

    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a").touch()
    for target in (tmp_path / "full", path):
        with pytest.raises(AlreadyExistsError, match="is there already"):
            keras_to_saved_model(path, target)
    with pytest.raises(NotFoundError, match="no node 'dense/Softmux'"):
        keras_to_frozen(path, outputs=["dense/Softmux"])
    assert not (tmp_path / "out").exists()
    with pytest.raises(GPersistError):
        keras_to_saved_model(tmp_path / "none.h5", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_crashes_the_library(path: Path) -> None:
    """HDF5 2.0 ends with a segmentation fault on this one; if another version does not, it is damaged all the same, or read."""
    damaged = bytearray(path.read_bytes())
    for place, value in ((2455, 0o151), (11242, 0o263), (13033, 0o111), (22730, 0o105)):
        damaged[place] = value
    path.write_bytes(damaged)
    with suppress(DataLossError):
        read_keras_file(path)


def test_what_never_ends(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged = bytearray((GOLDEN.parent / "keras" / "several.h5").read_bytes())
    damaged[4336] = damaged[4363] = damaged[5808] = 255
    path.write_bytes(damaged)
    monkeypatch.setattr(hdf5, "_LEAST_S", 3.0)
    with suppress(DataLossError):
        read_keras_file(path)
