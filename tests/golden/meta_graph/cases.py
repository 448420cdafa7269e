"""Small programs about MetaGraphDef and freezing, each giving something that JSON can hold.

`write_meta_graphs.py` runs them with real TensorFlow and keeps the answers in `meta_graph.json`; tests/train/test_meta_graph.py runs them with
gpersist and compares. A case is a function that gets the module `tf`. The graph is new for each.
"""

from __future__ import annotations

import os
import tempfile
from typing import Any

import numpy as np

NEWER_ATTRS = {("MatMul", "grad_a"), ("MatMul", "grad_b"), ("VarHandleOp", "debug_name"), ("VarHandleOp", "allowed_devices")}
NEWER_ATTRS |= {("AssignVariableOp", "validate_shape"), ("GatherV2", "batch_dims"), ("ResourceGather", "batch_dims")}
"""Attributes that TensorFlow 2 has added to operations of 1.15, whose nodes are the yardstick."""

CASES: dict[str, Any] = {}


def case(function: Any) -> Any:
    CASES[function.__name__] = function
    return function


def failure(do: Any) -> Any:
    try:
        found = do()
    except Exception as error:
        return {"error": [kind.__name__ for kind in type(error).__mro__]}
    return ["nothing raised", type(found).__name__]


def text(message: Any) -> str:
    return " ".join(str(message).split())


def nodes(graph_def: Any) -> list[Any]:
    found = []
    for node in graph_def.node:
        attrs = {key: text(value) for key, value in node.attr.items() if (node.op, key) not in NEWER_ATTRS}
        attrs.pop("_has_manual_control_dependencies", None)
        found.append([node.name, node.op, list(node.input), node.device, attrs])
    return found


def collections(meta: Any) -> dict[str, Any]:
    found = {}
    for key, collection in meta.collection_def.items():
        kind = collection.WhichOneof("kind")
        values = getattr(collection, kind).value if kind else []
        if kind == "bytes_list":
            found[key] = [kind, [value.decode("latin-1") for value in values]]
        else:
            found[key] = [kind, [text(value) if kind == "any_list" else value for value in values]]
    return found


def facts(meta: Any) -> dict[str, Any]:
    info = meta.meta_info_def
    return {
        "nodes": nodes(meta.graph_def),
        "collections": collections(meta),
        "saver": text(meta.saver_def) if meta.HasField("saver_def") else None,
        "ops": [op.name for op in info.stripped_op_list.op],
        "tags": list(info.tags),
        "meta_graph_version": info.meta_graph_version,
        "stripped_default_attrs": info.stripped_default_attrs,
        "library": len(meta.graph_def.library.function),
    }


def op_names(tf: Any) -> list[str]:
    return [op.name for op in tf.get_default_graph().get_operations()]


def shown(tf: Any) -> dict[str, Any]:
    """The collections of the default graph, as names and values."""
    graph = tf.get_default_graph()
    found = {}
    for key in sorted(graph.get_all_collection_keys()):
        items = graph.get_collection(key)
        found[key] = [[type(item).__name__ in ("Tensor", "SymbolicTensor", "Operation"), getattr(item, "name", None) or text(item)] for item in items]
    return found


def two_variables(tf: Any) -> Any:
    v1 = tf.Variable(tf.constant(1.0, shape=[1]), name="v1")
    v2 = tf.Variable(tf.constant(2.0, shape=[1]), name="v2")
    return tf.add(v1, v2, name="sum")


# ---- export


@case
def the_listing_of_the_seed(tf):
    two_variables(tf)
    saver = tf.train.Saver()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "new", "model.ckpt.meta.json")
        meta = saver.export_meta_graph(path, as_text=True)
        with open(path) as file:
            written = file.read()
    return [facts(meta), written.count("\n") > 500, "tensor_names" in written]


