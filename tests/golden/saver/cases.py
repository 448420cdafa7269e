"""Small programs that save and restore, each giving something that JSON can hold.

`write_saver.py` runs them with real TensorFlow and keeps the answers in `saver.json`; tests/train/test_golden.py runs them with gpersist and
compares.
A case is a function that gets the module `tf`. The graph is new for each, and so is the working directory.
"""

from __future__ import annotations

import pathlib
import time
from typing import Any

import numpy as np

NEWER_ATTRS = {("VarHandleOp", "debug_name"), ("VarHandleOp", "allowed_devices"), ("AssignVariableOp", "validate_shape")}
NEWER_OPS = {"DisableCopyOnRead"}

CASES: dict[str, Any] = {}


def case(function: Any) -> Any:
    CASES[function.__name__] = function
    return function


def failure(do: Any, exact: bool = True) -> Any:
    """The error that a call raises: its class, and its text where ours is to be the same."""
    try:
        found = do()
    except Exception as error:
        return {"error": [kind.__name__ for kind in type(error).__mro__], "message": str(error) if exact else None}
    return ["nothing raised", repr(found)]


def attr_text(value: Any) -> str:
    return " ".join(str(value).split())


def nodes(tf: Any, prefix: str = "save") -> Any:
    found = []
    for node in tf.get_default_graph().as_graph_def().node:
        if not node.name.startswith(prefix) or node.op in NEWER_OPS:
            continue
        attrs = {key: attr_text(value) for key, value in node.attr.items() if (node.op, key) not in NEWER_ATTRS}
        attrs.pop("_has_manual_control_dependencies", None)
        found.append([node.name, node.op, list(node.input), node.device, attrs])
    return found


def built(tf: Any, saver: Any, prefix: str = "save") -> Any:
    return [nodes(tf, prefix), attr_text(saver.as_saver_def())]


def two(tf: Any, resource: bool = False) -> Any:
    b = tf.Variable([1.0, 2.0], name="b", use_resource=resource)
    a = tf.Variable(3, name="a", use_resource=resource)
    return a, b


def session(tf: Any) -> Any:
    sess = tf.Session()
    sess.run(tf.global_variables_initializer())
    return sess


def files(folder: str = ".") -> Any:
    """The files of a folder; gpersist gives those of a checkpoint that is saved again another number of shards."""
    return sorted(str(path).replace("-of-00002", "-of-00001") for path in pathlib.Path(folder).rglob("*") if path.is_file())


def content(path: str) -> Any:
    return pathlib.Path(path).read_bytes().hex()


# ---- nodes


@case
def nodes_of_references(tf: Any) -> Any:
    two(tf)
    return built(tf, tf.train.Saver())


@case
def nodes_of_resources(tf: Any) -> Any:
    two(tf, True)
    return built(tf, tf.train.Saver())


@case
def nodes_on_devices(tf: Any) -> Any:
    with tf.device("/gpu:0"):
        tf.Variable(1.0, name="a", use_resource=True)
    with tf.device("/cpu:0"):
        tf.Variable(1.0, name="b")
    return built(tf, tf.train.Saver())


@case
def nodes_sharded(tf: Any) -> Any:
    with tf.device("/gpu:0"):
        tf.Variable(1.0, name="a")
    with tf.device("/cpu:0"):
        tf.Variable(1.0, name="b")
    tf.Variable(1.0, name="c")
    with tf.device("/job:worker/task:1/device:GPU:2"):
        tf.Variable(1.0, name="d", use_resource=True)
    return built(tf, tf.train.Saver(sharded=True))


@case
def nodes_sharded_on_one(tf: Any) -> Any:
    two(tf)
    return built(tf, tf.train.Saver(sharded=True))


@case
def nodes_reshaped(tf: Any) -> Any:
    tf.Variable([[1.0, 2.0]], name="a")
    tf.Variable(tf.placeholder(tf.float32, None), validate_shape=False, name="b")
    tf.Variable([[1.0, 2.0]], name="c", use_resource=True)
    return built(tf, tf.train.Saver(reshape=True))


@case
def nodes_of_unknown_shape(tf: Any) -> Any:
    tf.Variable(tf.placeholder(tf.float32, None), validate_shape=False, name="b")
    return built(tf, tf.train.Saver())


@case
def nodes_v1(tf: Any) -> Any:
    two(tf)
    return built(tf, tf.train.Saver(write_version=tf.train.SaverDef.V1))


@case
def nodes_v1_sharded(tf: Any) -> Any:
    with tf.device("/gpu:0"):
        tf.Variable(1.0, name="a")
    tf.Variable(1.0, name="b")
    return built(tf, tf.train.Saver(write_version=tf.train.SaverDef.V1, sharded=True))


