"""Small expressions, and what they make: nodes, values, errors; asked of real TensorFlow when run as a script, which prints its answers as JSON.

Those are here that no program of tests/golden has.
"""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np

NEWER_ATTRS = {"grad_a", "grad_b", "grad_x", "grad_y", "bad_indices_policy", "_has_manual_control_dependencies"}
"""Attributes that TensorFlow has added since 1.15, whose nodes are the yardstick."""

EXPRESSIONS = """
tf.sort([3., 1., 2.])
tf.sort([3, 1, 2], direction='DESCENDING')
tf.sort(ph(2, 3, 4), axis=1, name='sorted')
tf.sort(tf.constant([3, 1, 2], tf.uint8))
tf.sort(tf.placeholder('int32'))
tf.sort(tf.placeholder('float32'), axis=0)
tf.sort(ph(2, 3), axis=tf.placeholder('int32'))
tf.sort(ph(2, 3), direction='UP')
tf.argsort([[3., 1.], [2., 5.]])
tf.argsort(ph(2, 3, 4), axis=0, stable=True)
tf.argsort([3, 1, 2], direction='DESCENDING', name='places')
tf.random_crop(ph(2, 3, 4), [2, 1, 2], seed=3)
tf.random_crop([1, 2, 3], [2], name='crop')
tf.arg_max(ph(2, 3), 1)
tf.arg_min(ph(2, 3), dimension=0, name='least')
tf.argmax(ph(2, 3), axis=1, output_type='int32')
tf.timestamp(name='now')
tf.matching_files('nothing*')
tf.read_file('nothing')
tf.nn.zero_fraction([0., 1., 0.])
tf.math.zero_fraction(ph(2, 3), name='share')
tf.substr(['abc', 'de'], 1, 1)
tf.py_func(lambda a: a * 2, [[1., 2.]], tf.float32)
tf.py_func(lambda a: (a, 1), [1.], [tf.float32, tf.int64], stateful=False, name='both')
tf.py_func(lambda a: 1 / 0, [1.], tf.float32)
tf.py_func(lambda a: int('x'), [1.], tf.float32)
tf.numpy_function(lambda a: a + 1, [[1, 2]], tf.int32)
tf.hessians(tf.reduce_sum(hold(ph(2)) * held() * held()), held())
[tf.greater_equal(ph(2), 1.), tf.less_equal(ph(2), ph(2), name='le'), tf.logical_and(ph(2) > 1, ph(2) > 2), tf.logical_or(True, ph(2) > 2)]
[tf.logical_not(ph(2) > 1), tf.bitwise.bitwise_or(1, 2), tf.to_complex64(ph(2)), tf.to_complex128(ph(2))]
[tf.ifft(tf.complex(ph(4), ph(4))), tf.fft3d(tf.complex(ph(2, 2, 2), ph(2, 2, 2))), tf.ifft2d(tf.complex(ph(2, 2), ph(2, 2)))]
tf.grad_pass_through(tf.square)(ph(2))
tf.custom_gradient(lambda x: (x * 2., lambda grad: grad * 5.))(ph(2))
[tf.is_tensor(ph(2)), tf.is_tensor(1), tf.dimension_value(tf.Dimension(3)) if hasattr(tf, 'dimension_value') else 3]
tf.nn.atrous_conv2d_transpose(ph(1, 4, 4, 2), ph(3, 3, 2, 2), [1, 4, 4, 2], 2, 'SAME')
tf.nn.conv1d_transpose(ph(1, 4, 2), ph(3, 2, 2), [1, 8, 2], 2)
tf.nn.conv_transpose(ph(1, 4, 4, 2), ph(3, 3, 2, 2), [1, 8, 8, 2], 2)
tf.nn.conv3d_backprop_filter(ph(1, 3, 3, 3, 1), [2, 2, 2, 1, 1], ph(1, 3, 3, 3, 1), [1, 1, 1, 1, 1], 'SAME')
tf.nn.depthwise_conv2d_backprop_filter(ph(1, 4, 4, 2), [3, 3, 2, 1], ph(1, 4, 4, 2), [1, 1, 1, 1], 'SAME')
tf.nn.depthwise_conv2d_backprop_input([1, 4, 4, 2], ph(3, 3, 2, 1), ph(1, 4, 4, 2), [1, 1, 1, 1], 'SAME')
tf.nn.max_pool_v2(ph(1, 4, 4, 1), 2, 2, 'SAME')
tf.nn.max_pool_v2(ph(1, 4, 1), [2], [2], 'VALID', data_format='NWC')
tf.nn.silu(ph(2))
tf.random.stateless_multinomial([[0.5, 0.5]], 3, [1, 2])
tf.strings.unicode_transcode(['a'], 'UTF-8', 'UTF-16-BE')
tf.reduce_mean(ph(2, 3), axis=[0, 1], keepdims=True)
tf.reduce_mean(ph(2, 3), axis=(-1,))
tf.reduce_max(ph(2, 3), axis=np.int64(1))
tf.concat([ph(2, 3), ph(2, 3)], -1)
tf.concat([ph(2, 3), ph(3, 3)], 1)
tf.split(ph(2, 6), [2, -1, 1], axis=-1)
tf.split(ph(2, 6), 4, axis=1)
tf.stack([ph(2), ph(2)], axis=-1)
tf.stack([ph(2), ph(3)])
tf.unstack(ph(2, 3), axis=-1)
tf.gather(ph(3, 2), [0, 2], axis=-2)
tf.gather(ph(2, 3), [[0], [2]], batch_dims=1)
tf.gather(ph(), [0])
tf.gather_nd(ph(2, 3), [[0, 1]])
tf.tile(ph(2, 1), [1, 3])
tf.tile(ph(2, 1), [1])
tf.pad(ph(2, 2), [[1, 0], [0, 1]], mode='reflect')
tf.pad(ph(2, 2), [[1, 0], [0, 1]], constant_values=2.)
tf.pad(ph(2, 2), [[1, 0]])
tf.reshape(ph(2, 3), [-1])
tf.reshape(ph(2, 3), [4, -1])
tf.reshape(ph(2, 3), [-2])
tf.expand_dims(ph(2, 3), -1)
tf.squeeze(ph(1, 2, 1), axis=[0])
tf.squeeze(ph(1, 2, 1), [1])
tf.transpose(ph(2, 3), [1, 0], conjugate=True)
tf.one_hot([0, 2], 3, on_value=5., off_value=1., axis=0)
tf.one_hot(1, depth=3, dtype='int32')
tf.where([True, False], [1., 2.], [3., 4.])
tf.where(ph(2, 3) > 0)
tf.slice(ph(3, 4), [1, 0], [-1, 2])
tf.slice(ph(3, 4), [1, 0], [-2, 2])
tf.strided_slice(ph(3, 4), [0, 1], [3, 4], [2, 1])
ph(3, 4)[..., 1:, tf.newaxis]
ph(3, 4)[5]
tf.cumsum(ph(3), exclusive=True, reverse=True)
tf.clip_by_value([1., 5.], 2., 3.)
tf.range(3)
tf.range(1., 10., 4.)
tf.linspace(0., 1., 3)
tf.fill([2, 3], 7)
tf.fill([2, -3], 7)
tf.zeros([2], 'bool')
tf.ones_like(ph(2, None))
tf.eye(2, 3, batch_shape=[2])
tf.matmul(ph(2, 3), ph(4, 3), transpose_b=True)
tf.matmul(ph(2, 3), ph(4, 2))
tf.nn.top_k(ph(2, 4), 2)
tf.nn.softmax(ph(2, 3), axis=0)
tf.nn.conv2d(ph(1, 4, 4, 2), ph(3, 3, 2, 1), strides=2, padding='SAME')
tf.nn.conv2d(ph(1, 4, 4, 2), ph(3, 3, 3, 1), strides=[1, 1, 1, 1], padding='SAME')
tf.nn.bias_add(ph(2, 3), ph(2))
tf.norm(ph(2, 3), ord='euclidean', axis=1)
tf.cast([1.7, -1.7], 'uint8')
tf.space_to_batch(ph(1, 4, 4, 1), [[0, 0], [0, 0]], 2)
tf.batch_to_space(ph(4, 2, 2, 1), [[0, 1], [0, 0]], block_size=2)
tf.batch_to_space(ph(4, 2, 2, 1), [[0, -1], [0, 0]], block_size=2)
tf.image.hsv_to_rgb([[[0.5, 0.5, 0.5]]])
tf.image.resize_bilinear(ph(1, 2, 2, 1), [3, 3], align_corners=True)
tf.image.resize_nearest_neighbor(ph(1, 2, 2, 1), [3, 3])
tf.image.non_max_suppression([[0., 0., 1., 1.], [0., 0., 1., 1.1]], [0.9, 0.8], 2)
tf.fake_quant_with_min_max_args([0.1, 7., -9.], min=-1, max=1)
tf.audio.encode_wav([[0.5], [-0.5]], 8000)
tf.linalg.expm(ph(2, 2))
tf.linalg.expm(tf.cast(ph(2, 3, 3), 'float64') * .3)
tf.linalg.expm(tf.placeholder('float32', [None, 3, 3]), name='e')
tf.linalg.expm([[1, 2], [3, 4]])
tf.linalg.lstsq(tf.square(ph(3, 2)) + tf.eye(3, 2), ph(3, 1))
tf.matrix_solve_ls(tf.square(ph(2, 3)) + tf.eye(2, 3), ph(2, 1), l2_regularizer=.5, name='ls')
tf.matrix_solve_ls(tf.placeholder('float32', [None, 3]), tf.placeholder('float32', [None, 1]))
tf.matrix_solve_ls(ph(3, 2), ph(3, 1), fast=False)
tf.gradients(tf.raw_ops.MatrixSolveLs(matrix=hold(tf.sqrt(ph(3, 2))), rhs=ph(3, 1), l2_regularizer=.1), held())
tf.linalg.pinv(tf.square(ph(3, 2)))
tf.linalg.pinv(tf.placeholder('float32'), validate_args=True)
tf.linalg.pinv(ph(3))
tf.linalg.pinv(ph(2, 3), rcond=.01, name='p')
tf.linalg.matrix_rank([[1., 2.], [2., 4.]])
tf.linalg.matrix_rank(tf.placeholder('float64', [None, None, 3]), tol=.1)
tf.linalg.matrix_rank(tf.placeholder('float64', [None, None, 3]))
tf.linalg.matrix_rank([[1, 2], [3, 4]])
tf.linalg.tridiagonal_solve(tf.sqrt(ph(3, 4)), ph(4))
tf.linalg.tridiagonal_solve([tf.sqrt(ph(3)), ph(4) * 3, ph(3)], ph(4, 2), diagonals_format='sequence', name='solved')
tf.linalg.tridiagonal_solve(tf.sqrt(ph(3, 3)), ph(2, 3), diagonals_format='matrix', transpose_rhs=True)
tf.linalg.tridiagonal_solve(ph(2, 4), ph(4))
tf.linalg.tridiagonal_solve(ph(3, 4), ph(5))
tf.linalg.tridiagonal_solve(ph(3, 4), ph(4), 'rows')
tf.gradients(tf.linalg.tridiagonal_solve(hold(tf.sqrt(ph(3, 4))), ph(4, 1)), held())
tf.linalg.tridiagonal_matmul(ph(3, 4), ph(4, 2))
tf.linalg.tridiagonal_matmul(ph(4, 4), ph(4, 2), diagonals_format='matrix', name='m')
tf.linalg.tridiagonal_matmul([ph(4), ph(4), ph(4)], ph(4, 2), diagonals_format='sequence')
tf.gradients(tf.linalg.tridiagonal_matmul(hold(ph(3, 4)), ph(4, 2)), held())
tf.linalg.normalize(ph(2, 3))
tf.linalg.normalize(ph(2, 3), ord=1, axis=1, name='n')
tf.linalg.lu_solve(*tf.linalg.lu([[1., 2.], [3., 4.]]), rhs=[[1.], [2.]])
tf.linalg.lu_solve(ph(2, 3, 3), tf.placeholder('int32', [2, 3]), ph(2, 3, 1))
tf.linalg.lu_solve(tf.placeholder('float32'), tf.placeholder('int32'), tf.placeholder('float32'), validate_args=True)
tf.linalg.lu_solve(ph(3, 3), [0, 1, 2], ph(2, 1))
tf.linalg.lu_matrix_inverse(*tf.linalg.lu([[1., 2.], [3., 4.]]))
tf.linalg.lu_reconstruct(*tf.linalg.lu([[1., 2.], [3., 4.]]))
tf.linalg.lu_reconstruct(*tf.linalg.lu([[[1., 2.], [3., 4.]], [[5., 2.], [3., 1.]]]), name='back')
tf.linalg.lu_reconstruct(ph(2, 2), [[0, 1]])
tf.gradients(tf.linalg.sqrtm(hold(tf.constant([[4., 1.], [1., 3.]]))), held())
tf.gradients(tf.linalg.svd(hold(tf.sqrt(ph(3, 2))), compute_uv=False), held())
tf.gradients(tf.linalg.svd(hold(tf.sqrt(ph(2, 3))))[0], held())
tf.gradients(tf.abs(tf.linalg.svd(hold(tf.sqrt(ph(3, 2))))[2]), held())
tf.gradients(tf.linalg.qr(hold(tf.sqrt(ph(3, 2)))), held())
tf.gradients(tf.linalg.qr(hold(tf.sqrt(ph(2, 3)))), held())
tf.math.erfcinv([0.5, 1.5, 0.])
tf.math.erfcinv(ph(2), name='inverse')
tf.math.sobol_sample(3, 4)
tf.math.sobol_sample(2, 3, skip=5, dtype='float64', name='points')
tf.histogram_fixed_width_bins([-1., 0., 1.5, 2., 5., 15.], [0., 5.], nbins=5)
tf.histogram_fixed_width_bins([[1., 2.]], [0., 5.], nbins=0)
tf.nn.collapse_repeated([[1, 1, 2, 2], [3, 3, 3, 1]], [4, 3])
tf.nn.collapse_repeated(tf.placeholder('int32', [None, 3]), [2, 3], name='fewer')
tf.nn.ctc_unique_labels([[3, 4, 4, 3], [1, 1, 1, 1]])
tf.random.split([1, 2], 3)
tf.random.split(tf.constant([1, 2], 'int64'))
tf.random.fold_in([1, 2], 7)
tf.random.stateless_parameterized_truncated_normal([4, 2], [1, 2], [0., 1.], 1., [-1., 0.5], 2.)
tf.random_index_shuffle(3, [1, 2, 3], 9)
tf.quantize(ph(2), 0., 1., 'quint8')
tf.quantization.quantize([1., 2.], 0., 3., tf.quint8, mode='MIN_FIRST', name='few')
tf.quantization.quantized_concat(0, [tf.bitcast(tf.constant([1, 2], 'uint8'), 'quint8')] * 2, [0., 0.], [1., 2.])
tf.nn.quantized_max_pool(tf.bitcast(tf.constant([[[[1], [200]]]], 'uint8'), 'quint8'), 0., 1., [1, 1, 2, 1], [1, 1, 1, 1], 'VALID')
tf.nn.quantized_avg_pool(tf.bitcast(tf.constant([[[[1], [200]]]], 'uint8'), 'quint8'), 0., 1., [1, 1, 2, 1], [1, 1, 1, 1], 'VALID')
""".strip().splitlines()