@case
def collections_of_every_kind(tf):
    from google.protobuf import any_pb2, wrappers_pb2

    total = two_variables(tf)
    packed = any_pb2.Any()
    packed.Pack(wrappers_pb2.Int32Value(value=3))
    for key, items in {
        "tensors": [total, tf.constant(1, name="c")],
        "ops": [total.op],
        "both": [total, total.op],
        "variables of ours": tf.global_variables(),
        "texts": ["a", b"b", "ä"],
        "ints": [1, 2**40, -3],
        "bools": [True, False],
        "floats": [1.5, 2.0, 3],
        "messages": [packed],
        "numpy": [np.float32(1.0)],
        "mixed": [1, "a"],
        "ints and floats": [1, 2.5],
        "dict": [{"a": 1}],
        "none": [None],
        "too large": [2**70],
    }.items():
        for item in items:
            tf.add_to_collection(key, item)
    tf.add_to_collection(3, "no text")
    tf.get_default_graph().get_collection_ref("empty")
    meta = tf.train.export_meta_graph()
    before = collections(meta)
    tf.reset_default_graph()
    saver = tf.train.import_meta_graph(meta)
    again = tf.train.export_meta_graph()
    after = collections(again)
    return [before, {key: value for key, value in after.items() if key != "savers"}, saver is None, shown(tf)]


@case
def local_and_other_variables(tf):
    keys = tf.GraphKeys
    tf.Variable(1.0, name="local", collections=[keys.LOCAL_VARIABLES], trainable=False)
    tf.Variable(1.0, name="model", collections=[keys.MODEL_VARIABLES, keys.GLOBAL_VARIABLES], trainable=False)
    averaged = tf.Variable([1.0, 2.0], name="averaged", use_resource=True)
    tf.add_to_collection(keys.MOVING_AVERAGE_VARIABLES, averaged)
    tf.add_to_collection("mine", averaged)
    meta = tf.train.export_meta_graph()
    before = collections(meta)
    tf.reset_default_graph()
    tf.train.import_meta_graph(meta)
    variables = [[v.name, v.trainable, v.dtype.name, str(v.shape)] for v in tf.global_variables() + tf.local_variables()]
    same = tf.get_collection(keys.MOVING_AVERAGE_VARIABLES)[0] is tf.trainable_variables()[0]
    return [before, variables, same]


@case
def devices_and_colocation(tf):
    with tf.device("/gpu:1"):
        v = tf.Variable([1.0], name="v")
    with tf.colocate_with(v.op):
        c = tf.constant(2.0, name="c")
    with tf.device("/job:worker/task:1/cpu:0"), tf.control_dependencies([v.initializer, c.op]):
        tf.add(v, c, name="sum")
    return [
        facts(tf.train.export_meta_graph()),
        facts(tf.train.export_meta_graph(clear_devices=True)),
        sorted(tf.get_default_graph().get_all_collection_keys()),
    ]


@case
def clear_devices_on_import(tf):
    with tf.device("/gpu:1"):
        v = tf.Variable([1.0], name="v")
    tf.identity(v, name="out")
    meta = tf.train.export_meta_graph()
    tf.reset_default_graph()
    tf.train.import_meta_graph(meta, clear_devices=True)
    return [nodes(tf.get_default_graph().as_graph_def())]


@case
def a_scope(tf):
    outer = tf.constant(3.0, name="outer")
    other = tf.Variable(1.0, name="other")
    with tf.name_scope("model"):
        v = tf.Variable([1.0, 2.0], name="v")
        w = tf.multiply(v, outer, name="w")
        with tf.control_dependencies([other.initializer]), tf.colocate_with(v.op):
            tf.identity(w, name="out")
    with tf.name_scope("model2"):
        tf.identity(w, name="later")
    tf.add_to_collection("outs", w)
    tf.add_to_collection("outs", outer)
    meta = tf.train.export_meta_graph(export_scope="model")
    again = tf.train.export_meta_graph(export_scope="model/", unbound_inputs_col_name="open")
    tf.reset_default_graph()
    bad = failure(lambda: tf.train.import_meta_graph(meta))
    few = failure(lambda: tf.train.import_meta_graph(meta, input_map={"$unbound_inputs_outer": tf.constant(1.0)}))
    return [facts(meta), facts(again), bad, few]