@case
def nodes_partitioned(tf: Any) -> Any:
    for resource in (False, True):
        with tf.variable_scope(f"s{resource:d}", use_resource=resource):
            tf.get_variable("v", [5, 3], partitioner=tf.fixed_size_partitioner(2))
    return built(tf, tf.train.Saver())


@case
def nodes_partitioned_in_dict(tf: Any) -> Any:
    v = tf.get_variable("v", [5, 3], partitioner=tf.fixed_size_partitioner(2, axis=1))
    return built(
        tf, tf.train.Saver({"x": v, "y": tf.Variable(1.0, name="q"), "z": list(tf.get_variable("w", [4], partitioner=tf.fixed_size_partitioner(2)))})
    )


@case
def nodes_named(tf: Any) -> Any:
    two(tf)
    saver = tf.train.Saver(name="mine", filename="foo", max_to_keep=None, keep_checkpoint_every_n_hours=2)
    return built(tf, saver, "mine")


@case
def nodes_in_scopes(tf: Any) -> Any:
    a, _ = two(tf)
    with tf.name_scope("outer"), tf.device("/device:CPU:1"), tf.control_dependencies([tf.no_op(name="before")]):
        saver = tf.train.Saver({"x": a})
    return built(tf, saver, "outer")


@case
def nodes_of_second_saver(tf: Any) -> Any:
    _, b = two(tf)
    tf.train.Saver()
    return built(tf, tf.train.Saver([b], restore_sequentially=True), "save_1")


@case
def nodes_of_base_builder(tf: Any) -> Any:
    with tf.device("/job:w/task:2/gpu:1"):
        two(tf)
    return built(tf, tf.train.Saver(builder=tf._saver_builder()))


@case
def nodes_of_objects(tf: Any) -> Any:
    builder = tf._saver_builder

    class Doubled(builder.SaveableObject):
        def __init__(self, variable: Any, name: str) -> None:
            specs = [builder.SaveSpec(variable * 2, "", name + "_x2"), builder.SaveSpec(variable + 1, "", name + "_p1")]
            super().__init__(variable.op, specs, name)
            self.variable = variable

        def restore(self, tensors: Any, shapes: Any) -> Any:
            return self.variable.assign(tensors[0] / 2)

    a, b = tf.Variable(1.0, name="a"), tf.Variable([1.0], name="b")
    saver = tf.train.Saver([Doubled(a, "obj"), b])
    sess = session(tf)
    saver.save(sess, "./m")
    found = built(tf, saver)
    sess.run(a.assign(7.0))
    saver.restore(sess, "./m")
    return [found, sess.run([a, b])[0].tolist(), sorted(tf.train.list_variables("./m"))]


@case
def nodes_in_order_of_names(tf: Any) -> Any:
    names = ["z", "a_1", "a/b", "a.b", "B", "a10", "a2"]
    variables = [tf.Variable(1.0, name=name) for name in names]
    return built(tf, tf.train.Saver({f"k{number}/{name}": v for number, (name, v) in enumerate(zip(names, variables, strict=True))}))


# ---- what the constructor refuses


@case
def constructor_errors(tf: Any) -> Any:
    a, b = two(tf)
    c = tf.constant(1.0)
    saver_def = tf.train.SaverDef
    return [
        failure(lambda: tf.train.Saver([a, a])),
        failure(lambda: tf.train.Saver({"x": a, "y": a})),
        failure(lambda: tf.train.Saver([])),
        failure(lambda: tf.train.Saver({})),
        failure(lambda: tf.train.Saver([c])),
        failure(lambda: tf.train.Saver({"a": c})),
        failure(lambda: tf.train.Saver([3]), exact=False),
        failure(lambda: tf.train.Saver({"a": 3})),
        failure(lambda: tf.train.Saver("abc")),
        failure(lambda: tf.train.Saver(a)),
        failure(lambda: tf.train.Saver(v for v in [a]), exact=False),
        failure(lambda: tf.train.Saver({1: a})),
        failure(lambda: tf.train.Saver([a], defer_build=True)),
        failure(lambda: tf.train.Saver(saver_def=3)),
        failure(lambda: tf.train.Saver(saver_def=saver_def())),
        failure(lambda: tf.train.Saver(saver_def=saver_def(save_tensor_name="x"))),
        failure(lambda: tf.train.Saver({"a": [b]})),
    ]


@case
def no_variables(tf: Any) -> Any:
    saver = tf.train.Saver(allow_empty=True)
    sess = tf.Session()
    return [
        failure(lambda: tf.train.Saver()),
        saver.saver_def is None,
        saver.save(sess, "./e"),
        saver.restore(None, "nix"),
        files(),
    ]


