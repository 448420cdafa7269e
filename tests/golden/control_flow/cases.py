"""Branches and loops built through TensorFlow 1's face: the nodes that are made, the contexts that are exported, and what they give.

`write_control_flow.py` runs the cases with real TensorFlow and keeps the answers in `control_flow.json`; tests/ops/test_control_flow_golden.py runs
them with gpersist and compares. A case is a function that gets the module `tf`, in a new graph, and gives something that JSON can hold.
"""

from __future__ import annotations

from typing import Any

import numpy as np

CASES: dict[str, Any] = {}

NEWER_ATTRS = {("MatMul", "grad_a"), ("MatMul", "grad_b"), ("VarHandleOp", "debug_name"), ("VarHandleOp", "allowed_devices")}
NEWER_ATTRS |= {("AssignVariableOp", "validate_shape")}


def case(function: Any) -> Any:
    CASES[function.__name__] = function
    return function


def failure(do: Any) -> Any:
    try:
        do()
    except Exception as error:
        return {"error": [found.__name__ for found in type(error).__mro__]}
    return "nothing raised"


def nodes(tf: Any) -> Any:
    found = []
    for node in tf.get_default_graph().as_graph_def().node:
        attrs = {key: " ".join(str(value).split()) for key, value in node.attr.items() if (node.op, key) not in NEWER_ATTRS}
        for key in ("_has_manual_control_dependencies",):
            attrs.pop(key, None)
        found.append([node.name, node.op, list(node.input), node.device, attrs])
    return found


def contexts(tf: Any) -> Any:
    """The contexts that go into a MetaGraphDef, as text."""
    found = {}
    for key in ("cond_context", "while_context"):
        for item in tf.get_collection(key):
            message = item.to_proto()
            found.setdefault(key, []).append(shown(message))
    return found


def shown(message: Any) -> Any:
    """A message as JSON; maps are sorted."""
    found: dict[str, Any] = {}
    for field, value in message.ListFields():
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            found[field.name] = dict(sorted(value.items()))
        elif field.type == field.TYPE_MESSAGE:
            is_one = hasattr(value, "ListFields")
            found[field.name] = shown(value) if is_one else [shown(item) for item in value]
        else:
            found[field.name] = value if isinstance(value, (str, int, bool)) else list(value)
    return found