@case
def a_scope_into_another(tf):
    outer = tf.constant(3.0, name="outer")
    with tf.name_scope("model"):
        v = tf.Variable([1.0, 2.0], name="v")
        tf.add_to_collection("outs", tf.multiply(v, outer, name="w"))
    meta = tf.train.export_meta_graph(export_scope="model")
    tf.reset_default_graph()
    tf.train.import_meta_graph(meta, import_scope="copy", input_map={"$unbound_inputs_outer": tf.constant(5.0, name="mine")})
    tf.train.import_meta_graph(meta, import_scope="copy", input_map={"$unbound_inputs_outer": tf.constant(6.0, name="mine")})
    names = op_names(tf)
    found = shown(tf)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        return [[name for name in names if "save" not in name], found, sess.run(tf.get_collection("outs")[0]).tolist()]


@case
def a_scope_of_a_message(tf):
    with tf.device("/gpu:0"), tf.name_scope("model"):
        tf.multiply(tf.constant(2.0, name="a"), tf.constant(3.0, name="b"), name="w")
    graph_def = tf.get_default_graph().as_graph_def()
    return [
        facts(tf.train.export_meta_graph(graph_def=graph_def)),
        facts(tf.train.export_meta_graph(graph_def=graph_def, export_scope="model", clear_devices=True)),
    ]


@case
def extraneous_savers(tf):
    two_variables(tf)
    first = tf.train.Saver(name="first")
    tf.train.Saver(name="second")
    tf.add_to_collection(tf.GraphKeys.SAVERS, first)
    meta = first.export_meta_graph(clear_extraneous_savers=True)
    return [[node.name for node in meta.graph_def.node], sorted(meta.collection_def), len(meta.collection_def["savers"].bytes_list.value)]


@case
def stripped_defaults(tf):
    a = tf.constant([[1.0]], name="a")
    tf.matmul(a, a, name="plain")
    tf.matmul(a, a, transpose_b=True, name="other")
    tf.Variable(a, name="v")
    tf.placeholder(tf.float32, name="p")
    tf.reduce_sum(a, name="sum")
    meta = tf.train.export_meta_graph(strip_default_attrs=True)
    found = facts(meta)
    tf.reset_default_graph()
    tf.train.import_meta_graph(meta)
    return [found, nodes(tf.get_default_graph().as_graph_def())[:6]]


@case
def what_is_given(tf):
    two_variables(tf)
    for key in ("a", "b"):
        tf.add_to_collection(key, 1)
    info = tf.MetaGraphDef.MetaInfoDef(meta_graph_version="v7", tags=["serve", "gpu"])
    meta = tf.train.export_meta_graph(meta_info_def=info, collection_list=["a", "variables", "not there"])
    other = tf.Graph()
    with other.as_default():
        tf.constant(1.0, name="elsewhere")
    return [facts(meta), facts(tf.train.export_meta_graph(graph=other)), facts(tf.train.export_meta_graph(collection_list=[]))["collections"]]


@case
def wrong_arguments_of_export(tf):
    return [
        failure(lambda: tf.train.export_meta_graph(graph_def=3)),
        failure(lambda: tf.train.export_meta_graph(saver_def=3)),
        failure(lambda: tf.train.export_meta_graph(meta_info_def="x")),
        failure(lambda: tf.train.export_meta_graph(nonsense=3)),
    ]


# ---- import


@case
def imported_twice(tf):
    two_variables(tf)
    meta = tf.train.export_meta_graph()
    tf.reset_default_graph()
    first = tf.train.import_meta_graph(meta)
    second = tf.train.import_meta_graph(meta, import_scope="x")
    third = tf.train.import_meta_graph(meta, import_scope="x")
    return [op_names(tf), shown(tf), [text(saver.as_saver_def()) for saver in (first, second, third)]]


@case
def savers_of_scopes(tf):
    two_variables(tf)
    meta = tf.train.Saver().export_meta_graph()
    copy = tf.MetaGraphDef()
    copy.CopyFrom(meta)  # TensorFlow's Saver changes the message that it gets
    tf.reset_default_graph()
    first = tf.train.import_meta_graph(meta)
    second = tf.train.import_meta_graph(copy, import_scope="x")
    return [op_names(tf), [text(saver.as_saver_def()) for saver in (first, second)]]