@case
def kinds_of_lists(tf: Any) -> Any:
    a, b = two(tf)
    found = []
    for var_list in ([a, b], (a, b), {a, b}, [[a], (b,)], {"x": a, "b": b}, [a.op.outputs[0]]):
        tf.train.Saver(var_list)
        found.append(attr_text(tf.get_default_graph().get_operations()[-1].node_def))
    return found


@case
def finalized_graph(tf: Any) -> Any:
    two(tf)
    saver = tf.train.Saver()
    sess = session(tf)
    tf.get_default_graph().finalize()
    return [failure(lambda: tf.train.Saver()), saver.save(sess, "./m"), saver.restore(sess, "./m")]


@case
def deferred(tf: Any) -> Any:
    two(tf)
    saver = tf.train.Saver(defer_build=True)
    sess = session(tf)
    found = [failure(lambda: saver.save(sess, "./m")), len(nodes(tf))]
    saver.build()
    saver.build()
    return [*found, len(nodes(tf)), saver.save(sess, "./m")]


@case
def other_graphs(tf: Any) -> Any:
    graph = tf.Graph()
    with graph.as_default():
        a = tf.Variable(1.0, name="a")
    saver = tf.train.Saver([a])
    with tf.Graph().as_default():
        empty = tf.Session()
        failures = [failure(lambda: saver.save(empty, "./m")), failure(lambda: saver.restore(empty, "./m"), exact=False)]
        tf.constant(1.0)
        failures.append(failure(lambda: saver.save(tf.Session(), "./m"), exact=False))
    return [
        saver.saver_def.save_tensor_name,
        [op.name for op in graph.get_operations()][-3:],
        failures,
        failure(lambda: tf.train.Saver([a, tf.Variable(1.0, name="b")]), exact=False),
    ]


# ---- saving


@case
def what_save_returns(tf: Any) -> Any:
    a, _ = two(tf)
    sess = session(tf)
    step = tf.Variable(41, name="global_step")
    sess.run(step.initializer)
    saver = tf.train.Saver()
    padded = tf.train.Saver(pad_step_number=True)
    return [
        saver.save(sess, "d/m"),
        saver.save(sess, "d/m", global_step=3),
        saver.save(sess, "d/m", 5),
        saver.save(sess, "d/m", global_step=step),
        saver.save(sess, "d/m", global_step=step + 1),
        saver.save(sess, "d/m", global_step="global_step:0"),
        saver.save(sess, "d/m", global_step=np.int64(7)),
        saver.save(sess, "d/m", global_step=True),
        saver.save(sess, "d/m", global_step=-1),
        saver.save(sess, b"d/bytes"),
        saver.save(sess, "bare"),
        padded.save(sess, "d/p", global_step=12),
        padded.save(sess, "d/p", global_step=a),
        tf.train.Saver(sharded=True).save(sess, "d/s"),
        tf.train.Saver(write_version=tf.train.SaverDef.V1).save(sess, "d/o"),
        tf.train.Saver(write_version=tf.train.SaverDef.V1, sharded=True).save(sess, "d/os"),
        files(),
    ]


@case
def save_errors(tf: Any) -> Any:
    two(tf)
    sess = session(tf)
    saver = tf.train.Saver()
    closed = tf.Session()
    closed.close()
    return [
        failure(lambda: saver.save(None, "./q")),
        failure(lambda: saver.save(3, "./q")),
        failure(lambda: saver.save(closed, "./q")),
        failure(lambda: saver.save(sess, "./q", latest_filename="a/b")),
        failure(lambda: saver.save(sess, "./checkpoint")),
        saver.save(sess, "./checkpoint", global_step=1),
        failure(lambda: saver.save(sess, "./c-1", latest_filename="c-1")),
        tf.train.Saver(sharded=True).save(sess, "./checkpoint"),
        failure(lambda: saver.save(sess, None)),
        failure(lambda: saver.save(sess, 3)),
        failure(lambda: saver.save(sess, ""), exact=False),
        failure(lambda: saver.save(sess, "./q", global_step=1.5), exact=False),
        failure(lambda: saver.save(sess, "./q", global_step="b:0"), exact=False),
        failure(lambda: saver.save(sess, "./q", global_step="nix:0"), exact=False),
    ]


@case
def missing_folders(tf: Any) -> Any:
    two(tf)
    sess, empty = session(tf), tf.Session()
    saver = tf.train.Saver()
    old = tf.train.Saver(write_version=tf.train.SaverDef.V1)
    return [
        failure(lambda: saver.save(sess, "n1/m")),
        failure(lambda: saver.save(sess, "n2/x/m")),
        failure(lambda: tf.train.Saver(sharded=True).save(sess, "n3/m")),
        failure(lambda: tf.train.Saver(sharded=True).save(sess, "n3/x/m")),
        failure(lambda: old.save(sess, "n4/m")),
        failure(lambda: saver.save(empty, "n5/m")),
        failure(lambda: saver.save(empty, "m")),
        failure(lambda: saver.save(empty, "./m"), exact=False),
        files(),
    ]


