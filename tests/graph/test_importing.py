from __future__ import annotations

from pathlib import Path

import pytest

from gpersist import ops, protos
from gpersist.graph import Graph, find_op_type, get_default_graph, import_graph_def


@pytest.fixture(autouse=True)
def _graph():
    with Graph().as_default():
        yield


def _graph_def(text: str) -> protos.GraphDef:
    return protos.parse_text(protos.GraphDef, text, "test")


STRANGE = """
node { name: "c" op: "Const" attr { key: "dtype" value { type: DT_FLOAT } } attr { key: "value" value { tensor { dtype: DT_FLOAT tensor_shape { }
  float_val: 1 } } } }
node { name: "s" op: "Strange" input: "c" attr { key: "k" value { list { i: 1 i: 2 } } }
  attr { key: "_output_shapes" value { list { shape { dim { size: 3 } } shape { unknown_rank: true } } } } }
node { name: "i" op: "Identity" input: "s:2" input: "^c" attr { key: "T" value { type: DT_INT64 } } }
node { name: "t" op: "Stranger" input: "s" input: "s:1" input: "^i" attr { key: "T" value { type: DT_STRING } } }
versions { producer: 27 min_consumer: 5 bad_consumers: 7 }
library { function { signature { name: "f" } } }
"""


def test_unknown_operations_pass_through() -> None:
    graph_def = _graph_def(STRANGE)
    (found,) = import_graph_def(graph_def, name="", return_elements=["s"])
    assert [tensor.dtype.name for tensor in found.outputs] == ["variant", "variant", "int64"]
    assert [str(tensor.shape) for tensor in found.outputs] == ["(3,)", "<unknown>", "<unknown>"]
    assert get_default_graph().as_graph_def() == graph_def
    prefixed = import_graph_def(graph_def, name="p", return_elements=["t"])
    assert [tensor.name for tensor in prefixed[0].inputs] == ["p/s:0", "p/s:1"]


def test_producers_say_what_unknown_operations_give() -> None:
    producers = protos.OpList()
    op = producers.op.add(name="Strange")
    op.input_arg.add(name="x", type=1)
    for name in ("a", "b", "c"):
        op.output_arg.add(name=name, type=9)
    (found,) = import_graph_def(_graph_def(STRANGE), return_elements=["s"], producer_op_list=producers)
    assert [tensor.dtype.name for tensor in found.outputs] == ["int64"] * 3


def test_attributes_of_a_newer_producer() -> None:
    """Those at their default are left out; the others are kept."""
    graph_def = _graph_def(
        'node { name: "n" op: "NoOp" attr { key: "fresh" value { i: 1 } } attr { key: "other" value { i: 5 } } '
        'attr { key: "_mine" value { b: true } } }'
    )
    producers = protos.OpList()
    for name in ("fresh", "other"):
        producers.op.add(name="NoOp") if not producers.op else None
        producers.op[0].attr.add(name=name, type="int").default_value.i = 1
    import_graph_def(graph_def, producer_op_list=producers, name="")
    assert sorted(get_default_graph().as_graph_def().node[0].attr) == ["_mine", "other"]


def test_a_loop_comes_back() -> None:
    graph_def = _graph_def(
        """
        node { name: "merge" op: "Merge" input: "enter" input: "next" attr { key: "T" value { type: DT_INT32 } } attr { key: "N" value { i: 2 } } }
        node { name: "next" op: "NextIteration" input: "merge" attr { key: "T" value { type: DT_INT32 } } }
        node { name: "enter" op: "Enter" input: "c" attr { key: "T" value { type: DT_INT32 } } attr { key: "frame_name" value { s: "loop" } }
          attr { key: "is_constant" value { b: false } } attr { key: "parallel_iterations" value { i: 10 } } }
        node { name: "c" op: "Const" attr { key: "dtype" value { type: DT_INT32 } } attr { key: "value" value { tensor { dtype: DT_INT32
          tensor_shape { } int_val: 1 } } } }
        """
    )
    import_graph_def(graph_def, name="")
    found = get_default_graph().as_graph_def()
    assert {node.name: node for node in found.node} == {node.name: node for node in graph_def.node}
    assert [op.name for op in get_default_graph().get_operation_by_name("next").outputs[0].consumers()] == ["merge"]


