"""Tables, queues, accumulators and variables that are asked for what they do not do; and text and sparse tensors at their edges."""

from __future__ import annotations

import numpy as np
from program import case, plain, told


def runs(session, make):
    """What an operation gives, or what it says, when it is made or run."""
    found = []

    def do():
        found.append(plain(session.run(make())))

    answer = told(None, do)
    return found[0] if found else answer


@case
def tables(tf):
    found = []
    for keys, values, kind, default in (
        (["a", "b"], [1, 2], tf.int64, -1),
        (["a", "a"], [1, 2], tf.int64, -1),
        ([], [], tf.int64, 7),
        (["a"], [True], tf.bool, False),
    ):
        with tf.Graph().as_default(), tf.Session() as session:
            table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(keys, values, tf.string, kind), default)
            steps = (table.size, lambda: table.lookup(tf.constant(["a", "q"])), lambda: table.initializer, table.size)  # noqa: B023
            found.append([runs(session, step) for step in (*steps, steps[1])])
    with tf.Graph().as_default():
        for keys, values in ((["a", "b"], [1]), ([["a"]], [[1]])):
            found.append(told(tf, lambda: tf.lookup.KeyValueTensorInitializer(keys, values, tf.string, tf.int64).initialize(_handle(tf)))[0])  # noqa: B023
        table = tf.lookup.experimental.MutableHashTable(tf.int64, tf.float32, [0.0, 0.0])
        with tf.Session() as session:
            found.append(runs(session, lambda: table.insert(tf.constant([1, 2], tf.int64), tf.zeros([0, 2]))))
    return found


def _handle(tf):
    class Table:
        resource_handle = tf.raw_ops.HashTableV2(key_dtype=tf.string, value_dtype=tf.int64)
        name = "table"

    return Table()


@case
def queues(tf):
    found = []
    with tf.Session() as session:
        first = tf.FIFOQueue(3, tf.int32, shared_name="shared")
        found.append(runs(session, lambda: first.enqueue(1)))
        for other in (
            tf.FIFOQueue(4, tf.int32, shared_name="shared"),
            tf.FIFOQueue(3, tf.float32, shared_name="shared"),
            tf.RandomShuffleQueue(3, 0, tf.int32, shared_name="shared"),
        ):
            found.append(runs(session, other.size))
        found += [runs(session, first.close), runs(session, first.close)[0]]
    for make in (
        lambda: tf.FIFOQueue(3, tf.int32, shapes=[[None]]),
        lambda: tf.FIFOQueue(3, [tf.int32], shapes=[[], [2]]),
        lambda: tf.FIFOQueue(3, [tf.int32], names=["a", "b"]),
        lambda: tf.PaddingFIFOQueue(5, [tf.int32], shapes=[None]),
        lambda: tf.FIFOQueue(3, [tf.int32, tf.int32], shapes=[[], []]).enqueue_many([[1], [1, 2]]),
    ):
        found.append(told(tf, make))
    return found


@case
def stale_gradients(tf):
    sums = tf.SparseConditionalAccumulator(tf.float32, shape=[None, 2])
    with tf.Session() as session:
        steps = (
            lambda: sums.apply_grad([0], [[1.0, 2.0]]),
            lambda: sums.take_grad(1),
            lambda: sums.apply_grad([-1], [[1.0, 2.0, 3.0]]),
            sums.num_accumulated,
        )
        return [runs(session, step) for step in steps]


@case
def rows_that_are_not_there(tf):
    found = []
    for is_resource in (False, True):
        for change in ("scatter_add", "scatter_update", "scatter_div"):
            with tf.Graph().as_default(), tf.Session() as session:
                variable = tf.get_variable("v", initializer=[4.0, 6.0, 8.0], use_resource=is_resource)
                session.run(variable.initializer)
                indices = tf.constant([0, 5, 1])
                failed = runs(session, lambda: getattr(tf, change)(variable, indices, [2.0, 2.0, 2.0]))  # noqa: B023
                found.append([failed, plain(session.run(variable))])
    return found