@case
def uninitialized_resource(tf: Any) -> Any:
    two(tf, True)
    return [failure(lambda: tf.train.Saver().save(tf.Session(), "./m"), exact=False), files()]


@case
def arguments_of_save(tf: Any) -> Any:
    two(tf)
    sess = session(tf)
    saver = tf.train.Saver()
    saver.save(sess, "a/m", write_meta_graph=False)
    saver.save(sess, "b/m", write_state=False)
    saver.save(sess, "c/m", latest_filename="state")
    saver.save(sess, "d/m", meta_graph_suffix="graph")
    saver.save(sess, "e/m", strip_default_attrs=True)
    return [
        files(),
        saver.last_checkpoints,
        pathlib.Path("c/state").read_text(),
        tf.train.latest_checkpoint("c"),
        tf.train.latest_checkpoint("c", "state"),
    ]


@case
def bytes_of_checkpoints(tf: Any) -> Any:
    tf.Variable(np.arange(6, dtype=np.float32).reshape(2, 3), name="z")
    tf.Variable(np.arange(4, dtype=np.int64), name="a/b")
    tf.Variable([b"x", b"yz"], name="text")
    tf.Variable(True, name="flag")
    tf.Variable(np.zeros((0, 3), np.float64), name="empty")
    tf.Variable(1.5, name="a", use_resource=True)
    tf.get_variable("part", [5, 2], partitioner=tf.fixed_size_partitioner(2), initializer=tf.constant_initializer(4.0))
    sess = session(tf)
    tf.train.Saver().save(sess, "./m", write_meta_graph=False)
    tf.train.Saver(sharded=True).save(sess, "./s", write_meta_graph=False)
    return {path: content(path) for path in files() if not path.endswith("checkpoint")}


# ---- state files and retention


def states(path: str = "d/checkpoint") -> str:
    return pathlib.Path(path).read_text()


@case
def state_files(tf: Any) -> Any:
    two(tf)
    sess = session(tf)
    found = []
    for number, options in enumerate(({}, {"save_relative_paths": True}, {"max_to_keep": 0}, {"max_to_keep": None}, {"max_to_keep": 2})):
        saver = tf.train.Saver(**options)
        folder = f"f{number}"
        for step in (1, 2, 10):
            saver.save(sess, f"{folder}/m", step)
        found.append([states(f"{folder}/checkpoint"), saver.last_checkpoints, files(folder), tf.train.latest_checkpoint(folder)])
    tf.train.Saver().save(sess, "bare")
    return [*found, states("checkpoint"), tf.train.latest_checkpoint("."), tf.train.latest_checkpoint(""), tf.train.latest_checkpoint("f9")]


@case
def state_files_with_absolute_paths(tf: Any) -> Any:
    two(tf)
    sess = session(tf)
    here = str(pathlib.Path.cwd())
    found = []
    for options in ({}, {"save_relative_paths": True}):
        saver = tf.train.Saver(**options)
        path = saver.save(sess, here + "/abs/m", 1)
        saver.save(sess, here + "/abs/m", 2)
        found.append([path.replace(here, "H"), states("abs/checkpoint").replace(here, "H"), [p.replace(here, "H") for p in saver.last_checkpoints]])
        found.append([tf.train.latest_checkpoint("abs").replace(here, "H"), tf.train.latest_checkpoint(here + "/abs").replace(here, "H")])
    return found


@case
def retention(tf: Any) -> Any:
    two(tf)
    sess = session(tf)
    saver = tf.train.Saver(max_to_keep=2)
    found = []
    for step in (1, 2, 1, 3, 4):
        saver.save(sess, "d/m", step)
        found.append([saver.last_checkpoints, files("d")])
    saver.set_last_checkpoints(["d/m-3", "d/m-4"])
    saver.save(sess, "d/m", 5)
    found.append([saver.last_checkpoints, files("d")])
    other = tf.train.Saver(max_to_keep=1)
    other.recover_last_checkpoints(["d/m-4", "d/nix", "d/m-5"])
    found.append(other.last_checkpoints)
    other.save(sess, "d/m", 6)
    other.save(sess, "d/m", 7)
    found.append([other.last_checkpoints, files("d")])
    other.set_last_checkpoints_with_time([("d/m-7", time.time() - 9)])
    return [*found, other.last_checkpoints, failure(lambda: other.set_last_checkpoints(("x",)))]