@case
def nothing_to_save(tf):
    tf.constant(1.0, name="c")
    meta = tf.train.export_meta_graph()
    tf.reset_default_graph()
    return [tf.train.import_meta_graph(meta) is None, tf.train.import_meta_graph(tf.MetaGraphDef()) is None, op_names(tf)]


@case
def restored_collections(tf):
    tf.add_to_collection("a", 1)
    tf.add_to_collection("b", "text")
    meta = tf.train.export_meta_graph()
    tf.reset_default_graph()
    tf.train.import_meta_graph(meta, restore_collections_predicate=lambda key: key == "b", import_scope="scope")
    return shown(tf)


@case
def mapped_inputs(tf):
    p = tf.placeholder(tf.float32, name="p")
    tf.add(p, 1.0, name="q")
    meta = tf.train.export_meta_graph()
    tf.reset_default_graph()
    tf.train.import_meta_graph(meta, input_map={"p:0": tf.constant(5.0, name="five")})
    with tf.Session() as sess:
        return [op_names(tf), float(sess.run("q:0")), failure(lambda: tf.train.import_meta_graph(meta, input_map={"nowhere:0": tf.constant(1.0)}))]


@case
def shapes_that_only_the_message_knows(tf):
    p = tf.placeholder(tf.float32, name="p")
    p.set_shape([None, 3])
    meta = tf.train.export_meta_graph()
    tf.reset_default_graph()
    tf.train.import_meta_graph(meta)
    shape = str(tf.get_default_graph().get_tensor_by_name("p:0").shape)
    wrong = tf.MetaGraphDef()
    wrong.CopyFrom(meta)
    wrong.graph_def.node[0].attr["_output_shapes"].list.shape.add()
    fewer = tf.MetaGraphDef()
    fewer.CopyFrom(meta)
    del fewer.graph_def.node[0].attr["_output_shapes"].list.shape[:]
    wrong.graph_def.node[0].attr["shape"].shape.Clear()
    wrong.graph_def.node[0].attr["shape"].shape.dim.add(size=7)
    return [shape, failure(lambda: tf.train.import_meta_graph(wrong)), failure(lambda: tf.train.import_meta_graph(fewer))]


@case
def files_that_are_none(tf):
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for name, content in {"garbage": b"\xff\xfe garbage \x00", "unfinished": b"meta_info_def {", "field": b"no_such_field: 3"}.items():
            path = os.path.join(folder, name)
            with open(path, "wb") as file:
                file.write(content)
            found.append(failure(lambda path=path: tf.train.import_meta_graph(path)))
        open(os.path.join(folder, "empty"), "wb").close()
        found.append(tf.train.import_meta_graph(os.path.join(folder, "empty")) is None)
        found.append(failure(lambda: tf.train.import_meta_graph(os.path.join(folder, "missing"))))
        found.append(failure(lambda: tf.train.import_meta_graph(folder)))
        found.append(failure(lambda: tf.train.import_meta_graph(None)))
    return found


@case
def files_of_both_forms(tf):
    two_variables(tf)
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for as_text in (False, True):
            path = os.path.join(folder, f"model-{as_text}")
            tf.train.export_meta_graph(path, as_text=as_text)
            with tf.Graph().as_default():
                tf.train.import_meta_graph(path)
                found.append([op_names(tf)[:4], [v.name for v in tf.trainable_variables()]])
        found.append(sorted(os.listdir(folder)))
    return found


# ---- graph_util


def chain(tf: Any) -> Any:
    p = tf.placeholder(tf.float32, [2], name="p")
    a = tf.identity(p, name="a")
    b = tf.stop_gradient(a, name="b")
    with tf.control_dependencies([tf.check_numerics(b, "no", name="checked")]):
        tf.identity(b, name="g")
    with tf.control_dependencies([a]):
        c = tf.identity(b, name="c")
    d = tf.identity(c, name="d")
    with tf.colocate_with(d.op):
        e = tf.identity(d, name="e")
    tf.add(e, tf.identity(b, name="f"), name="out")
    tf.constant(1, name="unused")
    return tf.get_default_graph().as_graph_def()


