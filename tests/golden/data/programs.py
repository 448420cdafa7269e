"""Programs with datasets, which gpersist and TensorFlow both run: the elements that they give, errors by class, and the nodes that they make."""
# ruff: noqa: B008, E741  # programs as people write them

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.golden.data import transformations


def plain(value: Any) -> Any:
    """A fetched value as JSON has it, with its type."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, tuple):
        return [plain(each) for each in value]
    array = np.asarray(value)
    return [array.astype(str).tolist() if array.dtype.kind in "OS" else array.tolist(), "string" if array.dtype.kind in "OS" else array.dtype.name]


def write_files(folder: Path, tf: Any) -> None:
    """The files that programs read."""
    (folder / "t1.txt").write_bytes(b"a\nbb\r\n\nc")
    (folder / "t2.txt").write_bytes(b"x\ny\n")
    (folder / "t.gz").write_bytes(gzip.compress(b"z1\nz2\n"))
    (folder / "f.bin").write_bytes(b"HHaabbccF")
    with tf.python_io.TFRecordWriter(str(folder / "r.tfr")) as writer:
        writer.write(b"one")
        writer.write(b"two")


def answers(tf: Any, folder: Path) -> dict[str, Any]:
    """What every program gives."""
    write_files(folder, tf)
    transformations.write_files(folder, tf)
    found: dict[str, Any] = {}
    D = tf.data.Dataset  # programs are read side by side
    R = D.range

    def path(name: str) -> str:
        return str(folder / name)

    def do(name: str, make: Callable[[], Any], count: int = 12, feed: Any = None, runs: int = 1) -> None:
        with tf.Graph().as_default() as graph, tf.Session() as session:
            tf.set_random_seed(1)
            try:
                dataset = make()
            except Exception as error:
                found[name] = {"error": type(error).__name__}
                return
            nodes = [[node.name, node.op, list(node.input)] for node in graph.as_graph_def().node]
            iterator = tf.data.make_initializable_iterator(dataset)
            following = iterator.get_next()
            session.run(tf.global_variables_initializer())
            given: list[Any] = []
            for _ in range(runs):
                try:
                    session.run(iterator.initializer, {graph.get_tensor_by_name("p:0"): feed} if feed else None)
                except tf.errors.OpError as error:
                    given.append(type(error).__name__)
                    break
                failures = 0
                for _ in range(count):
                    try:
                        given.append(plain(session.run(following)))
                    except tf.errors.OpError as error:
                        given.append(type(error).__name__)
                        failures += 1
                        if failures > 2 or isinstance(error, tf.errors.OutOfRangeError):
                            break
            found[name] = {"dataset": repr(dataset), "nodes": nodes, "elements": given}

    do("text", lambda: tf.data.TextLineDataset([path("t1.txt"), path("t2.txt")]))
    do("textgz", lambda: tf.data.TextLineDataset(path("t.gz"), compression_type="GZIP"))
    do("textbad", lambda: tf.data.TextLineDataset(path("nothere")))
    do("textskip", lambda: tf.data.TextLineDataset(path("t1.txt")).skip(1).filter(lambda l: tf.not_equal(l, "")))
    do("tfr", lambda: tf.data.TFRecordDataset(path("r.tfr")))
    do("tfrbad", lambda: tf.data.TFRecordDataset(path("t1.txt")))
    do("flr", lambda: tf.data.FixedLengthRecordDataset(path("f.bin"), 2, 2, 1))
    do("flrbad", lambda: tf.data.FixedLengthRecordDataset(path("f.bin"), 2))

    def gen():
        yield 1, [1, 2]
        yield 2, [3]
        yield 3, [4, 5, 6]

    do("gen", lambda: D.from_generator(gen, (tf.int32, tf.float32), ([], [None])), runs=2)
    do("genrep", lambda: D.from_generator(lambda: iter(range(3)), tf.int64).repeat(2))
    do("genstr", lambda: D.from_generator(lambda: iter(["a", "b"]), tf.string))

    def genbad():
        yield 1
        yield "a"

    do("genbad", lambda: D.from_generator(genbad, tf.int32))

    def genraise():
        yield 1
        raise ValueError("boo")

    do("genraise", lambda: D.from_generator(genraise, tf.int32))
    do("genshape", lambda: D.from_generator(lambda: iter([[1, 2]]), tf.int32, [3]))
    do("genargs", lambda: D.from_generator(lambda a: iter(range(a)), tf.int64, args=(tf.constant(2),)))
    do("batchbad", lambda: R(3).map(lambda x: tf.range(x)).batch(2))
    do("batch0", lambda: R(3).batch(tf.placeholder_with_default(np.int64(0), [])))
    do("padded", lambda: R(5).map(lambda x: tf.fill([x], x)).padded_batch(2, [None]))
    do("padded4", lambda: R(5).map(lambda x: tf.fill([x], x)).padded_batch(3, [4], np.int64(-1), drop_remainder=True))
    do("paddedsmall", lambda: R(5).map(lambda x: tf.fill([x], x)).padded_batch(3, [2]))
    do("paddedstr", lambda: D.from_tensor_slices((["a", "bb"], [[1], [2]])).padded_batch(2, ([], [2])))
    do("mapdiv", lambda: R(4).map(lambda x: 6 // x))
    do("mapcheck", lambda: D.from_tensor_slices([1.0, 0.0, 2.0]).map(lambda x: tf.check_numerics(1.0 / x, "bad")))
    do("filter", lambda: R(8).filter(lambda x: tf.equal(x % 3, 0)))
    do("flat", lambda: R(4).flat_map(lambda x: D.from_tensor_slices(tf.fill([x], x))))
    do("inter", lambda: R(1, 5).interleave(lambda x: D.from_tensors(x).repeat(6), cycle_length=2, block_length=4), count=30)
    do("inter2", lambda: R(1, 6).interleave(lambda x: D.from_tensors(x).repeat(x), cycle_length=3, block_length=2), count=30)
    do("interp", lambda: R(1, 6).interleave(lambda x: D.from_tensors(x).repeat(x), cycle_length=3, block_length=2, num_parallel_calls=2), count=30)
    do("window", lambda: R(7).window(3, shift=2).flat_map(lambda w: w.batch(3)))
    do("window2", lambda: R(7).window(2, shift=3, stride=2, drop_remainder=True).flat_map(lambda w: w.batch(3)))
    do("window3", lambda: R(5).window(2, 1).flat_map(lambda w: w.batch(2)))
    do("window4", lambda: D.zip((R(5), R(5, 10))).window(2).flat_map(lambda a, b: D.zip((a.batch(2), b.batch(2)))))
    do("enum", lambda: D.from_tensor_slices(["a", "b"]).enumerate(5))
    do("zip", lambda: D.zip({"a": R(3), "b": (R(2), D.from_tensors(1.0).repeat())}))
    do("concat", lambda: R(2).concatenate(R(5, 7)))
    do("take", lambda: R(5).take(2))
    do("takeneg", lambda: R(3).take(-1))
    do("skip", lambda: R(5).skip(3))
    do("skipneg", lambda: R(3).skip(-1))
    do("shard", lambda: R(7).shard(3, 1))
    do("shardbad", lambda: R(7).shard(3, 3))
    do("unbatch", lambda: D.from_tensor_slices(([[1, 2], [3, 4]], [["a", "b"], ["c", "d"]])).unbatch())
    do("scan", lambda: R(5).scan(np.int64(0), lambda s, x: (s + x, s * 10)))
    do("takewhile", lambda: R(5).take_while(lambda x: x < 3))
    do("cache", lambda: R(3).map(lambda x: x + tf.cast(tf.random_uniform([], seed=1) * 0, tf.int64)).cache().repeat(2))
    do(
        "card",
        lambda: D.from_tensors(
            (
                R(7).batch(2).cardinality(),
                R(7).repeat().cardinality(),
                R(3).filter(lambda x: x > 0).cardinality(),
                R(3).repeat(2).cardinality(),
                R(5).take(2).cardinality(),
                R(5).skip(9).cardinality(),
            )
        ),
    )
    do("reduce", lambda: D.from_tensors(R(5).reduce(np.int64(0), lambda s, x: s + x)))
    do("reduce2", lambda: D.from_tensors(R(5).reduce((np.int64(0), 1.0), lambda s, x: (s[0] + x, s[1] * 2))))
    do("single", lambda: D.from_tensors(R(1).get_single_element()))
    do("singlebad", lambda: D.from_tensors(R(2).get_single_element()))
    do("singlebad0", lambda: D.from_tensors(R(0).get_single_element()))
    do("var", lambda: R(3).map(lambda x, v=tf.get_variable("v", initializer=np.int64(5), use_resource=True): x * v))
    do("refvar", lambda: R(3).map(lambda x, v=tf.Variable(np.int64(5), use_resource=False): x * v))
    do("feed", lambda: D.from_tensor_slices(tf.placeholder(tf.float32, [None], name="p")), feed=[1, 2])
    do("feedneg", lambda: R(tf.placeholder_with_default(np.int64(4), [])).repeat(-1).take(6))
    do("emptyrepeat", lambda: R(0).repeat())
    do("repeat0", lambda: R(3).repeat(0))
    do("cond", lambda: R(4).map(lambda x: tf.cond(x > 1, lambda: x * 10, lambda: -x)))
    do("while", lambda: R(4).map(lambda x: tf.while_loop(lambda i: i < x * 2, lambda i: i + 1, [np.int64(0)])))
    do("pyfunc", lambda: R(4).map(lambda x: tf.py_func(lambda v: v * 2, [x], tf.int64)))
    do("mapfn", lambda: R(3).map(lambda x: tf.map_fn(lambda y: y + x, tf.range(x))))
    do("rand", lambda: R(3).map(lambda x: tf.random_uniform([])), runs=2)
    do("randshuf", lambda: R(10).shuffle(5), runs=2, count=20)
    do("shufbatch", lambda: R(10).shuffle(100, seed=4).batch(4).repeat(2), count=20)
    do("shufbad", lambda: R(10).shuffle(0))
    do("step0", lambda: R(0, 3, 0))
    do("dtype", lambda: R(3, output_type=tf.int32))
    do("rangeneg", lambda: R(5, 0, -2))
    do(
        "parse",
        lambda: D.from_tensor_slices(
            [
                tf.train.Example(
                    features=tf.train.Features(feature={"x": tf.train.Feature(float_list=tf.train.FloatList(value=[i]))})
                ).SerializeToString()
                for i in (1.0, 2.0)
            ]
        ).map(lambda s: tf.parse_single_example(s, {"x": tf.FixedLenFeature([], tf.float32)})),
    )
    do("prefetch", lambda: R(2).prefetch(None))
    do("random", lambda: D.random(seed=3).take(3))
    do("list", lambda: D.list_files(path("t*.txt"), shuffle=False))
    do("listbad", lambda: D.list_files(path("nothing*"), shuffle=False))
    do("parbatch", lambda: R(5).batch(2, num_parallel_calls=2))
    do("concatbad", lambda: R(4).concatenate(D.from_tensors(1.0)))
    do("filterbad", lambda: R(4).filter(lambda x: x))
    do("scalar", lambda: D.from_tensor_slices(1))
    do("uneven", lambda: D.from_tensor_slices(([1, 2], [1, 2, 3])))
    do("dict", lambda: D.from_tensor_slices({"b": [1, 2], "a": [1.0, 2]}).map(lambda d: d["a"]))
    do("mapdict", lambda: R(2).map(lambda d: {"x": d, "y": (d, d)}))
    do("maplist", lambda: R(2).map(lambda d: [d, d]))
    do("zipbad", lambda: D.zip([R(2), R(3)]))
    do("range0", lambda: R())
    do("tuples", lambda: R(3).map(lambda x: (x, (x, x))).map(lambda a, b: a))
    do("options", lambda: R(3).with_options(tf.data.Options()))
    do("seeded", lambda: R(6).shuffle(4, seed=1).map(lambda x: x + 1).repeat(3), count=30)
    do("fixed order", lambda: R(6).shuffle(4, seed=1, reshuffle_each_iteration=False).repeat(3), count=30)
    do("captured", lambda: R(3).map(lambda x, c=tf.constant(3, tf.int64): x * c, num_parallel_calls=2))
    do("once placeholder", lambda: R(3).map(lambda x, p=tf.placeholder(tf.int64): x + p).make_one_shot_iterator())
    do("shared", lambda: D.zip((R(5).shuffle(5, seed=2), R(5).shuffle(5, seed=3))))

    def twice() -> Any:
        source = R(5).shuffle(5, seed=2)
        return D.zip((source, source.map(lambda x: x * 2), source)).repeat(2)

    do("twice", twice)
    do(
        "listed",
        lambda: D.list_files([path("t2.txt"), path("t1*")], seed=3).map(lambda name: tf.strings.substr(name, tf.strings.length(name) - 6, 6)),
    )
    transformations.add(tf, do, path)
    return found