@case
def steps_with_wrong_numbers(tf):
    found = []
    for name, numbers in (
        ("ResourceApplyProximalAdagrad", {"lr": 0.0, "l1": 0.0, "l2": 0.0}),
        ("ResourceApplyProximalAdagrad", {"lr": 1.0, "l1": -1.0, "l2": 0.0}),
        ("ResourceSparseApplyFtrl", {"lr": 0.0, "l1": 0.0, "l2": 0.0, "lr_power": -0.5}),
        ("ResourceSparseApplyFtrl", {"lr": 1.0, "l1": 0.0, "l2": -1.0, "lr_power": -0.5}),
        ("ResourceSparseApplyFtrl", {"lr": 1.0, "l1": 0.0, "l2": 0.0, "lr_power": 0.5}),
    ):
        with tf.Graph().as_default(), tf.Session() as session:
            slots = ["var", "accum"] + (["linear"] if "Ftrl" in name else [])
            variables = [tf.get_variable(slot, initializer=[[1.0, 2.0]], use_resource=True) for slot in slots]
            session.run(tf.global_variables_initializer())
            rows = {"indices": [0]} if "Sparse" in name else {}
            handles = {slot: variable.handle for slot, variable in zip(slots, variables, strict=True)}
            found.append(runs(session, lambda: getattr(tf.raw_ops, name)(grad=[[1.0, 1.0]], **handles, **rows, **numbers)))  # noqa: B023
    return found


@case
def sparse_edges(tf):
    ops = tf.raw_ops
    unsorted = {"a_indices": np.array([[0], [1], [1], [0]]), "b_indices": np.array([[0], [1], [2]])}
    shapes = {"a_shape": np.array([4]), "b_shape": np.array([4])}
    with tf.Session() as session:
        made = [
            lambda: ops.SparseSparseMaximum(**unsorted, **shapes, a_values=[0.8, -2.9, -2.2, 2.1], b_values=[0.9, -0.9, 2.3]),
            lambda: ops.SparseAdd(**unsorted, **shapes, a_values=[0.8, -2.9, -2.2, 2.1], b_values=[0.9, -0.9, 2.3], thresh=0.5),
            lambda: ops.SparseSparseMaximum(
                **{**unsorted, "a_indices": np.array([[0], [9]])}, **shapes, a_values=[1.0, 2.0], b_values=[1.0, 2.0, 3.0]
            ),
            lambda: ops.SparseSliceGrad(
                backprop_val_grad=[1.0, 2.0],
                input_indices=np.array([[0, 1], [1, 0]]),
                input_start=np.array([0, 0]),
                output_indices=np.array([[1, 1], [1, 0]]),
            ),
            *(
                lambda limit=limit: ops.DenseCountSparseOutput(values=[[3], [6]], weights=tf.zeros([0]), binary_output=False, maxlength=limit)
                for limit in (-1, 0, 3)
            ),
            lambda: ops.SerializeManySparse(sparse_indices=np.array([[0, 1], [1, 0]]), sparse_values=[1], sparse_shape=np.array([2, 2])),
        ]
        return [runs(session, make) for make in made]


@case
def text_edges(tf):
    ops = tf.raw_ops
    odd = [b"e\x81", b"\xc3\x80", b"\x00a\x00\x01"]
    with tf.Session() as session:
        made = [
            lambda: ops.StringSplitV2(input=["12", "foo bar  baz", "a "], sep="", maxsplit=1),
            *(
                lambda name=name: ops.UnicodeTranscode(input=odd, input_encoding=name, output_encoding="UTF-8", errors="replace", replacement_char=32)
                for name in ("windows-1252", "UTF-16", "UTF-32")
            ),
            lambda: ops.UnicodeTranscode(
                input=odd, input_encoding="UTF-8", output_encoding="UTF-8", errors="strict", replace_control_characters=True
            ),
            lambda: ops.UnicodeTranscode(input=odd, input_encoding="UTF-8", output_encoding="UTF-8", errors="replace", replacement_char=0xD800),
            lambda: ops.StringNGrams(
                data=tf.constant([], tf.string),
                data_splits=np.array([0, 0]),
                separator="|",
                ngram_widths=[1, 2],
                left_pad="L",
                right_pad="",
                pad_width=1,
                preserve_short_sequences=True,
            ),
            lambda: ops.DecodeCSV(records=['1,2,"3" '], record_defaults=[[0], [""]], select_cols=[0, 1]),
            lambda: tf.decode_json_example(
                '{"features": {"feature": {"z": {"int64List": {"value": [300, -1]}}, "a": {"floatList": {"value": [0.5]}}}}}'
            ),
            lambda: ops.StatelessRandomPoisson(shape=[2, 2], seed=[1, 2], lam=[-1.0, np.inf], dtype=tf.int64),
        ]
        shapes = [ops.StringJoin(inputs=[tf.constant(["a", "b"]), tf.placeholder(tf.string)]).shape.as_list()]
        shapes.append(told(tf, lambda: ops.Substr(input=["abc"], pos=[0], len=tf.placeholder(tf.int32, [None])))[0])
        return [runs(session, make) for make in made], shapes


