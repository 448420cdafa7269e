"""Expressions of TensorFlow 1's mathematics, and what they make: nodes, values, gradients.

`write_math.py` asks real TensorFlow and keeps the answers in `math.json`; tests/ops/test_math_golden.py asks gpersist and compares. Each expression
is evaluated in a new graph, with the names of `names(tf)`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

NEWER_ATTRS = {"grad_a", "grad_b", "grad_x", "grad_y", "sparse_gradient", "bad_indices_policy", "_has_manual_control_dependencies"}
"""Attributes that TensorFlow has added since 1.15, whose nodes are the yardstick."""

BUILDS = """
tf.reduce_sum([1., 2.])
tf.reduce_sum(np.ones((2, 2), 'f'))
tf.reduce_sum(tf.constant(1.))
tf.reduce_sum(tf.placeholder('float32'))
tf.reduce_sum(ph(2, 3), [0, 1])
tf.reduce_sum(ph(2, None))
tf.reduce_mean(ph(2, 3), 1, name='mm')
tf.reduce_max(ph(2, 3), keepdims=True)
tf.reduce_min(ph(2, 3), reduction_indices=[1], keep_dims=True)
tf.reduce_prod(ph(2, 3), tf.constant([1]))
tf.reduce_all(ph(2, 3) > 0)
tf.reduce_any(ph(2, 3) > 0, -1)
tf.math.reduce_std(ph(2, 3))
tf.math.reduce_variance(ph(2, 3), 1)
tf.math.reduce_euclidean_norm(ph(2, 3))
tf.reduce_logsumexp(ph(2, 3), 1)
tf.reduce_logsumexp(ph(2, 3))
tf.count_nonzero(ph(2, 3))
tf.count_nonzero(ph(2, 3), axis=1, dtype='int32')
tf.argmax(ph(2, 3), 1)
tf.argmax(ph(2, 3), tf.constant(1))
tf.argmin(ph(2, 3), dimension=0, output_type='int32')
tf.add_n([ph(2, 3), tf.placeholder('float32')])
tf.add_n([ph(2, 3)])
tf.add_n([ph(2, 3)], name='only')
tf.accumulate_n([ph(2), ph(2)])
tf.add(1.0, ph(2))
tf.subtract(ph(2), 1)
tf.multiply(ph(2), ph(2), name='product')
tf.divide(1, 2)
tf.divide(ph(2), 2, name='q')
tf.div(ph(2), 2)
tf.div(tf.constant(3), 2)
tf.truediv(tf.constant(3), 2)
tf.floordiv(ph(2), 2)
tf.floor_div(ph(2), 2.)
tf.realdiv(ph(2), 2.)
tf.mod(ph(2), 2)
tf.floormod(ph(2), 2)
tf.truncatediv(ph(2), 2.)
tf.truncatemod(ph(2), 2.)
tf.div_no_nan(ph(2), 2)
tf.math.multiply_no_nan(ph(2), 2.)
tf.math.reciprocal_no_nan(ph(2))
tf.math.xdivy(ph(2), ph(2))
tf.math.xlogy(ph(2), ph(2))
tf.math.xlog1py(ph(2), ph(2))
tf.squared_difference(ph(2), 1.)
tf.atan2(ph(2), ph(2))
tf.scalar_mul(2., ph(2))
tf.pow(ph(2), 2)
ph(2) ** 2
tf.abs(-1.0)
tf.abs(tf.complex(ph(2), ph(2)))
tf.sign(tf.complex(ph(2), ph(2)))
tf.round(tf.constant([1, 2]))
tf.round(ph(2))
tf.sigmoid(ph(2))
tf.sigmoid(1.0)
tf.log_sigmoid(ph(2))
tf.tanh(ph(2), name='t')
[tf.exp(ph(2)), tf.log(ph(2)), tf.sqrt(ph(2)), tf.rsqrt(ph(2)), tf.square(ph(2)), tf.negative(ph(2)), tf.floor(ph(2)), tf.ceil(ph(2)), tf.rint(ph(2))]
[tf.sin(ph(2)), tf.is_nan(ph(2)), tf.is_inf(ph(2)), tf.is_finite(ph(2)), tf.erf(ph(2)), tf.erfc(ph(2)), tf.lgamma(ph(2)), tf.digamma(ph(2))]
[tf.math.erfinv(ph(2)), tf.math.ndtri(ph(2)), tf.polygamma(ph(2), ph(2)), tf.zeta(ph(2), ph(2)), tf.lbeta(ph(2)), tf.math.nextafter(ph(2), ph(2))]
tf.equal(ph(2), 2)
tf.not_equal(ph(2), ph(2))
tf.less(ph(2), 1)
tf.logical_xor(ph(2) > 1, ph(2) > 2)
tf.cast(ph(2), 'int32')
tf.cast(ph(2), tf.float32)
tf.cast(1.5, 'int32')
[tf.to_float(tf.constant(1)), tf.to_int32(ph(2)), tf.to_double(ph(2)), tf.to_int64(ph(2)), tf.to_bfloat16(ph(2))]
tf.saturate_cast(ph(2, 2), 'int8')
tf.saturate_cast(tf.constant([300]), 'uint8')
[tf.real(tf.complex(ph(2), ph(2))), tf.imag(tf.complex(ph(2), ph(2))), tf.conj(tf.complex(ph(2), ph(2))), tf.angle(tf.complex(ph(2), ph(2)))]
[tf.real(ph(2)), tf.imag(ph(2)), tf.conj(ph(2)), tf.angle(ph(2))]
tf.clip_by_value(ph(2), 0, 1)
tf.clip_by_norm(ph(2), 2.)
tf.clip_by_norm(ph(2, 3), ph(), axes=[1], name='c')
tf.clip_by_global_norm([ph(2), None, ph(3)], 2.)
tf.clip_by_global_norm([ph(2)], 2., use_norm=ph(), name='c')
tf.global_norm([ph(2), None, ph(3)])
tf.clip_by_average_norm(ph(2), 2.)
tf.nn.l2_loss(ph(2))
tf.nn.l2_normalize(ph(2, 3), 1)
tf.nn.l2_normalize(ph(2, 3), dim=[0], name='n')
tf.norm(ph(2, 3))
tf.norm(ph(2, 3), 1, axis=1)
tf.norm(ph(2, 3), np.inf, axis=[0, 1], keepdims=True)
tf.norm(ph(2, 3), 3)
tf.matmul(ph(2, 3), ph(3, 2))
tf.matmul(ph(2, 3), ph(2, 3), transpose_b=True, name='m')
tf.matmul(ph(2, 2, 3), ph(2, 3, 2), transpose_a=True, transpose_b=True)
tf.matmul(tf.placeholder('complex64', [2, 3]), tf.placeholder('complex64', [2, 3]), adjoint_b=True)
tf.matmul(tf.placeholder('complex64', [4, 2, 3]), tf.placeholder('complex64', [4, 2, 3]), transpose_b=True)
tf.matmul(tf.placeholder('float32'), ph(2, 3))
tf.matmul([[1., 2.]], [[1.], [2.]])
tf.linalg.matvec(ph(2, 3), ph(3))
tf.tensordot(ph(2, 3, 4), ph(4, 3), [[2], [0]])
tf.tensordot(ph(2, 3, 4), ph(4, 3), [[1, 2], [1, 0]])
tf.tensordot(ph(2, 3), ph(3, 3), 1)
tf.tensordot(ph(None, 3, 4), ph(4, 3), [[2], [0]])
tf.einsum('ij,jk->ik', ph(2, 3), ph(3, 4))
tf.einsum('ij,jk', ph(2, 3), ph(3, 4))
tf.einsum('bij,bjk->bik', ph(None, 2, 3), ph(None, 3, 4), name='e')
tf.trace(ph(2, 2))
tf.cumsum(ph(2, 2))
tf.cumprod(ph(2, 2), axis=1, exclusive=True, reverse=True, name='p')
tf.math.cumulative_logsumexp(ph(2))
tf.nn.top_k(ph(2, 2))
tf.nn.top_k(ph(2, 4), 3, sorted=False, name='best')
tf.nn.in_top_k(ph(2, 2), [0, 1], 1)
tf.bincount([1, 0, 1])
tf.bincount([1, 0, 1], ph(3), minlength=3, maxlength=9)
tf.histogram_fixed_width(ph(2), [0., 1.])
tf.math.polyval([1., 2., 3.], ph(2))
tf.segment_sum(ph(3, 2), [0, 0, 1])
tf.unsorted_segment_max(ph(3, 2), [0, 0, 1], 2, name='u')
tf.sparse_segment_mean(ph(3, 2), [0, 1], [0, 1])
tf.sparse_segment_sum(ph(3, 2), [0, 1], [0, 1], num_segments=4)
tf.math.unsorted_segment_mean(ph(2, 3), [0, 1], 2)
tf.math.unsorted_segment_sqrt_n(ph(2, 3), [0, 1], 2)
tf.cross(ph(3), ph(3))
[tf.bitwise.bitwise_and(1, 2), tf.bitwise.invert(1), tf.bitwise.left_shift(1, 2), tf.bitwise.bitwise_xor(1, 2)]
[tf.cholesky(ph(2, 2)), tf.matrix_inverse(ph(2, 2)), tf.matrix_determinant(ph(2, 2)), tf.matrix_solve(ph(2, 2), ph(2, 1))]
[tf.matrix_triangular_solve(ph(2, 2), ph(2, 1)), tf.linalg.logdet(ph(2, 2)), tf.linalg.slogdet(ph(2, 2)), tf.linalg.adjoint(ph(2, 2))]
[tf.svd(ph(3, 2)), tf.qr(ph(3, 2)), tf.self_adjoint_eig(ph(2, 2)), tf.self_adjoint_eigvals(ph(2, 2)), tf.cholesky_solve(ph(2, 2), ph(2, 1))]
[tf.fft(tf.complex(ph(4), ph(4))), tf.signal.rfft(ph(4)), tf.signal.rfft(ph(4), [6]), tf.signal.irfft(tf.complex(ph(3), ph(3)))]
tf.reduce_sum(ph(2, 3), axis=1, reduction_indices=1)
tf.reduce_sum(ph(2, 3), axis=2)
tf.add_n([ph(2, 3), ph(2, 4)])
tf.add_n([])
tf.argmax(ph(2, 3), 2)
tf.matmul(ph(2, 3), ph(2, 3))
tf.matmul(ph(3), ph(3, 2))
tf.matmul(ph(2, 3), ph(3, 2), transpose_a=True, adjoint_a=True)
tf.add(ph(2), ph(3))
tf.add(ph(2), tf.constant(1))
tf.truediv(ph(2), tf.constant(1))
tf.scalar_mul([1., 2.], ph(2))
tf.complex(ph(2), tf.placeholder('float64', [2]))
tf.tensordot(ph(2, 3), ph(3, 3), 3)
tf.tensordot(ph(2, 3), ph(3, 3), [[0], [0, 1]])
tf.einsum('ij,jk->ik', ph(2, 3))
tf.global_norm(ph(2))
tf.norm(ph(2, 3), 'fro', axis=[1, 1])
tf.norm(ph(2), -1)
tf.nn.top_k(ph(2), 3)
tf.cumsum(ph(2), 1)
tf.cast(ph(2), 'nothing')
""".strip().splitlines()
"""What these add to a graph, node by node; or the class of their error."""

VALUES = """
tf.segment_sum(c([[1, 2], [3, 4], [5, 6]]), i(0, 0, 2))
tf.segment_mean(c([[1, 2], [3, 4], [5, 6]]), i(0, 0, 2))
tf.segment_mean(c([1, 2, 4], 'int32'), i(0, 0, 1))
tf.segment_prod(c([[1, 2], [3, 4], [5, 6]]), i(0, 0, 2))
tf.segment_max(c([[1, 2], [3, 4], [5, 6]]), i(0, 0, 2))
tf.segment_min(c([[1, 2], [3, 4], [5, 6]]), i(1, 1, 3))
tf.segment_sum(f(1, 2), i(1, 0))
tf.segment_sum(f(1, 2), i(-1, 0))
tf.segment_sum(f(1, 2), i(0, 0, 1))
tf.unsorted_segment_sum(c([[1, 2], [3, 4], [5, 6]]), i(2, -1, 0), 4)
tf.unsorted_segment_max(f(1, 2, 3), i(2, -1, 0), 4)
tf.unsorted_segment_min(c([1, 2, 3], 'int32'), i(2, -1, 0), 4)
tf.unsorted_segment_prod(f(1, 2, 3), i(2, 2, 0), 4)
tf.unsorted_segment_sum(f(1, 2, 3), i(2, 5, 0), 4)
tf.unsorted_segment_sum(c([[1, 2], [3, 4]]), c([[0, 1], [1, 0]], 'int32'), 2)
tf.math.unsorted_segment_mean(c([[1, 2], [3, 4], [5, 6]]), i(2, 2, 0), 4)
tf.sparse_segment_sum(c([[1, 2], [3, 4], [5, 6]]), i(0, 2, 1), i(0, 0, 2))
tf.sparse_segment_mean(c([[1, 2], [3, 4], [5, 6]]), i(0, 2, 1), i(0, 0, 2))
tf.sparse_segment_sqrt_n(c([[1, 2], [3, 4], [5, 6]]), i(0, 2, 1), i(0, 0, 2))
tf.sparse_segment_sum(c([[1, 2], [3, 4], [5, 6]]), i(0, 2, 1), i(0, 0, 2), num_segments=4)
tf.sparse_segment_sum(c([[1, 2], [3, 4], [5, 6]]), i(0, 2, 1), i(0, 0, 2), num_segments=2)
tf.sparse_segment_sum(c([[1, 2], [3, 4], [5, 6]]), i(0, 3, 1), i(0, 0, 2))
tf.nn.top_k(f(1, 3, 3, 5, 2, 9), 4)
tf.nn.top_k(c([[1, 9, 9, 2], [4, 3, 2, 1]], 'int32'), 2)
tf.nn.top_k(c(np.arange(40) * 7 % 11), 5)
tf.nn.top_k(c(np.arange(40) * 7 % 11, 'uint8'), 5)
tf.nn.top_k(f(1, 2), 0)
tf.nn.top_k(f(1, 2), tf.placeholder_with_default(3, []))
tf.nn.top_k(f(1, 2), tf.placeholder_with_default(-1, []))
tf.nn.in_top_k(c([[1, 2, 3], [3, 2, 1], [1, 1, 1], [1, nan, 3], [1, inf, 3], [1, 2, 3]]), i(1, 0, 2, 2, 0, 7), 2)
raw('NthElement', c([[3, 1, 2], [9, 8, 7]]), 1)
raw('NthElement', c([[3, 1, 2], [9, 8, 7]]), 0, reverse=True)
raw('NthElement', c([[3, 1, 2], [9, 8, 7]]), tf.placeholder_with_default(3, []))
tf.histogram_fixed_width(f(-1, 0, 1.5, 2, 5, 15), [0., 5.], 5)
tf.histogram_fixed_width(f(-1, 0, nan), [0., 5.], 5)
tf.histogram_fixed_width(f(-1, 0, 15), c([5., 0.]), 5)
raw('Bincount', i(1, 2, 1, 9), 3, c([]))
raw('Bincount', i(1, 2, 1, 9), 3, f(1, 2, 3, 4))
raw('Bincount', i(1, -2), 3, c([]))
raw('DenseBincount', c([[1, 2], [1, 1]], 'int32'), 3, c([], 'int64'), binary_output=False)
raw('DenseBincount', c([[1, 2], [1, 1]], 'int32'), 3, c([], 'int64'), binary_output=True)
tf.bincount(i(1, 2, 1, 9), minlength=12)
tf.bincount(i(1, 2, 1, 9), c([1., 2., 3., 4.]), maxlength=3)
raw('Bucketize', f(-5, 0, 10, 10.5, 100, nan), boundaries=[0., 10., 100.])
tf.cross(f(1, 0, 0), f(0, 1, 0))
tf.cross(f(1, 0), f(0, 1))
tf.linalg.inv(c([[4, 2], [2, 3]]))
tf.linalg.inv(c([[1, 1], [1, 1]]))
tf.linalg.inv(c([[1, 1, 1], [1, 1, 1]]))
tf.linalg.det(c([[4, 2], [2, 3]]))
tf.linalg.cholesky(c([[4, 99], [2, 3]]))
[tf.linalg.det(c([[1, 1], [1, 1]])), *tf.linalg.slogdet(c([[1, 1], [1, 1]])), *tf.linalg.slogdet(c([[0, 1], [1, 0]]))]
tf.linalg.solve(c([[4, 2], [1, 3]]), c([[1], [2]]), adjoint=True)
tf.linalg.solve(c([[1, 1], [1, 1]]), c([[1], [2]]))
tf.linalg.triangular_solve(c([[4, 9], [1, 3]]), c([[1], [2]]))
tf.linalg.triangular_solve(c([[4, 9], [1, 3]]), c([[1], [2]]), lower=False)
tf.linalg.triangular_solve(c([[4, 9], [1, 3]]), c([[1], [2]]), adjoint=True)
tf.linalg.triangular_solve(c([[0, 9], [1, 3]]), c([[1], [2]]))
tf.linalg.qr(c([[4, 2], [1, 3], [1, 1]]))
tf.linalg.svd(c([[4, 2], [1, 3], [1, 1]]), compute_uv=False)
tf.linalg.eigh(c([[4, 2], [2, 3]]))[0]
tf.einsum('ij,jk', c([[4, 2], [2, 3]]), c([[4, 2], [2, 3]]))
tf.einsum('ij,jk,kl->il', c([[4, 2], [2, 3]]), c([[4, 2], [2, 3]]), c([[4, 2], [2, 3]]))
tf.signal.rfft(f(1, 2, 3, 4, 5), [4])
tf.signal.rfft(f(1, 2, 3), [4])
tf.signal.irfft(tf.complex(f(1, 2, 3), f(0, 1, 0)), [4])
tf.signal.irfft(tf.complex(f(1, 2, 3), f(0, 1, 0)), [5])
tf.signal.rfft2d(c([[1, 2, 3], [4, 5, 6]]), [2, 4])
tf.signal.fft2d(tf.complex(c([[1, 2], [4, 5]]), c([[1, 2], [4, 5]])))
tf.clip_by_value(f(nan, 1, 5, -5), -1, 1)
tf.clip_by_value(f(0, 1, 5, -5), 1, -1)
raw('ClipByValue', f(0, 1, 5, -5), 1., -1.)
tf.clip_by_norm(f(3, 4), 1.)
tf.clip_by_norm(f(0, 0), 1.)
tf.clip_by_global_norm([f(3, 4), f(12)], 6.5)
tf.clip_by_global_norm([f(3, inf)], 6.5)
tf.clip_by_average_norm(f(3, 4), 1.)
tf.nn.l2_loss(f(3, 4))
tf.nn.l2_normalize(c([[3, 4], [0, 0]]), 1)
[tf.reduce_max(f(1, nan, 2)), tf.reduce_min(f(1, nan, 2)), tf.reduce_max(f()), tf.reduce_max(i()), tf.reduce_min(f()), tf.reduce_mean(f())]
[tf.reduce_mean(i()), tf.reduce_prod(f()), tf.reduce_mean(i(3, 4)), tf.reduce_mean(i(-3, -4)), tf.math.reduce_euclidean_norm(i(3, 3))]
[tf.argmax(f(1, nan, 2)), tf.argmax(f(nan, nan)), tf.argmin(f(1, nan, 2)), tf.maximum(f(nan, 1), f(1, nan)), tf.minimum(f(nan, 1), f(1, nan))]
tf.argmax(f(), 0)
tf.argmax(c(np.zeros((0, 3))), 1)
tf.reduce_sum(f(1, 2), tf.placeholder_with_default([0, 0], [2]))
tf.argmax(f(1, 2), tf.placeholder_with_default(1, []))
[tf.cast(c([1.7, -1.7, 3e9, -3e9, nan, inf, 300]), t) for t in ('int32', 'int64', 'bool')]
[tf.cast(c([1.7, -1.7, 3e9, -3e9, nan, 300, 1e20], 'float64'), t) for t in ('int32', 'int64', 'bool', 'float16', 'float32')]
[tf.cast(c([-1, 300, 70000], 'int32'), t) for t in ('uint8', 'int8', 'uint32', 'bool', 'int16', 'float16')]
tf.cast(tf.placeholder_with_default(['a'], [1]), 'float32')
[tf.cast(c([1 + 2j], 'complex64'), t) for t in ('float32', 'int32', 'bool', 'complex128')]
[raw('Cast', c([1.9999999, 3.1415927]), DstT=t, Truncate=u) for t in ('float16', 'bfloat16') for u in (False, True)]
tf.floordiv(i(1), i(0))
tf.floormod(i(1), i(0))
[tf.truncatediv(i(-7, 7), i(2, -2)), tf.truncatemod(i(-7, 7), i(2, -2)), tf.floordiv(i(-7, 7), i(2, -2)), tf.floormod(i(-7, 7), i(2, -2))]
[raw('Div', i(-7, 7), i(2, -2)), tf.truncatediv(f(-7, 7), f(2, -2)), raw('Mod', i(-7), i(2))]
[tf.floordiv(f(1, -1, 0, 1, inf, nan, 5), f(0, 0, 0, .1, 2, 1, inf)), tf.floormod(f(1, -1, 0, inf, nan, 5, -5), f(0, 0, 0, 2, 1, inf, inf))]
tf.pow(i(2), i(-1))
[tf.pow(f(-8, 0, 0, inf, -1), f(1 / 3, 0, -1, 0, inf)), tf.pow(i(0, 3, 2), i(0, 21, 31))]
[tf.math.multiply_no_nan(f(inf, nan, 0), f(0, 0, nan)), tf.math.divide_no_nan(f(inf, nan, 0, 1), f(0, 0, nan, 0))]
[tf.math.xdivy(f(0, 0, nan), f(0, nan, 0)), tf.math.xlogy(f(0, 0, 0), f(0, nan, -1)), tf.math.xlog1py(f(0, 0), f(-1, nan))]
[tf.squared_difference(c([1 + 2j], 'complex64'), c([0j], 'complex64')), tf.sign(c([3 + 4j, 0], 'complex64')), tf.abs(c([3 + 4j], 'complex64'))]
[tf.round(f(.5, 1.5, 2.5, -.5, -1.5)), tf.rint(f(.5, 1.5, 2.5, -.5)), tf.sign(f(nan, -0., 2)), tf.sqrt(f(-1)), tf.rsqrt(f(0, -1, 4))]
[tf.reciprocal(f(0)), tf.log(f(0, -1)), tf.sigmoid(f(-1000, 1000, nan)), tf.tanh(f(-1000, 1000)), tf.log_sigmoid(f(-1000, 0, 1000))]
[tf.lgamma(f(0, -1, 1, 2, inf, -inf, .5, -1.5)), tf.digamma(f(1, 2, .5, -1.5)), tf.erf(f(nan, inf, -inf, .3)), tf.erfc(f(nan, inf, -inf, .3))]
[tf.math.erfinv(f(1, -1, 2, 0, .3)), tf.math.ndtri(f(0, 1, 2, .5, .1)), tf.zeta(f(1, 2, .5, 3), f(1, 0, 1, 1.5))]
tf.polygamma(f(0, 1, -1, 1.5), f(1, 1, 1, 1))
[tf.acosh(f(.5, 2)), tf.atanh(f(1, .5)), tf.asin(f(2, .5)), tf.atan2(f(0, -0.), f(-1, -1)), tf.expm1(f(1e-5)), tf.log1p(f(-1, 1e-5))]
[tf.cumsum(f(1, 2, 3), exclusive=True, reverse=True), tf.cumprod(f(1, 2, 3), exclusive=True), tf.cumsum(i(1, 2, 3), reverse=True)]
[tf.math.cumulative_logsumexp(f(1, 2, 3), exclusive=True), tf.math.cumulative_logsumexp(f(-inf, 2, 3), reverse=True)]
tf.cumsum(f(1, 2, 3), tf.placeholder_with_default(1, []))
[tf.bitwise.left_shift(i(1, 1, -1), i(40, -1, 1)), tf.bitwise.right_shift(i(-8, 8), i(40, 1)), raw('PopulationCount', i(-1, 5))]
tf.bitwise.invert(i(5))
raw('AddN', [f(1, 2), f(1, 2, 3)])
f(1, 2) + f(1, 2, 3)
raw('MatMul', c([[1, 2]]), c([[1, 2]]))
raw('MatMul', f(1, 2), c([[1, 2]]))
tf.matmul(c(np.zeros((2, 2, 3))), c(np.zeros((3, 3, 3))))
tf.matmul(c(np.arange(12).reshape(2, 2, 3)), c(np.arange(6).reshape(3, 2)))
[raw('Equal', f(1, 2), f(1, 2, 3), incompatible_shape_error=False), raw('NotEqual', f(1, 2), f(1, 2, 3), incompatible_shape_error=False)]
[tf.equal(['a', 'b'], 'a'), tf.not_equal(['a', 'b'], ['a', 'c']), raw('ApproximateEqual', f(1, 2), f(1.000001, 2.1)), tf.equal(f(nan), f(nan))]
[tf.saturate_cast(f(300, -5, 1.7), t) for t in ('uint8', 'int32', 'int64', 'float16')]
[tf.saturate_cast(i(300, -5), t) for t in ('uint8', 'uint32')]
[tf.reduce_logsumexp(f(1, 2, 3)), tf.reduce_logsumexp(f(-inf, -inf)), tf.reduce_logsumexp(f(inf, 1))]
tf.reduce_logsumexp(c([[1, 2], [3, 4]]), [1], True)
[tf.norm(c([[1, -2], [3, 4]])), tf.norm(c([[1, -2], [3, 4]]), 1, [0, 1]), tf.norm(c([[1, -2], [3, 4]]), np.inf, 1), tf.norm(c([[1, -2], [3, 4]]), 3)]
[tf.tensordot(c([[1, 2], [3, 4]]), c([[1, 2], [3, 4]]), [[0], [1]]), tf.tensordot(c([[1, 2], [3, 4]]), c([[1, 2], [3, 4]]), 2)]
tf.trace(c([[1, 2], [3, 4]]))
[tf.math.reduce_std(f(1, 2, 4)), tf.math.reduce_variance(c([[1, 2], [3, 5]]), 0), tf.count_nonzero(f(0, 1, 2)), tf.math.polyval([1., 2., 3.], f(2))]
tf.math.confusion_matrix([1, 0, 2], [1, 1, 0])
[raw(f'Bessel{kind}', f(-inf, -2, -0.0, 0.5, 3, inf, nan)) for kind in ('K0', 'K0e', 'K1', 'K1e', 'Y0')]
[raw(f'Bessel{kind}', f(-inf, -2, 0.5, 3, inf, nan)) for kind in ('J0', 'J1', 'Y1')]
[raw('Expint', f(-2, -0.0, 1, inf)), raw('Spence', f(-1, 0, 1, inf))]
[raw('Digamma', c([-1e-30, -2.5], 'float64')), raw('Lgamma', c([-1e-30, -2.5], 'float64'))]
[raw('Zeta', f(2, 3, 3, 2), f(-1, -1, 0, -2)), raw('Polygamma', f(2, 1, 3), f(-1, -1, 0))]
[raw('Igamma', f(-1, nan, 0, 2), f(0, 0, 0, 0)), raw('RandomGammaGrad', f(-1, 2), f(0, 0))]
raw('Betainc', f(-1, 1, 2), f(2, -1, 2), f(0, 1, 0))
raw('Log1p', c([1e-20 + 1e-20j, 1 + 2j, -0.3 + 0.1j, 1e30], 'complex64'))
raw('ClipByValue', f(1, nan, -5, 5), f(-2, -2, nan, -2), f(2, 2, 2, nan))
raw('ClipByValue', c([-0.5 + 0.6j, 9 - 9j], 'complex128'), c(1e-10, 'complex128'), c(2.5 + 0.25j, 'complex128'))
[tf.reduce_mean(c(values, dtype), 0) for values, dtype in (([100, 100, 100], 'int8'), ([-2147483648, -3, 2], 'int32'), ([65535, 65535, 2], 'uint16'))]
[raw('SegmentMax', f(-inf, 2, -inf), i(0, 2, 2)), raw('SegmentMin', f(inf, 2, inf), i(0, 2, 2))]
raw('UnsortedSegmentMax', c(np.zeros((2, 0))), i(0, 9), tf.constant(3))
[raw('TruncateDiv', i(1, 2), i(1, 0))]
[raw('TruncateMod', i(1, 2), i(1, 0))]
[raw('Mod', i(1, 2), i(1, 0))]
raw('MatrixSquareRoot', c([[[-1, 0], [0, 4]], [[4, 0], [0, 9]]]))
raw('Lu', c(np.zeros((2, 0, 0))))
raw('RFFT2D', c(np.ones((2, 4))), i(0, 3))
raw('RFFT', c([1, 2, 3, 4]), i(4), Tcomplex=tf.complex128)
raw('IRFFT', c(np.zeros((0,)), 'complex64'), i(0))
raw('GatherNd', c(np.ones((3, 0))), i([[1]]))
raw('GatherNd', c(np.ones((3, 0))), c(np.zeros((0, 1)), 'int32'))
raw('Gather', c(np.ones((0, 0, 2))), i(0, 5))
raw('TensorScatterUpdate', f(1, 2), c(np.zeros((2, 0)), 'int32'), c([[1, 2], [3, 4]]))
raw('TensorScatterAdd', f(1, 2), i(1), f(5))
raw('TensorScatterAdd', c([[1, 2]]), c(np.zeros((0, 0)), 'int32'), c(np.zeros((0, 1, 2))))
raw('ScatterNdNonAliasingAdd', f(1, 2), i(1), f(5))
raw('ScatterNd', i([1], [0]), f(5, 6), i(0))
raw('MirrorPad', c(np.zeros((1, 0))), i([1, 0], [0, 0]), mode='REFLECT')
raw('MirrorPad', c(np.zeros((1, 0))), i([1, 0], [0, 0]), mode='SYMMETRIC')
raw('MirrorPadGrad', c(np.ones((1, 1, 1, 1, 1, 1))), c(np.zeros((6, 2)), 'int32'), mode='SYMMETRIC')
raw('MirrorPadGrad', f(1, 2), i([1, 1]), mode='SYMMETRIC')
raw('BroadcastGradientArgs', i(2, 1, 3), i(2, 1, 3))
raw('BroadcastGradientArgs', i(2, 1, 3), i(1, 3))
raw('UniqueV2', tf.constant(['a', 'b', 'a']), i(0))[1]
raw('UniqueV2', tf.constant([['a', 'b', 'a'], ['c', 'b', 'c']]), i(1))[1]
tf.split(f(1, 2), i(-1), 0, num=1)
raw('Range', c([1.]), c(4.), c([1.]))
raw('Range', c([1., 2.]), c(4.), c(1.))
raw('InplaceUpdate', c(np.zeros((0, 2))), i(0), c([[1, 2]]))
raw('ExtractImagePatches', c(np.ones((1, 1, 1, 1))), ksizes=[1, 3, 1, 1], strides=[1, 1, 1, 1], rates=[1, 1, 1, 1], padding='VALID')
raw('ExtractImagePatches', c(np.ones((1, 3, 1, 1))), ksizes=[1, 5, 1, 1], strides=[1, 3, 1, 1], rates=[1, 1, 1, 1], padding='VALID')
raw('ExtractVolumePatches', c(np.arange(6).reshape(1, 6, 1, 1, 1)), ksizes=[1, 1, 1, 1, 1], strides=[1, 3, 1, 1, 1], padding='SAME')
raw('Dilation2D', c(np.ones((1, 2, 1, 1))), c(np.ones((3, 1, 1))), strides=[1, 2, 1, 1], rates=[1, 1, 1, 1], padding='VALID')
[raw('MaxPool3D', c(np.arange(6).reshape(1, 6, 1, 1, 1)), ksize=[1, k, 1, 1, 1], strides=[1, 4, 1, 1, 1], padding='SAME') for k in (1, 2, 3, 4)]
[raw('AvgPool3D', c(np.arange(7).reshape(1, 7, 1, 1, 1)), ksize=[1, k, 1, 1, 1], strides=[1, 5, 1, 1, 1], padding='SAME') for k in (1, 2, 3, 4)]
[raw('Conv3D', c(np.arange(7).reshape(1, 7, 1, 1, 1)), c(np.ones((k, 1, 1, 1, 1))), strides=[1, 5, 1, 1, 1], padding='SAME') for k in (1, 2, 3)]
raw('MaxPool3DGrad', c(np.ones((1, 4, 1, 1, 1))), c(np.ones((1, 2, 1, 1, 1))), c([[[[[2.]]], [[[3.]]]]]), **pairs(5))
raw('MaxPool3DGradGrad', c(np.ones((1, 4, 1, 1, 1))), c(np.zeros((1, 2, 1, 1, 1))), c(np.ones((1, 4, 1, 1, 1))), **pairs(5))
raw('MaxPoolGradGrad', c(np.ones((1, 4, 1, 1))), c(np.ones((1, 1, 1, 1))), c(np.ones((1, 4, 1, 1))), **pairs(4))
raw('MaxPoolWithArgmax', c(np.ones((0, 2, 2, 1))), ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding='VALID')
raw('ResizeNearestNeighborGrad', c(np.zeros((2, 3, 3, 0))), i(2, 2))
raw('DrawBoundingBoxes', c(np.zeros((1, 3, 3, 1))), c([[[0, 0, inf, 0.5]]]))
raw('FakeQuantWithMinMaxArgsGradient', f(1, nan, -2), f(0, 99, 99))
raw('LSTMBlockCell', c(np.ones((0, 1))), *[c(np.ones((0, 1)))] * 2, c(np.ones((2, 4))), *[c(np.ones(1))] * 3, c(np.ones(4)))
static(ph(None, 1) * ph(0))
static(ph(None) * ph(None))
static(raw('Equal', ph(None), ph(3), incompatible_shape_error=False))
static(raw('Equal', ph(None), ph(), incompatible_shape_error=False))
static(raw('ApproximateEqual', tf.placeholder('float32'), ph(2, 3)))
static(raw('Betainc', tf.placeholder('float32'), ph(), ph(4)))
static(raw('BatchMatMul', ph(3, 4, 5), tf.placeholder('float32')))
static(raw('BatchMatMulV2', ph(3, 4, 5), tf.placeholder('float32')))
static(raw('MatrixSolve', ph(2, 3, 3), tf.placeholder('float32')))
static(raw('MatrixSetDiagV2', ph(None, None, None), ph(2, 3), tf.placeholder('int32')))
static(raw('MirrorPadGrad', ph(2, 3), tf.placeholder('int32'), mode='SYMMETRIC'))
static(raw('MirrorPadGrad', ph(2, 3), tf.placeholder('int32', [2, 2]), mode='SYMMETRIC'))
static(raw('ReverseSequence', ph(2, 3), tf.placeholder('int64', [2]), seq_dim=-1, batch_dim=0))
static(raw('ParallelConcat', [ph(1, 2), ph(None, 2)], shape=[2, 2]))
static(raw('SpaceToBatchND', ph(2, 4, 1), tf.placeholder('int32', [None]), [[0, 0]]))
static(raw('BatchToSpaceND', ph(2, 4, 1), tf.constant([-2]), tf.placeholder('int32', [1, 2])))
static(raw('SpaceToDepth', ph(2, 4, 4, 1), block_size=2, data_format='NCHW_VECT_C'))
static(raw('ExtractImagePatches', ph(2, None, 4, 1), ksizes=[1, 1, 1, 1], strides=[1, 1, 1, 1], rates=[1, 1, 1, 1], padding='SAME'))
static(raw('Dilation2D', ph(2, 4, 4, 1), tf.placeholder('float32'), strides=[1, 1, 1, 1], rates=[1, 1, 1, 1], padding='SAME'))
static(raw('SoftmaxCrossEntropyWithLogits', tf.placeholder('float32'), ph(3, 1))[1])
static(raw('SoftmaxCrossEntropyWithLogits', ph(None, 4), ph(3, 1))[1])
static(raw('GRUBlockCellGrad', ph(2, 3), tf.placeholder('float32'), ph(5, 4), *[tf.placeholder('float32')] * 7)[3])
static(raw('MaxPoolGradGrad', tf.placeholder('float32'), ph(2, 2, 2, 1), ph(2, 4, 4, 1), ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding='SAME'))
static(raw('FakeQuantWithMinMaxVarsPerChannel', ph(None, None), ph(3), ph(3)))
static(raw('FakeQuantWithMinMaxVarsPerChannelGradient', ph(2, 3), ph(2, 3), ph(None), ph(None))[1])
static(raw('GatherV2', tf.placeholder('float32'), i(0), 0, batch_dims=5))
static(raw('GatherV2', tf.placeholder('float32'), tf.constant(0), 0, batch_dims=5))
static(raw('ScatterNd', tf.placeholder('int32', [4, 1]), tf.placeholder('float32'), [0]))
static(raw('UniqueWithCounts', ph())[0])
static(raw('Unique', ph())[0])
static(raw('UpperBound', ph(2, 3), ph(4, 3)))
static(raw('OneHot', tf.placeholder('int32', [2]), 3, ph(1), ph()))
static(raw('ImageProjectiveTransformV2', ph(2, 3, 3, 1), ph(8), [4, 5], interpolation='BILINEAR'))
static(raw('DrawBoundingBoxesV2', ph(2, 3, 3), ph(2, 4), ph(1)))
static(raw('AdjustHue', ph(2, 2, 3), ph(1)))
static(raw('Transpose', tf.placeholder('float32'), tf.placeholder('int32', [1])))
""".strip().splitlines()
"""What these give when run, or the class of their error."""

GRADIENTS = """
tf.add(ph(2, 3), ph(2, 3))
tf.add(ph(2, 3), ph(3))
tf.add(ph(None, 3), ph(3))
tf.add(ph(None, 3), ph(None, 3))
tf.subtract(ph(2, 3), ph())
tf.subtract(ph(2, 3), ph(2, 3))
tf.multiply(ph(2, 3), ph(2, 3))
tf.multiply(ph(None, 3), ph(1, 3))
tf.multiply(tf.placeholder('float64', [2]), tf.placeholder('float64', [2]))
tf.realdiv(ph(2, 3), ph(3))
tf.div_no_nan(ph(2), ph(2))
tf.floormod(ph(2), ph(2))
tf.math.xlogy(ph(2), ph(2))
tf.math.xdivy(ph(2), ph(2))
tf.math.multiply_no_nan(ph(2), ph(2))
tf.pow(ph(2), ph(2))
tf.pow(ph(None), 2.)
tf.maximum(ph(2), ph())
tf.minimum(ph(None), ph(None))
tf.squared_difference(ph(2), ph(2))
tf.squared_difference(ph(2), ph())
tf.atan2(ph(2), ph(2))
tf.add_n([ph(2), ph(2)])
tf.exp(ph(2))
tf.log(ph(2))
tf.log1p(ph(2))
tf.sqrt(ph(2))
tf.rsqrt(ph(2))
tf.square(ph(2))
tf.square(tf.placeholder('complex64', [2]))
tf.reciprocal(ph(2))
tf.abs(ph(2))
tf.abs(tf.placeholder('complex64', [2]))
tf.negative(ph(2))
tf.sign(ph(2))
tf.sigmoid(ph(2))
tf.tanh(ph(2))
tf.sin(ph(2))
tf.cos(ph(2))
tf.tan(ph(2))
tf.asin(ph(2))
tf.acos(ph(2))
tf.atan(ph(2))
tf.sinh(ph(2))
tf.cosh(ph(2))
tf.asinh(ph(2))
tf.acosh(ph(2))
tf.atanh(ph(2))
tf.expm1(ph(2))
tf.erf(ph(2))
tf.erfc(ph(2))
tf.lgamma(ph(2))
tf.cast(ph(2), 'float64')
tf.cast(ph(2), 'int32')
tf.complex(ph(2), ph(2))
tf.real(tf.placeholder('complex64', [2]))
tf.angle(tf.placeholder('complex64', [2]))
tf.reduce_sum(ph(2, 3))
tf.reduce_sum(ph(2, 3), 1)
tf.reduce_sum(ph(2, 3), -1, keepdims=True)
tf.reduce_sum(ph(None, 3))
tf.reduce_sum(ph(None, 3), 1)
tf.reduce_sum(ph(None, 3), 1, keepdims=True)
tf.reduce_sum(tf.placeholder('float32'), 0)
tf.reduce_mean(ph(2, 3))
tf.reduce_mean(ph(2, 3), [0])
tf.reduce_mean(ph(None, 3))
tf.reduce_mean(ph(None, 3), 0)
tf.reduce_max(ph(2, 3), 1)
tf.reduce_min(ph(None, 3), 1)
tf.math.reduce_euclidean_norm(ph(2, 3), 1)
tf.argmax(ph(2, 3), 1)
tf.cumsum(ph(3), reverse=True)
tf.cumprod(ph(3))
tf.matmul(ph(2, 3), ph(3, 2))
tf.matmul(ph(2, 3), ph(2, 3), transpose_b=True)
tf.matmul(ph(3, 2), ph(3, 2), transpose_a=True)
tf.matmul(ph(3, 2), ph(2, 3), transpose_a=True, transpose_b=True)
tf.matmul(ph(5, 2, 3), ph(5, 3, 2))
tf.matmul(ph(None, 2, 3), ph(3, 2))
tf.nn.l2_loss(ph(2))
raw('ClipByValue', ph(2), 0., 1.)
tf.segment_sum(ph(3, 2), [0, 0, 1])
tf.segment_mean(ph(3, 2), [0, 0, 1])
tf.unsorted_segment_sum(ph(3, 2), [0, 0, 1], 2)
tf.unsorted_segment_max(ph(3, 2), [0, 0, 1], 2)
tf.sparse_segment_sum(ph(3, 2), [0, 1], [0, 0])
tf.equal(ph(2), ph(2))
tf.floor(ph(2))
tf.cross(ph(3), ph(3))
tf.matrix_inverse(ph(2, 2))
tf.matrix_determinant(ph(2, 2))
tf.matrix_solve(ph(2, 2), ph(2, 1))
tf.matrix_triangular_solve(ph(2, 2), ph(2, 1))
tf.cholesky(ph(2, 2))
tf.nn.top_k(ph(2, 3), 2).values
""".strip().splitlines()
"""The nodes that the gradient of the operation that made the first of these adds."""


def _dimensions(tensor: Any) -> list[int]:
    """Those that the graph knows, -1 for the others; -2 alone where not even their number is known."""
    return [-2] if tensor.shape.ndims is None else [-1 if size is None else size for size in tensor.shape.as_list()]


def names(tf: Any, raw: Any) -> dict[str, Any]:
    def c(value: Any, dtype: str = "float32") -> Any:
        """A value of which the graph knows nothing."""
        return tf.placeholder_with_default(np.array(value, dtype), None)

    return {
        "tf": tf,
        "raw": raw,
        "np": np,
        "inf": np.inf,
        "nan": np.nan,
        "c": c,
        "pairs": lambda rank: {"ksize": [1, 2] + [1] * (rank - 2), "strides": [1, 2] + [1] * (rank - 2), "padding": "SAME"},
        "static": lambda tensor: tf.constant(_dimensions(tensor), "int32"),
        "f": lambda *values: c(values),
        "i": lambda *values: c(values, "int32"),
        "ph": lambda *shape: tf.placeholder("float32", list(shape)),
    }


def nodes(graph: Any, begin: int = 0) -> list[Any]:
    found = []
    for node in list(graph.as_graph_def().node)[begin:]:
        attrs = {key: " ".join(str(value).split()) for key, value in node.attr.items() if key not in NEWER_ATTRS}
        found.append([node.name, node.op, list(node.input), attrs])
    return found


def flat(value: Any) -> list[Any]:
    if isinstance(value, (list, tuple)):
        return [item for part in value for item in flat(part)]
    return [] if value is None else [value]


def plain(value: Any) -> list[Any]:
    array = np.asarray(value)
    items = array.reshape(-1).tolist()
    if array.dtype.kind == "c":
        items = [[item.real, item.imag] for item in items]
    return [str(array.dtype), list(array.shape), [float(item) if array.dtype.kind not in "biuc" else item for item in items]]


def build(tf: Any, raw: Any, text: str) -> Any:
    tf.reset_default_graph()
    try:
        eval(text, names(tf, raw))
    except Exception as error:
        return {"error": [found.__name__ for found in type(error).__mro__]}
    return nodes(tf.get_default_graph())


def value(tf: Any, raw: Any, text: str) -> Any:
    tf.reset_default_graph()
    try:
        tensors = flat(eval(text, names(tf, raw)))
        with tf.Session() as session:
            return [plain(found) for found in session.run(tensors)]
    except Exception as error:
        return {"error": [found.__name__ for found in type(error).__mro__]}


def gradient(tf: Any, raw: Any, grad_of: Any, text: str) -> Any:
    tf.reset_default_graph()
    op = flat(eval(text, names(tf, raw)))[0].op
    with tf.name_scope("grad"):
        grads = [tf.placeholder(output.dtype, output.shape, name="in") for output in op.outputs]
    begin = len(tf.get_default_graph().get_operations())
    with tf.name_scope("of"):
        found = grad_of(op, *grads)
    found = list(found) if isinstance(found, (list, tuple)) else [found]
    shown = [None if grad is None else [getattr(grad, "name", str(grad)), str(getattr(grad, "shape", ""))] for grad in found]
    return [nodes(tf.get_default_graph(), begin), shown]
