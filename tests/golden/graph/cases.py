"""Small programs against TensorFlow 1's face, each giving something that JSON can hold.

`write_graph.py` runs them with real TensorFlow and keeps the answers in `graph.json`; tests/graph/test_golden.py runs them with gpersist and
compares.
A case is a function that gets the module `tf`. The graph is new for each.
"""

from __future__ import annotations

import collections
from typing import Any

import numpy as np

NEWER_ATTRS = {("MatMul", "grad_a"), ("MatMul", "grad_b"), ("VarHandleOp", "debug_name"), ("VarHandleOp", "allowed_devices")}
NEWER_ATTRS |= {("AssignVariableOp", "validate_shape")}
"""Attributes that TensorFlow 2 has added to operations of 1.15, whose nodes are the yardstick."""

CASES: dict[str, Any] = {}


def case(function: Any) -> Any:
    CASES[function.__name__] = function
    return function


def failure(do: Any, exact: bool = True) -> Any:
    """The error that a call raises: its classes, and its text where ours is to be the same."""
    try:
        do()
    except Exception as error:
        text = error.args[0] if isinstance(error, KeyError) and error.args else str(error)
        return {"error": [found.__name__ for found in type(error).__mro__], "message": text if exact else None}
    return "nothing raised"


def attr_text(value: Any) -> str:
    return " ".join(str(value).split())


def nodes(tf: Any, add_shapes: bool = False, graph_def: Any = None) -> list[Any]:
    found = []
    for node in (graph_def or tf.get_default_graph().as_graph_def(add_shapes=add_shapes)).node:
        attrs = {key: attr_text(value) for key, value in node.attr.items() if (node.op, key) not in NEWER_ATTRS}
        attrs.pop("_has_manual_control_dependencies", None)
        found.append([node.name, node.op, list(node.input), node.device, attrs])
    return found


def names(tf: Any) -> list[str]:
    return [op.name for op in tf.get_default_graph().get_operations()]


def plain(value: Any) -> Any:
    """A result of a session as JSON: dtype, shape and values of arrays, and what kind of thing it is."""
    if isinstance(value, (list, tuple)):
        return [type(value).__name__, [plain(item) for item in value]]
    if isinstance(value, dict):
        return ["dict", {str(key): plain(item) for key, item in value.items()}]
    if isinstance(value, bytes):
        return ["bytes", value.decode()]
    if isinstance(value, (np.ndarray, np.generic)):
        items = [item if isinstance(item, (int, float)) else str(item) for item in np.asarray(value).reshape(-1).tolist()]
        return [type(value).__name__, str(value.dtype), list(value.shape), items]
    return [type(value).__name__, value]


# ---- names


@case
def unique_names(tf):
    made = [tf.constant(1, name=name).name for name in ("a", "a", "A", "a", "a_1", "a_1", "b/c", "b", "b/C", "a_1_1")]
    graph = tf.get_default_graph()
    return [*made, graph.unique_name("a", mark_as_used=False), graph.unique_name("a"), graph.unique_name("a"), graph.unique_name("zz")]


@case
def name_scopes(tf):
    made = []
    with tf.name_scope("s") as s:
        a, b = tf.constant(1, name="a"), tf.constant(2, name="A")
        made += [s, a, b, tf.constant(3, name=s), tf.add(a, b), a + b, a * 2]
    with tf.name_scope("s") as s1:
        made += [s1, tf.constant(1, name="a")]
    with tf.name_scope(s):
        made.append(tf.constant(1, name="a"))
    with tf.name_scope(None) as none:
        made += [none, tf.constant(1, name="a")]
    with tf.name_scope("s/"):
        made.append(tf.constant(1, name="q"))
    with tf.name_scope("x"):
        with tf.name_scope(""):
            made.append(tf.constant(1, name="k"))
        with tf.name_scope("y/"):
            made.append(tf.constant(1, name="l"))
        with tf.name_scope("_z"):
            made.append(tf.constant(1, name="_l"))
    with tf.name_scope(None, "default", [a]) as default:
        made.append(default)
    return [item if isinstance(item, str) else item.name for item in made] + [tf.name_scope("n", "m").name, tf.name_scope(None, "m").name]


@case
def names_refused(tf):
    return [
        failure(lambda: tf.constant(1, name="a b"), exact=False),
        failure(lambda: tf.constant(1, name="_a"), exact=False),
        failure(lambda: tf.name_scope("_x").__enter__()),
        failure(lambda: tf.name_scope("a b").__enter__()),
        failure(lambda: tf.name_scope(None, None, []).__enter__()),
        failure(lambda: [tf.constant(1, name="d/"), tf.constant(1, name="d/")]),
    ]


# ---- elements


@case
def graph_elements(tf):
    c = tf.constant(1, name="c")
    graph, results = tf.get_default_graph(), []
    for wanted in ("a:0", "c", "c:0", "c:1", "c:x", "c:0:1", "zz", b"c:0", 5, None):
        for kwargs in ({}, {"allow_tensor": False}, {"allow_operation": False}):
            try:
                results.append(graph.as_graph_element(wanted, **kwargs).name)
            except Exception:
                results.append(failure(lambda wanted=wanted, kwargs=kwargs: graph.as_graph_element(wanted, **kwargs)))
    return [
        *results,
        failure(lambda: graph.get_tensor_by_name(3)),
        failure(lambda: graph.get_tensor_by_name("c")),
        failure(lambda: graph.get_tensor_by_name("d:0")),
        failure(lambda: graph.get_operation_by_name("a")),
        failure(lambda: graph.get_operation_by_name("a:0")),
        failure(lambda: graph.get_operation_by_name(3)),
        graph.as_graph_element(c.op) is c.op,
        failure(lambda: tf.Graph().as_graph_element(c)),
    ]