@case
def retention_by_hours(tf: Any) -> Any:
    two(tf)
    sess = session(tf)
    saver = tf.train.Saver(max_to_keep=1, keep_checkpoint_every_n_hours=1e-9)
    never = tf.train.Saver(max_to_keep=1, keep_checkpoint_every_n_hours=1)
    for step in range(3):
        time.sleep(0.01)
        saver.save(sess, "d/m", step)
        never.save(sess, "n/m", step)
    return [files("d"), files("n")]


@case
def retention_of_other_formats(tf: Any) -> Any:
    two(tf)
    sess = session(tf)
    for number, options in enumerate(({"write_version": 1}, {"write_version": 1, "sharded": True}, {"sharded": True})):
        saver = tf.train.Saver(max_to_keep=1, **options)
        for step in range(3):
            saver.save(sess, f"./m{number}", step)
    return files()


@case
def checkpoint_functions(tf: Any) -> Any:
    two(tf)
    sess = session(tf)
    saver = tf.train.Saver()
    saver.save(sess, "d/m", 1)
    saver.save(sess, "d/m", 2)
    old = tf.train.Saver(write_version=1, sharded=True).save(sess, "d/o")
    train = tf.train
    state = train.get_checkpoint_state("d")
    proto = train.generate_checkpoint_state_proto
    found = [
        attr_text(state),
        train.get_checkpoint_state("nix"),
        [train.checkpoint_exists(path) for path in ("d/m-1", "d/m-3", old, "d/o", "d/m-1.index", "d", "nix/x")],
        len(train.get_checkpoint_mtimes(["d/m-1", "d/m-2", "d/m-3", old])),
        attr_text(proto("d", "d/m-1")),
        attr_text(proto("d", "d/m-2", ["d/m-1", "d/m-2"], [1.5, 2.5], 0.5)),
        attr_text(proto("/abs", "/abs/m", ["/abs/k"])),
        attr_text(proto("/abs", "m", ["/abs/k", "m"])),
        attr_text(proto("d", "/abs/m")),
        failure(lambda: proto("d", "d/m-1", ["d/m-1"], [1.0, 2.0])),
    ]
    train.update_checkpoint_state("d", "d/m-1", ["d/m-2", "d/m-1"], all_model_checkpoint_timestamps=[3.0, 4.0])
    found += [states(), train.latest_checkpoint("d")]
    train.update_checkpoint_state("d", "d/m-9", latest_filename="other")
    found += [states("d/other"), train.latest_checkpoint("d", "other")]
    found.append(failure(lambda: train.update_checkpoint_state("d", "d/checkpoint"), exact=False))
    train.remove_checkpoint("d/m-1")
    train.remove_checkpoint(old, tf.train.SaverDef.V1)
    train.remove_checkpoint("nix/nix")
    found.append(files())
    pathlib.Path("d/checkpoint").write_text("nonsense {")
    found.append(train.latest_checkpoint("d"))
    pathlib.Path("d/checkpoint").write_text("")
    found.append(failure(lambda: train.latest_checkpoint("d")))
    return found


# ---- restoring


def restored(tf: Any, path: Any, make: Any, **options: Any) -> Any:
    """The values of variables that are made, and restored in a session of their own."""
    with tf.Graph().as_default():
        variables = make()
        sess = tf.Session()
        tf.train.Saver(**options).restore(sess, path)
        return [sess.run(v).tolist() for v in variables]


def saved(tf: Any) -> None:
    two(tf)
    sess = session(tf)
    tf.train.Saver().save(sess, "d/m")
    tf.train.Saver(sharded=True).save(sess, "d/s")
    tf.train.Saver(write_version=1).save(sess, "d/o")
    tf.train.Saver(write_version=1, sharded=True).save(sess, "d/os")


@case
def restores(tf: Any) -> Any:
    saved(tf)
    here = str(pathlib.Path.cwd())
    paths = ["d/m", "d/s", "d/o", "d/os-?????-of-00001", "d/os-00000-of-00001", here + "/d/m", "./d/../d/m", b"d/m"]
    return [restored(tf, path, lambda: [tf.Variable([9.0, 9.0], name="b"), tf.Variable(9, name="a")]) for path in paths]


@case
def restore_errors(tf: Any) -> Any:
    saved(tf)

    def make() -> Any:
        return [tf.Variable([9.0, 9.0], name="b"), tf.Variable(9, name="a")]

    def failed(path: Any, exact: bool = False) -> Any:
        return failure(lambda: restored(tf, path, make), exact)

    pathlib.Path("d/text").write_text("hello")
    return [
        *(failed(path, exact=True) for path in ("d/os", "d/none", "", "nix", "nix/nix", None)),
        *(failed(path) for path in ("d", "d/m.index", "d/m.meta", "d/m.data-00000-of-00001", "d/text", 3)),
    ]