def plain(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    array = np.asarray(value)
    if array.dtype == object:
        return [item.decode() if isinstance(item, bytes) else item for item in array.reshape(-1).tolist()]
    return [str(array.dtype), list(array.shape), [float(item) for item in array.reshape(-1)]]


def shapes(tensors: Any) -> Any:
    return [[tensor.name, None if tensor.shape.dims is None else tensor.shape.as_list()] for tensor in tensors]


def answer(tf: Any, fetches: Any, feeds: Any = None) -> Any:
    """The nodes, the contexts and the results."""
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        results = plain(session.run(fetches, feeds))
    return {"nodes": nodes(tf), "contexts": contexts(tf), "results": results}


# ---- branches


@case
def branch(tf):
    p = tf.placeholder(tf.bool, [], name="p")
    x = tf.constant([1.0, 2.0], name="x")
    r = tf.cond(p, lambda: x + 1.0, lambda: tf.constant([5.0, 6.0]))
    return answer(tf, r, {p: True})


@case
def branch_of_many_kinds(tf):
    p = tf.placeholder(tf.bool, [], name="p")
    x = tf.placeholder(tf.float32, [None, 2], name="x")
    y = tf.constant(3)
    a = tf.cond(p, lambda: {"a": [x, y], "b": (x * 2.0,)}, lambda: {"a": [x[:1], y + 1], "b": (tf.zeros([3, 2]),)}, name="pick")
    b = tf.cond(tf.less(y, 4), lambda: [tf.reduce_sum(x)], lambda: [tf.constant(0.0)], strict=True)
    c = tf.cond(p, lambda: 1, lambda: 2)
    d = tf.cond(p, lambda: [x], lambda: x)
    return [answer(tf, [a, b, c, d], {p: False, x: [[1, 2], [3, 4]]}), shapes([a["a"][0], a["a"][1], a["b"][0], b[0], c, d])]


@case
def branches_of_operations(tf):
    p = tf.placeholder(tf.bool, [], name="p")
    v = tf.get_variable("v", initializer=1.0, use_resource=False)
    w = tf.get_variable("w", initializer=[1.0, 2.0], use_resource=True)
    a = tf.cond(p, lambda: v.assign_add(2.0), lambda: v)
    b = tf.cond(p, lambda: tf.group(w.assign_add([1.0, 1.0])), lambda: tf.no_op())
    c = tf.cond(p, lambda: w, lambda: w + 1.0)
    d = tf.cond(p, lambda: tf.assign(v, 7.0), lambda: tf.assign(v, 8.0))
    del b, d
    return answer(tf, [a, c], {p: False})


@case
def branch_in_branch(tf):
    p = tf.placeholder(tf.bool, [], name="p")
    q = tf.placeholder(tf.bool, [], name="q")
    x = tf.constant(2.0, name="x")

    def inner():
        return tf.cond(q, lambda: x * 10.0, lambda: tf.square(x))

    return answer(tf, tf.cond(p, inner, lambda: x), {p: True, q: False})


@case
def branch_under_control_dependencies(tf):
    p = tf.placeholder(tf.bool, [], name="p")
    x = tf.constant(2.0, name="x")
    with tf.control_dependencies([tf.constant(1, name="before")]):
        r = tf.cond(p, lambda: tf.constant(1.0) + x, lambda: x)

    def waits():
        with tf.control_dependencies([x, tf.no_op(name="inside")]):
            return tf.identity(tf.constant(4.0))

    s = tf.cond(p, waits, lambda: x)
    return answer(tf, [r, s], {p: True})


@case
def branch_on_a_device(tf):
    p = tf.placeholder(tf.bool, [], name="p")
    x = tf.constant(2.0, name="x")
    with tf.device("/cpu:0"):
        r = tf.cond(p, lambda: x + 1.0, lambda: x * x)
    return answer(tf, r, {p: True})


@case
def branch_of_rows(tf):
    p = tf.placeholder(tf.bool, [], name="p")
    x = tf.constant([[1.0, 2.0], [3.0, 4.0]])
    slices = lambda at: tf.IndexedSlices(tf.gather(x, [at]), tf.constant([at]), tf.constant([2, 2]))  # noqa: E731
    r = tf.cond(p, lambda: slices(0), lambda: slices(1))
    return [answer(tf, [r.values, r.indices, r.dense_shape], {p: False}), type(r).__name__]


@case
def cases(tf):
    x = tf.placeholder(tf.int32, [], name="x")
    r = tf.case([(tf.equal(x, 1), lambda: tf.constant(10)), (tf.equal(x, 2), lambda: tf.constant(20))], default=lambda: x)
    s = tf.case(
        [(tf.equal(x, 1), lambda: tf.constant(10)), (tf.equal(x, 2), lambda: tf.constant(20))], default=lambda: x, exclusive=True, name="only"
    )
    t = tf.case({tf.less(x, 1): lambda: tf.constant(10), tf.greater(x, 2): lambda: tf.constant(20)}, default=lambda: x)
    return answer(tf, [r, s, t], {x: 2})


@case
def cases_without_default(tf):
    x = tf.placeholder(tf.int32, [], name="x")
    r = tf.case([(tf.equal(x, 1), lambda: tf.constant(10)), (tf.equal(x, 2), lambda: tf.constant(20))])
    return answer(tf, r, {x: 2})


@case
def wrong_branches(tf):
    p = tf.placeholder(tf.bool, [], name="p")
    a = tf.constant(1.0, name="a")
    return [
        failure(lambda: tf.cond(p, lambda: a, lambda: [a, a])),
        failure(lambda: tf.cond(p, lambda: [a, a], lambda: (a, a))),
        failure(lambda: tf.cond(p, lambda: a, lambda: 2)),
        failure(lambda: tf.cond(p, lambda: None, lambda: 2)),
        failure(lambda: tf.cond(p, list, list)),
        failure(lambda: tf.cond(True, lambda: a, lambda: a)),
        failure(lambda: tf.cond(p, 3, lambda: a)),
        failure(lambda: tf.cond(p, lambda: a)),
        failure(lambda: tf.case([(True, lambda: a)], default=lambda: a)),
        failure(lambda: tf.case([(p, a)], default=lambda: a)),
        failure(lambda: tf.case(p)),
        failure(lambda: tf.case([(p,)])),
    ]


# ---- loops


@case
def loop(tf):
    x = tf.constant(2.0, name="x")
    r = tf.while_loop(lambda i, y: i < 5, lambda i, y: (i + 1, y * x), [tf.constant(0), tf.constant(1.0)])
    return [answer(tf, r), shapes(r)]


@case
def loop_of_one(tf):
    r = tf.while_loop(lambda i: tf.less(i, 10), lambda i: [tf.add(i, 1)], [0])
    s = tf.while_loop(lambda i: tf.less(i, 10), lambda i: tf.add(i, 1), [tf.constant(3)], return_same_structure=True, name="named")
    return answer(tf, [r, s])


@case
def loop_with_bound(tf):
    r = tf.while_loop(lambda i, x: i < 10, lambda i, x: [i + 1, x * 2.0], [tf.constant(0), tf.constant(1.0)], maximum_iterations=3)
    s = tf.while_loop(lambda i: i < 10, lambda i: i + 1, [tf.constant(0)], maximum_iterations=tf.constant(4), parallel_iterations=3, back_prop=False)
    return answer(tf, [r, s])


@case
def loop_of_nests(tf):
    start = {"a": tf.constant(1), "b": [tf.constant(2.0), (tf.zeros([2]),)]}
    r = tf.while_loop(lambda i, s: i < 3, lambda i, s: (i + 1, {"a": s["a"] * 2, "b": [s["b"][0] + 1.0, (s["b"][1][0] + s["b"][0],)]}), (0, start))
    return answer(tf, r)


@case
def loop_that_grows(tf):
    x = tf.placeholder(tf.float32, [None, 2], name="x")
    invariants = [tf.TensorShape([]), tf.TensorShape([None, 2])]
    r = tf.while_loop(lambda i, y: i < 2, lambda i, y: (i + 1, tf.concat([y, y], 0)), [tf.constant(0), tf.ones([1, 2])], shape_invariants=invariants)
    s = tf.while_loop(lambda y: tf.shape(y)[0] < 4, lambda y: tf.concat([y, x], 0), [x])
    return [answer(tf, [r, s], {x: [[1.0, 2.0]]}), shapes([*r, s])]


@case
def loop_in_loop(tf):
    x = tf.constant(3.0, name="x")

    def body(i, y):
        _, z = tf.while_loop(lambda j, z: j < i, lambda j, z: (j + 1, z + x), [tf.constant(0), y])
        return i + 1, z

    return answer(tf, tf.while_loop(lambda i, y: i < 3, body, [tf.constant(0), tf.constant(0.0)]))


@case
def branch_in_loop(tf):
    x = tf.constant(3.0, name="x")

    def body(i, y):
        return i + 1, tf.cond(tf.equal(i % 2, 0), lambda: y + x, lambda: y * 2.0)

    return answer(tf, tf.while_loop(lambda i, y: i < 5, body, [tf.constant(0), tf.constant(0.0)]))


@case
def loop_in_branch(tf):
    p = tf.placeholder(tf.bool, [], name="p")
    x = tf.constant(3.0, name="x")
    r = tf.cond(p, lambda: tf.while_loop(lambda y: y < 100.0, lambda y: y * x, [x]), lambda: x + 1.0)
    return answer(tf, r, {p: True})


@case
def loop_with_variables(tf):
    v = tf.get_variable("v", initializer=1.0, use_resource=False)
    w = tf.get_variable("w", initializer=2.0, use_resource=True)

    def body(i, y):
        with tf.control_dependencies([w.assign_add(1.0)]):
            return i + 1, y + v + w

    r = tf.while_loop(lambda i, y: i < 3, body, [tf.constant(0), v])
    return answer(tf, r[0])


@case
def loop_under_control_dependencies(tf):
    x = tf.constant(2.0, name="x")
    with tf.control_dependencies([tf.no_op(name="before"), x]):
        r = tf.while_loop(lambda i: i < 3.0, lambda i: tf.constant(1.0) + i, [x])

    def body(i):
        with tf.control_dependencies([x, i]):
            return tf.constant(1.0) + tf.identity(i)

    return answer(tf, [r, tf.while_loop(lambda i: i < 3.0, body, [x])])


@case
def wrong_loops(tf):
    a = tf.constant(1.0, name="a")
    made = [
        failure(lambda: tf.while_loop(lambda i: i < 3, lambda i: (i, i), [a])),
        failure(lambda: tf.while_loop(lambda i, j: i < 3, lambda i, j: [i], (a, a))),
        failure(lambda: tf.while_loop(lambda i: i < 3, lambda i: i, [])),
        failure(lambda: tf.while_loop(lambda i: i < 3, lambda i: tf.tile([i], [2]), [a])),
        failure(lambda: tf.while_loop(lambda i: i < 3, lambda i: i, [a], shape_invariants=[tf.TensorShape([2])])),
        failure(lambda: tf.while_loop(lambda i: i < 3, lambda i: i, [a], parallel_iterations=0)),
        failure(lambda: tf.while_loop(lambda i: [i < 3, i < 3], lambda i: i, [a])),
        failure(lambda: tf.while_loop(2, lambda i: i, [a])),
        failure(lambda: tf.while_loop(lambda i: i < 3, lambda i: i, [a], maximum_iterations=[3])),
        failure(lambda: tf.while_loop(lambda i, j: i < 3, lambda i, j: (i, j), [a, a], maximum_iterations=3)),
    ]
    inner = []
    result = tf.while_loop(lambda i: i < 3, lambda i: inner.append(i) or i + 1, [a])
    with tf.Session() as session:
        made += [failure(lambda: session.run(inner[0])), failure(lambda: session.run(result, {inner[0]: 2})), failure(lambda: inner[0] + 1)]
    return made


# ---- arrays and loops over rows


@case
def arrays(tf):
    ta = tf.TensorArray(tf.float32, size=3, clear_after_read=False)
    ta = ta.write(0, [1.0, 2.0]).write(2, [5.0, 6.0])
    ta = ta.write(1, tf.constant([3.0, 4.0]))
    other = tf.TensorArray(tf.int32, 0, dynamic_size=True, infer_shape=False, tensor_array_name="named", name="scope").unstack(tf.range(4))
    parts = tf.TensorArray(tf.float32, 2).split(tf.ones([4, 2]), [2, 2])
    fetches = [ta.stack(), ta.read(1), ta.gather([2, 0]), ta.size(), other.stack(), other.size(), parts.concat(), ta.concat(), ta.identity().read(0)]
    scattered = tf.TensorArray(tf.float32, 4, element_shape=[2]).scatter([1, 3], tf.ones([2, 2]))
    fetches.append(scattered.stack())
    return [answer(tf, fetches), shapes(fetches)]


@case
def arrays_in_loops(tf):
    x = tf.constant([1.0, 2.0, 3.0], name="x")
    ta = tf.TensorArray(tf.float32, 3).unstack(x)
    out = tf.TensorArray(tf.float32, 0, dynamic_size=True)
    r = tf.while_loop(lambda i, s, o: i < 3, lambda i, s, o: (i + 1, s + ta.read(i), o.write(i, s)), [0, 0.0, out])
    return answer(tf, [r[1], r[2].stack()])


@case
def wrong_arrays(tf):
    def run(build):
        def do():
            with tf.Session() as session:
                return session.run(build())

        return failure(do)

    new = lambda **kwargs: tf.TensorArray(tf.float32, size=2, **kwargs)  # noqa: E731
    return [
        run(lambda: new().read(0)),
        run(lambda: new(element_shape=[2]).read(0)) if False else None,
        run(lambda: new().write(2, 1.0).flow),
        run(lambda: new().write(0, 1.0).write(0, 2.0).flow),
        run(lambda: new().unstack([1.0, 2.0, 3.0]).flow),
        run(lambda: new(infer_shape=False).write(0, 1.0).write(1, [1.0]).stack()),
        failure(lambda: new().write(0, 1.0).write(1, [1.0])),
        failure(lambda: tf.TensorArray(tf.float32)),
        failure(lambda: new(handle=tf.constant(1))),
        run(lambda: new().split([1.0, 2.0], [1, 2]).flow),
    ]


@case
def mapped(tf):
    x = tf.constant([[1.0, 2.0], [3.0, 4.0]], name="x")
    a = tf.map_fn(lambda row: row * 2.0, x)
    return [answer(tf, a), shapes([a])]


@case
def mapped_nests(tf):
    x = tf.placeholder(tf.float32, [None, 2], name="x")
    y = tf.constant([1, 2])
    a = tf.map_fn(lambda row: tf.cast(tf.reduce_sum(row), tf.int32), x, dtype=tf.int32)
    b = tf.map_fn(lambda rows: (rows[0] + 1.0, {"n": rows[1]}), (x, y), dtype=(tf.float32, {"n": tf.int32}), parallel_iterations=1, name="both")
    return [answer(tf, [a, b], {x: [[1, 2], [3, 4]]}), shapes([a, b[0], b[1]["n"]])]


@case
def scanned(tf):
    x = tf.constant([1.0, 2.0, 3.0], name="x")
    a = tf.scan(lambda total, row: total + row, x)
    b = tf.scan(lambda total, row: (total[0] + row, total[1] * row), x, initializer=(0.0, 1.0), reverse=True)
    return [answer(tf, [a, b]), shapes([a, *b])]


@case
def folded(tf):
    x = tf.constant([1.0, 2.0, 3.0], name="x")
    r = [
        tf.foldl(lambda a, b: a - b, x),
        tf.foldr(lambda a, b: a - b, x),
        tf.foldl(lambda a, b: a * b, x, 2.0),
        tf.foldr(lambda a, b: a * b, x, initializer=2.0),
    ]
    return answer(tf, r)


# ---- tables


def without_names(answers: Any) -> Any:
    """The same, without the names that tables make up."""
    for node in answers["nodes"]:
        if "hash_table_" in node[4].get("shared_name", ""):
            node[4]["shared_name"] = "made up"
    return answers


@case
def tables(tf):
    keys = tf.constant(["a", "b"])
    table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(keys, tf.constant([1.0, 2.0])), 0.0)
    words = tf.lookup.StaticVocabularyTable(tf.lookup.KeyValueTensorInitializer(["x", "y"], tf.constant([0, 1], tf.int64)), 3, name="words")
    numbers = tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer([1, 2], ["one", "two"], key_dtype=tf.int64, name="fill"), default_value="many", name="numbers"
    )
    found = [
        table.lookup(tf.constant([["b", "c"]])),
        table.size(),
        words.lookup(tf.constant(["y", "unknown"])),
        words.size(),
        numbers[tf.constant([2, 3], tf.int64)],
    ]
    with tf.Session() as session:
        session.run(tf.tables_initializer())
        return [without_names({"nodes": nodes(tf), "results": plain(session.run(found))}), shapes(found), table.name, words.name]