@case
def texts(tf):
    a = tf.constant(1, name="a")
    b = tf.identity(a, name="b")
    p = tf.placeholder(tf.float32, name="p")
    q = tf.placeholder(tf.float32, [None, 3], name="q")
    return [str(a), repr(a), repr(a.op), str(p), repr(p), str(q), repr(q), str(a.op.node_def), str(b.op), str(tf.no_op("n"))]


@case
def operation_and_tensor(tf):
    a = tf.constant(1, name="a")
    b = tf.identity(a, name="b")
    c = tf.add(b, b, name="c")
    with tf.control_dependencies([c]):
        d = tf.no_op("d")
    return [
        [t.name for t in a.op.values()],
        [t.name for t in c.op.inputs],
        [o.name for o in b.consumers()],
        [o.name for o in c.consumers()],
        [o.name for o in d.control_inputs],
        [a.value_index, a.device, a.op.type, a.dtype.name, a.op.get_attr("dtype").name, str(a.op.get_attr("value"))],
        [g.decode() for g in a.op.colocation_groups()],
        failure(lambda: a.op.get_attr("foo"), exact=False),
        a.op.op_def.name,
        a.graph is tf.get_default_graph(),
        len(b.op.outputs),
        b.op.outputs[0] is b,
        {a: 1}[a],
        a == b,
        a != b,
        tf.get_default_graph().is_feedable(a),
    ]


@case
def shapes_of_tensors(tf):
    a = tf.placeholder(tf.float32, [None, 3])
    before = [str(a.shape), a.get_shape().as_list(), str(a.op.get_attr("shape"))]
    a.set_shape([2, 3])
    b = tf.placeholder(tf.float32)
    b.set_shape([None, 4])
    return [
        before,
        str(a.shape),
        str(b.shape),
        failure(lambda: a.set_shape([2]), exact=False),
        failure(lambda: a.set_shape([3, 3]), exact=False),
        str(tf.reshape(b, [-1, 2]).shape),
        str(tf.reshape(a, [-1]).shape),
        str(tf.reshape(a, [3, -1]).shape),
        str((a + b[:, :3] if False else a + 1).shape),
        str(tf.matmul(a, tf.ones([3, 5])).shape),
        str(tf.matmul(b, b, transpose_a=True).shape),
        str((tf.placeholder(tf.float32, [None, 1]) + tf.placeholder(tf.float32, [5])).shape),
        str((tf.placeholder(tf.float32, [None, 1]) * tf.placeholder(tf.float32, [None])).shape),
        str(tf.fill([2, 3], 1).shape),
        str(tf.fill(tf.shape(b), 1.0).shape),
        str(tf.reshape(b, tf.stack([tf.shape(b)[0] if False else 7, 4])).shape),
        str(tf.stack([a, a]).shape),
        str(tf.stack([a, a], axis=-1).shape),
        str(tf.unstack(a)[0].shape),
        str(tf.reduce_sum(a).shape),
        str(tf.reduce_sum(b, 1).shape),
        str(tf.reduce_sum(b, [0], keepdims=True).shape),
        str(tf.cast(b, tf.int32).shape),
    ]


@case
def shape_errors(tf):
    return [
        failure(lambda: tf.matmul(tf.ones([2, 3]), tf.ones([2, 3])), exact=False),
        failure(lambda: tf.matmul(tf.ones([2, 3]), tf.ones([3])), exact=False),
        failure(lambda: tf.ones([2, 3]) + tf.ones([4]), exact=False),
        failure(lambda: tf.reshape(tf.ones([2, 3]), [4]), exact=False),
        failure(lambda: tf.reshape(tf.ones([2, 3]), [4, -1]), exact=False),
        failure(lambda: tf.stack([tf.ones([2]), tf.ones([3])]), exact=False),
    ]


@case
def not_python_values(tf):
    a = tf.constant([1, 2], name="a")
    return [
        failure(lambda: iter(a).__next__(), exact=False),
        failure(lambda: bool(a), exact=False),
        failure(lambda: len(a)),
        failure(lambda: np.array(a), exact=False),
        failure(lambda: a.eval()),
        failure(lambda: a.op.run()),
    ]


# ---- operators and conversion