@case
def mismatches(tf: Any) -> Any:
    saved(tf)

    def failed(*variables: Any, path: str = "d/m", **options: Any) -> Any:
        return failure(lambda: restored(tf, path, lambda: [tf.Variable(value, name=name) for name, value in variables], **options), exact=False)

    return [
        failed(("b", [1.0, 2.0]), ("c", 2), ("d", 3)),
        failed(("b", [1.0, 2.0, 3.0])),
        failed(("b", [[1.0, 2.0]])),
        failed(("b", [1, 2])),
        failed(("a", 1.0), ("c", 1)),
        failed(("b", [1.0]), ("c", 1)),
        failed(("b", [[1.0], [2.0], [3.0]]), reshape=True),
        restored(tf, "d/m", lambda: [tf.Variable([[1.0], [2.0]], name="b")], reshape=True),
        restored(tf, "d/m", lambda: [tf.Variable([1.0, 2.0, 3.0], name="b", use_resource=True)]),
        failed(("c", 1), path="d/o"),
        failed(("a", 1.5), path="d/o"),
        failed(("b", [1.0]), path="d/o"),
    ]


@case
def nothing_half_restored(tf: Any) -> Any:
    saved(tf)
    with tf.Graph().as_default():
        a, b = tf.Variable(7, name="a"), tf.Variable([5.0, 6.0], name="b")
        c = tf.Variable(1, name="c")
        sess = session(tf)
        failed = failure(lambda: tf.train.Saver().restore(sess, "d/m"), exact=False)
        return [failed, [sess.run(v).tolist() for v in (a, b, c)]]


@case
def damaged(tf: Any) -> Any:
    saved(tf)

    def make() -> Any:
        return [tf.Variable([9.0, 9.0], name="b")]

    found = []
    for prefix, change in (("m", lambda raw: raw[:-1] + bytes([raw[-1] ^ 1])), ("s", lambda raw: raw[:-2])):
        path = pathlib.Path(f"d/{prefix}.data-00000-of-00001")
        path.write_bytes(change(path.read_bytes()))
        found.append(failure(lambda prefix=prefix: restored(tf, f"d/{prefix}", make), exact=False))
    pathlib.Path("d/m.data-00000-of-00001").unlink()
    found.append(failure(lambda: restored(tf, "d/m", make), exact=False))
    pathlib.Path("d/s.index").write_bytes(b"hello")
    found.append(failure(lambda: restored(tf, "d/s", make), exact=False))
    return found


@case
def restore_arguments(tf: Any) -> Any:
    saved(tf)
    saver = tf.train.Saver()
    closed = tf.Session()
    closed.close()
    return [
        failure(lambda: saver.restore(closed, "d/m")),
        failure(lambda: saver.restore(None, "d/m"), exact=False),
        failure(lambda: saver.restore(tf.Session(), None)),
    ]


@case
def partitioned(tf: Any) -> Any:
    values = np.arange(15, dtype=np.float32).reshape(5, 3)
    v = list(tf.get_variable("v", [5, 3], partitioner=tf.fixed_size_partitioner(2)))
    sess = session(tf)
    sess.run([v[0].assign(values[:3]), v[1].assign(values[3:])])
    tf.train.Saver().save(sess, "./p")

    def again(parts: int, axis: int = 0) -> Any:
        return lambda: list(tf.get_variable("v", [5, 3], partitioner=tf.fixed_size_partitioner(parts, axis=axis)))

    found = [restored(tf, "./p", again(parts, axis)) for parts, axis in ((2, 0), (3, 0), (1, 0), (3, 1))]
    found.append(restored(tf, "./p", lambda: [tf.get_variable("v", [5, 3])]))
    with tf.Graph().as_default():
        tf.get_variable("v", initializer=values)
        tf.train.Saver().save(session(tf), "./w")
    found += [restored(tf, "./w", again(parts)) for parts in (1, 2)]
    found.append(
        failure(lambda: restored(tf, "./p", lambda: list(tf.get_variable("v", [4, 3], partitioner=tf.fixed_size_partitioner(2)))), exact=False)
    )
    return found


@case
def renamed(tf: Any) -> Any:
    saved(tf)
    with tf.Graph().as_default():
        x, y = tf.Variable([0.0, 0.0], name="x"), tf.Variable(0, name="y", use_resource=True)
        sess = tf.Session()
        tf.train.Saver({"b": x}).restore(sess, "d/m")
        tf.train.Saver({"a": y}).restore(sess, "d/m")
        return [sess.run(x).tolist(), int(sess.run(y))]


