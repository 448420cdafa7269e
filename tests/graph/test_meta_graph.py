"""MetaGraphDef as messages: OpDefs of operations that gpersist has not, collections of others' messages, names that change scopes."""

from __future__ import annotations

import logging
import time

import pytest

from gpersist import ops, protos
from gpersist.graph import (
    Graph,
    create_meta_graph_def,
    export_scoped_meta_graph,
    get_collection_proto_type,
    get_from_proto_function,
    get_to_proto_function,
    import_scoped_meta_graph,
    ops_used_by_graph_def,
    prepend_name_scope,
    register_proto_function,
    strip_name_scope,
)
from gpersist.graph.collection_def import _REGISTERED
from gpersist.ops import control_flow
from tests.graph.namespace import tf


@pytest.fixture(autouse=True)
def _graph():
    with Graph().as_default() as graph:
        yield graph


@pytest.mark.parametrize(
    ("name", "scope", "stripped"),
    [
        ("a/b/c", "a", "b/c"),
        ("a/b:0", "a/", "b:0"),
        ("^a/b", "a", "^b"),
        ("loc:@a/b", "a", "loc:@b"),
        ("ab/c", "a", "ab/c"),
        ("x/a/b", "a", "x/a/b"),
        ("a.b/c", "a.b", "c"),
        ("a//b", "a", "b"),
        (b"a/b", "a", "b"),
        ("a", None, "a"),
        (3, "a", 3),
    ],
)
def test_strip_name_scope(name, scope, stripped) -> None:
    assert strip_name_scope(name, scope) == stripped


@pytest.mark.parametrize(
    ("name", "scope", "prefixed"),
    [("b:0", "a", "a/b:0"), ("^b", "a/", "^a/b"), ("loc:@b", "a", "loc:@a/b"), (b"b", "a", "a/b"), ("b", "", "b"), (1.5, "a", 1.5)],
)
def test_prepend_name_scope(name, scope, prefixed) -> None:
    assert prepend_name_scope(name, scope) == prefixed


def _strange() -> protos.MetaGraphDef:
    meta = protos.MetaGraphDef()
    op_def = meta.meta_info_def.stripped_op_list.op.add(name="Strange", is_stateful=True)
    op_def.output_arg.add(name="out", type=protos.DataType.DT_FLOAT)
    op_def.attr.add(name="k", type="int").default_value.i = 3
    meta.graph_def.node.add(name="s", op="Strange").attr["k"].i = 3
    meta.graph_def.node.add(name="t", op="Identity", input=["s"]).attr["T"].type = protos.DataType.DT_FLOAT
    meta.graph_def.versions.producer = 134
    return meta


def test_op_defs_of_operations_that_gpersist_has_not_stay() -> None:
    meta = _strange()
    import_scoped_meta_graph(meta)
    again = create_meta_graph_def()
    assert [op.name for op in again.meta_info_def.stripped_op_list.op] == ["Identity", "Strange"]
    assert again.meta_info_def.stripped_op_list.op[1] == meta.meta_info_def.stripped_op_list.op[0]
    assert again.graph_def.node[0].attr["k"].i == 3
    assert "k" not in create_meta_graph_def(strip_default_attrs=True).graph_def.node[0].attr


def test_version_is_that_of_1_15() -> None:
    info = create_meta_graph_def(meta_info_def=protos.MetaGraphDef.MetaInfoDef(tensorflow_version="2.21.0")).meta_info_def
    assert (info.tensorflow_version, info.tensorflow_git_version) == ("1.15.0", "gpersist")


def test_functions_are_looked_into() -> None:
    graph_def = protos.GraphDef()
    graph_def.node.add(name="call", op="PartitionedCall").attr["f"].func.name = "f"
    graph_def.node.add(name="direct", op="g")
    for name, op in (("f", "Mul"), ("g", "f"), ("unused", "Sub")):
        graph_def.library.function.add(signature=protos.OpDef(name=name)).node_def.add(name="n", op=op)
    assert sorted(ops_used_by_graph_def(graph_def)) == ["Mul", "PartitionedCall"]


def _with_contexts() -> protos.MetaGraphDef:
    """A branch with a loop in it."""
    with Graph().as_default():
        a = ops.placeholder("bool", [], name="a")
        x = ops.constant(1.0, name="x")
        control_flow.cond(a, lambda: control_flow.while_loop(lambda y: y < 9.0, lambda y: y + x, [x]), lambda: x)
        return create_meta_graph_def()


