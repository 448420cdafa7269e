"""More programs with datasets for `programs`: sparse elements, groups, choices, CSV files and what `tf.data.experimental` has."""
# programs as people write them

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np


def write_files(folder: Path, tf: Any) -> None:
    (folder / "c1.csv").write_bytes(b'a,b,c\n1,2.5,x\n2,,"y, ""z"""\n3,4.5,\n')
    (folder / "c2.csv").write_bytes(b"4,1e3,w\r\n5,-1,\r\n")
    (folder / "bad.csv").write_bytes(b"1,2\nx,3\n4,5,6\n7,8\n")
    (folder / "blank.csv").write_bytes(b"1,2\n\n3,4\n\n5,")
    (folder / "quoted.csv").write_bytes(b'"a\nb",1\n"c ""d""\r\n",2\n"i,j",5')
    with tf.python_io.TFRecordWriter(str(folder / "e.tfr")) as writer:
        for number in range(3):
            writer.write(_example(tf, number))


def _example(tf: Any, number: int) -> bytes:
    ints = tf.train.Feature(int64_list=tf.train.Int64List(value=range(number)))
    one = tf.train.Feature(float_list=tf.train.FloatList(value=[number / 2]))
    return tf.train.Example(features=tf.train.Features(feature={"v": ints, "x": one})).SerializeToString()  # type: ignore[no-any-return]