@case
def sub_graphs(tf):
    graph_def = chain(tf)
    part = tf.graph_util.extract_sub_graph(graph_def, ["d", "e"])
    return [
        nodes(part),
        part.versions == graph_def.versions,
        nodes(tf.graph_util.extract_sub_graph(graph_def, ("b",))),
        failure(lambda: tf.graph_util.extract_sub_graph(graph_def, ["nowhere"])),
        failure(lambda: tf.graph_util.extract_sub_graph(graph_def, "d")),
        failure(lambda: tf.graph_util.extract_sub_graph(3, ["d"])),
        failure(lambda: tf.graph_util.extract_sub_graph(graph_def, ["d:0"])),
    ]


@case
def without_training_nodes(tf):
    graph_def = chain(tf)
    return [
        nodes(tf.graph_util.remove_training_nodes(graph_def)),
        nodes(tf.graph_util.remove_training_nodes(graph_def, protected_nodes=["a", "f", "checked"])),
        text(tf.graph_util.remove_training_nodes(graph_def).versions),
    ]


@case
def host_nodes(tf):
    v = tf.Variable(1.0, name="v")
    found = [tf.constant(1).op, tf.constant(1.0).op, tf.constant("a").op, v.op, v.initializer, tf.cast(tf.constant(1), tf.float32).op, tf.no_op()]
    return [[tf.graph_util.must_run_on_cpu(op), tf.graph_util.must_run_on_cpu(op.node_def, True)] for op in found]


@case
def shapes_of_names(tf):
    tf.placeholder(tf.float32, [None, 2], name="p")
    shape = tf.graph_util.tensor_shape_from_node_def_name
    graph = tf.get_default_graph()
    return [str(shape(graph, "p")), str(shape(graph, "p:0")), failure(lambda: shape(graph, "q"))]


@case
def frozen(tf):
    total = two_variables(tf)
    w = tf.Variable([[1.0, 2.0]], name="w", use_resource=True)
    with tf.device("/cpu:0"):
        tf.multiply(total, tf.matmul(w, tf.constant([[3.0], [4.0]])), name="out")
        tf.Variable(7, name="unused")
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        sess.run(w.assign([[5.0, 6.0]]))
        graph_def = tf.get_default_graph().as_graph_def()
        freeze = tf.graph_util.convert_variables_to_constants
        whole = freeze(sess, graph_def, ["out"])
        found = [
            nodes(whole),
            nodes(freeze(sess, graph_def, ["out"], variable_names_whitelist=["v1"])),
            nodes(freeze(sess, graph_def, ["out"], variable_names_blacklist=["v1", "w"])),
            nodes(freeze(sess, graph_def, ["sum"])),
            nodes(freeze(sess, graph_def, [])),
            failure(lambda: freeze(sess, graph_def, ["nowhere"])),
            failure(lambda: freeze(sess, graph_def, "out")),
            whole.versions == graph_def.versions,
        ]
    with tf.Graph().as_default(), tf.Session() as sess:
        (out,) = tf.import_graph_def(whole, return_elements=["out:0"])
        return [*found, out.name, sess.run(out).tolist()]


@case
def frozen_with_shapes(tf):
    w = tf.Variable([1.0], name="w", use_resource=True)
    v = tf.Variable([[b"x", b"yy"]], name="v")
    i = tf.Variable(3, name="i")
    tf.group(tf.identity(w, name="a"), tf.identity(v, name="b"), tf.identity(i, name="c"), name="all")
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        graph_def = tf.get_default_graph().as_graph_def(add_shapes=True)
        return nodes(tf.graph_util.convert_variables_to_constants(sess, graph_def, ["all"]))


@case
def frozen_too_early(tf):
    two_variables(tf)
    with tf.Session() as sess:
        return failure(lambda: tf.graph_util.convert_variables_to_constants(sess, tf.get_default_graph().as_graph_def(), ["sum"]))