def test_contexts_are_kept_byte_by_byte_and_change_scopes() -> None:
    meta = _with_contexts()
    encoded = list(meta.collection_def["cond_context"].bytes_list.value)
    first = protos.CondContextDef.FromString(encoded[0])
    assert first.nested_contexts[0].while_ctxt.loop_exit_names == ["cond/while/Exit:0"]
    with Graph().as_default():
        import_scoped_meta_graph(meta)
        assert list(create_meta_graph_def().collection_def["cond_context"].bytes_list.value) == encoded
    with Graph().as_default() as graph:
        import_scoped_meta_graph(meta, import_scope="in")
        item, _ = graph.get_collection("cond_context")
        assert item.name == "in/cond/cond_text"
        message = item.to_proto()
        assert message.values_def.external_values["in/x:0"] == "in/cond/while/Switch:1"
        assert message.nested_contexts[0].while_ctxt.loop_exit_names == ["in/cond/while/Exit:0"]
        assert graph.get_operation_by_name("in/cond/while/Enter").get_attr("frame_name") == b"in/cond/while/while_context"
        exported, _ = export_scoped_meta_graph(export_scope="in")
        assert protos.CondContextDef.FromString(exported.collection_def["cond_context"].bytes_list.value[0]).pred_name == first.pred_name
        assert "cond_context" not in export_scoped_meta_graph(export_scope="elsewhere")[0].collection_def


def test_queue_runners_have_codes_that_are_no_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody has registered what a queue runner is, as gpersist.train does."""
    monkeypatch.delitem(_REGISTERED, "queue_runners", raising=False)
    meta = protos.MetaGraphDef()
    runner = protos.QueueRunnerDef(queue_name="q", enqueue_op_name=["e"], queue_closed_exception_types=[11])
    meta.collection_def["queue_runners"].bytes_list.value.append(runner.SerializeToString())
    with Graph().as_default() as graph:
        import_scoped_meta_graph(meta, import_scope="in")
        message = graph.get_collection("queue_runners")[0].message
    assert (message.queue_name, list(message.enqueue_op_name), list(message.queue_closed_exception_types)) == ("in/q", ["in/e"], [11])


def test_functions_for_a_collection_are_registered_once() -> None:
    class Thing:
        def __init__(self, name: str) -> None:
            self.name = name

    register_proto_function(
        "things of a test",
        protos.SaverDef,
        to_proto=lambda thing, export_scope=None: protos.SaverDef(restore_op_name=strip_name_scope(thing.name, export_scope)),
        from_proto=lambda message, import_scope=None: Thing(prepend_name_scope(message.restore_op_name, import_scope)),
    )
    try:
        assert get_collection_proto_type("things of a test") is protos.SaverDef
        assert get_to_proto_function("things of a test") and get_from_proto_function("things of a test")
        assert get_to_proto_function("nothing") is get_from_proto_function("nothing") is get_collection_proto_type("nothing") is None
        with pytest.raises(KeyError, match="registered already"):
            register_proto_function("things of a test")
        with pytest.raises(TypeError, match="to_proto must be callable"):
            register_proto_function("others", to_proto=3)
        tf.add_to_collection("things of a test", Thing("s/x"))
        meta, _ = export_scoped_meta_graph(export_scope="s")
        with Graph().as_default() as graph:
            import_scoped_meta_graph(meta, import_scope="t")
            assert graph.get_collection("things of a test")[0].name == "t/x"
    finally:
        del _REGISTERED["things of a test"]


def test_what_no_message_can_hold_is_told(caplog: pytest.LogCaptureFixture) -> None:
    tf.add_to_collection("odd", object())
    tf.add_to_collection(("a", "tuple"), 1)
    with caplog.at_level(logging.WARNING, "gpersist"):
        meta = create_meta_graph_def(collection_list=["odd", ("a", "tuple")])
    assert not meta.collection_def
    assert caplog.messages[0].startswith("Issue encountered when serializing odd.\n")
    assert "Only collections with string type keys will be serialized" in caplog.messages[1]


@pytest.mark.parametrize(
    ("version", "trainable"), [("0.12.head", [True, False]), ("1.8.0", [True, False]), ("1.9.0", [False, False]), ("", [False, False])]
)
def test_files_before_1_9_do_not_say_which_variables_are_trainable(version: str, trainable: list[bool]) -> None:
    tf.Variable(1.0, name="a")
    tf.Variable(1.0, name="b", trainable=False)
    meta = create_meta_graph_def()
    for key in ("variables", "trainable_variables"):
        for index, value in enumerate(meta.collection_def[key].bytes_list.value):
            message = protos.VariableDef.FromString(value)
            message.trainable = False
            meta.collection_def[key].bytes_list.value[index] = message.SerializeToString()
    meta.meta_info_def.tensorflow_version = version
    with Graph().as_default() as graph:
        import_scoped_meta_graph(meta)
        assert [variable.trainable for variable in graph.get_collection("variables")] == trainable
        assert graph.get_collection("trainable_variables")[0] is graph.get_collection("variables")[0]


def test_twenty_thousand_nodes(_graph: Graph) -> None:
    for index in range(5000):
        tf.Variable(1.0, name=f"v{index}")
    start = time.process_time()
    meta = create_meta_graph_def()
    assert len(meta.graph_def.node) == 20000
    assert time.process_time() - start < 20  # 0.5 s on a quiet machine; with a look at all nodes for each it would be minutes