def answer(tf: Any, text: str) -> dict[str, Any]:
    """What an expression makes in a new graph: its nodes and their attributes, and its value with each placeholder fed ascending numbers."""
    kept: list[Any] = []

    def hold(tensor: Any) -> Any:
        kept.append(tensor)
        return tensor

    graph = tf.Graph()
    with graph.as_default():
        feeds: dict[Any, Any] = {}

        def ph(*shape: int | None) -> Any:
            tensor = tf.placeholder(tf.float32, shape)
            sizes = [2 if size is None else size for size in shape]
            feeds[tensor] = np.arange(1, 1 + np.prod(sizes), dtype=np.float32).reshape(sizes)
            return tensor

        try:
            made = eval(text, {"tf": tf, "np": np, "ph": ph, "hold": hold, "held": lambda: kept[0]})
        except Exception as error:
            return {"error": _builtin(error)}
        found: dict[str, Any] = {"nodes": [_node(op) for op in graph.get_operations()]}
        flat = [item for item in (made if isinstance(made, (list, tuple)) else [made]) if hasattr(item, "graph")]
        if "placeholder('" in text or not flat:
            return found
        with tf.Session() as session:
            try:
                values = session.run(flat, feeds)
            except Exception as error:
                return found | {"run": type(error).__name__}
        if "random_crop" not in text and "timestamp" not in text:
            found["values"] = [_plain(value) for value in values]
        return found