@case
def composites_in_loops(tf):
    found = []
    sparse = tf.SparseTensor([[0, 0]], [1.0], [2, 2])
    ragged = tf.ragged.constant([[1, 2], [3]])
    doubled = lambda s: tf.SparseTensor(tf.concat([s.indices, s.indices], 0), tf.concat([s.values, s.values], 0), s.dense_shape)  # noqa: E731
    for start, body in ((sparse, doubled), (ragged, lambda r: r.with_values(r.values * 2))):
        for shape in (None, [2], [None], [None, None], [2, 2]):
            invariants = None if shape is None else [tf.TensorShape([]), tf.TensorShape(shape)]

            def build():
                result = tf.while_loop(lambda i, _: i < 3, lambda i, v: (i + 1, body(v)), [0, start], shape_invariants=invariants)[1]  # noqa: B023
                return [str(part.shape) for part in tf.nest.flatten(result, expand_composites=True)]

            found.append(_made(build))
    slices = [tf.IndexedSlices(tf.ones([1, 2]), tf.constant([1], kind)) for kind in (tf.int32, tf.int64)]
    pred = tf.placeholder(tf.bool, [])
    for one, other in ((sparse, ragged), (sparse, slices[0]), (slices[0], slices[1]), (ragged, ragged), (ragged, tf.ones([2]))):
        branches = (lambda one=one: tf.nest.map_structure(tf.identity, one, expand_composites=True), lambda other=other: other)
        found.append(_made(lambda branches=branches: [str(part.dtype) for part in tf.nest.flatten(tf.cond(pred, *branches), expand_composites=True)]))
    return found


def _made(build):
    try:
        return build()
    except (TypeError, ValueError) as error:
        return [type(error).__name__, str(error).partition("\n")[0]]


@case
def nests(tf):
    nests = [[1, (2, {"b": 3, "a": [4]})], {"b": 1, "a": (2,)}, (), "text", range(3), None]
    found = [[tf.nest.is_nested(nest), [str(leaf) for leaf in tf.nest.flatten(nest)]] for nest in nests]
    found.append(str(tf.nest.map_structure(lambda a, b: (a, b), nests[0], nests[0])))
    found.append(str(tf.nest.pack_sequence_as(nests[0], [10, 20, 30, 40])))
    for one, other in ((nests[0], nests[1]), ([1, 2], (1, 2)), ([1], [1, 2]), ({"a": 1}, {"b": 1})):
        found.append(told(tf, lambda one=one, other=other: tf.nest.assert_same_structure(one, other)))
    found.append(told(tf, lambda: tf.nest.assert_same_structure([1, 2], (1, 2), check_types=False)))
    return found


@case
def gradient_of_rows_in_a_branch_in_a_loop(tf):
    x = tf.constant([1.0, 2.0, 3.0])

    def body(i, a):
        return i + 1, tf.cond(tf.equal(i, 1), lambda: tf.gather(x, i) * a, lambda: a + x[i])

    result = tf.while_loop(lambda i, _: i < 3, body, [0, tf.constant(1.0)])[1]
    (grad,) = tf.gradients(result, x)
    with tf.Session() as session:
        return [[[node.name, node.op, list(node.input)] for node in tf.get_default_graph().as_graph_def().node], plain(session.run([result, grad]))]


@case
def types_that_change_in_a_loop(tf):
    result = tf.while_loop(lambda i, _: i < 3, lambda i, x: [i + 1, tf.cast(x, tf.int32)], [0, 1.0])
    with tf.Session() as session:
        return told(tf, lambda: session.run(result))[0]