@case
def table_of_a_file(tf):
    init = tf.lookup.TextFileInitializer("words.txt", tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER)
    table = tf.lookup.StaticHashTable(init, -1)
    other = tf.lookup.TextFileInitializer("words.txt", tf.string, 0, tf.int64, 1, vocab_size=5, delimiter=" ", name="read", value_index_offset=2)
    tf.lookup.StaticHashTable(other, -1).lookup(tf.constant(["a"]))
    assets = [tensor.name for tensor in tf.get_collection("asset_filepaths")]
    initializers = [op.name for op in tf.get_collection("table_initializer")]
    return [nodes(tf), assets, initializers, table.initializer.name, tf.initialize_all_tables().name]


@case
def wrong_tables(tf):
    pairs = tf.lookup.KeyValueTensorInitializer(["a"], [1], value_dtype=tf.int64)
    whole, number = tf.lookup.TextFileIndex.WHOLE_LINE, tf.lookup.TextFileIndex.LINE_NUMBER
    return [
        failure(lambda: tf.lookup.StaticHashTable(pairs, "none")),
        failure(lambda: tf.lookup.StaticHashTable(pairs, [1, 2])),
        failure(lambda: tf.lookup.StaticHashTable(pairs, -1).lookup(tf.constant([1]))),
        failure(lambda: tf.lookup.StaticVocabularyTable(pairs, 0)),
        failure(lambda: tf.lookup.StaticVocabularyTable(tf.lookup.KeyValueTensorInitializer(["a"], [1]), 2)),
        failure(lambda: tf.lookup.TextFileInitializer("", tf.string, whole, tf.int64, number)),
        failure(lambda: tf.lookup.TextFileInitializer("f", tf.string, number, tf.int64, number)),
        failure(lambda: tf.lookup.TextFileInitializer("f", tf.string, -3, tf.int64, number)),
        failure(lambda: tf.lookup.TextFileInitializer("f", tf.string, whole, tf.int64, number, vocab_size=0)),
    ]