@case
def messages_of_savers(tf: Any) -> Any:
    two(tf)
    saver = tf.train.Saver()
    sess = session(tf)
    twin = tf.train.Saver(saver_def=saver.as_saver_def())
    found = [
        attr_text(saver.to_proto("save")),
        saver.to_proto("x"),
        saver.to_proto() is saver.saver_def,
        attr_text(tf.train.Saver.from_proto(tf.train.SaverDef.FromString(saver.as_saver_def().SerializeToString()), "scope").saver_def),
        twin.save(sess, "./t", 1),
        twin.last_checkpoints,
    ]
    tf.add_to_collection(tf.GraphKeys.SAVERS, saver)
    meta = saver.export_meta_graph("./x.meta")
    found += [attr_text(meta.collection_def["savers"].bytes_list.value), attr_text(meta.saver_def), files()]
    with tf.Graph().as_default():
        again = tf.train.import_meta_graph("./x.meta", import_scope="in")
        found += [attr_text(again.saver_def), [type(s).__name__ for s in tf.get_collection("savers")]]
        other = tf.Session()
        again.restore(other, "./t-1")
        found.append([other.run("in/a:0").tolist(), other.run("in/b:0").tolist()])
    return found


# ---- looking into checkpoints


@case
def readers(tf: Any) -> Any:
    saved(tf)
    found: list[Any] = []
    for path in ("d/m", "d/o"):
        reader = tf.train.NewCheckpointReader(path)
        found += [
            sorted(reader.get_variable_to_shape_map().items()),
            sorted((name, dtype.name) for name, dtype in reader.get_variable_to_dtype_map().items()),
            [reader.has_tensor(name) for name in ("a", "b", "c")],
            reader.get_tensor("b").tolist(),
            [type(reader.get_tensor("a")).__name__, int(reader.get_tensor("a"))],
            failure(lambda reader=reader: reader.get_tensor("c"), exact=False),
            sorted(reader.debug_string().decode().splitlines()) if path == "d/m" else None,
        ]
    found += [failure(lambda path=path: tf.train.NewCheckpointReader(path), exact=False) for path in ("nix", "d/m.meta", "d")]
    return found


@case
def lists(tf: Any) -> Any:
    saved(tf)
    train = tf.train
    return [
        train.list_variables("d/m"),
        train.list_variables("d"),
        train.load_variable("d/m", "b").tolist(),
        train.load_variable("d", "b:0").tolist(),
        sorted(train.load_checkpoint("d").get_variable_to_shape_map()),
        failure(lambda: train.load_variable("d/m", "nix"), exact=False),
        failure(lambda: train.list_variables("nix"), exact=False),
        failure(lambda: train.load_checkpoint(".")),
    ]


@case
def iterates(tf: Any) -> Any:
    saved(tf)
    iterator = tf.train.checkpoints_iterator("d", timeout=0)
    calls = []
    again = tf.train.checkpoints_iterator("nix", timeout=0, timeout_fn=lambda: calls.append(1) or len(calls) > 1)
    return [list(iterator), list(again), len(calls)]


@case
def writes_graphs(tf: Any) -> Any:
    two(tf)
    graph = tf.get_default_graph()
    found = [tf.train.write_graph(graph, "g/h", "x.pbtxt"), tf.train.write_graph(graph.as_graph_def(), "g", "x.pb", as_text=False)]
    text = pathlib.Path("g/h/x.pbtxt").read_text()
    return [*found, text.count("node {"), text.splitlines()[:3], len(tf.GraphDef.FromString(pathlib.Path("g/x.pb").read_bytes()).node)]


@case
def initializes_from_checkpoints(tf: Any) -> Any:
    with tf.variable_scope("old"):
        tf.get_variable("x", initializer=[1.0, 2.0])
        y = list(tf.get_variable("y", [3, 1], partitioner=tf.fixed_size_partitioner(2)))
    tf.get_variable("z", initializer=7)
    sess = session(tf)
    sess.run([y[0].assign([[3.0], [4.0]]), y[1].assign([[5.0]])])
    tf.train.Saver().save(sess, "d/m")

    def initialized(make: Any, mapping: Any) -> Any:
        with tf.Graph().as_default():
            variables = make()
            tf.train.init_from_checkpoint("d", mapping(variables) if callable(mapping) else mapping)
            sess = session(tf)
            return [sess.run(v).tolist() for v in variables]

    def scope() -> Any:
        with tf.variable_scope("new"):
            return [tf.get_variable("x", [2]), tf.get_variable("y", [3, 1])]

    def parts() -> Any:
        with tf.variable_scope("new"):
            return list(tf.get_variable("y", [3, 1], partitioner=tf.fixed_size_partitioner(3)))

    def plain() -> Any:
        return [tf.get_variable("q", [2]), tf.get_variable("r", [], tf.int32, use_resource=True)]

    found = [
        initialized(scope, {"old/": "new/"}),
        initialized(scope, [("old/x", "new/x"), ("old/y", "new/y")]),
        initialized(parts, {"old/y": "new/y"}),
        initialized(parts, lambda v: {"old/y": v}),
        initialized(plain, lambda v: {"old/x": v[0], "z": v[1]}),
        failure(lambda: initialized(plain, {"nix": "q"}), exact=False),
        failure(lambda: initialized(plain, {"old/y": "q"})),
        failure(lambda: initialized(plain, {"old": "nix/"})),
    ]
    with tf.Graph().as_default():
        tf.get_variable("q", [2])
        tf.train.init_from_checkpoint("d/m", {"old/x": "q"})
        found.append(nodes(tf, "checkpoint_initializer"))
        found.append([op.name for op in tf.get_default_graph().get_operations()])
    return found


