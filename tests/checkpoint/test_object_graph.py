"""The objects of checkpoints that TensorFlow 2 wrote; broken ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gpersist
import gpersist.compat.v1 as tf
from gpersist import protos
from gpersist.checkpoint import OBJECT_GRAPH_KEY
from gpersist.cli.program import main
from gpersist.errors import DataLossError, NotFoundError, TensorNotFoundError

GOLDEN = Path(__file__).parents[1] / "golden"
SLOTS = GOLDEN / "saved_model" / "objects" / "slots" / "model" / "ckpt-1"


@pytest.fixture
def objects() -> Any:
    with gpersist.open(SLOTS) as reader:
        yield reader.object_graph()


def saved(folder: Path, graph: Any, **arrays: Any) -> str:
    content = graph if isinstance(graph, bytes) else graph.SerializeToString()
    prefix = str(folder / "ckpt")
    gpersist.save(prefix, {OBJECT_GRAPH_KEY: content, **{name.replace("__", "/"): array for name, array in arrays.items()}})
    return prefix


def test_values_by_path(objects: Any) -> None:
    found = {name: (tensor.dtype.name, list(tensor.shape)) for name, tensor in objects.tensors.items()}
    assert {name: found[name] for name in ("model/kernel", "model/bias", "save_counter", "dotted..name", "optimizer/beta1_power")} == {
        "model/kernel": ("float32", [2, 3]),
        "model/bias": ("float32", [3]),
        "save_counter": ("int64", []),
        "dotted..name": ("int32", []),
        "optimizer/beta1_power": ("float32", []),
    }
    assert found["newer/momentums/0"] == ("float32", [3])
    assert objects.tensors["newer/momentums/0"].name == "newer/_variables/2/.ATTRIBUTES/VARIABLE_VALUE"
    np.testing.assert_array_equal(objects["save_counter"].tensor.read(), 1)
    assert objects["model/kernel"].full_names == {"VARIABLE_VALUE": "kernel"}


def test_slots(objects: Any) -> None:
    slots = objects["optimizer"].slots
    assert {name: list(variables) for name, variables in slots.items()} == {"m": ["model/kernel", "model/bias"], "v": ["model/kernel", "model/bias"]}
    slot = slots["m"]["model/kernel"]
    assert slot.path == "model/kernel/.OPTIMIZER_SLOT/optimizer/m"
    assert slot.tensor.shape == (2, 3)
    assert objects[slot.path] is slot


def test_any_way_leads_to_an_object(objects: Any) -> None:
    assert objects["model/itself/itself/kernel"] is objects["model/kernel"]
    assert objects["dotted.name"] is objects["dotted..name"]
    assert objects[""] is objects.root
    assert list(objects.root.children) == ["dotted.name", "model", "newer", "optimizer", "save_counter"]
    assert objects["model"].children["itself"] is objects["model"]
    assert len(objects) == len(objects.nodes)
    with pytest.raises(TensorNotFoundError, match=r"no object 'model/kernal' in .*'model/kernel'"):
        objects["model/kernal"]
    assert "model/kernal" not in objects
    with pytest.raises(NotFoundError, match="object 'model' has 0 values, not one; it has the objects 'kernel', 'bias', 'itself'"):
        _ = objects["model"].tensor


def test_keras_names(models: Path) -> None:
    with gpersist.open(models / "scisharp_lstm_sequential" / "model" / "variables" / "variables") as reader:
        found = reader.object_graph()
    assert found.tensors["layer_with_weights-0/cell/kernel"].name == "variables/0/.ATTRIBUTES/VARIABLE_VALUE"
    assert found["layer_with_weights-1/bias"].tensor.shape == (1,)
    assert found["layer-1/bias"] is found["layer_with_weights-1/bias"]


def test_a_table() -> None:
    with gpersist.open(GOLDEN / "saved_model" / "objects" / "tables" / "model" / "variables" / "variables") as reader:
        found = reader.object_graph()["mutable"].tensors
        assert sorted(zip(found["table-keys"].read(), found["table-values"].read(), strict=True)) == [(b"x", 5), (b"y", 6)]


def test_the_reader_is_as_before() -> None:
    names = dict(tf.train.list_variables(str(SLOTS)))
    assert names["model/kernel/.ATTRIBUTES/VARIABLE_VALUE"] == [2, 3]
    assert tf.train.load_variable(str(SLOTS), "save_counter/.ATTRIBUTES/VARIABLE_VALUE") == 1


def test_checkpoints_by_name_have_none(tmp_path: Path) -> None:
    gpersist.save(tmp_path / "ckpt", {"a": np.zeros(3)})
    with gpersist.open(tmp_path / "ckpt") as reader, pytest.raises(NotFoundError, match="its 1 tensors were saved by name"):
        reader.object_graph()


Graph = protos.TrackableObjectGraph
Node = Graph.TrackableObject
_CHILD = Node.ObjectReference


@pytest.mark.parametrize(
    ("graph", "said"),
    [
        (b"\xff\xff\xff", "expected a serialised tensorflow.TrackableObjectGraph"),
        (b"", "there are none, not even the root"),
        (Graph(nodes=[Node(children=[_CHILD(node_id=1, local_name="a")])]), "'a' of object 0 is number 1 of 1"),
        (Graph(nodes=[Node(children=[_CHILD(node_id=-1, local_name="a")])]), "number -1 of 1"),
        (
            Graph(nodes=[Node(attributes=[Node.SerializedTensor(name="V", checkpoint_key=f"k{n}") for n in range(20)])]),
            "20 of their keys .*'k0', 'k1'",
        ),
        (Graph(nodes=[Node(slot_variables=[Node.SlotVariableReference(slot_name="m", original_variable_node_id=7)])]), "number 7 of 1"),
        (Graph(nodes=[Node(slot_variables=[Node.SlotVariableReference(slot_name="m", slot_variable_node_id=7)])]), "number 7 of 1"),
    ],
)
def test_broken_objects(graph: Any, said: str, tmp_path: Path) -> None:
    with gpersist.open(saved(tmp_path, graph)) as reader, pytest.raises(DataLossError, match=said):
        reader.object_graph()


def test_objects_that_are_no_text(tmp_path: Path) -> None:
    gpersist.save(tmp_path / "ckpt", {OBJECT_GRAPH_KEY: np.zeros(3)})
    with gpersist.open(tmp_path / "ckpt") as reader, pytest.raises(DataLossError, match=r"is float64\[3\], not one string"):
        reader.object_graph()


def test_circles_end(tmp_path: Path) -> None:
    value = Node.SerializedTensor(name="VARIABLE_VALUE", checkpoint_key="b/a")
    nodes = [
        Node(children=[_CHILD(node_id=1, local_name="b"), _CHILD(node_id=0, local_name="variables")]),
        Node(children=[_CHILD(node_id=0, local_name="up"), _CHILD(node_id=2, local_name="a/b")]),
        Node(children=[_CHILD(node_id=1, local_name="up")], attributes=[value]),
        Node(),
    ]
    with gpersist.open(saved(tmp_path, Graph(nodes=nodes), b__a=np.arange(3))) as reader:
        found = reader.object_graph()
        assert [node.path for node in found.nodes] == ["", "b", "b/a.Sb", "#3"]
        assert found["variables/b/up/b/a.Sb/up/a.Sb"] is found["b/a.Sb"]
        np.testing.assert_array_equal(found["b/a.Sb"].tensor.read(), [0, 1, 2])


def test_show(capsys: Any, tmp_path: Path) -> None:
    assert main(["show", str(SLOTS), "--objects"]) == 0
    written = capsys.readouterr().out
    assert "model/kernel " in written
    assert "slot 'm' of optimizer: for model/kernel, model/bias" in written
    assert main(["show", str(SLOTS)]) == 0
    assert "--objects lists them by path" in capsys.readouterr().out
    assert main(["show", str(SLOTS), "--objects", "model", "--json"]) == 0
    assert '"name": "model/kernel"' in capsys.readouterr().out
    assert main(["show", str(SLOTS), "--objects", "nothing"]) == 2
    gpersist.save(tmp_path / "ckpt", {"a": np.zeros(3)})
    assert main(["show", str(tmp_path / "ckpt"), "--objects"]) == 2