@case
def nests(tf):
    n = tf.nest
    return [
        n.flatten({"b": 1, "a": [2, (3,)]}),
        n.map_structure(lambda a, b: a + b, [1, {"x": 2}], [10, {"x": 20}]),
        [n.is_nested(value) for value in ([], (), {}, "text", 1, None)],
        n.pack_sequence_as({"b": 0, "a": [0, 0]}, [1, 2, 3]),
        *[
            failure(lambda one=one, other=other: n.assert_same_structure(one, other))
            for one, other in [([1, 2], [1]), ([1, 2], (1, 2)), (1, [1]), ({"a": 1}, {"b": 1}), ([1, [2]], [1, 2])]
        ],
        failure(lambda: n.pack_sequence_as([1, 2], [1])),
        failure(lambda: n.pack_sequence_as([1], 3)),
        failure(lambda: n.map_structure(3, [1])),
    ]


# ---- gradients


@case
def gradient_of_branch(tf):
    p = tf.placeholder(tf.bool, [], name="p")
    x = tf.constant(3.0, name="x")
    y = tf.constant(2.0, name="y")
    r = tf.cond(p, lambda: x * y, lambda: tf.square(x))
    return answer(tf, tf.gradients(r, [x, y]), {p: True})


@case
def gradient_of_one_sided_branch(tf):
    p = tf.placeholder(tf.bool, [], name="p")
    x = tf.placeholder(tf.float32, [None], name="x")
    r = tf.cond(p, lambda: x * 2.0, lambda: tf.constant([0.0]))
    return answer(tf, tf.gradients(r, x), {p: False, x: [1.0]})