# ---- the operations by themselves


@case
def operations(tf: Any) -> Any:
    raw = tf.raw_ops
    x = tf.constant([[1.0, 2.0], [3.0, 4.0]])
    sess = tf.Session()
    sess.run(
        raw.SaveV2(prefix="./r", tensor_names=["b", "a", "c", "c"], shape_and_slices=["", "", "2 2 0,1:-", "2 2 1,1:-"], tensors=[x, 1, x[:1], x[1:]])
    )
    read = raw.RestoreV2(
        prefix="./r", tensor_names=["a", "b", "c", "c"], shape_and_slices=["", "2 2 -:1,1", "", "2 2 0,2:0,1"], dtypes=[tf.int32] + [tf.float32] * 3
    )
    found: list[Any] = [
        [value.tolist() for value in sess.run(read)],
        [tensor.shape.as_list() if tensor.shape.rank is not None else None for tensor in read],
    ]

    def restore(names: Any, slices: Any, types: Any) -> Any:
        return failure(lambda: sess.run(raw.RestoreV2(prefix="./r", tensor_names=names, shape_and_slices=slices, dtypes=types)), exact=False)

    found += [
        restore(["nix"], [""], [tf.float32]),
        restore(["b"], [""], [tf.int32]),
        restore(["b"], ["3 2 0,1:-"], [tf.float32]),
        restore(["b"], ["x"], [tf.float32]),
        restore(["b"], ["", ""], [tf.float32]),
        restore(["b", "a"], [""], [tf.float32]),
        failure(lambda: sess.run(raw.SaveV2(prefix="./q", tensor_names=["a"], shape_and_slices=["", ""], tensors=[x])), exact=False),
        failure(lambda: sess.run(raw.SaveV2(prefix="./q", tensor_names=["a", "a"], shape_and_slices=["", ""], tensors=[x, x])), exact=False),
        failure(lambda: sess.run(raw.SaveV2(prefix="./q", tensor_names=["a"], shape_and_slices=["3 2 0,2:0,1"], tensors=[x])), exact=False),
        failure(lambda: sess.run(raw.SaveV2(prefix="n/n/q", tensor_names=["a"], shape_and_slices=[""], tensors=[x])), exact=False),
    ]
    for name, part in (("t/x", "a"), ("t/y", "b")):
        sess.run(raw.SaveV2(prefix=name, tensor_names=[part], shape_and_slices=[""], tensors=[x]))
    sess.run(raw.MergeV2Checkpoints(checkpoint_prefixes=["t/x", "t/y"], destination_prefix="./merged"))
    found += [[path for path in files() if "tempstate" not in path], content("merged.index"), content("merged.data-00001-of-00002")]
    found.append(failure(lambda: sess.run(raw.MergeV2Checkpoints(checkpoint_prefixes=["t/x"], destination_prefix="./again")), exact=False))
    sess.run(raw.SaveSlices(filename="./v1", tensor_names=["a", "b"], shapes_and_slices=["", "2 2 0,1:-"], data=[x, x[:1]]))
    sess.run(raw.Save(filename="./v0", tensor_names=["a"], data=[x]))
    found += [
        sess.run(raw.RestoreSlice(file_pattern="./v1", tensor_name="b", shape_and_slice="2 2 0,1:-", dt=tf.float32)).tolist(),
        sess.run(raw.Restore(file_pattern="./v0", tensor_name="a", dt=tf.float32)).tolist(),
        sess.run(raw.RestoreV2(prefix="./v1", tensor_names=["a"], shape_and_slices=[""], dtypes=[tf.float32]))[0].tolist(),
        sess.run(raw.ShardedFilename(basename="m", shard=3, num_shards=12)).decode(),
        sess.run(raw.ShardedFilespec(basename="m", num_shards=12)).decode(),
        failure(lambda: sess.run(raw.Restore(file_pattern="./v0", tensor_name="q", dt=tf.float32)), exact=False),
    ]
    return found
