"""Small programs about variables against TensorFlow 1's face, each giving something that JSON can hold; see tests/golden/graph/cases.py.

`write_variables.py` runs them with real TensorFlow and keeps the answers in `variables.json`; tests/ops/test_variables_golden.py runs them with
gpersist and compares. A case is a function that gets the module `tf`. The graph is new for each.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from tests.golden.graph.cases import failure, names, plain
from tests.golden.graph.cases import nodes as all_nodes

CASES: dict[str, Any] = {}

_NEWER = {"bad_indices_policy"}
"""Attributes that TensorFlow 2 has added to operations of 1.15."""


def case(function: Any) -> Any:
    CASES[function.__name__] = function
    return function


def nodes(tf: Any) -> list[Any]:
    found = all_nodes(tf)
    for node in found:
        for key in _NEWER:
            node[4].pop(key, None)
    return found


def first_line(do: Any) -> Any:
    """A failure of which only the first line, without what TensorFlow says of the place in the program, is compared."""
    found = failure(do)
    if isinstance(found, dict):
        found["message"] = found["message"].partition(" Originally defined at:")[0].partition("\n")[0]
    return found


def about(v: Any) -> list[Any]:
    return [v.name, str(v.shape), v.dtype.name, repr(v), v.trainable, v.device]


def ones(shape: Any, dtype: Any = None, partition_info: Any = None) -> Any:
    """An initialiser of the old kind: a function."""
    return np.ones([int(size) for size in shape], dtype.as_numpy_dtype if dtype is not None else np.float32)


# ---- variable scopes


@case
def scopes_and_name_scopes(tf):
    made = []
    for _ in range(2):
        with tf.variable_scope("a") as a:
            made.append([a.name, a.original_name_scope, tf.get_default_graph().get_name_scope(), tf.constant(1, name="c").name])
            with tf.variable_scope("b") as b:
                made.append([b.name, b.original_name_scope, tf.constant(1, name="c").name])
    with tf.variable_scope(a) as again:
        made.append([again.name, again.original_name_scope, tf.constant(1, name="c").name, again is a])
        with tf.variable_scope(b) as inner:
            made.append([inner.name, inner.original_name_scope, tf.constant(1, name="c").name])
    with tf.variable_scope(b, auxiliary_name_scope=False) as c:
        made.append([c.name, c.original_name_scope, tf.constant(1, name="c").name])
    with tf.variable_scope("a", auxiliary_name_scope=False) as c:
        made.append([c.name, c.original_name_scope, tf.constant(1, name="c").name])
        with tf.name_scope("n"), tf.variable_scope("q", auxiliary_name_scope=False) as d:
            made.append([d.name, d.original_name_scope, tf.constant(1, name="c").name])
    with tf.variable_scope("x/y") as xy:
        made.append([xy.name, xy.original_name_scope])
    with tf.variable_scope("") as none:
        made.append([none.name, none.original_name_scope, tf.constant(1, name="c").name])
    with tf.name_scope("n") as n:
        with tf.variable_scope("v") as v:
            made.append([n, v.name, v.original_name_scope])
        with tf.variable_scope("") as v:
            made.append([n, v.name, v.original_name_scope, tf.constant(1, name="c").name])
        with tf.variable_scope(tf.get_variable_scope()) as v:
            made.append([n, v.name, v.original_name_scope, tf.constant(1, name="c").name])
    with tf.variable_scope("w"), tf.name_scope("m"), tf.variable_scope("z") as z:
        made.append([z.name, z.original_name_scope, tf.constant(1, name="c").name])
    root = tf.get_variable_scope()
    made.append([root.name, root.original_name_scope, root.reuse, root.dtype.name])
    return made


@case
def default_names(tf):
    made = []
    for _ in range(3):
        with tf.variable_scope(None, "d") as d:
            made.append([d.name, d.original_name_scope, tf.get_variable("v", initializer=1.0).name])
            with tf.variable_scope(None, "e") as e:
                made.append([e.name, e.original_name_scope])
    with tf.variable_scope("d") as d:
        made.append([d.name, d.original_name_scope])
        with tf.variable_scope(None, default_name="e") as e:
            made.append([e.name, e.original_name_scope])
        with tf.variable_scope(None, default_name="e") as e:
            made.append([e.name, e.original_name_scope])
    with tf.variable_scope("given", "d") as d:
        made.append([d.name, d.original_name_scope])
    with tf.variable_scope("s") as s, tf.variable_scope(None, "t") as t:
        made.append(t.name)
    with tf.variable_scope(s), tf.variable_scope(None, "t") as t:
        made.append(t.name)
    with tf.variable_scope("s"), tf.variable_scope(None, "t") as t:
        made.append(t.name)
    a = tf.constant(1, name="a")
    with tf.variable_scope(None, "f", [a]) as f:
        made.append([f.name, f.original_name_scope])
    with tf.variable_op_scope([a], None, "g") as g:
        made.append([g.name, g.original_name_scope])
    return made


@case
def scopes_entered_again(tf):
    made = []
    scope = tf.variable_scope("a")
    with scope as a:
        v = tf.get_variable("v", initializer=1.0)
        made.append([a.name, tf.constant(1, name="c").name])
    with scope as b:
        made.append([b.name, tf.constant(1, name="c").name, b is a])
    with tf.variable_scope(a, reuse=True):
        made.append([tf.get_variable("v") is v, tf.get_variable_scope().reuse])
    with tf.variable_scope("a", reuse=tf.AUTO_REUSE) as c:
        made.append([tf.get_variable("v") is v, str(c.reuse), tf.get_variable("w", initializer=2.0).name])
        with tf.variable_scope("in") as d:
            made.append([str(d.reuse), tf.get_variable("w", [1], initializer=ones).name])
    with tf.variable_scope("a"):
        tf.get_variable_scope().reuse_variables()
        made.append([tf.get_variable("v") is v, first_line(lambda: tf.get_variable("u", [1]))])
    with tf.variable_scope("a", reuse=False):
        made.append(tf.get_variable_scope().reuse)
    with tf.variable_scope("a", reuse=True), tf.variable_scope("b", reuse=False) as b:
        made.append(b.reuse)
    with tf.variable_scope(c):
        made.append(str(tf.get_variable_scope().reuse))
    return [made, names(tf)]


@case
def scopes_refused(tf):
    found = [
        failure(lambda: tf.variable_scope(None)),
        failure(lambda: tf.variable_scope("a", reuse=5)),
        failure(lambda: tf.variable_scope("a", auxiliary_name_scope=1)),
        failure(lambda: tf.variable_scope(5).__enter__()),
        failure(lambda: tf.variable_scope("a b").__enter__()),
        failure(lambda: tf.variable_scope(None, "d", reuse=True).__enter__()),
        failure(lambda: tf.variable_scope("_a").__enter__()),
    ]
    a = tf.constant(1)
    with tf.Graph().as_default():
        b = tf.constant(1)
    return [*found, failure(lambda: tf.variable_scope("a", values=[a, b]), exact=False), tf.get_variable_scope().name]


@case
def defaults_of_scopes(tf):
    made = []
    regularizer = lambda v: tf.constant(0.5, name="r")  # noqa: E731
    constraint = lambda v: v  # noqa: E731
    with tf.variable_scope("a", initializer=ones, regularizer=regularizer, dtype=tf.float64, constraint=constraint, use_resource=True) as a:
        v = tf.get_variable("v", [2])
        made += [about(v), v.constraint is constraint, a.initializer is ones, a.regularizer is regularizer, a.dtype.name, a.use_resource]
        with tf.variable_scope("b") as b:
            w = tf.get_variable("w", [1], regularizer=tf.no_regularizer, use_resource=False)
            made += [about(w), w.constraint is constraint, b.constraint is None]
            made.append(about(tf.Variable(1.0, name="x")))
        made.append(about(tf.get_variable("i", initializer=np.float32(1))))
        made.append(failure(lambda: tf.get_variable("j", initializer=np.float32(1), dtype=tf.float64)))
    with tf.variable_scope("c") as c:
        c.set_initializer(ones)
        c.set_dtype(tf.float16)
        c.set_regularizer(regularizer)
        c.set_use_resource(True)
        c.set_caching_device("/cpu:0")
        made.append([c.caching_device, c.partitioner, c.custom_getter, about(tf.get_variable("v", [2]))])
    made.append([item.name for item in tf.get_collection("regularization_losses")])
    with tf.variable_scope("a"):
        made.append([[v.name for v in tf.get_variable_scope().global_variables()], [v.name for v in tf.get_variable_scope().trainable_variables()]])
        made.append(len(tf.get_variable_scope().local_variables()))
        made.append([item.name for item in a.get_collection("regularization_losses")])
    return [made, nodes(tf)]


@case
def default_names_within_scopes_entered_again(tf):
    made = []

    def inner(*names):
        for name in names:
            with tf.variable_scope(None, name) as scope:
                made.append(scope.name)

    with tf.variable_scope("a") as a:
        inner("d", "d", "e")
    inner("a", "d")
    with tf.variable_scope(a):
        inner("d", "f")
        with tf.variable_scope("g"):
            inner("h", "h")
        with tf.variable_scope("g") as g:
            inner("h")
        with tf.variable_scope(g):
            inner("h", "h")
        inner("g")
    with tf.variable_scope(a):
        inner("d", "f", "g")
        with tf.variable_scope("g"):
            inner("h")
    with tf.variable_scope(g), tf.variable_scope(a):
        inner("d")
    with tf.variable_scope("a"):
        inner("d", "f", "g")
        with tf.variable_scope(a):
            inner("d", "d")
        inner("d")
    inner("a", "d")
    return made


# ---- get_variable


@case
def get_variable_nodes(tf):
    with tf.variable_scope("s"), tf.device("/gpu:0"):
        tf.get_variable("a", [2, 3], initializer=ones)
        tf.get_variable("b", initializer=[1.0, 2.0])
        tf.get_variable("c", initializer=tf.constant(3, name="three"))
        tf.get_variable("d", initializer=lambda: tf.constant([1, 2], name="two"))
    with tf.name_scope("n"), tf.control_dependencies([tf.no_op("before")]):
        tf.get_variable("e", [], tf.int32, initializer=ones)
        tf.get_variable("f", [1], initializer=ones, use_resource=True)
    tf.get_variable("g/h", 3, initializer=ones, trainable=False)
    tf.get_variable("i", tf.TensorShape([2]), initializer=ones, collections=["local_variables", "mine"])
    tf.get_variable("j", [2], initializer=ones, caching_device="/cpu:0")
    tf.get_variable("k", [2], initializer=ones, caching_device="/cpu:0", use_resource=True)
    tf.get_local_variable("l", [2], initializer=ones)
    tf.get_variable("m", initializer=tf.placeholder(tf.float32, name="p"), validate_shape=False)
    collections = {key: [v.name for v in tf.get_collection(key)] for key in ("variables", "trainable_variables", "local_variables", "mine")}
    return [collections, nodes(tf)]


@case
def default_initializers(tf):
    tf.get_variable("w", [2, 3])
    tf.get_variable("i", [2], tf.int32)
    tf.get_variable("b", [2], tf.bool)
    tf.get_variable("s", [2], tf.string)
    tf.get_variable("d", [2, 2], tf.float64, use_resource=True)
    with tf.variable_scope("z", initializer=tf.zeros_initializer()):
        tf.get_variable("v", [3])
        tf.get_variable("c", [3], initializer=tf.constant_initializer(0.5))
        tf.get_variable("k", [3], initializer=tf.zeros_initializer)
    return [nodes(tf), failure(lambda: tf.get_variable("c", [2], tf.complex64))]


@case
def get_variable_refused(tf):
    v = tf.get_variable("v", [2], initializer=ones)
    r = tf.get_variable("r", [2], initializer=ones, use_resource=True)
    found = [
        first_line(lambda: tf.get_variable("v", [2])),
        failure(lambda: tf.get_variable("r", [2])),
        failure(lambda: tf.get_variable("n")),
        failure(lambda: tf.get_variable("n", [2], initializer=[1.0, 2.0])),
        failure(lambda: tf.get_variable("n", [None, 2], initializer=ones)),
        failure(lambda: tf.get_variable("n", initializer=ones)),
        failure(lambda: tf.get_variable("n", initializer=1, dtype=tf.float32)),
        failure(lambda: tf.get_variable("n", [2], custom_getter=5)),
        failure(lambda: tf.get_variable("n", [2], partitioner=5)),
        failure(lambda: tf.get_variable("n", [2], collections="mine", initializer=ones)),
        failure(lambda: tf.get_variable("n", [2], constraint=5, initializer=ones)),
        failure(lambda: tf.get_variable("n", [2], aggregation=7, initializer=ones)),
        failure(lambda: tf.get_variable("n", [2], synchronization=9, initializer=ones)),
    ]
    with tf.variable_scope("", reuse=True):
        found += [
            failure(lambda: tf.get_variable("n")),
            failure(lambda: tf.get_variable("v", [3])),
            failure(lambda: tf.get_variable("v", [2], tf.int32)),
            tf.get_variable("v", [2]) is v,
            tf.get_variable("v", [None]) is v,
            tf.get_variable("r") is r,
            failure(lambda: tf.get_variable("v", initializer=[1, 2], dtype=tf.int32)),
        ]
    return found


@case
def custom_getters(tf):
    seen = []

    def suffix(getter, name, *args, **kwargs):
        seen.append(["suffix", name, sorted(kwargs)])
        return getter(name + "_s", *args, **kwargs)

    def outer(getter, name, **kwargs):
        seen.append(["outer", name])
        return getter(name, **kwargs)

    def doubled(getter, *args, **kwargs):
        return tf.multiply(getter(*args, **kwargs), 2.0, name="doubled")

    with tf.variable_scope("a", custom_getter=suffix):
        made = [tf.get_variable("v", [1], initializer=ones).name]
        with tf.variable_scope("b", custom_getter=outer):
            made.append(tf.get_variable("v", [1], initializer=ones).name)
        made.append(tf.get_variable("w", [1], initializer=ones, custom_getter=outer).name)
    with tf.variable_scope("c", custom_getter=doubled) as c:
        made.append(tf.get_variable("v", [1], initializer=ones).name)
    with tf.variable_scope(c, custom_getter=suffix, reuse=tf.AUTO_REUSE):
        made.append(tf.get_variable("v", [1], initializer=ones).name)
    return [made, seen, names(tf)]


@case
def variable_creators(tf):
    seen = []

    def creator(next_creator, **kwargs):
        seen.append([kwargs["name"], kwargs["trainable"], sorted(kwargs)])
        kwargs["name"] = (kwargs["name"] or "none") + "_made"
        return next_creator(**kwargs)

    def outer(next_creator, **kwargs):
        seen.append("outer")
        return next_creator(**kwargs)

    with tf.variable_creator_scope(outer), tf.variable_creator_scope(creator):
        made = [tf.Variable(1.0).name, tf.Variable(1.0, name="v").name, tf.get_variable("g", [1], initializer=ones).name]
        made.append(tf.Variable(1.0, name="r", use_resource=True).name)
    made.append(tf.Variable(1.0, name="after").name)
    return [made, [call if call == "outer" else [*call[:2], [key for key in call[2] if not key.startswith("experimental")]] for call in seen]]


@case
def regularizers(tf):
    regularizer = lambda v: tf.reduce_sum(v, name="sum")  # noqa: E731
    with tf.variable_scope("a", regularizer=regularizer):
        tf.get_variable("v", [2], initializer=ones)
        tf.get_variable("w", [2], initializer=ones, regularizer=lambda v: None)
        tf.get_variable("x", [2], initializer=ones, regularizer=tf.no_regularizer)
    losses = tf.get_collection("regularization_losses")
    return [[loss.name for loss in losses], names(tf)]


@case
def resource_toggle(tf):
    before = tf.resource_variables_enabled()
    tf.enable_resource_variables()
    try:
        made = [tf.resource_variables_enabled(), tf.Variable(1.0, name="v").op.type, tf.get_variable("g", initializer=1.0).op.type]
        made.append(tf.Variable(1.0, name="w", use_resource=False).op.type)
        with tf.variable_scope("s", use_resource=False):
            made += [tf.get_variable("g", initializer=1.0).op.type, tf.Variable(1.0, name="v").op.type]
    finally:
        tf.disable_resource_variables()
    with tf.variable_scope("t", use_resource=True):
        made += [tf.get_variable("g", initializer=1.0).op.type, tf.Variable(1.0, name="v").op.type]
    return [before, made, tf.resource_variables_enabled(), tf.Variable(1.0).op.type]


@case
def synchronization_and_aggregation(tf):
    v = tf.get_variable("v", initializer=1.0, synchronization=tf.VariableSynchronization.ON_READ, aggregation=tf.VariableAggregation.SUM)
    w = tf.Variable(1.0, name="w", aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA, trainable=False, use_resource=True)
    u = tf.Variable(1.0, name="u")
    again = tf.Variable.from_proto(w.to_proto()) if False else None
    return [
        [[str(x.synchronization), str(x.aggregation), x.trainable, " ".join(str(x.to_proto()).split())] for x in (v, w, u)],
        again,
        [x.name for x in tf.trainable_variables()],
        failure(lambda: tf.Variable(1.0, synchronization=17)),
        failure(lambda: tf.Variable(1.0, aggregation=17, name="q")),
    ]


# ---- templates


@case
def templates(tf):
    def scale(x, factor=1.0):
        w = tf.get_variable("w", [1], initializer=ones)
        return tf.multiply(x, w, name="scaled") * factor

    first = tf.make_template("t", scale)
    second = tf.make_template("t", scale, factor=2.0)
    now = tf.make_template("now", scale, create_scope_now_=True)
    unique = tf.make_template("t", scale, unique_name_="u")
    x = tf.constant([1.0], name="x")
    made = [t(x).name for t in (first, first, second, now, second, unique, now)]
    with tf.variable_scope("outer"):
        made.append(first(x).name)
        third = tf.make_template("t", scale)
        made.append(third(x).name)
    found = []
    for t in (first, second, now, unique, third):
        found.append([t.name, t.variable_scope_name, [v.name for v in t.variables], [v.name for v in t.trainable_variables]])
    found.append([len(first.local_variables), len(first.non_trainable_variables), first.variable_scope.name, first.func is scale])
    bad = tf.make_template("bad", lambda: tf.Variable(1.0))
    bad()
    return [made, found, names(tf), failure(lambda: tf.make_template(None, scale), exact=False), failure(bad, exact=False), first_line(lambda: bad())]


# ---- partitions


@case
def partitioners(tf):
    def parts(partitioner, shape, dtype=tf.float32):
        return [int(n) for n in partitioner(shape=tf.TensorShape(shape), dtype=dtype)]

    return [
        parts(tf.fixed_size_partitioner(3), [5, 2]),
        parts(tf.fixed_size_partitioner(3), [2]),
        parts(tf.fixed_size_partitioner(2, axis=1), [5, 4]),
        parts(tf.variable_axis_size_partitioner(16), [5, 2]),
        parts(tf.variable_axis_size_partitioner(16, max_shards=2), [5, 2]),
        parts(tf.variable_axis_size_partitioner(64, axis=1), [5, 20]),
        parts(tf.variable_axis_size_partitioner(64), [8], tf.string),
        parts(tf.variable_axis_size_partitioner(1), [4, 4]),
        parts(tf.min_max_variable_partitioner(4, min_slice_size=16), [5, 2]),
        parts(tf.min_max_variable_partitioner(4), [5, 2]),
        parts(tf.min_max_variable_partitioner(10, axis=1, min_slice_size=8), [5, 2]),
        parts(tf.min_max_variable_partitioner(10, min_slice_size=64), [16, 2], tf.string),
        failure(lambda: tf.variable_axis_size_partitioner(0)),
        failure(lambda: tf.variable_axis_size_partitioner(5, bytes_per_string_element=0)),
        failure(lambda: tf.variable_axis_size_partitioner(5, max_shards=-1)),
        failure(lambda: tf.variable_axis_size_partitioner(5)(shape=[2], dtype=tf.float32)),
        failure(lambda: tf.variable_axis_size_partitioner(5)(shape=tf.TensorShape([None]), dtype=tf.float32)),
        failure(lambda: tf.min_max_variable_partitioner(axis=2)(shape=tf.TensorShape([2]), dtype=tf.float32)),
    ]


@case
def partitioned_variables(tf):
    with tf.variable_scope("s", partitioner=tf.fixed_size_partitioner(3)) as s:
        v = tf.get_variable("v", [5, 2], initializer=ones)
        scalar = tf.get_variable("scalar", [], initializer=ones)
        w = tf.get_variable("w", [2, 3], initializer=ones, partitioner=tf.fixed_size_partitioner(2, axis=1), use_resource=True)
        one = tf.get_variable("one", [4], initializer=ones, partitioner=tf.fixed_size_partitioner(1))
        from_value = tf.get_variable("from_value", initializer=tf.constant([[1.0], [2.0], [3.0], [4.0]]))
    made = []
    for p in (v, w, one, from_value):
        made.append([p.name, str(p.shape), p.dtype.name, len(p), type(p).__name__])
        for part in p:
            info = part._get_save_slice_info()
            made.append([part.name, info.full_name, list(info.full_shape), list(info.var_offset), list(info.var_shape), info.spec])
    made.append(about(scalar))
    tensors = [v.as_tensor(), tf.convert_to_tensor(w), one.as_tensor(), tf.identity(from_value, name="id"), v.as_tensor()]
    with tf.variable_scope(s, reuse=True):
        made.append(tf.get_variable("v", [5, 2]) is v)
        made.append(tf.get_variable("v") is v if False else None)
    with tf.variable_scope("s", reuse=True):
        made.append(tf.get_variable("v") is v)
    init = tf.global_variables_initializer()
    with tf.Session() as session:
        session.run(init)
        values = [plain(session.run(tensor)) for tensor in tensors]
    return [made, [t.name for t in tensors], nodes(tf), values, " ".join(str(list(v)[1].to_proto()).split())]


@case
def partitioned_reductions(tf):
    v = tf.get_variable("v", [4], initializer=ones, partitioner=tf.fixed_size_partitioner(2))
    assigns = v.assign(tf.constant([1.0, 2.0, 3.0, 4.0]))
    adds = v.assign_add([tf.constant([1.0, 1.0]), tf.constant([2.0, 2.0])])
    ops = v.assign_sub(v)
    with tf.Session() as session:
        results = [session.run(assigns), session.run(adds), session.run(ops), session.run(v.as_tensor()), session.run(list(v))]
    return [[a.name for a in assigns], [a.name for a in adds], [o.name for o in ops], plain(results), nodes(tf)]


@case
def partitioned_variables_refused(tf):
    tf.get_variable("plain", [4], initializer=ones)
    p = tf.get_variable("p", [4], initializer=ones, partitioner=tf.fixed_size_partitioner(2))
    two = tf.fixed_size_partitioner(2)
    found = [
        failure(lambda: tf.get_variable("plain", [4], partitioner=two)),
        failure(lambda: tf.get_variable("p", [4], partitioner=two)),
        failure(lambda: tf.get_variable("p", [4])),
        failure(lambda: tf.get_variable("n", partitioner=two)),
        failure(lambda: tf.get_variable("n", [None], partitioner=two)),
        failure(lambda: tf.get_variable("n", tf.TensorShape([]), partitioner=two)),
        failure(lambda: tf.get_variable("n", [4], partitioner=lambda **_: 5)),
        failure(lambda: tf.get_variable("n", [4], partitioner=lambda **_: [1, 1])),
        failure(lambda: tf.get_variable("n", [4], partitioner=lambda **_: [0])),
        failure(lambda: tf.get_variable("n", [4, 4], partitioner=lambda **_: [2, 2])),
    ]
    with tf.variable_scope("", reuse=True):
        found += [
            failure(lambda: tf.get_variable("n", [4], partitioner=two)),
            failure(lambda: tf.get_variable("p", [5], partitioner=two)),
            failure(lambda: tf.get_variable("p", [4], tf.int32, partitioner=two)),
            failure(lambda: tf.get_variable("p", [4], partitioner=tf.fixed_size_partitioner(4))),
            tf.get_variable("p", [4], partitioner=two) is p,
        ]
    found += [failure(lambda: tf.convert_to_tensor(p, tf.int32)), len(list(p))]
    return found


@case
def create_partitioned(tf):
    parts = tf.create_partitioned_variables([4, 2], [2, 1], ones, name="c")
    others = tf.create_partitioned_variables([4], [2], tf.constant([1.0, 2.0, 3.0, 4.0]))
    return [
        [p.name for p in parts],
        [p.name for p in others],
        nodes(tf),
        failure(lambda: tf.create_partitioned_variables([4, 2], [2], ones)),
        failure(lambda: tf.create_partitioned_variables([], [], ones)),
    ]


@case
def slice_infos(tf):
    info = tf.Variable.SaveSliceInfo("full", [10, 4], [2, 0], [3, 4])
    again = tf.Variable.SaveSliceInfo(save_slice_info_def=info.to_proto(), import_scope="in")
    inner = tf.Variable.SaveSliceInfo("s/full", [4], [0], [2])
    return [
        info.spec,
        " ".join(str(info.to_proto()).split()),
        again.full_name,
        again.spec,
        " ".join(str(inner.to_proto("s")).split()),
        inner.to_proto("other"),
    ]


# ---- Variable


@case
def attributes_of_variables(tf):
    made = []
    for use_resource in (False, True):
        v = tf.Variable([1.0, 2.0], name="v", use_resource=use_resource)
        i = tf.Variable(3, name="i", use_resource=use_resource, trainable=False)
        s = tf.Variable(["a"], name="s", use_resource=use_resource)
        made += [about(v), about(i), about(s), [v._shared_name, v.op.type, v.op.name, v.initializer.name, v.initial_value.name, v.constraint]]
        made += [[v == v, v != v, v == i, hash(v) == hash(v), v.graph is tf.get_default_graph(), str(v.get_shape()), v.eval is not None]]
        made += [[v.value().name, v.read_value().name, v.is_initialized().name if use_resource else v.initialized_value().name]]
        made += [[(v + 1.0).name, (2.0 * v).name, (-v).name, (v[0]).name, (v > 1.0).name, (v / v).name, abs(v).name, v.ref() == v.ref()]]
        made += [failure(lambda v=v: iter(v).__next__(), exact=False), failure(lambda v=v: v.load([1.0, 2.0]), exact=False)]
        made += [failure(lambda v=v: v.eval(), exact=False), failure(lambda v=v: tf.convert_to_tensor(v, tf.int32), exact=False)]
    return [made, names(tf)]


@case
def in_place_operators(tf):
    v = tf.Variable(1.0, name="v")
    made = []
    w = v
    w += 2.0
    made.append(w.name)
    w = v
    w -= 2.0
    made.append(w.name)
    w = v
    w *= 2.0
    made.append(w.name)
    w = v
    w /= 2.0
    made.append(w.name)
    w = v
    w **= 2.0
    made.append(w.name)
    r = tf.Variable(1.0, name="r", use_resource=True)

    def add(r=r):
        r += 1.0

    def sub(r=r):
        r -= 1.0

    def mul(r=r):
        r *= 1.0

    def div(r=r):
        r /= 1.0

    def power(r=r):
        r **= 1.0

    return [made, names(tf), *(failure(do, exact=False) for do in (add, sub, mul, div, power))]


@case
def assignments_of_resources(tf):
    v = tf.Variable([1.0, 2.0], name="v", use_resource=True)
    a = v.assign([3.0, 4.0])
    b = a.assign_add([1.0, 1.0])
    c = b + 1.0
    d = v.assign_sub([1.0, 1.0], read_value=False)
    e = tf.assign(v, [0.0, 0.0], name="e")
    f = tf.assign_add(v, [1.0, 1.0], name="f")
    g = v.assign_add([1.0, 1.0], name="g")
    made = [[x.name, repr(x), str(x.shape), x.dtype.name, x.op.name] for x in (a, b, e, f, g)]
    made += [c.name, d.name, d.type, isinstance(a, type(v).__mro__[1])]
    with tf.control_dependencies([a]):
        tf.no_op("after")
    with tf.Session() as session:
        session.run(v.initializer)
        results = [session.run(x) for x in (a, c, v, e, f, g)]
        results += [a.eval(), session.run(a.op) is None, session.run({"a": a})]
    return [made, plain(results), nodes(tf)]


@case
def variables_of_wrong_input(tf):
    return [
        failure(lambda: tf.Variable()),
        failure(lambda: tf.Variable(None)),
        failure(lambda: tf.Variable(1.0, collections="variables")),
        failure(lambda: tf.Variable(1.0, constraint=1)),
        failure(lambda: tf.Variable(tf.placeholder(tf.float32, name="p"))),
        failure(lambda: tf.Variable(tf.placeholder(tf.float32, [None], name="q"), use_resource=True), exact=False),
        failure(lambda: tf.Variable(1.0, dtype=tf.string), exact=False),
        failure(lambda: tf.Variable(tf.constant(1), dtype=tf.float32), exact=False),
        failure(lambda: tf.Variable(1.0, name="a b"), exact=False),
        failure(lambda: tf.Variable(object()), exact=False),
        failure(lambda: tf.Variable([1.0, 2.0], shape=[3], use_resource=True)),
        failure(lambda: tf.Variable(1.0).assign([1.0, 2.0]), exact=False),
        failure(lambda: tf.Variable(1.0, use_resource=True, name="z").assign([1.0, 2.0]), exact=False),
        failure(lambda: tf.Variable(1.0).assign("a"), exact=False),
        failure(lambda: tf.Variable(1.0).assign_add(tf.constant(1)), exact=False),
        failure(lambda: tf.Variable(lambda: None), exact=False),
        failure(lambda: tf.Variable(1.0).scatter_add(5)),
        failure(lambda: tf.Variable(1.0, use_resource=True).scatter_add(5)),
    ]


@case
def lambdas_as_initial_values(tf):
    with tf.device("/gpu:0"), tf.name_scope("s"):
        v = tf.Variable(lambda: tf.constant([1.0, 2.0], name="c"), name="v")
        w = tf.Variable(lambda: 3.0, name="w", dtype=tf.float64)
        r = tf.Variable(lambda: tf.ones([2], name="o"), name="r", use_resource=True)
        functools.partial(tf.Variable, lambda: 1, name="p")()
    x = tf.Variable(tf.placeholder(tf.float32, name="ph"), validate_shape=False, name="x")
    return [about(v), about(w), about(r), about(x), nodes(tf)]


@case
def old_variables(tf):
    v = tf.Variable([1.0, 2.0], name="v", dtype=tf.float32)
    with tf.Session() as session:
        session.run(v.initializer)
        v.load([5.0, 6.0], session)
        results = [session.run(v), v.eval(session)]
        with session.as_default():
            v.load([7.0, 8.0])
            results += [v.eval(), v.initialized_value().eval(), v.read_value().eval()]
        session.run(tf.assign(v, [1.0, 2.0, 3.0], validate_shape=False))
        results.append(session.run(v))
    return [plain(results), names(tf)]


# ---- scattering


def _values(use_resource):
    return {"initial_value": np.arange(8, dtype=np.float32).reshape(4, 2), "use_resource": use_resource}


@case
def scatter_functions(tf):
    made = []
    for use_resource in (False, True):
        with tf.name_scope("resource" if use_resource else "ref"), tf.Session() as session:
            for number, name in enumerate(("update", "add", "sub", "mul", "div", "min", "max")):
                v = tf.Variable(name=f"v{number}", **_values(use_resource))
                result = getattr(tf, f"scatter_{name}")(v, [0, 2, 0], [[1.0, 2.0], [3.0, 4.0], [5.0, -6.0]])
                session.run(v.initializer)
                made.append([result.op.name if not use_resource else result.name, plain(session.run(result)), plain(session.run(v))])
                scalar = getattr(tf, f"scatter_{name}")(v, [[1], [3]], 2.0, name="scalar")
                session.run(v.initializer)
                made.append([str(scalar.shape), plain(session.run(scalar))])
            v = tf.Variable(name="nd", **_values(use_resource))
            for name in ("update", "add", "sub"):
                result = getattr(tf, f"scatter_nd_{name}")(v, [[0, 1], [3, 0], [0, 1]], [10.0, 20.0, 30.0])
                rows = getattr(tf, f"scatter_nd_{name}")(v, [[1], [2]], [[1.0, 2.0], [3.0, 4.0]])
                session.run(v.initializer)
                made.append([plain(session.run(result)), plain(session.run(rows))])
    return [made, nodes(tf)]


@case
def scatter_methods(tf):
    made = []
    slices = tf.IndexedSlices(tf.constant([[1.0, 2.0], [3.0, 4.0]]), tf.constant([1, 3]))
    for use_resource in (False, True):
        with tf.Session() as session:
            v = tf.Variable(name="v", **_values(use_resource))
            for name in ("update", "add", "sub", "mul", "div", "min", "max"):
                result = getattr(v, f"scatter_{name}")(slices)
                session.run(v.initializer)
                made.append([result.name, plain(session.run(result))])
            for name in ("update", "add", "sub"):
                result = getattr(v, f"scatter_nd_{name}")([[2]], [[9.0, 8.0]])
                session.run(v.initializer)
                made.append([result.name, plain(session.run(result))])
    return [made, nodes(tf)]


@case
def scatter_of_types(tf):
    made = []
    with tf.Session() as session:
        for dtype in (tf.int32, tf.int64, tf.float16, tf.float64, tf.uint8, tf.complex64):
            v = tf.Variable(np.array([7, 8, 9]), dtype=dtype, name="v")
            for name in ("add", "sub", "mul", "div"):
                session.run(v.initializer)
                made.append([name, plain(session.run(getattr(tf, f"scatter_{name}")(v, tf.constant([2, 2], tf.int64), tf.constant([2, 3], dtype))))])
        v = tf.Variable(["a", "b"], name="s")
        session.run(v.initializer)
        made.append([bytes(x).decode() for x in session.run(tf.scatter_update(v, [1], ["z"]))])
        b = tf.Variable([True, False], name="b")
        session.run(b.initializer)
        made.append(plain(session.run(tf.scatter_update(b, 1, True))))
        e = tf.Variable(np.ones([2, 3], np.float32), name="e")
        session.run(e.initializer)
        made.append(plain(session.run(tf.scatter_add(e, np.zeros([0], np.int32), np.zeros([0, 3], np.float32)))))
    return made


@case
def scatter_refused(tf):
    v = tf.Variable(np.zeros([3, 2], np.float32), name="v")
    r = tf.Variable(np.zeros([3, 2], np.float32), name="r", use_resource=True)
    index, updates = tf.placeholder(tf.int32, name="index"), tf.placeholder(tf.float32, name="updates")
    found = []
    for x in (v, r):
        found += [
            failure(lambda x=x: tf.scatter_add(x, [0], [1.0, 2.0]), exact=False),
            failure(lambda x=x: tf.scatter_add(x, [0], [[1.0, 2.0, 3.0]]), exact=False),
            failure(lambda x=x: tf.scatter_add(x, [0.5], [[1.0, 2.0]]), exact=False),
            failure(lambda x=x: tf.scatter_add(x, [0], [[1, 2]]).name, exact=False),
            failure(lambda x=x: tf.scatter_nd_add(x, [[0, 0, 0]], [1.0]), exact=False),
            failure(lambda x=x: tf.scatter_nd_add(x, [[0]], [1.0]), exact=False),
        ]
    with tf.Session() as session:
        uninitialized = failure(lambda: session.run(tf.scatter_add(v, [0], [[1.0, 2.0]])), exact=False)
        session.run([v.initializer, r.initializer])
        for x in (v, r):
            add, nd = tf.scatter_add(x, index, updates).op, tf.scatter_nd_update(x, index, updates).op
            for feeds in ([[5], [[1.0, 2.0]]], [[-1], [[1.0, 2.0]]], [[0], [1.0, 2.0]], [[[3, 0]], [[[1.0, 2.0], [1.0, 2.0]]]]):
                found.append(failure(lambda feeds=feeds, add=add: session.run(add, {index: feeds[0], updates: feeds[1]}), exact=False))
            for feeds in ([[[5]], [[1.0, 2.0]]], [[[0, -1]], [1.0]], [[[0]], [1.0]], [[[0, 0, 0]], [1.0]]):
                found.append(failure(lambda feeds=feeds, nd=nd: session.run(nd, {index: feeds[0], updates: feeds[1]}), exact=False))
        found.append(plain(session.run([v, r])))
    return [found, uninitialized, failure(lambda: tf.scatter_add(tf.constant([1.0]), [0], [1.0]), exact=False)]


@case
def batch_scatter(tf):
    v = tf.Variable(np.zeros([2, 3], np.float32), name="v")
    r = tf.Variable(np.zeros([2, 3], np.float32), name="r", use_resource=True)
    made = [tf.batch_scatter_update(x, [[0, 1], [2, 0]], [[1.0, 2.0], [3.0, 4.0]]) for x in (v, r)]
    with tf.Session() as session:
        session.run([v.initializer, r.initializer])
        results = [session.run(m) for m in made]
    return [plain(results), [node for node in nodes(tf) if not node[0].startswith("ones_like")]]


@case
def sparse_reads(tf):
    v = tf.Variable(np.arange(8, dtype=np.float32).reshape(4, 2), name="v", use_resource=True)
    a, b = v.sparse_read([3, 0]), v.sparse_read([[1]], name="b")
    c, d = v.gather_nd([[3, 1], [0, 0]]), v.gather_nd([[2]], name="d")
    with tf.Session() as session:
        session.run(v.initializer)
        results = [session.run(x) for x in (a, b, c, d)]
        bad = failure(lambda: session.run(v.sparse_read([4])), exact=False)
        bad_nd = failure(lambda: session.run(v.gather_nd([[4]])), exact=False)
    return [[str(x.shape) for x in (a, b, c, d)], plain(results), bad, bad_nd, nodes(tf)]


@case
def gradients_of_sparse_reads(tf):
    v = tf.Variable(np.arange(8, dtype=np.float32).reshape(4, 2), name="v", use_resource=True)
    found = tf.gradients(v.sparse_read(tf.placeholder(tf.int32, [None], name="p"), name="g") * 2.0, v)[0]
    return [type(found).__name__, found.values.name, found.indices.name, found.dense_shape.name, nodes(tf)]


@case
def counting(tf):
    v = tf.Variable(0, name="v")
    w = tf.Variable(np.int64(0), name="w", use_resource=True)
    a, b, c, d = tf.count_up_to(v, 2), v.count_up_to(2), tf.count_up_to(w, 2, name="count"), w.count_up_to(2)
    with tf.Session() as session:
        session.run([v.initializer, w.initializer])
        results = [session.run(x) for x in (a, b, c, d)]
        bad = [failure(lambda x=x: session.run(x), exact=False) for x in (a, c)]
        results += [session.run(v), session.run(w)]
    bad += [failure(lambda x=x: tf.count_up_to(tf.Variable(x), 2), exact=False) for x in ([1], 1.0)]
    return [plain(results), bad, nodes(tf)]


@case
def temporary_variables(tf):
    var = tf.raw_ops.TemporaryVariable(shape=[2], dtype=tf.float32, name="t")
    set_ = tf.assign(var, [4.0, 5.0])
    added = tf.assign_add(set_, [6.0, 7.0])
    final = tf.raw_ops.DestroyTemporaryVariable(ref=added, var_name="t")
    with tf.Session() as session:
        results = [session.run(final), session.run(final)]
    return [plain(results), nodes(tf)]


@case
def destroyed_resources(tf):
    v = tf.Variable(1.0, name="v", use_resource=True)
    gone = tf.raw_ops.DestroyResourceOp(resource=v.handle)
    strict = tf.raw_ops.DestroyResourceOp(resource=v.handle, ignore_lookup_error=False)
    with tf.Session() as session:
        session.run(v.initializer)
        session.run(gone)
        found = [bool(session.run(v.is_initialized())), failure(lambda: session.run(v), exact=False)]
        session.run(gone)
        found.append(failure(lambda: session.run(strict), exact=False))
        session.run(v.initializer)
        session.run(strict)
        found.append(bool(session.run(v.is_initialized())))
    return found


@case
def devices_of_resources(tf):
    with tf.device("/gpu:0"):
        r = tf.Variable(1.0, name="r", use_resource=True)
        c = tf.Variable(1.0, name="c", use_resource=True, caching_device="/cpu:0")
        v = tf.Variable(1.0, name="v", caching_device="/cpu:0")
    made = [r + 1.0, c + 1.0, r.read_value(), r.assign(2.0), c.assign_add(1.0), c.assign(1.0), c.read_value(), v + 1.0, v.assign_add(1.0)]
    with tf.device("/cpu:1"):
        made.append(r + 2.0)
        made.append(r.assign_add(2.0))
    with tf.colocate_with(r):
        made.append(r * 3.0)
    return [[x.name for x in made], nodes(tf), [" ".join(str(x.to_proto()).split()) for x in (r, c, v)]]


@case
def what_variables_refuse(tf):
    v, r = tf.Variable([1.0], name="v"), tf.Variable([1.0], name="r", use_resource=True)
    return [
        failure(lambda: v.sparse_read([0]), exact=False),
        failure(lambda: v.gather_nd([0]), exact=False),
        bool(v),
        failure(lambda: bool(r), exact=False),
        failure(lambda: len(v), exact=False),
        failure(lambda: r.numpy()),
        r.to_proto("x"),
        v.to_proto("x"),
        failure(lambda: r.assign([1.0]).to_proto(), exact=False),
        r.assign([1.0]).initializer,
        failure(lambda: v.set_shape([2]), exact=False),
        failure(lambda: r.set_shape([2]), exact=False),
        {v: 1, r: 2}[r],
    ]


@case
def variables_and_protos(tf):
    with tf.name_scope("s"):
        v = tf.Variable([1.0], name="v", trainable=False)
        r = tf.Variable([1.0], name="r", use_resource=True, caching_device="/cpu:0")
    made = [tf.Variable.from_proto(v.to_proto()), type(r).from_proto(r.to_proto())]
    before = len(names(tf))
    made = [[about(x), x.initializer.name, x.initial_value.name, x.value().name, " ".join(str(x.to_proto()).split())] for x in made]
    made.append([len(names(tf)) - before, " ".join(str(v.to_proto("s")).split()), " ".join(str(r.to_proto("s")).split())])
    return made


# ---- lists of variables


@case
def lists_of_variables(tf):
    tf.Variable(1.0, name="a")
    tf.Variable(1.0, name="s/b", trainable=False)
    tf.get_local_variable("l", initializer=1.0)
    tf.Variable(1.0, name="m", collections=["model_variables"], trainable=False)
    tf.add_to_collection("moving_average_variables", tf.global_variables()[0])
    lists = [tf.global_variables(), tf.all_variables(), tf.local_variables(), tf.trainable_variables(), tf.model_variables()]
    lists += [tf.moving_average_variables(), tf.global_variables("s"), tf.trainable_variables("a")]
    made = [[v.name for v in found] for found in lists]
    inits = [tf.variables_initializer(tf.global_variables()[:1], "one"), tf.variables_initializer([]), tf.global_variables_initializer()]
    inits += [tf.local_variables_initializer(), tf.initialize_all_variables(), tf.initialize_local_variables()]
    inits += [tf.initialize_variables(tf.global_variables(), "v")]
    return [made, [op.name for op in inits], nodes(tf)]


@case
def uninitialized_variables(tf):
    v, w = tf.Variable([1.0], name="v"), tf.Variable(2.0, name="w", use_resource=True)
    local = tf.get_local_variable("l", initializer=3.0)
    report = tf.report_uninitialized_variables()
    some = tf.report_uninitialized_variables([v], name="some")
    check = tf.assert_variables_initialized()
    one = tf.assert_variables_initialized([v])
    flag = tf.is_variable_initialized(v)
    with tf.Session() as session:
        results = [session.run(report).tolist(), session.run(some).tolist(), bool(session.run(flag))]
        bad = failure(lambda: session.run(check), exact=False)
        session.run(v.initializer)
        results += [session.run(report).tolist(), session.run(some).tolist(), bool(session.run(flag))]
        session.run([w.initializer, local.initializer])
        results += [session.run(report).tolist(), session.run(check).tolist(), int(session.run(one))]
    results = [[b.decode() for b in r] if isinstance(r, list) and r and isinstance(r[0], bytes) else r for r in results]
    return [results, bad, [report.name, str(report.shape), check.name, one.name, flag.name], nodes(tf)]


@case
def no_variables_to_report(tf):
    report, check = tf.report_uninitialized_variables(), tf.assert_variables_initialized()
    with tf.Session() as session:
        return [plain(session.run(report)), check, nodes(tf)]


@case
def initializers_that_depend(tf):
    v = tf.Variable([1.0, 2.0], name="v")
    w = tf.Variable(v.initialized_value() * 2.0, name="w")
    x = tf.Variable(v + 1.0, name="x")
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        return [plain(session.run([v, w, x])), names(tf)]


# ---- the global step


@case
def global_steps(tf):
    made = [tf.train.get_global_step()]
    with tf.name_scope("n"), tf.variable_scope("s"):
        step = tf.train.get_or_create_global_step()
    made += [about(step), tf.train.get_global_step() is step, tf.train.get_or_create_global_step() is step]
    made += [[v.name for v in tf.get_collection("global_step")], [v.name for v in tf.global_variables()], len(tf.trainable_variables())]
    made += [failure(lambda: tf.train.create_global_step())]
    graph = tf.Graph()
    other = tf.train.create_global_step(graph)
    made += [other.graph is graph, tf.train.get_global_step(graph) is other, " ".join(str(other.to_proto()).split())]
    with tf.Session() as session:
        session.run(step.initializer)
        session.run(tf.assign_add(step, 5))
        value = tf.train.global_step(session, step)
        made += [value, type(value).__name__, tf.train.global_step(session, "s/global_step:0"), tf.train.global_step(session, step.op.outputs[0])]
    return [made, nodes(tf)]


@case
def global_steps_found(tf):
    c = tf.constant(3, name="global_step")
    made = [tf.train.get_global_step() is c]
    tf.add_to_collection("global_step", tf.Variable(7, name="other"))
    made.append(tf.train.get_global_step().name)
    tf.add_to_collection("global_step", c)
    made.append(tf.train.get_global_step())
    return made


@case
def global_steps_refused(tf):
    tf.train.assert_global_step(tf.constant(1))
    tf.train.assert_global_step(tf.Variable(np.int64(1)))
    with tf.Graph().as_default():
        tf.Variable(1.0, name="global_step")
        real = [failure(lambda: tf.train.get_global_step()), failure(lambda: tf.train.get_or_create_global_step())]
    return [
        real,
        failure(lambda: tf.train.assert_global_step("global_step")),
        failure(lambda: tf.train.assert_global_step(tf.constant(1.0))),
        failure(lambda: tf.train.assert_global_step(tf.constant([1]))),
        failure(lambda: tf.train.assert_global_step(tf.Variable(1.0))),
        failure(lambda: tf.train.assert_global_step(tf.Variable([1, 2], use_resource=True))),
        tf.train.assert_global_step(tf.placeholder(tf.int32)),
    ]


@case
def slices_of_variables(tf):
    made = []
    for use_resource in (False, True):
        v = tf.Variable(np.arange(6, dtype=np.float32).reshape(3, 2), name="v", use_resource=use_resource)
        part = v[1:, 0]
        assign = v[0].assign([7.0, 8.0])
        with tf.Session() as session:
            session.run(v.initializer)
            made.append([part.name, plain(session.run(part)), plain(session.run(assign)), plain(session.run(v))])
            made.append(plain(session.run(v[1:, 1:].assign([[1.0], [2.0]]))))
    return [made, nodes(tf)]