def test_a_circle_that_is_no_loop() -> None:
    graph_def = _graph_def('node { name: "a" op: "NoOp" input: "^b" } node { name: "b" op: "NoOp" input: "^a" }')
    with pytest.raises(ValueError, match="2 nodes in a cycle; the first of them are 'a', 'b'"):
        import_graph_def(graph_def)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('node { name: "a b" op: "NoOp" }', "Node 'a b': Node name contains invalid characters"),
        ('node { name: "a" op: "NoOp" input: "^b" }', r"Node 'a': Unknown input node '\^b'"),
        ('node { name: "a" op: "Placeholder" }', "NodeDef missing attr 'dtype' from operation Placeholder; node 'import/a'"),
        ('node { name: "a" op: "NoOp" attr { key: "_class" value { list { s: "loc:@b" } } } }', "colocated with unknown node 'b'"),
        ('node { name: "a" op: "Pack" attr { key: "T" value { type: DT_INT32 } } attr { key: "N" value { i: 2 } } }', "expected 2 inputs, 0 are"),
        ('node { name: "a" op: "NoOp" } node { name: "b" op: "Strange" input: "a:7" }', "Connecting to invalid output 7 of source node a"),
        (
            'node { name: "a" op: "Const" attr { key: "dtype" value { type: DT_FLOAT } } attr { key: "value" value { i: 1 } } }',
            "is a 'i' when 'tensor'",
        ),
    ],
)
def test_what_does_not_fit_adds_nothing(text: str, message: str) -> None:
    c = ops.constant(1.0, name="kept")
    with pytest.raises(ValueError, match=message):
        import_graph_def(_graph_def('node { name: "first" op: "NoOp" }' + text), input_map={})
    graph = get_default_graph()
    assert [op.name for op in graph.get_operations()] == ["kept"]
    assert c.consumers() == []
    assert ops.no_op(name="import/first").name == "import/first"


def test_the_message_is_neither_changed_nor_kept() -> None:
    graph_def = _graph_def(STRANGE)
    before = graph_def.SerializeToString(deterministic=True)
    import_graph_def(graph_def, name="")
    assert graph_def.SerializeToString(deterministic=True) == before
    graph_def.node[1].attr["k"].list.i.append(3)
    assert get_default_graph().get_operation_by_name("s").get_attr("k") == [1, 2]


def test_messages_of_another_pool() -> None:
    """TensorFlow's own GraphDef, say, is another class of the same name."""
    from google.protobuf import descriptor_pool, message_factory

    from gpersist.protos import pool

    other = descriptor_pool.DescriptorPool()
    seen = set()

    def add(file) -> None:
        if file.name not in seen:
            seen.add(file.name)
            for needed in file.dependencies:
                add(needed)
            other.AddSerializedFile(file.serialized_pb)

    add(pool.POOL.FindMessageTypeByName("tensorflow.GraphDef").file)
    graph_def = message_factory.GetMessageClass(other.FindMessageTypeByName("tensorflow.GraphDef"))()
    graph_def.node.add(name="n", op="NoOp")
    import_graph_def(graph_def, name="")
    assert get_default_graph().get_operation_by_name("n").type == "NoOp"


def _model_graphs(models: Path):
    for path in sorted([*models.glob("*/*.meta"), *models.glob("*/graph.pb"), *models.glob("*/model/**/saved_model.pb")]):
        data = path.read_bytes()
        if path.name == "graph.pb":
            yield path, protos.parse(protos.GraphDef, data, str(path)), None
        else:
            meta = protos.parse(protos.MetaGraphDef, data, str(path)) if path.suffix == ".meta" else protos.SavedModel.FromString(data).meta_graphs[0]
            yield path, meta.graph_def, meta.meta_info_def.stripped_op_list


def test_real_models_come_out_as_they_went_in(models: Path) -> None:
    """Node by node; what changes is what TensorFlow changes, too: defaults are filled in, spellings of devices made one."""
    count = 0
    for path, graph_def, producers in _model_graphs(models):
        with Graph().as_default() as graph:
            import_graph_def(graph_def, name="", producer_op_list=producers)
            found = {node.name: node for node in graph.as_graph_def().node}
        count += 1
        assert graph.as_graph_def().versions == graph_def.versions, path
        assert graph.as_graph_def().library == graph_def.library, path
        for node in graph_def.node:
            data = [text for text in node.input if not text.startswith("^")]
            del node.input[:]
            node.input.extend(data)
            result = found.pop(node.name)
            controls = [text for text in result.input if text.startswith("^")]
            assert controls == sorted(controls)
            del result.input[len(result.input) - len(controls) :]
            node.device = result.device
            if find_op_type(node.op) is not None:
                node.attr.pop("_output_shapes", None)
                for name in set(result.attr) - set(node.attr):
                    node.attr[name].CopyFrom(result.attr[name])
            assert result == node, path
        assert not found
    assert count