@case
def operators(tf):
    a, b = tf.constant([1.0, 2.0], name="a"), tf.constant([3.0, 4.0], name="b")
    i, p, q = tf.constant([7, 8], name="i"), tf.constant([True, False], name="p"), tf.constant([True, True], name="q")
    m = tf.constant([[1.0, 2.0], [3.0, 4.0]], name="m")
    made = [a + b, a - b, a * b, a / b, a // b, a % b, a**b, -a, abs(a), a < b, a <= b, a > b, a >= b, p & q, p | q, p ^ q, ~p, m @ m]
    made += [1 + a, 1 - a, 2 * a, 1 / a, 7 // a, 7 % a, 2**a, a + 1, a - 1, a * 2, a / 2, a // 2, a % 2, a**2, a < 1, True & p, 1.5 * a]
    made += [i / 2, i // 2, i % 3, i * 2, np.float32(2) * a, a * np.float32([1, 2]), np.float32([1, 2]) + a, i / i]
    with tf.Session() as sess:
        values = sess.run(made)
    return [nodes(tf), [plain(value) for value in values]]


@case
def conversion(tf):
    a = tf.constant(1, name="a")
    return [
        tf.convert_to_tensor(a) is a,
        failure(lambda: tf.convert_to_tensor(a, tf.float32)),
        failure(lambda: tf.convert_to_tensor(object()), exact=False),
        failure(lambda: tf.convert_to_tensor(None)),
        tf.convert_to_tensor([a, 2]).name,
        tf.convert_to_tensor([[a, 2], [3, a]]).name,
        tf.convert_to_tensor(1.5, preferred_dtype=tf.int32).dtype.name,
        tf.convert_to_tensor(1, preferred_dtype=tf.float32).dtype.name,
        tf.convert_to_tensor(np.float64(1.5)).dtype.name,
        tf.convert_to_tensor([1, 2.5]).dtype.name,
        tf.convert_to_tensor(tf.TensorShape([2, 3])).name,
        tf.convert_to_tensor("x", name="text").name,
        nodes(tf),
    ]


@case
def types_that_do_not_match(tf):
    a = tf.constant(1)
    return [
        failure(lambda: a + "x"),
        failure(lambda: a + 1.5),
        failure(lambda: 1.5 + a, exact=False),
        failure(lambda: tf.constant(1.0) + tf.constant(2)),
        failure(lambda: tf.add(1.0, tf.constant(2))),
        failure(lambda: tf.matmul(tf.constant([["a"]]), tf.constant([["a"]])), exact=False),
        failure(lambda: tf.identity(None)),
        failure(lambda: tf.stack([tf.constant(1.0), tf.constant(1)])),
        failure(lambda: tf.reshape(tf.ones([2]), [2.0]), exact=False),
        failure(lambda: tf.fill([1.5], 1), exact=False),
        failure(lambda: tf.assign(tf.constant(1), 2), exact=False),
    ]


# ---- constants


@case
def constants(tf):
    wanted = [
        ((1.0,), {}),
        ((1,), {}),
        (([1, 2],), {}),
        (([1.0, 1.0],), {}),
        ((0.1,), {"shape": [32]}),
        (([1, 2],), {"shape": [4]}),
        (([1, 2],), {"shape": [3, 2]}),
        (([[1, 2], [3, 4]],), {"shape": [4]}),
        ((1,), {"dtype": "float32"}),
        ((1,), {"dtype": tf.int64}),
        (("a",), {"shape": [2]}),
        ((["a", b"b"],), {}),
        (([["a"], ["b"]],), {}),
        ((True,), {}),
        (([True, False],), {}),
        ((1 + 2j,), {}),
        (([],), {}),
        (([[]],), {}),
        ((0, tf.float32, [0]), {}),
        ((np.zeros((0, 3), "f4"),), {}),
        ((np.arange(4.0).reshape(2, 2),), {}),
        ((np.arange(4.0).reshape(2, 2).T,), {}),
        ((np.ones([2, 2]), tf.float32), {}),
        ((np.float16(1.5),), {}),
        ((np.array([1, 2], "f2"),), {}),
        ((np.array(["a", "bc"]),), {}),
        (([np.int64(1), 2],), {}),
        (([np.float16(1), 2.0],), {}),
        (([np.int32(1), 2.5],), {}),
        ((np.uint8(3),), {}),
        ((np.array([1, 2], "u1"),), {}),
        ((np.array([1, 2], "i2"),), {}),
        ((np.array([1, 2], "u8"),), {}),
        ((np.array([1, 2], "u4"),), {}),
        ((np.array([1 + 1j, 2], "c8"),), {}),
        ((np.int64(3),), {}),
        ((2**40,), {}),
        (([2**40, 1],), {}),
        ((-1, tf.uint8), {}),
        ((True, tf.float32), {}),
        ((1.5, tf.bfloat16), {}),
        (([1.5, 2.5], tf.bfloat16), {}),
        ((1.5, tf.float16), {}),
        (([1, 2.5],), {}),
        ((np.float32(1),), {"shape": [2, 2]}),
        (([np.float64(1), 2.0],), {}),
    ]
    for args, kwargs in wanted:
        tf.constant(*args, **kwargs)
    with tf.Session() as sess:
        values = sess.run([op.outputs[0] for op in tf.get_default_graph().get_operations()])
    return [nodes(tf, add_shapes=True), [plain(value) for value in values if getattr(value, "dtype", None) != tf.bfloat16.as_numpy_dtype]]


@case
def constants_refused(tf):
    return [
        failure(lambda: tf.constant([1, 2, 3], shape=[2])),
        failure(lambda: tf.constant(1.5, dtype=tf.int32), exact=False),
        failure(lambda: tf.constant([1, 2.5], tf.int32), exact=False),
        failure(lambda: tf.constant("a", tf.float32), exact=False),
        failure(lambda: tf.constant(1, tf.string), exact=False),
        failure(lambda: tf.constant(tf.constant(1))),
        failure(lambda: tf.constant(2**70), exact=False),
        failure(lambda: tf.constant(None)),
        failure(lambda: tf.constant([None]), exact=False),
        failure(lambda: tf.constant([[1], [2, 3]]), exact=False),
        failure(lambda: tf.constant([1, 2], shape=[4], verify_shape=True)),
        failure(lambda: tf.constant([1, "a"]), exact=False),
    ]


@case
def tensor_protos(tf):
    def make(*args, **kwargs):
        proto = tf.make_tensor_proto(*args, **kwargs)
        return [attr_text(proto), plain(tf.make_ndarray(proto))]

    return [
        make(1.0),
        make([1, 2]),
        make(0.1, shape=[3]),
        make([1, 2], shape=[3]),
        make(["a", "b"]),
        make(3, dtype=tf.int64, shape=[2]),
        make(np.ones([2, 3], "f4"), shape=[6]),
        make(np.float16([1, 2])),
        make([True, False]),
        make(1 + 2j),
        make(np.array([1.5]), tf.int32),
        failure(lambda: make([1, 2], shape=[4], verify_shape=True)),
        failure(lambda: make(1.5, dtype=tf.int32), exact=False),
    ]


@case
def zeros_and_ones(tf):
    tf.zeros([2, 3])
    tf.ones([2], tf.int32, name="o")
    tf.zeros([], tf.bool)
    tf.zeros([2], tf.string)
    tf.zeros(3)
    tf.zeros([100, 100])
    tf.ones(tf.constant([2, 2], name="dims"))
    tf.fill([2, 2], 7.0)
    tf.zeros(tf.TensorShape([2, 1]))
    return nodes(tf, add_shapes=True)


# ---- scopes


@case
def devices(tf):
    with tf.device("/gpu:0"):
        tf.no_op("a")
        with tf.device("/job:w"):
            tf.no_op("b")
        with tf.device(lambda op: "/gpu:1"):
            tf.no_op("c")
        with tf.device(None):
            tf.no_op("d")
        with tf.device(""):
            tf.no_op("e")
        with tf.device(lambda op: op.device):
            tf.no_op("f")
        with tf.device("/cpu:0"), tf.device("/job:ps/task:1"):
            tf.no_op("g")
        with tf.device(tf.DeviceSpec(job="x")):
            tf.no_op("h")
        with tf.device(lambda op: tf.DeviceSpec(device_type="CPU", device_index=0)):
            tf.no_op("i")
        with tf.device(lambda op: "/cpu:0" if op.type == "Const" else ""):
            tf.no_op("i2")
            tf.constant(1, name="i3")
    with tf.device("/gpu:*"):
        tf.no_op("j")
    with tf.device(lambda op: "/gpu:1"):
        tf.no_op("k")
    with tf.device("gpu:3"):
        tf.no_op("l")
    with tf.device("/job:a/replica:1/task:2/device:GPU:3"), tf.device("/task:5"):
        tf.no_op("m")
    with tf.device(lambda op: "/job:x"), tf.device("/gpu:0"):
        tf.no_op("n")
    with tf.device("/gpu:0"), tf.device(lambda op: "/job:x"):
        tf.no_op("o")
    with tf.device("/gpu"):
        tf.no_op("p")
    return [[op.name, op.device] for op in tf.get_default_graph().get_operations()]


@case
def devices_refused(tf):
    return [failure(lambda: tf.device("/foo:0").__enter__(), exact=False), failure(lambda: tf.device("/gpu:x").__enter__(), exact=False)]


@case
def colocation(tf):
    a = tf.constant(1, name="a")
    with tf.device("/gpu:1"):
        z = tf.constant(1, name="z")
    with tf.colocate_with(a):
        b = tf.constant(2, name="b")
    with tf.colocate_with(b):
        tf.constant(2, name="c")
    with tf.colocate_with(a), tf.colocate_with(z):
        tf.constant(2, name="e")
    with tf.device("/cpu:0"):
        with tf.colocate_with(a):
            tf.constant(2, name="f")
        with tf.colocate_with(None, ignore_existing=True):
            tf.constant(2, name="g")
        with tf.colocate_with(z):
            tf.constant(2, name="h")
            with tf.device("/cpu:0"):
                tf.constant(2, name="i")
            with tf.colocate_with(a, ignore_existing=True):
                tf.constant(2, name="j")
    return [nodes(tf), failure(lambda: tf.get_default_graph().colocate_with(None).__enter__())]


@case
def control_dependencies(tf):
    z, a, m = tf.no_op("z"), tf.no_op("a"), tf.constant(1, name="m")
    with tf.control_dependencies([z, a, m]):
        b = tf.identity(m, name="b")
        c = tf.no_op("c")
        tf.identity(b, name="d")
        with tf.control_dependencies([c]):
            tf.no_op("e")
            tf.identity(b, name="f")
            with tf.control_dependencies(None):
                tf.no_op("g")
                with tf.control_dependencies([a]):
                    tf.no_op("h")
        with tf.control_dependencies([z, z, a]):
            tf.no_op("i")
    v = tf.Variable(1.0, name="v")
    with tf.control_dependencies([v]):
        tf.no_op("j")
    with tf.control_dependencies([v.initializer]):
        v.read_value()
        tf.identity(v, name="k")
    return [nodes(tf), [[op.name, [i.name for i in op.control_inputs]] for op in tf.get_default_graph().get_operations()]]


@case
def groups(tf):
    a, b = tf.no_op("a"), tf.no_op("b")
    with tf.device("/gpu:0"):
        c = tf.no_op("c")
    with tf.device("/gpu:1"):
        d = tf.constant(1, name="d")
    tf.group()
    tf.group(a, b, name="g")
    tf.group(a, c, d)
    tf.group(c, name="h")
    tf.group([a, [b]])
    t = tf.tuple([d, tf.constant(2.0, name="e")])
    return [nodes(tf), [x.name for x in t], failure(lambda: tf.group(a, 5), exact=False)]


@case
def collections_of_a_graph(tf):
    graph = tf.get_default_graph()
    a, b = tf.constant(1, name="x/a"), tf.constant(1, name="y/b")
    tf.add_to_collection("k", a)
    tf.add_to_collection("k", b)
    tf.add_to_collection("k", 5)
    graph.add_to_collections(["l", "m", "l"], a)
    graph.add_to_collections("n", b)
    ref = graph.get_collection_ref("k")
    ref.append("z")
    results = [
        len(tf.get_collection("k")),
        [t.name for t in tf.get_collection("k", "x")],
        [t.name for t in tf.get_collection("k", ".*/b")],
        len(tf.get_collection("l")),
        tf.get_collection("none"),
        graph.get_collection_ref("fresh"),
        sorted(graph.get_all_collection_keys()),
    ]
    graph.clear_collection("k")
    return [*results, tf.get_collection("k"), sorted(graph.collections)]


@case
def graph_keys(tf):
    return {key: getattr(tf.GraphKeys, key) for key in sorted(vars(tf.GraphKeys)) if key.isupper() and key[0] != "_" and "STREAMING" not in key}


@case
def default_graphs(tf):
    outer = tf.get_default_graph()
    inner = tf.Graph()
    with inner.as_default() as found:
        results = [found is inner, tf.get_default_graph() is inner, failure(tf.reset_default_graph, exact=False)]
    results.append(tf.get_default_graph() is outer)
    tf.reset_default_graph()
    results.append(tf.get_default_graph() is outer)
    a = tf.constant(1)
    with inner.as_default():
        b = tf.constant(2)
    results += [failure(lambda: a + b, exact=False), (b + 1).graph is inner]
    inner.finalize()
    with inner.as_default():
        results += [failure(lambda: tf.constant(1)), failure(lambda: inner.add_to_collection("a", 1)), inner.finalized]
    return results


# ---- variables


@case
def first_program(tf):
    v1 = tf.Variable(tf.constant(1.0, shape=[1]), name="v1")
    v2 = tf.Variable(tf.constant(2.0, shape=[1]), name="v2")
    result = v1 + v2
    init = tf.global_variables_initializer()
    with tf.Session() as sess:
        unset = failure(lambda: sess.run(result), exact=False)
        before = plain(sess.run(init))
        after = [plain(sess.run(result)), plain(result.eval()), plain(sess.run([v1, "v2:0", "add:0", "init"])), plain(sess.run(result, {v1: [5.0]}))]
    return [nodes(tf, add_shapes=True), unset, before, after]


@case
def variables(tf):
    v = tf.Variable(1.0, name="v")
    w = tf.Variable([1, 2], name="w", trainable=False, dtype=tf.int64)
    u = tf.Variable(lambda: tf.ones([2, 2]), name="u")
    with tf.name_scope("s"):
        x = tf.Variable(np.float64([1.0]), collections=[tf.GraphKeys.LOCAL_VARIABLES])
    with tf.device("/gpu:0"):
        y = tf.Variable(tf.zeros([2]), name="y")
    z = tf.Variable(tf.placeholder(tf.float32), validate_shape=False, name="z")
    a = tf.Variable("text")
    found = [v, w, u, x, y, z, a]
    return [
        nodes(tf, add_shapes=True),
        [
            [
                repr(f),
                str(f),
                f.name,
                f.op.name,
                f.op.type,
                f.dtype.name,
                str(f.shape),
                f.device,
                f.initializer.name,
                f.initial_value.name,
                f.value().name,
            ]
            for f in found
        ],
        [f.trainable for f in found],
        [[f.name for f in getattr(tf, kind)()] for kind in ("global_variables", "trainable_variables", "local_variables", "all_variables")],
        [f.name for f in tf.global_variables("[uv]")],
        [attr_text(f.to_proto()) for f in found],
    ]


@case
def resource_variables(tf):
    v = tf.Variable(1.0, name="v", use_resource=True)
    with tf.device("/gpu:0"):
        w = tf.Variable([1, 2], name="w", use_resource=True, trainable=False)
    with tf.name_scope("s"):
        x = tf.Variable(lambda: tf.ones([2, 2]), use_resource=True)
    y = v + 1.0
    z = v.assign(2.0)
    a = v.assign_add(1.0)
    b = v.assign_sub(1.0, read_value=False)
    c = tf.assign(v, 3.0)
    d = v.read_value()
    found = [v, w, x]
    return [
        nodes(tf, add_shapes=True),
        [[f.name, f.op.name, f.op.type, f.dtype.name, str(f.shape), f.device, f.initializer.name, f.handle.name] for f in found],
        [repr(f) for f in found],
        [t.name for t in (y, b, d)],
        [getattr(t, "name", None) is not None for t in (z, a, c)],
        [attr_text(f.to_proto()) for f in found],
        [[f.name for f in getattr(tf, kind)()] for kind in ("global_variables", "trainable_variables")],
    ]


@case
def assignments(tf):
    v = tf.Variable([1.0, 2.0], name="v")
    made = [
        tf.assign(v, [3.0, 4.0]),
        v.assign_add([1.0, 1.0]),
        v.assign_sub([1.0, 1.0], name="minus"),
        tf.assign_add(v, [1.0, 1.0]),
        v.assign([0.0, 0.0]),
    ]
    op = v.assign([9.0, 9.0], read_value=False)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        values = [plain(sess.run(m)) for m in made]
        sess.run(op)
        v.load([7.0, 8.0], sess)
        values += [plain(sess.run(v)), plain(v.eval())]
        bad = failure(lambda: sess.run(tf.assign(v, tf.placeholder_with_default([1.0], [None]))), exact=False)
        initialized = [plain(sess.run(tf.is_variable_initialized(v)))]
    return [
        nodes(tf),
        [m.name for m in made],
        [m.dtype.name for m in made],
        op.name,
        values,
        bad,
        initialized,
        failure(lambda: tf.assign(v, [1.0]), exact=False),
    ]


@case
def variables_by_proto(tf):
    v = tf.Variable([1.0], name="v")
    r = tf.Variable([1.0], name="r", use_resource=True)
    protos = [v.to_proto(), r.to_proto()]
    again = [tf.Variable.from_proto(proto) for proto in protos]
    with tf.name_scope("s"):
        w = tf.Variable([1.0], name="w")
    return [
        [[a.name, a.op.name, a.initializer.name, a.initial_value.name, a.trainable] for a in again],
        attr_text(w.to_proto(export_scope="s")),
        w.to_proto(export_scope="t"),
        failure(lambda: tf.Variable.from_proto(w.to_proto(export_scope="s")), exact=False),
        tf.Variable.from_proto(w.to_proto(export_scope="s"), import_scope="s").name,
    ]


@case
def initialized_values(tf):
    v = tf.Variable(1.0, name="v")
    w = tf.Variable(v + 1.0, name="w")
    u = tf.Variable(v.initialized_value() * 2.0, name="u")
    init = tf.global_variables_initializer()
    with tf.Session() as sess:
        values = [plain(sess.run(v.initialized_value()))]
        sess.run(init)
        values += [plain(sess.run([v, w, u]))]
        sess.run(v.assign(5.0))
        values += [plain(sess.run([v.initialized_value(), w]))]
        sess.run(w.initializer)
        values += [plain(sess.run(w))]
    return [sorted(nodes(tf)), values]


@case
def initialized_values_of_resources(tf):
    v = tf.Variable(1.0, name="v", use_resource=True)
    w = tf.Variable(v + 1.0, name="w", use_resource=True)
    with tf.control_dependencies([v.initializer]):
        tf.no_op("n")
    with tf.Session() as sess:
        sess.run(v.initializer)
        sess.run(w.initializer)
        return [plain(sess.run([v, w])), sorted(nodes(tf))]


@case
def variables_refused(tf):
    return [
        failure(lambda: tf.Variable()),
        failure(lambda: tf.Variable(tf.placeholder(tf.float32)), exact=False),
        failure(lambda: tf.Variable(1.0, collections="abc"), exact=False),
        failure(lambda: tf.Variable(1.5, dtype=tf.int32), exact=False),
        failure(lambda: list(tf.Variable([1.0])), exact=False),
        failure(lambda: tf.Variable(1.0).load(2.0), exact=False),
    ]


# ---- sessions

Pair = collections.namedtuple("Pair", ["left", "right"])


@case
def fetches(tf):
    a, b = tf.constant(1.5, name="a"), tf.constant([1, 2], name="b")
    v = tf.Variable([3.0], name="v")
    text = tf.constant("text", name="text")
    texts = tf.constant(["x", "y"], name="texts")
    n = tf.no_op("n")
    with tf.Session() as sess:
        sess.run(v.initializer)
        return [
            plain(sess.run(a)),
            plain(sess.run([a, b])),
            plain(sess.run((a, [b, {"k": a, "n": n}]))),
            plain(sess.run({"x": a, "y": (b,)})),
            plain(sess.run(Pair(a, [b]))),
            plain(sess.run(collections.OrderedDict([("q", a), ("p", b)]))),
            plain(sess.run([])),
            plain(sess.run(["a:0", "n", v, v.initializer, text, texts])),
            plain(sess.run([a, a, a])),
            plain(sess.run(tf.constant(True))),
            failure(lambda: sess.run(None), exact=False),
            failure(lambda: sess.run(5), exact=False),
            failure(lambda: sess.run("zz:0"), exact=False),
            failure(lambda: sess.run("zz"), exact=False),
            failure(lambda: sess.run([a, None]), exact=False),
            failure(lambda: sess.run(tf.Graph()), exact=False),
        ]


@case
def feeds(tf):
    x = tf.placeholder(tf.float32, [None, 2], name="x")
    y = x * 2.0
    z = y + 1.0
    i = tf.placeholder(tf.int32, name="i")
    s = tf.placeholder(tf.string, name="s")
    c = tf.constant(5.0, name="c")
    d = tf.placeholder_with_default([1.0, 2.0], [2], name="d")
    with tf.Session() as sess:
        return [
            plain(sess.run(z, {x: [[1, 2]]})),
            plain(sess.run(z, {"x:0": np.ones([3, 2])})),
            plain(sess.run(z, {y: [[1.0, 1.0]]})),
            plain(sess.run([c + 1.0, c], {c: 7})),
            plain(sess.run(i + 1, {i: 4})),
            plain(sess.run(tf.identity(s), {s: "abc"})),
            plain(sess.run(tf.identity(s), {s: ["a", "b"]})),
            plain(sess.run(x, {x: [[1, 2]]})),
            plain(sess.run([d + 1.0, d])),
            plain(sess.run(d + 1.0, {d: [5.0, 5.0]})),
            failure(lambda: sess.run(z), exact=False),
            failure(lambda: sess.run(z, {x: [1, 2, 3]}), exact=False),
            failure(lambda: sess.run(z, {x: y}), exact=False),
            failure(lambda: sess.run(z, {"q:0": 1}), exact=False),
            failure(lambda: sess.run(z, {"x": 1}), exact=False),
            failure(lambda: sess.run(z, {x: "abc"}), exact=False),
            failure(lambda: sess.run(z, [1]), exact=False),
            failure(lambda: sess.run(i, {i: 2**40}), exact=False),
        ]


@case
def life_of_a_session(tf):
    empty = failure(lambda: tf.Session().run("a:0"), exact=False)
    a = tf.constant(1, name="a")
    sess = tf.Session()
    results = [empty, sess.graph is tf.get_default_graph(), tf.get_default_session() is None]
    with sess.as_default() as found:
        results += [found is sess, tf.get_default_session() is sess, plain(a.eval())]
    results.append(plain(a.eval(session=sess)))
    sess.close()
    results.append(failure(lambda: sess.run(a)))
    with tf.Session(graph=tf.Graph()) as other:
        results += [tf.get_default_graph() is other.graph, failure(lambda: other.run(a), exact=False)]
    results.append(failure(lambda: other.run(a), exact=False))
    interactive = tf.InteractiveSession()
    results += [tf.get_default_session() is interactive, plain(a.eval())]
    interactive.close()
    results += [
        tf.get_default_session() is None,
        failure(lambda: tf.Session(graph=5), exact=False),
        failure(lambda: tf.Session("x", config=5), exact=False),
    ]
    return results


@case
def reads_and_writes_in_one_run(tf):
    v = tf.Variable(1.0, name="v")
    with tf.control_dependencies([v.assign(5.0)]):
        after = v.read_value()
    r = tf.Variable(1.0, name="r", use_resource=True)
    with tf.control_dependencies([r.assign_add(1.0)]):
        r_after = r.read_value()
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        return [plain(sess.run(after)), plain(sess.run([r_after])), plain(sess.run([v.assign_add(2.0), r.assign(9.0)])), plain(sess.run([v, r]))]


# ---- import


def some_graph(tf):
    graph = tf.Graph()
    with graph.as_default():
        c = tf.constant([1.0, 2.0], name="c")
        with tf.device("/gpu:1"):
            i = tf.identity(c, name="i")
        with tf.colocate_with(i), tf.control_dependencies([c]):
            tf.no_op("n")
        tf.placeholder(tf.float32, name="p")
        tf.identity(i * 2.0, name="o")
    return graph.as_graph_def(add_shapes=True)


@case
def imports(tf):
    results = [str(tf.import_graph_def(some_graph(tf)))]
    tf.import_graph_def(some_graph(tf), name="")
    found = tf.import_graph_def(some_graph(tf), name="", return_elements=["i:0", "i", "c", b"o"])
    results.append([item.name for item in found])
    tf.import_graph_def(some_graph(tf), name="a/b")
    tf.import_graph_def(some_graph(tf), name="a/b")
    with tf.name_scope("s"):
        tf.import_graph_def(some_graph(tf), name="x")
        tf.import_graph_def(some_graph(tf), name="")
    with tf.device("/job:w/gpu:0"):
        tf.import_graph_def(some_graph(tf), name="d")
    with tf.control_dependencies([tf.no_op("z")]):
        tf.import_graph_def(some_graph(tf), name="e")
    return [*results, nodes(tf)]


@case
def import_maps(tf):
    x = tf.constant([5.0, 6.0], name="x")
    n = tf.no_op("mine")
    found = tf.import_graph_def(some_graph(tf), input_map={"c": x}, return_elements=["o:0"], name="m1")
    found += tf.import_graph_def(some_graph(tf), input_map={"c:0": x, "i": x}, return_elements=["o:0"], name="m2")
    found += tf.import_graph_def(some_graph(tf), input_map={"c:0": [5.0, 6.0]}, return_elements=["o:0"], name="m3")
    del n
    with tf.Session(config=tf.ConfigProto(allow_soft_placement=True)) as sess:
        values = plain(sess.run(found))
    return [nodes(tf), values]


@case
def imports_refused(tf):
    x = tf.constant(1)
    missing = some_graph(tf)
    del missing.node[0]
    twice = some_graph(tf)
    twice.node.add().CopyFrom(twice.node[0])
    return [
        failure(lambda: tf.import_graph_def(some_graph(tf), input_map={"c:0": [5.0]}, name="")),
        failure(lambda: tf.import_graph_def(some_graph(tf), input_map={"zz:0": x}, name="m")),
        failure(lambda: tf.import_graph_def(some_graph(tf), input_map={"c:0": x}, name="m"), exact=False),
        failure(lambda: tf.import_graph_def(some_graph(tf), return_elements=["zz:0"])),
        failure(lambda: tf.import_graph_def(some_graph(tf), return_elements=["c:1"])),
        failure(lambda: tf.import_graph_def(some_graph(tf), return_elements=["zz"])),
        failure(lambda: tf.import_graph_def(missing), exact=False),
        failure(lambda: tf.import_graph_def(twice)),
        failure(lambda: tf.import_graph_def(5)),
        failure(lambda: tf.import_graph_def(tf.MetaGraphDef())),
        failure(lambda: tf.import_graph_def(some_graph(tf), input_map=5)),
        failure(lambda: tf.import_graph_def(some_graph(tf), return_elements=[5])),
        failure(lambda: tf.import_graph_def(some_graph(tf), name="bad name"), exact=False),
    ]


@case
def import_orders_and_names(tf):
    graph_def = some_graph(tf)
    nodes_reversed = list(graph_def.node)[::-1]
    del graph_def.node[:]
    graph_def.node.extend(nodes_reversed)
    tf.import_graph_def(graph_def, name="r")
    tf.constant(1, name="C")
    tf.constant(1, name="i")
    tf.import_graph_def(some_graph(tf), name="")
    return [names(tf), tf.constant(1, name="c").name, tf.constant(1, name="i").name, tf.constant(1, name="p").name]


@case
def import_of_variables(tf):
    graph = tf.Graph()
    with graph.as_default():
        tf.Variable(1.0, name="v")
        tf.Variable(1.0, name="w", use_resource=True)
    tf.import_graph_def(graph.as_graph_def(add_shapes=True), name="")
    return nodes(tf, add_shapes=True)


@case
def versions(tf):
    graph_def = some_graph(tf)
    graph_def.versions.producer, graph_def.versions.min_consumer = 27, 12
    tf.import_graph_def(graph_def)
    return [tf.get_default_graph().as_graph_def().versions.producer, tf.get_default_graph().as_graph_def().versions.min_consumer]


# ---- types and shapes

DTYPE_ATTRS = (
    "name base_dtype as_datatype_enum real_dtype is_floating is_integer is_complex is_bool is_numpy_compatible is_quantized is_unsigned size"
)

SHAPE_TEXTS = """
s(None)[0] | s(None)[1:] | s(None)[:2] | len(s(None)) | s(None).as_list()
t.merge_with([2, None, 4]) | t.merge_with([2, None, 5]) | t.merge_with([2])
t.concatenate([1]) | t.concatenate(None) | t.is_compatible_with([1, 3, 4]) | t + [1] | [1] + t | t.with_rank(2) | t.with_rank_at_least(4)
t.assert_has_rank(2) | t.assert_is_fully_defined() | t.assert_is_compatible_with([1]) | t[0] == None | t[1] == 3 | t[1] + 2 | t[0] + 2 | t[1] * t[2]
t[1] // 2 | t[1] < 4 | t[0] < 4 | int(t[1]) | t[1].value | t[0].value | tf.Dimension(-1) | s([-1]) | s(["a"]) | s([2.5]) | 3 - t[1] | t[1] % 2
t.most_specific_compatible_shape([1, 3, 4]) | s(None) + [1] | t[:2] | t[-1] | s([2, 3]) == [2, 3] | [2, 3] == s([2, 3]) | s([2, 3]) == (2, 3)
s([2, 3]) == 5 | t == None | t != [None, 3, 4] | s(t) | s([tf.Dimension(3), None]) | tuple(s([2, 3])) | np.zeros(s([2, 3])).shape | str(t[0])
"%s" % t[1] | t[1] >= 3 | t[0] == 3 | t[0] != 3 | tf.Dimension(3) == tf.Dimension(3) | tf.Dimension(None) + 1 | tf.Dimension(3).merge_with(4)
t.with_rank_at_most(2) | list(s(None)) | s(3) | s([]) | str(s([3])) | str(s(None)) | bool(s(None)) | bool(s([])) | t.num_elements() | t.as_list()
s([2, 3]).num_elements() | t.dims | t.ndims | t.rank | s(None).ndims | s([2, 3]).is_fully_defined() | t.is_fully_defined() | s(None) == s(None)
str(t.as_proto()) | str(s(None).as_proto())
{s([2]): 1}[s([2])] | s([0]).num_elements() | str(s([2, None])) | t[5] | s(None)[1:3] | t.is_compatible_with([1, 3]) | t.is_compatible_with(None)
s([1]) + s([2, 3]) | tf.Dimension(3).is_compatible_with(None) | tf.Dimension("x") | t[1] / 2 | hash(tf.Dimension(3))
"""

DTYPE_TEXTS = """
tf.as_dtype("float32_ref") | tf.as_dtype(101) | tf.as_dtype(1) | tf.as_dtype("half") | tf.as_dtype(float) | tf.as_dtype(bool) | tf.as_dtype(object)
tf.as_dtype(np.float64)
tf.as_dtype(np.dtype("f2")) | tf.as_dtype("f4") | tf.as_dtype(int) | tf.as_dtype(str) | tf.as_dtype("bfloat16") | tf.as_dtype(None)
tf.float32 == "float32" | tf.float32 == np.float32 | tf.float32 == "float" | tf.float32 == None | tf.float32 != "int32" | tf.float32 == "foo"
tf.float32.is_compatible_with(tf.as_dtype(101)) | tf.as_dtype(101).is_compatible_with(tf.float32) | tf.float32.is_compatible_with("float32")
tf.int8.min | tf.int8.max | tf.uint64.max | tf.int32.limits | tf.float32.limits | tf.bool.limits | tf.string.limits | float(tf.float32.max)
tf.float32.as_numpy_dtype | tf.string.as_numpy_dtype | tf.bool.as_numpy_dtype | tf.int64.as_numpy_dtype | {tf.float32: 1}[tf.as_dtype("float32")]
tf.as_dtype("float32_ref").base_dtype is tf.float32 | tf.as_dtype(101)._is_ref_dtype | tf.float32._is_ref_dtype | tf.as_dtype(np.array([1]).dtype)
str(tf.float32) | hash(tf.float32) | tf.resource.as_numpy_dtype | tf.bool.min | tf.complex64.max | tf.float16.limits | float(tf.bfloat16.min)
"""


def expressions(tf, texts):
    names = {"tf": tf, "np": np, "t": tf.TensorShape([None, 3, 4]), "s": tf.TensorShape}
    found = []
    for text in texts.replace("\n", "|").split("|"):
        if text.strip():
            try:
                found.append([text.strip(), repr(eval(text.strip(), names))])
            except Exception:
                found.append([text.strip(), failure(lambda text=text: eval(text.strip(), names), exact=False)])
    return found


@case
def dtypes(tf):
    kinds = "float16 float32 float64 bfloat16 int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool string complex64 complex128 qint8 quint8"
    kinds += " resource variant"
    rows = [[repr(getattr(tf, kind)), *[repr(getattr(getattr(tf, kind), attr)) for attr in DTYPE_ATTRS.split()]] for kind in kinds.split()]
    return [rows, expressions(tf, DTYPE_TEXTS)]


@case
def tensor_shapes(tf):
    return expressions(tf, SHAPE_TEXTS)