def _node(op: Any) -> list[Any]:
    left_out = NEWER_ATTRS | {"value", "token", "_gradient_op_type"}
    attrs = {key: " ".join(str(value).split()) for key, value in op.node_def.attr.items() if key not in left_out}
    if attrs.get("explicit_paddings") == "list { }":  # newer for some operations
        del attrs["explicit_paddings"]
    inputs = [text.removesuffix(":0") for text in op.node_def.input]  # which TensorFlow writes where an input was changed
    return [op.name, op.type, inputs, dict(sorted(attrs.items())), [str(output.shape) for output in op.outputs]]


def _plain(value: Any) -> Any:
    array = np.asarray(value)
    if array.dtype == object or array.dtype.kind in "SU":
        return [item.decode("latin-1") for item in array.reshape(-1).tolist()]
    if array.dtype.kind == "c":
        array = np.stack([array.real, array.imag])
    return [str(array.dtype), list(array.shape), array.astype(np.float64).reshape(-1).tolist()]


def _builtin(error: Exception) -> str:
    return next(kind.__name__ for kind in type(error).__mro__ if kind.__module__ == "builtins")


if __name__ == "__main__":
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import tensorflow.compat.v1 as tensorflow

    tensorflow.disable_v2_behavior()
    print(json.dumps({text: answer(tensorflow, text) for text in EXPRESSIONS}))
