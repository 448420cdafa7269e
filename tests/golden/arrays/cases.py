"""Calls of array functions, run by real TensorFlow (write_arrays.py keeps its answers in arrays.json) and by gpersist (test_arrays_golden.py).

A case is a function that gets the module `tf` and gives a tensor, a list of them, or something else that can be printed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

A = np.arange(24.0, dtype=np.float32).reshape(2, 3, 4)
V = np.array([5, 3, 8, 3], np.int32)


def _a(tf: Any) -> Any:
    return tf.constant(A, name="a")


def _p(tf: Any, shape: Any = None, dtype: str = "float32") -> Any:
    return tf.placeholder(dtype, shape, name="p")


CASES: dict[str, Any] = {
    # shapes and sizes
    "shape": lambda tf: [tf.shape(_a(tf)), tf.shape(_p(tf, [None, 2])), tf.shape(_a(tf), out_type=tf.int64), tf.shape([1, 2], name="n")],
    "shape_n": lambda tf: tf.shape_n([_a(tf), _a(tf)]),
    "rank": lambda tf: [tf.rank(_a(tf)), tf.rank(_p(tf)), tf.rank(3)],
    "size": lambda tf: [tf.size(_a(tf)), tf.size(_p(tf, [None, 2])), tf.size(_p(tf, [None, 0])), tf.size(_a(tf), out_type=tf.int64)],
    "reshape": lambda tf: [tf.reshape(_a(tf), [-1, 4]), tf.reshape(_p(tf, [None, 4]), [-1, 2, 2]), tf.reshape(_p(tf, [None, 4]), [8, 4])],
    "reshape_unknown": lambda tf: [tf.reshape(_p(tf, [3, 4]), _p(tf, [2], "int32")), tf.reshape(_p(tf, [3, 4]), _p(tf, [1], "int32"))],
    "reshape_part": lambda tf: tf.reshape(_p(tf, [None, 4]), [tf.shape(_p(tf, [None, 4]))[0], 2, 2]),
    "reshape_wrong": lambda tf: tf.reshape(_a(tf), [5, 5]),
    "reshape_indivisible": lambda tf: tf.reshape(_a(tf), [5, -1]),
    "expand_dims": lambda tf: [
        tf.expand_dims(_a(tf), 1),
        tf.expand_dims(_a(tf), axis=-1, name="e"),
        tf.expand_dims([1], 0),
        tf.expand_dims(_a(tf), dim=0),
    ],
    "expand_dims_outside": lambda tf: tf.expand_dims(_a(tf), 5),
    "expand_dims_none": lambda tf: tf.expand_dims(_a(tf)),
    "squeeze": lambda tf: [
        tf.squeeze(A[:1]),
        tf.squeeze(A[:1], axis=0),
        tf.squeeze(A[:1], [0], name="s"),
        tf.squeeze(_p(tf, [1, None])),
        tf.squeeze(3),
    ],
    "squeeze_wrong": lambda tf: tf.squeeze(_a(tf), [0]),
    # zeros and ones
    "zeros": lambda tf: [
        tf.zeros([2, 3]),
        tf.zeros((2,), tf.int32, name="z"),
        tf.zeros([]),
        tf.zeros([0]),
        tf.zeros([2], tf.bool),
        tf.zeros([2], tf.string),
    ],
    "zeros_large": lambda tf: [tf.zeros([999])[:1], tf.zeros([1000])[:1], tf.zeros([40, 40], tf.int64)[:1, :1]],
    "zeros_int": lambda tf: tf.zeros(3),
    "zeros_shape": lambda tf: [tf.zeros(tf.TensorShape([2, 3])), tf.zeros(tf.shape(_p(tf, [None, 2])))[:0], tf.zeros(tf.constant([2, 3]))],
    "zeros_mixed": lambda tf: tf.zeros([tf.constant(2), 3]),
    "zeros_dimension": lambda tf: tf.zeros([_a(tf).shape[1], 2]),
    "zeros_array": lambda tf: tf.zeros(np.array([2, 3])),
    "zeros_scalar_tensor": lambda tf: tf.zeros(tf.constant(3)),
    "ones": lambda tf: [tf.ones([2, 3]), tf.ones((2,), tf.int32, name="z"), tf.ones([]), tf.ones([2], tf.bool), tf.ones([30, 40])[:1, :1]],
    "ones_mixed": lambda tf: tf.ones([tf.constant(2), 3], tf.float64),
    "zeros_like": lambda tf: [
        tf.zeros_like(_a(tf)),
        tf.zeros_like(_p(tf, [None, 2]))[:0],
        tf.zeros_like(_a(tf), tf.int32),
        tf.zeros_like([1, 2]),
        tf.zeros_like(["a"]),
    ],
    "zeros_like_typed": lambda tf: tf.zeros_like(tf.placeholder_with_default(A, [None, 3, 4]), tf.int32, name="n"),
    "zeros_like_unoptimized": lambda tf: tf.zeros_like(_a(tf), optimize=False),
    "ones_like": lambda tf: [
        tf.ones_like(_a(tf)),
        tf.ones_like(_a(tf), tf.int32),
        tf.ones_like([1, 2], name="o"),
        tf.ones_like(_a(tf), optimize=False),
    ],
    "ones_like_unknown": lambda tf: tf.ones_like(tf.placeholder_with_default(A, [None, 3, 4])),
    "fill": lambda tf: [tf.fill([2, 3], 7), tf.fill([2], "a"), tf.fill(tf.constant([2, 1]), 1.5, name="f")],
    "fill_vector": lambda tf: tf.fill([2], [1]),
    # joining
    "concat": lambda tf: [tf.concat([A, A], 0), tf.concat([_a(tf), _a(tf)], axis=-1, name="c"), tf.concat([[1, 2], [3]], 0), tf.concat([_a(tf)], 1)],
    "concat_one": lambda tf: [tf.concat([[1, 2]], 0), tf.concat(_a(tf), 0), tf.concat([_a(tf)], 0, name="one")],
    "concat_shape": lambda tf: [
        tf.concat([_p(tf, [None, 2]), _p(tf, [3, 2])], 0),
        tf.concat([_p(tf, [None, 2]), _p(tf, [3, None])], 1),
        tf.concat([_p(tf), _p(tf)], 0),
    ],
    "concat_wrong": lambda tf: tf.concat([A, A[:1]], 1),
    "concat_scalars": lambda tf: tf.concat([1, 2], 0),
    "concat_types": lambda tf: tf.concat([tf.constant(1, shape=[1]), tf.constant([1.0])], 0),
    "concat_outside": lambda tf: tf.concat([A, A], 3),
    "stack": lambda tf: [
        tf.stack([1, 2]),
        tf.stack([_a(tf), _a(tf)]),
        tf.stack([_a(tf), _a(tf)], axis=1),
        tf.stack([[1, 2], [3, 4]], -1),
        tf.stack([tf.constant(1), 2]),
    ],
    "stack_wrong": lambda tf: tf.stack([_a(tf), _a(tf)], axis=5),
    "stack_mismatch": lambda tf: tf.stack([tf.zeros([2]), tf.zeros([3])]),
    "parallel_stack": lambda tf: tf.parallel_stack([tf.constant([1, 2]), tf.constant([3, 4])]).op.type,
    "unstack": lambda tf: [*tf.unstack(_a(tf)), *tf.unstack(_a(tf), axis=-1), *tf.unstack(_p(tf), 2), *tf.unstack([1, 2], name="u")],
    "unstack_unknown": lambda tf: tf.unstack(_p(tf, [None])),
    "unstack_outside": lambda tf: tf.unstack(_a(tf), axis=3),
    "split": lambda tf: [
        *tf.split(_a(tf), 2),
        *tf.split(_a(tf), [1, 3], 2),
        *tf.split(_a(tf), 3, axis=1, name="s"),
        *tf.split(_a(tf), [1, -1], 2),
        *tf.split([1, 2], 1),
    ],
    "split_wrong": lambda tf: tf.split(_a(tf), 5),
    "split_sizes_wrong": lambda tf: tf.split(_a(tf), [1, 3]),
    "split_scalar_tensor": lambda tf: tf.split(_a(tf), tf.constant(2)),
    # parts
    "getitem": lambda tf: [_a(tf)[0], _a(tf)[1, 2], _a(tf)[:, 1:], _a(tf)[..., -1], _a(tf)[tf.newaxis, 0], _a(tf)[::-1, ::2], _a(tf)[1:0]],
    "getitem_tensor": lambda tf: [_a(tf)[tf.constant(1)], _a(tf)[:, tf.constant(1) :], _a(tf)[tf.constant(1, tf.int64)], _a(tf)[tf.constant(0) : 2]],
    "getitem_tensor_more": lambda tf: [_a(tf)[: tf.constant(1), :2], _a(tf)[tf.constant(1, tf.int64) :, 1], _a(tf)[:: tf.constant(1)]],
    "getitem_dimension": lambda tf: _a(tf)[: _a(tf).shape[0], tf.TensorShape([None])[0] :],
    "getitem_mask": lambda tf: [_a(tf)[tf.constant([True, False])], _a(tf)[np.array([False, True])]],
    "getitem_all": lambda tf: [_a(tf)[:], _a(tf)[...], _a(tf)[()], _a(tf)[-1, ..., 0], _a(tf)[None, ..., None]],
    "getitem_numpy": lambda tf: [_a(tf)[np.int64(1)], _a(tf)[np.int32(1) :]],
    "getitem_outside": lambda tf: _a(tf)[2],
    "getitem_many": lambda tf: _a(tf)[0, 0, 0, 0],
    "getitem_float": lambda tf: _a(tf)[1.0],
    "getitem_text": lambda tf: _a(tf)["a"],
    "getitem_ellipses": lambda tf: _a(tf)[..., ...],
    "getitem_step_zero": lambda tf: _a(tf)[::0],
    "getitem_list": lambda tf: _a(tf)[[0, 1]],
    "getitem_unknown": lambda tf: [
        _p(tf, [None, 4])[0],
        _p(tf, [None, 4])[1:, 1:3],
        _p(tf, [None, 4])[-1:],
        _p(tf, [None, 4])[:, ::-2],
        _p(tf, [None, 4])[2:5],
        _p(tf)[0],
    ],
    "getitem_unknown_more": lambda tf: [
        _p(tf, [None, 4])[:3],
        _p(tf, [None, 4])[3:1],
        _p(tf, [None, 4])[:-1],
        _p(tf, [None])[..., None],
        _p(tf, [4])[_p(tf, [], "int32") :],
    ],
    "getitem_shape": lambda tf: tf.zeros([tf.shape(_p(tf, [None, 4]))[1], 2]),
    "slice": lambda tf: [
        tf.slice(_a(tf), [0, 1, 0], [1, 2, 3]),
        tf.slice(_a(tf), [0, 1, 0], [-1, 2, -1], name="s"),
        tf.slice(_p(tf, [None, 4]), [1, 1], [2, -1]),
    ],
    "slice_unknown": lambda tf: [
        tf.slice(_p(tf, [None, 4]), [1, 1], [-1, 2]),
        tf.slice(_p(tf), [1, 1], [3, 2]),
        tf.slice(_p(tf, [5, 4]), _p(tf, [2], "int32"), [3, 2]),
    ],
    "slice_wrong": lambda tf: tf.slice(_a(tf), [0, 1, 0], [3, 2, 3]),
    "strided_slice": lambda tf: [tf.strided_slice(_a(tf), [0, 0], [2, 2]), tf.strided_slice(_a(tf), [0], [2], [1], shrink_axis_mask=1, name="s")],
    "gather": lambda tf: [
        tf.gather(_a(tf), [1, 0]),
        tf.gather(_a(tf), [[1], [0]], axis=1),
        tf.gather(_a(tf), 1, axis=-1, name="g"),
        tf.gather(V, [0, 3]),
    ],
    "gather_batch": lambda tf: [tf.gather(_a(tf), [[1], [2]], batch_dims=1), tf.gather(_a(tf), [[1, 0], [2, 3]], axis=2, batch_dims=1)],
    "gather_unknown": lambda tf: [tf.gather(_p(tf, [None, 4]), _p(tf, [None], "int32")), tf.gather(_p(tf), [0])],
    "gather_outside": lambda tf: tf.gather(_a(tf), [2]),
    "gather_negative": lambda tf: tf.gather(_a(tf), [-1]),
    "gather_nd": lambda tf: [tf.gather_nd(_a(tf), [[0, 1], [1, 2]]), tf.gather_nd(_a(tf), [1, 2, 3], name="g"), tf.gather_nd(_a(tf), [[1]])],
    "gather_nd_outside": lambda tf: tf.gather_nd(_a(tf), [[2]]),
    "gather_nd_deep": lambda tf: tf.gather_nd(_a(tf), [[0, 0, 0, 0]]),
    "batch_gather": lambda tf: ["values", tf.batch_gather(_a(tf), [[1], [2]])],
    "one_hot": lambda tf: [
        tf.one_hot([0, 2, -1, 5], 3),
        tf.one_hot([0, 1], 2, on_value=5, off_value=1),
        tf.one_hot([0, 1], 2, dtype=tf.int32, axis=0),
        tf.one_hot(1, 3, name="o"),
    ],
    "one_hot_values": lambda tf: [
        tf.one_hot([0], 2, on_value=True, off_value=False),
        tf.one_hot([0], 2, 1.0, dtype=tf.float32),
        tf.one_hot([0], 2, "a", "b"),
    ],
    "one_hot_types": lambda tf: tf.one_hot([0], 2, on_value=1, off_value=1.0),
    "one_hot_dtype": lambda tf: tf.one_hot([0], 2, on_value=tf.constant(1), dtype=tf.float32),
    "one_hot_depth": lambda tf: tf.one_hot([0], -2),
    # choosing
    "where": lambda tf: [
        tf.where([True, False, True]),
        tf.where([[0, 1], [2, 0]]),
        tf.where([True, False], [1, 2], [3, 4]),
        tf.where(tf.constant([True, False]), A, -A, name="w"),
    ],
    "where_v2": lambda tf: [tf.where_v2([True, False]), tf.where_v2([True, False, True, False], A, 0.0), tf.where_v2(True, 1, 2)],
    "where_half": lambda tf: tf.where([True], x=[1]),
    "where_mismatch": lambda tf: tf.where([True, False], [1, 2, 3], [1, 2, 3]),
    "boolean_mask": lambda tf: [
        tf.boolean_mask(_a(tf), [True, False]),
        tf.boolean_mask(_a(tf), A[0] > 5, axis=1),
        tf.boolean_mask(V, V > 4, name="m"),
    ],
    "boolean_mask_wrong": lambda tf: tf.boolean_mask(_a(tf), [True, False, True]),
    "boolean_mask_scalar": lambda tf: tf.boolean_mask(_a(tf), True),
    "boolean_mask_unknown": lambda tf: tf.boolean_mask(_p(tf, [None, 3]), _p(tf, [None], "bool")),
    # arranging
    "transpose": lambda tf: [
        tf.transpose(_a(tf)),
        tf.transpose(_a(tf), [1, 0, 2]),
        tf.transpose(_a(tf), perm=[0, 2, 1], name="t"),
        tf.transpose([[1, 2]]),
    ],
    "transpose_unknown": lambda tf: [tf.transpose(_p(tf)), tf.transpose(_p(tf, [None, 3]))],
    "transpose_conjugate": lambda tf: tf.transpose(tf.constant([[1 + 2j, 3j]]), conjugate=True),
    "transpose_wrong": lambda tf: tf.transpose(_a(tf), [0, 1]),
    "matrix_transpose": lambda tf: [tf.matrix_transpose(_a(tf)), tf.linalg.matrix_transpose([[1, 2]])],
    "invert_permutation": lambda tf: tf.invert_permutation([2, 0, 1]),
    "invert_permutation_wrong": lambda tf: tf.invert_permutation([2, 0, 2]),
    "tile": lambda tf: [tf.tile(V, [2]), tf.tile(_a(tf), [1, 2, 1], name="t"), tf.tile(_p(tf, [None, 3]), [2, 2])],
    "tile_wrong": lambda tf: tf.tile(_a(tf), [1, 2]),
    "pad": lambda tf: [
        tf.pad(V, [[1, 2]]),
        tf.pad(V, [[1, 2]], constant_values=9),
        tf.pad(V, [[1, 2]], "REFLECT"),
        tf.pad(V, [[1, 2]], mode="symmetric", name="p"),
    ],
    "pad_unknown": lambda tf: [
        tf.pad(_p(tf, [None, 3]), [[1, 1], [0, 2]]),
        tf.pad(_p(tf, [None, 3]), _p(tf, [2, 2], "int32")),
        tf.pad(_p(tf), [[1, 1]]),
    ],
    "pad_part": lambda tf: tf.pad(_p(tf, [2, 3]), tf.stack([tf.stack([1, _p(tf, [], "int32")]), tf.constant([0, 2])])),
    "pad_tensor_value": lambda tf: tf.pad(V, [[1, 2]], constant_values=tf.constant(0)),
    "pad_mode": lambda tf: tf.pad(V, [[1, 2]], "WRAP"),
    "pad_reflect_large": lambda tf: tf.pad(V, [[4, 0]], "REFLECT"),
    "pad_negative": lambda tf: tf.pad(V, [[-1, 0]]),
    "reverse": lambda tf: [tf.reverse(V, [0]), tf.reverse(_a(tf), [-1, 0], name="r"), tf.reverse_v2(_a(tf), axis=[1])],
    "reverse_twice": lambda tf: tf.reverse(_a(tf), [0, 0]),
    "reverse_sequence": lambda tf: [tf.reverse_sequence(A[0], [1, 3, 0], seq_axis=1), tf.reverse_sequence(A, [2, 1, 0, 2], seq_dim=0, batch_dim=2)],
    "reverse_sequence_long": lambda tf: tf.reverse_sequence(A[0], [1, 9, 0], seq_axis=1),
    "roll": lambda tf: [tf.roll(V, 1, 0), tf.roll(_a(tf), [1, -2], [0, 2], name="r")],
    # sequences
    "range": lambda tf: [
        tf.range(3),
        tf.range(1, 7, 2),
        tf.range(3.0),
        tf.range(0, 1, 0.25),
        tf.range(5, 0, -2, name="r"),
        tf.range(3, dtype=tf.int64),
        tf.range(tf.constant(4)),
    ],
    "range_mixed": lambda tf: tf.range(tf.constant(1, tf.int64), 5),
    "range_unknown": lambda tf: tf.range(_p(tf, [], "int32")),
    "range_zero": lambda tf: tf.range(0, 3, 0),
    "range_backwards": lambda tf: tf.range(3, 0),
    "linspace": lambda tf: [
        "values",
        tf.linspace(1.0, 3.0, 5),
        tf.lin_space(0.0, 1.0, 1),
        tf.linspace(tf.constant(1.0, tf.float64), 2.0, 4, name="l"),
    ],
    "meshgrid": lambda tf: [
        *tf.meshgrid([1, 2], [3, 4, 5]),
        *tf.meshgrid([1.0, 2.0], [3.0], indexing="ij"),
        *tf.meshgrid([1], [2, 3], [4, 5], name="m"),
    ],
    "meshgrid_wrong": lambda tf: tf.meshgrid([1], [2], indexing="yx"),
    "eye": lambda tf: [tf.eye(2), tf.eye(2, 3), tf.eye(2, batch_shape=[2], dtype=tf.int32), tf.eye(3, 2, batch_shape=[1], name="e")],
    "eye_tensor": lambda tf: [tf.eye(tf.constant(2)), tf.eye(tf.constant(2), 3), tf.eye(2, batch_shape=tf.constant([2]))],
    "sequence_mask": lambda tf: [tf.sequence_mask([1, 3, 2], 5), tf.sequence_mask([1, 3, 2]), tf.sequence_mask([[1], [0]], 2, tf.float32, name="m")],
    "sequence_mask_wrong": lambda tf: tf.sequence_mask([1], [2]),
    "repeat": lambda tf: [
        tf.repeat([1, 2], 2),
        tf.repeat([1, 2, 3], [0, 1, 2]),
        tf.repeat(A, 2, axis=1),
        tf.repeat(A, [1, 2], axis=0),
        tf.repeat(3, 2),
    ],
    # scatter, partition
    "scatter_nd": lambda tf: [tf.scatter_nd([[1], [3], [1]], [5, 6, 7], [5]), tf.scatter_nd([[1]], [[1.0, 2.0]], [2, 2], name="s")],
    "scatter_nd_wrong": lambda tf: tf.scatter_nd([[1]], [1, 2], [5]),
    "scatter_nd_outside": lambda tf: tf.scatter_nd([[7]], [1], [5]),
    "tensor_scatter": lambda tf: [
        tf.tensor_scatter_nd_update(V, [[1]], [9]),
        tf.tensor_scatter_nd_add(V, [[1], [1]], [9, 1]),
        tf.tensor_scatter_nd_sub(V, [[1]], [9], name="s"),
        tf.tensor_scatter_nd_max(V, [[1]], [4]),
        tf.tensor_scatter_nd_min(V, [[0]], [4]),
        tf.tensor_scatter_update(V, [[1]], [9]),
        tf.tensor_scatter_add(V, [[1]], [9]),
    ],
    "dynamic_partition": lambda tf: tf.dynamic_partition(A, [1, 0], 2) + tf.dynamic_partition(V, [0, 2, 0, 1], 4, name="d"),
    "dynamic_partition_outside": lambda tf: tf.dynamic_partition(V, [0, 2, 0, 5], 4),
    "dynamic_stitch": lambda tf: [
        tf.dynamic_stitch([[0, 2], [1]], [[1, 2], [3]]),
        tf.dynamic_stitch([[0], _p(tf, [1], "int32")], [[1.0], [2.0]], name="d").shape,
    ],
    # sets
    "unique": lambda tf: [
        *tf.unique(V),
        *tf.unique(V, out_idx=tf.int64, name="u"),
        *tf.unique([1.0, float("nan"), float("nan")]),
        *tf.unique(["b", "a", "b"]),
    ],
    "unique_names": lambda tf: [tf.unique(V)._fields, tf.unique_with_counts(V)._fields, tf.setdiff1d(V, V)._fields, type(tf.unique(V)).__name__],
    "unique_matrix": lambda tf: tf.unique([[1, 2]]),
    "unique_with_counts": lambda tf: tf.unique_with_counts(V),
    "setdiff1d": lambda tf: [*tf.setdiff1d(V, [3]), *tf.setdiff1d(["a", "b"], ["b"], tf.int64)],
    "searchsorted": lambda tf: [
        tf.searchsorted([1, 3, 5], [0, 3, 6]),
        tf.searchsorted([[1, 3, 5]], [[3, 9]], side="right", out_type=tf.int64, name="s"),
    ],
    "searchsorted_side": lambda tf: tf.searchsorted([1, 3, 5], [0, 3, 6], side="up"),
    "unravel_index": lambda tf: [tf.unravel_index([2, 5], [3, 3]), tf.unravel_index(5, [2, 3], name="u")],
    "unravel_index_outside": lambda tf: tf.unravel_index([9], [3, 3]),
    # diagonals
    "diag": lambda tf: [tf.diag([1, 2]), tf.diag_part(tf.diag([1.0, 2.0])), tf.linalg.tensor_diag([1.0], name="d")],
    "matrix_diag": lambda tf: [
        tf.matrix_diag([1, 2]),
        tf.matrix_diag([[1, 2], [3, 4]], k=1),
        tf.linalg.diag([[0, 1], [2, 3]], k=(-1, 0), name="m"),
        tf.matrix_diag(tf.constant([True])),
    ],
    "matrix_diag_size": lambda tf: [
        tf.matrix_diag([1, 2], num_rows=2, num_cols=4, padding_value=9),
        tf.matrix_diag([[1, 2, 3], [4, 5, 6]], k=(0, 1), align="LEFT_RIGHT"),
    ],
    "matrix_diag_wrong": lambda tf: tf.matrix_diag([1, 2], num_rows=1),
    "matrix_diag_part": lambda tf: [
        tf.matrix_diag_part(_a(tf)),
        tf.matrix_diag_part(A, k=(-1, 1), padding_value=7),
        tf.linalg.diag_part(A, k=-1, name="m"),
    ],
    "matrix_diag_part_align": lambda tf: [
        tf.matrix_diag_part(A, k=(-2, 3), align=align) for align in ("LEFT_RIGHT", "RIGHT_LEFT", "LEFT_LEFT", "RIGHT_RIGHT")
    ],
    "matrix_diag_part_outside": lambda tf: tf.matrix_diag_part(_a(tf), k=7),
    "matrix_set_diag": lambda tf: [
        tf.matrix_set_diag(A, [[7, 8, 9.0]] * 2),
        tf.linalg.set_diag(A, [[1.0, 2.0]] * 2, k=-1, name="m"),
        tf.matrix_set_diag(A[0], [[1.0, 2, 3], [4, 5, 0]], k=(-1, 0)),
    ],
    "matrix_band_part": lambda tf: [
        tf.matrix_band_part(_a(tf), 1, 0),
        tf.linalg.band_part(A, -1, 1, name="b"),
        tf.matrix_band_part(V.reshape(2, 2), 0, 0),
    ],
    # space
    "space_to_depth": lambda tf: [
        tf.space_to_depth(A.reshape(1, 2, 4, 3), 2),
        tf.depth_to_space(A.reshape(1, 2, 3, 4), 2, name="d"),
        tf.nn.space_to_depth(A.reshape(1, 2, 4, 3), 2),
    ],
    "space_to_batch": lambda tf: [
        tf.space_to_batch(A.reshape(1, 2, 4, 3), [[0, 0], [0, 0]], 2),
        tf.batch_to_space(A.reshape(4, 1, 2, 3), [[0, 0], [1, 0]], block_size=2, name="b"),
    ],
    "space_to_batch_nd": lambda tf: [tf.space_to_batch_nd(A, [2], [[1, 0]]), tf.batch_to_space_nd(A, [2], [[0, 1]])],
    "required_paddings": lambda tf: (
        tf.required_space_to_batch_paddings([3, 4], [2, 3]) + tf.required_space_to_batch_paddings([3, 4], [2, 3], [[1, 0], [0, 2]])
    ),
    "extract_image_patches": lambda tf: tf.extract_image_patches(A.reshape(1, 4, 3, 2), [1, 2, 2, 1], [1, 1, 1, 1], [1, 1, 1, 1], "SAME"),
    # passing and broadcasting
    "identity": lambda tf: [tf.identity(3), *tf.identity_n([_a(tf), 1]), tf.stop_gradient(_a(tf)), tf.guarantee_const(V)],
    "bitcast": lambda tf: [
        tf.bitcast(_a(tf), tf.int32),
        tf.bitcast(tf.constant([1, 2]), tf.uint8, name="b"),
        tf.bitcast(tf.constant([0, 0, 128, 63], tf.uint8), tf.float32),
    ],
    "bitcast_wrong": lambda tf: tf.bitcast(tf.constant([0, 0, 63], tf.uint8), tf.float32),
    "ensure_shape": lambda tf: [tf.ensure_shape(_p(tf), [None, 2]).shape, tf.ensure_shape(V, [None]), tf.ensure_shape(V, [4], name="e")],
    "ensure_shape_wrong": lambda tf: tf.ensure_shape(V, [3]),
    "broadcast_to": lambda tf: [tf.broadcast_to(V, [2, 4]), tf.broadcast_to(1, [2], name="b"), tf.broadcast_dynamic_shape([2, 1], [3])],
    "broadcast_to_wrong": lambda tf: tf.broadcast_to(V, [2, 3]),
    "broadcast_static_shape": lambda tf: [
        tf.broadcast_static_shape(tf.TensorShape([2, 1]), tf.TensorShape([None, 3])),
        tf.broadcast_static_shape(tf.TensorShape(None), tf.TensorShape([3])),
    ],
    "broadcast_static_shape_wrong": lambda tf: tf.broadcast_static_shape(tf.TensorShape([2]), tf.TensorShape([3])),
}


def _variable(tf: Any, is_resource: bool) -> Any:
    v = tf.Variable(A[0], name="v", use_resource=is_resource)
    first = v[1:, ::2]
    assigned = v[0, 1].assign(5.0)
    return [v.initializer, first, assigned]


CASES["variable"] = lambda tf: _variable(tf, False)
CASES["resource_variable"] = lambda tf: _variable(tf, True)


def _m(tf: Any) -> Any:
    return tf.constant(A[0], name="a")


def _gradient(tf: Any, function: Any, *xs: Any) -> Any:
    return [tf.convert_to_tensor(grad) for grad in tf.gradients(function(*xs), list(xs))]


CASES |= {
    "gradient_concat": lambda tf: _gradient(tf, lambda x, y: tf.concat([x, y], 1), _m(tf), _m(tf)),
    "gradient_concat_unknown": lambda tf: _gradient(tf, lambda x, y: tf.concat([x, y], -1), _p(tf, [None, 2]), _p(tf, [None, 3])),
    "gradient_split": lambda tf: _gradient(tf, lambda x: tf.split(x, 2, 1), _m(tf)),
    "gradient_splitv": lambda tf: _gradient(tf, lambda x: tf.split(x, [1, 2], 0), _m(tf)),
    "gradient_slice": lambda tf: _gradient(tf, lambda x: tf.slice(x, [0, 1], [1, 2]), _m(tf)),
    "gradient_strided": lambda tf: _gradient(tf, lambda x: x[1:, ::2], _m(tf)),
    "gradient_strided_unknown": lambda tf: _gradient(tf, lambda x: x[1:, ::2], _p(tf, [None, 4])),
    "gradient_stack": lambda tf: _gradient(tf, lambda x, y: tf.stack([x, y], 1), _m(tf), _m(tf)),
    "gradient_unstack": lambda tf: _gradient(tf, lambda x: tf.unstack(x), _m(tf)),
    "gradient_gather": lambda tf: _gradient(tf, lambda x: tf.gather(x, [0, 2]), _m(tf)),
    "gradient_gather_unknown": lambda tf: _gradient(tf, lambda x: tf.gather(x, [[0, 2]]), _p(tf, [None, 4])),
    "gradient_gather_nd": lambda tf: _gradient(tf, lambda x: tf.gather_nd(x, [[0, 2]]), _m(tf)),
    "gradient_scatter_nd": lambda tf: _gradient(tf, lambda x: tf.scatter_nd([[0], [2], [1]], x, [5, 4]), _m(tf)),
    "gradient_expand": lambda tf: _gradient(tf, lambda x: tf.expand_dims(x, 0), _m(tf)),
    "gradient_squeeze": lambda tf: _gradient(tf, lambda x: tf.squeeze(tf.expand_dims(x, 0)), _p(tf, [None, 4])),
    "gradient_transpose": lambda tf: _gradient(tf, lambda x: tf.transpose(x), _m(tf)),
    "gradient_tile": lambda tf: _gradient(tf, lambda x: tf.tile(x, [2, 1]), _m(tf)),
    "gradient_tile_unknown": lambda tf: _gradient(tf, lambda x: tf.tile(x, [2, 1]), _p(tf, [None, 4])),
    "gradient_pad": lambda tf: _gradient(tf, lambda x: tf.pad(x, [[1, 1], [0, 2]]), _m(tf)),
    "gradient_padv2": lambda tf: _gradient(tf, lambda x: tf.pad(x, [[1, 1], [0, 2]], constant_values=3.0), _m(tf)),
    "gradient_mirror": lambda tf: _gradient(tf, lambda x: tf.pad(x, [[1, 1], [0, 2]], "REFLECT"), _m(tf)),
    "gradient_select": lambda tf: _gradient(tf, lambda x, y: tf.where([True, False, True], x, y), _m(tf), _m(tf)),
    "gradient_selectv2": lambda tf: _gradient(tf, lambda x, y: tf.where_v2([[True], [False], [True]], x, y), _m(tf), _m(tf)),
    "gradient_selectv2_b": lambda tf: _gradient(tf, lambda x, y: tf.where_v2([[True], [False], [True]], x, y), _m(tf), _p(tf, [])),
    "gradient_reshape": lambda tf: _gradient(tf, lambda x: tf.reshape(x, [4, 3]), _m(tf)),
    "gradient_reshape_unknown": lambda tf: _gradient(tf, lambda x: tf.reshape(x, [-1]), _p(tf, [None, 3])),
    "gradient_fill": lambda tf: _gradient(tf, lambda x: tf.fill([2, 3], x), _p(tf, [])),
    "gradient_broadcast_to": lambda tf: _gradient(tf, lambda x: tf.broadcast_to(x, [2, 3, 4]), _m(tf)),
    "gradient_reverse": lambda tf: _gradient(tf, lambda x: tf.reverse(x, [0]), _m(tf)),
    "gradient_roll": lambda tf: _gradient(tf, lambda x: tf.roll(x, 1, 0), _m(tf)),
    "gradient_identity_n": lambda tf: _gradient(tf, lambda x: tf.identity_n([x, x]), _m(tf)),
    "gradient_diag": lambda tf: _gradient(tf, lambda x: tf.matrix_diag(x), _m(tf)),
    "gradient_diag_part": lambda tf: _gradient(tf, lambda x: tf.matrix_diag_part(x), _m(tf)),
    "gradient_set_diag": lambda tf: _gradient(tf, lambda x, y: tf.matrix_set_diag(x, y), _m(tf), tf.constant([1.0, 2, 3])),
    "gradient_band": lambda tf: _gradient(tf, lambda x: tf.matrix_band_part(x, 1, 0), _m(tf)),
    "gradient_boolean_mask": lambda tf: _gradient(tf, lambda x: tf.boolean_mask(x, [True, False, True]), _m(tf)),
    "gradient_scatter_update": lambda tf: _gradient(tf, lambda x, y: tf.tensor_scatter_nd_update(x, [[0]], y), _m(tf), tf.constant(A[0, :1])),
    "gradient_scatter_add": lambda tf: _gradient(tf, lambda x, y: tf.tensor_scatter_nd_add(x, [[0]], y), _m(tf), tf.constant(A[0, :1])),
    "gradient_space_to_depth": lambda tf: _gradient(tf, lambda x: tf.space_to_depth(tf.reshape(x, [1, 2, 2, 3]), 2), _m(tf)),
    "gradient_space_to_batch_nd": lambda tf: _gradient(tf, lambda x: tf.space_to_batch_nd(x, [2], [[0, 0]]), _m(tf)),
    "gradient_dynamic_partition": lambda tf: _gradient(tf, lambda x: tf.dynamic_partition(x, [0, 1, 0], 2), _m(tf)),
    "gradient_dynamic_stitch": lambda tf: _gradient(tf, lambda x, y: tf.dynamic_stitch([[0, 1, 2], [3, 4, 5]], [x, y]), _m(tf), _m(tf)),
    "gradient_gather_axis": lambda tf: _gradient(tf, lambda x: tf.gather(x, [0, 2], axis=1), _m(tf)),
    "gradient_ones_like": lambda tf: _gradient(tf, lambda x: tf.zeros_like(x) + x, _p(tf, [None, 2])),
    "gradient_ensure": lambda tf: _gradient(tf, lambda x: tf.ensure_shape(x, [3, 4]), _m(tf)),
    "gradient_reverse_sequence": lambda tf: _gradient(tf, lambda x: tf.reverse_sequence(x, [1, 2, 3], 1), _m(tf)),
}


NEWER_ATTRS = {"bad_indices_policy", "validate_shape", "debug_name", "allowed_devices", "_has_manual_control_dependencies", "_class"}


def answer(tf: Any, case: Any) -> Any:
    """What a case makes: nodes, tensors, values; or the class of the error that it raises, when it is built or when it is run."""
    graph = tf.Graph()
    with graph.as_default():
        try:
            made = case(tf)
        except Exception as error:
            return {"error": [found.__name__ for found in type(error).__mro__]}
        results = list(made) if isinstance(made, (list, tuple)) else [made]
        only_values = results[0] == "values" if isinstance(results[0], str) else False
        tensors = [item for item in results if isinstance(item, tf.Tensor)]
        found: dict[str, Any] = {
            "results": [
                [str(item.dtype.name), str(item.shape)] + ([] if only_values else [item.name]) if isinstance(item, tf.Tensor) else _plain(item)
                for item in results
            ]
        }
        if not only_values:
            found["nodes"] = [
                [
                    node.name,
                    node.op,
                    list(node.input),
                    {key: " ".join(str(value).split()) for key, value in node.attr.items() if key not in NEWER_ATTRS},
                ]
                for node in graph.as_graph_def().node
            ]
        is_fed = any(op.type == "Placeholder" for op in graph.get_operations())
        if not is_fed and tensors:
            with tf.Session(graph=graph) as session:
                try:
                    for item in results:
                        if isinstance(item, tf.Operation):
                            session.run(item)
                    values = [session.run(tensor) for tensor in tensors]
                except tf.errors.OpError as error:
                    return {**found, "error": [entry.__name__ for entry in type(error).__mro__]}
            found["values"] = [_listed(np.asarray(value)) for value in values]
    return found


def _plain(item: Any) -> Any:
    return str(getattr(item, "name", item)) if not isinstance(item, tuple) else list(item)


def _listed(value: Any) -> Any:
    """Type, shape and elements of an array."""
    is_plain = value.dtype.kind in "biuf"
    elements = [(None if item != item else item) if is_plain else str(item) for item in value.reshape(-1).tolist()]
    return ["text" if value.dtype.kind in "OSV" else str(value.dtype), list(value.shape), elements]