@case
def gradient_of_loop(tf):
    x = tf.constant(2.0, name="x")
    r = tf.while_loop(lambda i, y: i < 4, lambda i, y: (i + 1, y * x), [tf.constant(0), tf.constant(1.0, name="start")])
    return answer(tf, tf.gradients(r[1], [x, tf.get_default_graph().get_tensor_by_name("start:0")]))


@case
def gradient_of_loop_with_shapes(tf):
    x = tf.placeholder(tf.float32, [None, 2], name="x")
    w = tf.get_variable("w", initializer=[[1.0, 0.5], [0.25, 1.0]], use_resource=True)
    v = tf.get_variable("v", initializer=[0.5, 1.0], use_resource=False)
    r = tf.while_loop(lambda i, h: i < 3, lambda i, h: (i + 1, tf.tanh(tf.matmul(h, w) + v)), [0, x])
    return answer(tf, tf.gradients(tf.reduce_sum(r[1]), [x, w, v]), {x: [[0.1, 0.2], [0.3, -0.4], [0.0, 1.0]]})


@case
def gradient_of_loop_in_loop(tf):
    x = tf.constant(1.5, name="x")

    def body(i, y):
        _, z = tf.while_loop(lambda j, z: j < 2, lambda j, z: (j + 1, z * x + y), [tf.constant(0), y])
        return i + 1, z

    r = tf.while_loop(lambda i, y: i < 2, body, [tf.constant(0), tf.constant(1.0)])
    return answer(tf, tf.gradients(r[1], x))