def add(tf: Any, do: Callable[..., None], path: Callable[[str], str]) -> None:
    """Runs them."""
    D = tf.data.Dataset
    R = D.range
    E = tf.data.experimental

    # ---- sparse elements
    def sparse() -> Any:
        return tf.SparseTensor([[0, 1], [1, 0], [1, 2], [3, 1]], [1, 2, 3, 4], [4, 3])

    do("sparse whole", lambda: D.from_tensors(sparse()))
    do("sparse value", lambda: D.from_tensors((tf.SparseTensorValue([[0]], [1.5], [2]), 1)))
    do("sparse rows", lambda: D.from_tensor_slices((sparse(), [1, 2, 3, 4])))
    do("sparse batch", lambda: D.from_tensor_slices((sparse(), [1, 2, 3, 4])).batch(3))
    do("sparse batch whole", lambda: D.from_tensor_slices({"s": sparse()}).batch(2, drop_remainder=True).map(lambda d: d["s"]))
    do("sparse map", lambda: D.from_tensor_slices((sparse(), [1, 2, 3, 4])).map(lambda s, x: tf.sparse.to_dense(s) * x))
    do("sparse made", lambda: R(3).map(lambda x: (tf.SparseTensor([[x]], [x], [x + 1]), x)).repeat(2))
    do("sparse unbatch", lambda: D.from_tensors((sparse(), [[1], [2], [3], [4]])).unbatch())
    do("sparse zip", lambda: D.zip((D.from_tensor_slices(sparse()).shuffle(4, seed=2), R(9))).take(3))
    do("sparse concatenated", lambda: D.from_tensors(sparse()).concatenate(D.from_tensors(sparse())))
    do("sparse padded", lambda: D.from_tensor_slices(sparse()).padded_batch(2))
    do("sparse filter", lambda: D.from_tensor_slices(sparse()).filter(lambda s: tf.size(s.values) > 0))
    do("sparse reduce", lambda: D.from_tensors(D.from_tensor_slices(sparse()).reduce(0, lambda n, s: n + tf.size(s.values))))
    do("sparse uneven", lambda: R(3).map(lambda x: tf.SparseTensor([[x]], [x], [x + 1])).batch(3))
    serialized = [_example(tf, number) for number in range(4)]
    features = {"v": tf.VarLenFeature(tf.int64), "x": tf.FixedLenFeature([], tf.float32)}
    do("sparse parsed", lambda: D.from_tensor_slices(serialized).map(lambda s: tf.parse_single_example(s, features)).batch(2))
    do("sparse parsed together", lambda: D.from_tensor_slices(serialized).batch(2).map(lambda s: tf.parse_example(s, features)))
    do("dense to sparse", lambda: R(1, 5).map(lambda x: tf.fill([x], x)).apply(E.dense_to_sparse_batch(3, [5])))
    do("dense to sparse open", lambda: R(1, 5).map(lambda x: tf.fill([x, 2], x)).sparse_batch(2, [None, 2]))
    do("dense to sparse small", lambda: R(1, 5).map(lambda x: tf.fill([x], x)).sparse_batch(2, [2]))
    do("dense to sparse rank", lambda: R(1, 5).map(lambda x: tf.fill([x], x)).sparse_batch(2, [2, 2]))
    do("dense to sparse two", lambda: D.zip((R(3), R(3))).sparse_batch(2, [2]))

    # ---- groups
    def window(key: Any, group: Any) -> Any:
        return group.batch(10).map(lambda x: (key, x))

    do("windows", lambda: R(11).apply(E.group_by_window(lambda x: x % 3, window, 2)))
    do("windows sized", lambda: R(11).group_by_window(lambda x: x % 2, window, window_size_func=lambda key: key + 2))
    do("windows zero", lambda: R(3).group_by_window(lambda x: x % 2, window, 0))
    do("windows both", lambda: R(3).group_by_window(lambda x: x % 2, window, 1, lambda key: key))
    do("windows key", lambda: R(3).group_by_window(lambda x: tf.cast(x, tf.float32), window, 1))
    do("windows not sets", lambda: R(3).group_by_window(lambda x: x, lambda key, group: key, 1))
    do("windows flat", lambda: R(7).group_by_window(lambda x: x % 2, lambda key, group: group, 3))
    ragged = lambda: D.from_generator(lambda: iter([[1] * n for n in (1, 5, 2, 3, 8, 7, 2)]), tf.int64, [None])  # noqa: E731
    do("buckets", lambda: ragged().apply(E.bucket_by_sequence_length(tf.size, [3, 6], [2, 2, 2])))
    do("buckets to boundary", lambda: ragged().bucket_by_sequence_length(tf.size, [3, 6, 9], [2, 2, 2, 2], pad_to_bucket_boundary=True))
    do("buckets dropping", lambda: ragged().bucket_by_sequence_length(tf.size, [3, 6], [2, 2, 2], drop_remainder=True, padding_values=np.int64(-1)))
    do("buckets sizes", lambda: ragged().bucket_by_sequence_length(tf.size, [3, 6], [2, 2]))
    do("buckets unpadded", lambda: R(6).bucket_by_sequence_length(lambda x: tf.cast(x, tf.int32), [3], [2, 2], no_padding=True))
    count = E.Reducer(lambda key: (np.int64(0), np.int64(0)), lambda state, x: (state[0] + 1, state[1] + x), lambda n, total: total / n)
    do("reduced", lambda: R(10).apply(E.group_by_reducer(lambda x: (7 - x) % 3, count)))
    do("reduced badly", lambda: R(10).apply(E.group_by_reducer(lambda x: tf.cast(x, tf.int32), count)))

    # ---- choices
    do("unique", lambda: D.from_tensor_slices([3, 1, 3, 2, 1]).unique())
    do("unique texts", lambda: D.from_tensor_slices(["a", "b", "a"]).apply(E.unique()))
    do("unique floats", lambda: D.from_tensor_slices([1.0, 1.0]).unique())
    do("unique pairs", lambda: D.zip((R(2), R(2))).unique())
    do("unique rows", lambda: D.from_tensor_slices([[1, 2], [2, 1], [1, 2]]).unique())
    do("errors ignored", lambda: D.from_tensor_slices([1.0, 0.0, 2.0]).map(lambda x: tf.check_numerics(1.0 / x, "bad")).apply(E.ignore_errors()))
    do("errors ignored too", lambda: R(4).map(lambda x: 6 // x).ignore_errors(log_warning=False))
    do("rebatch", lambda: R(10).batch(4).rebatch(3))
    do("rebatch sizes", lambda: R(10).batch(4).rebatch([1, 2]))
    do("rebatch exactly", lambda: R(12).batch(4, drop_remainder=True).rebatch(2))
    do("rebatch dropping", lambda: R(10).batch(4).rebatch(3, drop_remainder=True))
    do("rebatch scalars", lambda: R(10).rebatch(3))
    many = np.array([0, 1, 2, 1, 1, 0, 2, 0, 0, 2], np.int64)
    do("chosen", lambda: E.choose_from_datasets([R(3), R(10, 12), R(20, 29)], D.from_tensor_slices(many)))
    do("chosen stopping", lambda: D.choose_from_datasets([R(3), R(10, 12)], D.from_tensor_slices(np.array([0, 1, 1, 1, 0], np.int64))))
    do("chosen badly", lambda: D.choose_from_datasets([R(3), R(10, 12)], D.from_tensor_slices(np.array([0, 2], np.int64))))
    do("chosen by int32", lambda: D.choose_from_datasets([R(3)], D.from_tensor_slices([0])))
    do("chosen of nothing", lambda: D.choose_from_datasets([], R(3)))
    do("chosen of others", lambda: D.choose_from_datasets([R(3), D.from_tensors(1.0)], R(3)))
    do("sampled", lambda: E.sample_from_datasets([R(4), R(10, 14)], seed=3), count=20)
    do("sampled by weights", lambda: D.sample_from_datasets([R(4), R(10, 14), R(20, 24)], [0.2, 0.0, 0.8], seed=3), count=20)
    do("sampled stopping", lambda: D.sample_from_datasets([R(4), R(10, 14)], [0.5, 0.5], seed=5, stop_on_empty_dataset=True), count=20)
    do("sampled by a set", lambda: D.sample_from_datasets([R(4), R(10, 14)], D.from_tensors([0.5, 0.5]).repeat(), seed=5), count=20)
    do("sampled of one", lambda: D.sample_from_datasets([R(4)], [1.0]))
    do("sampled unevenly", lambda: D.sample_from_datasets([R(4)], [1.0, 0.0]))
    do("counted right", lambda: R(3).apply(E.assert_cardinality(3)))
    do("counted short", lambda: R(3).apply(E.assert_cardinality(4)))
    do("counted long", lambda: R(3).apply(E.assert_cardinality(2)))
    do("cardinality", lambda: D.from_tensors(E.cardinality(R(5))))

    # ---- what tf.data.experimental had before
    do("map and batch", lambda: R(5).apply(E.map_and_batch(lambda x: x * 2, 2)))
    do("map and batch parallel", lambda: R(5).apply(E.map_and_batch(lambda x: (x, x), 2, num_parallel_batches=3, drop_remainder=True)))
    do("map and batch both", lambda: R(5).apply(E.map_and_batch(lambda x: x, 2, num_parallel_batches=3, num_parallel_calls=3)))
    do("shuffled and repeated", lambda: R(4).apply(E.shuffle_and_repeat(3, 2, seed=7)), count=20)
    do("shuffled without end", lambda: R(4).apply(E.shuffle_and_repeat(3)), count=9)
    do("parallel interleave", lambda: R(1, 5).apply(E.parallel_interleave(lambda x: D.from_tensors(x).repeat(x), 2, 2)), count=20)
    do("parallel interleave more", lambda: R(1, 7).apply(E.parallel_interleave(lambda x: D.from_tensors(x).repeat(7 - x), 3)), count=30)
    do("counter", lambda: E.Counter().take(3))
    do("counter by", lambda: D.counter(5, -2).take(3))
    do("numbered", lambda: D.from_tensor_slices(["a", "b"]).apply(E.enumerate_dataset(4)))
    do("scanned", lambda: R(5).apply(E.scan(np.int64(0), lambda s, x: (s + x, s * 10))))
    do("taken while", lambda: R(5).apply(E.take_while(lambda x: x < 3)))
    do("unbatched", lambda: R(5).batch(2).apply(E.unbatch()))
    do("single", lambda: D.from_tensors(E.get_single_element(R(1))))
    do("random set", lambda: E.RandomDataset(seed=3).take(3))

    # ---- files
    do("csv", lambda: E.CsvDataset(path("c1.csv"), [tf.int64, tf.constant([9.0]), tf.constant(["none"])], header=True))
    do("csv two", lambda: E.CsvDataset([path("c2.csv"), path("c2.csv")], [tf.int32, tf.float32, tf.string]))
    do("csv chosen", lambda: E.CsvDataset(path("c1.csv"), [tf.string, tf.int32], header=True, select_cols=[0, 2]))
    do("csv chosen ints", lambda: E.CsvDataset(path("c1.csv"), [tf.int32, tf.string], header=True, select_cols=[0, 2]))
    do("csv blank", lambda: E.CsvDataset(path("blank.csv"), [tf.int32, tf.constant([-1])]))
    do("csv quoted", lambda: E.CsvDataset(path("quoted.csv"), [tf.string, tf.int32]))
    do("csv bad", lambda: E.CsvDataset(path("bad.csv"), [tf.int32, tf.int32]))
    do("csv none", lambda: E.CsvDataset(path("nothere.csv"), [tf.int32]))
    do("csv delimiter", lambda: E.CsvDataset(path("bad.csv"), [tf.string], field_delim=";", use_quote_delim=False))
    do("csv na", lambda: E.CsvDataset(path("c2.csv"), [tf.int32, tf.constant([7.0]), tf.string], na_value="-1"))
    do("csv made", lambda: E.make_csv_dataset(path("c1.csv"), 2, shuffle=False, num_epochs=1, label_name="c"))
    do("csv made chosen", lambda: E.make_csv_dataset(path("c1.csv"), 2, shuffle=False, num_epochs=1, select_columns=["c", "a"]))
    do("csv made endless", lambda: E.make_csv_dataset(path("c1.csv"), 2, shuffle_seed=1, column_defaults=[tf.int64, tf.float32, tf.string]), count=3)
    do("csv made none", lambda: E.make_csv_dataset(path("nothere.csv"), 2))
    do("features", lambda: E.make_batched_features_dataset(path("e.tfr"), 2, features, shuffle=False, num_epochs=1))
    do("features labelled", lambda: E.make_batched_features_dataset(path("e.tfr"), 2, features, shuffle=False, num_epochs=1, label_key="x"))
    do("parsed", lambda: D.from_tensor_slices(serialized).batch(3).apply(E.parse_example_dataset(features)))
    do("parsed scalars", lambda: D.from_tensor_slices(serialized).apply(E.parse_example_dataset(features)))