@case
def gradient_of_branch_in_loop(tf):
    x = tf.constant(1.5, name="x")

    def body(i, y):
        return i + 1, tf.cond(tf.equal(i % 2, 0), lambda: y * x, lambda: tf.square(y))

    r = tf.while_loop(lambda i, y: i < 4, body, [tf.constant(0), tf.constant(1.1)])
    return answer(tf, tf.gradients(r[1], x))


@case
def gradient_of_loop_in_branch(tf):
    p = tf.placeholder(tf.bool, [], name="p")
    x = tf.constant(1.5, name="x")
    r = tf.cond(p, lambda: tf.while_loop(lambda y: y < 10.0, lambda y: y * x, [x]), lambda: x)
    return answer(tf, tf.gradients(r, x), {p: True})


@case
def gradient_of_gather_in_loop(tf):
    x = tf.constant([1.0, 2.0, 3.0], name="x")
    r = tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, y + tf.gather(x, [i, 0]) * y), [0, tf.ones([2])])
    g = tf.gradients(r[1], x)[0]
    return answer(tf, [g.values, g.indices])


@case
def gradient_of_unused_results(tf):
    x = tf.constant(2.0, name="x")
    r = tf.while_loop(lambda i, y, z: i < 3.0, lambda i, y, z: (i + 1.0, y * x, z + y), [0.0, 1.0, 0.5])
    return answer(tf, [*tf.gradients(r[1], x), *tf.gradients(r[2], x, name="gradients_again")])


@case
def gradient_of_map(tf):
    x = tf.constant([1.0, 2.0, 3.0], name="x")
    w = tf.constant(2.0, name="w")
    r = tf.map_fn(lambda row: row * row * w, x)
    return answer(tf, tf.gradients(r, [x, w]))


@case
def gradient_of_scan(tf):
    x = tf.constant([1.0, 2.0, 3.0], name="x")
    r = tf.scan(lambda total, row: total * row, x, initializer=1.0)
    return answer(tf, tf.gradients(r, x))


@case
def gradient_of_arrays(tf):
    x = tf.constant([[1.0, 2.0], [3.0, 4.0]], name="x")
    a = tf.TensorArray(tf.float32, 2, clear_after_read=False).unstack(x)
    b = tf.TensorArray(tf.float32, 2).split(x, [1, 1]).concat()
    c = tf.TensorArray(tf.float32, 2).write(0, x).write(1, x * 2.0).stack()
    total = tf.reduce_sum(a.read(1) * 3.0) + tf.reduce_sum(a.gather([0, 1]) * x) + tf.reduce_sum(b * b) + tf.reduce_sum(c * x)
    return answer(tf, tf.gradients(total, x))


@case
def gradient_of_loop_with_an_unused_start(tf):
    x = tf.placeholder(tf.float32, [None, 3], name="x")
    shapes = [tf.TensorShape([]), tf.TensorShape([None, 3]), tf.TensorShape([None, 3])]
    start = [tf.constant(0), x, tf.zeros([tf.shape(x)[0], 3])]
    r = tf.while_loop(lambda i, y, z: i < 3, lambda i, y, z: (i + 1, y * 2.0, tf.tanh(y)), start, shape_invariants=shapes)
    with tf.name_scope("train"):
        grads = tf.gradients(r[2], x)
    return answer(tf, grads, {x: [[0.1, 0.2, 0.3]]})


# ---- texts in arrays, nests of tensors


@case
def texts_in_arrays(tf):
    x = tf.placeholder(tf.string, [None], name="x")
    mapped = tf.map_fn(lambda text: tf.stack([text, "!"]), x)
    last = tf.foldl(lambda before, text: text, x)
    array = tf.TensorArray(tf.string, 3, clear_after_read=False).unstack(x)
    return answer(tf, [mapped, tf.stack([last, array.read(1)]), array.gather([2, 0])], {x: ["ab", "c", "def"]})


@case
def nests_of_tensors(tf):
    n = tf.placeholder(tf.int32, [], name="n")
    padded = tf.pad(tf.ones([1, 2]), [[0, n], [0, 0]])
    stacks = [tf.stack([[1, 2], [n, 3], [4, 5]]), tf.stack([[n, n], [6, 7]], axis=1), tf.convert_to_tensor([[[1], [n]], [[2], [3]]])]
    return answer(tf, [padded, *stacks], {n: 2})
