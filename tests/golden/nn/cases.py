"""Small programs of neural networks against TensorFlow 1's face, each giving its nodes, its values, or both.

`write_nn.py` runs them with real TensorFlow and keeps the answers in `nn.json`; tests/ops/test_nn.py runs them with gpersist and compares.
A case is a function that gets the module `tf` and gives the tensors to be fetched. The graph is new for each.
"""

from __future__ import annotations

from typing import Any

import numpy as np

NEWER_ATTRS = {
    ("MatMul", "grad_a"),
    ("MatMul", "grad_b"),
    ("BatchMatMulV2", "grad_x"),
    ("BatchMatMulV2", "grad_y"),
    ("FusedBatchNormV3", "exponential_avg_factor"),
    ("MaxPool", "explicit_paddings"),
    ("MaxPoolGrad", "explicit_paddings"),
    ("DepthwiseConv2dNative", "explicit_paddings"),
    ("DepthwiseConv2dNativeBackpropInput", "explicit_paddings"),
    ("DepthwiseConv2dNativeBackpropFilter", "explicit_paddings"),
    ("SparseSegmentSum", "sparse_gradient"),
    ("SparseSegmentMean", "sparse_gradient"),
}
"""Attributes that TensorFlow 2 has added to operations of 1.15, whose nodes are the yardstick."""

CASES: dict[str, Any] = {}


def case(function: Any) -> Any:
    CASES[function.__name__] = function
    return function


def answer(tf: Any, function: Any) -> Any:
    """What a case gives: its nodes, the shapes known before running, and the values."""
    try:
        fetches = function(tf)
    except Exception as error:
        return {"error": type(error).__name__, "message": str(error)}
    fetches = list(fetches) if isinstance(fetches, (list, tuple)) else [fetches]
    found = []
    for node in tf.get_default_graph().as_graph_def().node:
        attrs = {key: " ".join(str(value).split()) for key, value in node.attr.items() if (node.op, key) not in NEWER_ATTRS}
        attrs.pop("_has_manual_control_dependencies", None)
        attrs = {key: text for key, text in attrs.items() if len(text) < 300}  # not the data
        found.append([node.name, node.op, list(node.input), attrs])
    collections = {
        key: [getattr(value, "name", str(value)) for value in tf.get_collection(key)]
        for key in ("losses", "regularization_losses", "update_ops", "variables", "trainable_variables")
    }
    shapes = [str(tensor.shape) for tensor in fetches]
    return {"nodes": found, "shapes": shapes, "collections": collections, "values": _values(tf, fetches)}


def _values(tf: Any, fetches: list[Any]) -> Any:
    if any(op.type in ("RandomUniform", "Placeholder") for op in tf.get_default_graph().get_operations()):
        return None
    with tf.Session() as session:
        if tf.global_variables():
            session.run(tf.global_variables_initializer())
        return [np.asarray(value, np.float64).tolist() for value in session.run(fetches)]


def numbers(*shape: int, seed: int = 1, low: float = -1.0, high: float = 1.0) -> Any:
    return np.random.RandomState(seed).uniform(low, high, shape).astype(np.float32)


def vague(tf: Any, array: Any, shape: Any = None) -> Any:
    """A tensor of which only this shape is known."""
    return tf.placeholder_with_default(array, shape)


# ---- convolutions


@case
def conv2d(tf: Any) -> Any:
    x, f = tf.constant(numbers(2, 5, 6, 3)), tf.constant(numbers(3, 3, 3, 4, seed=2))
    return [
        tf.nn.conv2d(x, f, [1, 1, 1, 1], "SAME"),
        tf.nn.conv2d(x, f, strides=[1, 2, 2, 1], padding="VALID", name="named"),
        tf.nn.conv2d(x, filters=f, strides=2, padding="SAME"),
        tf.nn.conv2d(x, f, [2, 1], [[0, 0], [1, 2], [0, 1], [0, 0]]),
        tf.nn.conv2d(x, f, 1, "SAME", dilations=[1, 2, 2, 1]),
        tf.nn.conv2d(vague(tf, numbers(2, 5, 6, 3), [None, None, 6, 3]), f, 1, "SAME"),
    ]


@case
def conv2d_gradients(tf: Any) -> Any:
    x, f = tf.constant(numbers(2, 5, 6, 3)), tf.constant(numbers(3, 3, 3, 4, seed=2))
    y = tf.nn.conv2d(x, f, [1, 2, 1, 1], "SAME")
    return tf.gradients(y * y, [x, f])


@case
def conv2d_backprops(tf: Any) -> Any:
    x, f, g = numbers(2, 5, 6, 3), numbers(3, 3, 3, 4, seed=2), numbers(2, 3, 4, 4, seed=3)
    return [
        tf.nn.conv2d_backprop_input([2, 5, 6, 3], f, g, [1, 1, 1, 1], "VALID"),
        tf.nn.conv2d_backprop_filter(x, [3, 3, 3, 4], g, [1, 1, 1, 1], "VALID"),
        tf.nn.conv2d_transpose(g, f, [2, 6, 8, 3], 2, "SAME"),
        tf.nn.conv2d_transpose(g, f, [2, 5, 6, 3], [1, 1, 1, 1], padding="VALID", name="up"),
    ]


@case
def conv1d_and_3d(tf: Any) -> Any:
    return [
        tf.nn.conv1d(numbers(2, 7, 3), numbers(3, 3, 2, seed=2), 2, "SAME"),
        tf.nn.conv1d(value=tf.constant(numbers(2, 7, 3)), filters=numbers(3, 3, 2, seed=2), stride=1, padding="VALID", name="seq"),
        tf.nn.conv3d(numbers(1, 4, 4, 4, 2), numbers(2, 2, 2, 2, 3, seed=2), [1, 1, 2, 1, 1], "SAME"),
        tf.nn.conv3d_transpose(numbers(1, 2, 2, 2, 3), numbers(2, 2, 2, 2, 3, seed=2), [1, 4, 4, 4, 2], [1, 2, 2, 2, 1]),
    ]


@case
def conv3d_gradients(tf: Any) -> Any:
    x, f = tf.constant(numbers(1, 4, 4, 4, 2)), tf.constant(numbers(2, 2, 2, 2, 3, seed=2))
    return tf.gradients(tf.nn.conv3d(x, f, [1, 1, 2, 1, 1], "SAME"), [x, f])


@case
def depthwise(tf: Any) -> Any:
    x, f, p = tf.constant(numbers(2, 5, 6, 3)), tf.constant(numbers(3, 3, 3, 2, seed=2)), tf.constant(numbers(1, 1, 6, 4, seed=3))
    y = tf.nn.depthwise_conv2d(x, f, [1, 1, 1, 1], "SAME")
    return [
        y,
        tf.nn.depthwise_conv2d_native(x, f, [1, 2, 2, 1], "VALID"),
        tf.nn.separable_conv2d(x, f, p, [1, 2, 2, 1], "SAME"),
        *tf.gradients(y, [x, f]),
    ]


@case
def depthwise_dilated(tf: Any) -> Any:
    x, f = tf.constant(numbers(2, 7, 8, 3)), tf.constant(numbers(3, 3, 3, 2, seed=2))
    return [tf.nn.depthwise_conv2d(x, f, [1, 1, 1, 1], "SAME", rate=[2, 2]), tf.nn.depthwise_conv2d(x, f, [1, 1, 1, 1], "VALID", rate=[1, 2])]


@case
def convolution(tf: Any) -> Any:
    x, f = tf.constant(numbers(2, 7, 8, 3)), tf.constant(numbers(3, 3, 3, 2, seed=2))
    return [
        tf.nn.convolution(x, f, "SAME"),
        tf.nn.convolution(x, f, "VALID", strides=[2, 1]),
        tf.nn.convolution(x, f, "SAME", dilation_rate=[2, 2]),
        tf.nn.convolution(x, f, "VALID", dilation_rate=[2, 1], name="holes"),
        tf.nn.atrous_conv2d(x, f, 2, "SAME"),
        tf.nn.convolution(tf.constant(numbers(2, 7, 3)), tf.constant(numbers(3, 3, 2)), "SAME"),
    ]


@case
def convolution_of_unknown_size(tf: Any) -> Any:
    x, f = vague(tf, numbers(2, 7, 8, 3), [None, None, None, 3]), tf.constant(numbers(3, 3, 3, 2, seed=2))
    return tf.nn.atrous_conv2d(x, f, 2, "VALID")


# ---- pooling


@case
def pooling(tf: Any) -> Any:
    x = tf.constant(numbers(2, 5, 6, 3))
    return [
        tf.nn.max_pool(x, [1, 3, 3, 1], [1, 3, 3, 1], "SAME"),
        tf.nn.max_pool(x, 2, 2, "VALID"),
        tf.nn.max_pool2d(x, 2, 1, "SAME"),
        tf.nn.avg_pool(x, [1, 2, 3, 1], [1, 2, 1, 1], "SAME"),
        tf.nn.avg_pool(x, ksize=2, strides=2, padding="VALID", name="mean"),
        *tf.nn.max_pool_with_argmax(x, [1, 2, 2, 1], [1, 2, 2, 1], "SAME"),
        tf.nn.max_pool1d(tf.constant(numbers(2, 6, 3)), 2, 2, "VALID"),
        tf.nn.avg_pool1d(tf.constant(numbers(2, 6, 3)), 2, 2, "VALID"),
        tf.nn.max_pool3d(tf.constant(numbers(1, 4, 4, 4, 2)), 2, 2, "SAME"),
        tf.nn.avg_pool3d(tf.constant(numbers(1, 4, 4, 4, 2)), 2, 2, "SAME"),
    ]


@case
def pool(tf: Any) -> Any:
    x = tf.constant(numbers(2, 6, 7, 3))
    return [
        tf.nn.pool(x, [2, 2], "MAX", "SAME"),
        tf.nn.pool(x, [2, 3], "AVG", "VALID", strides=[2, 1]),
        tf.nn.pool(x, [2, 2], "MAX", "VALID", dilation_rate=[2, 2]),
        tf.nn.pool(tf.constant(numbers(2, 6, 3)), [2], "MAX", "SAME"),
    ]


@case
def pooling_gradients(tf: Any) -> Any:
    x = tf.constant(np.round(numbers(2, 5, 6, 3) * 2))  # with ties
    y = tf.nn.max_pool(x, [1, 3, 3, 1], [1, 2, 2, 1], "SAME")
    z = tf.nn.avg_pool(x, [1, 3, 3, 1], [1, 2, 2, 1], "SAME")
    m, _ = tf.nn.max_pool_with_argmax(x, [1, 2, 2, 1], [1, 2, 2, 1], "SAME")
    return [*tf.gradients(y * y, x), *tf.gradients(z, x), *tf.gradients(m * m, x)]


# ---- activations and entropies


@case
def activations(tf: Any) -> Any:
    x = tf.constant(numbers(2, 5, low=-4, high=8))
    found = [tf.nn.relu(x), tf.nn.relu6(x), tf.nn.elu(x), tf.nn.selu(x), tf.nn.softplus(x), tf.nn.softsign(x)]
    return [*found, tf.nn.leaky_relu(x), tf.nn.leaky_relu(x, alpha=0.1, name="leaky"), tf.nn.crelu(x), tf.nn.relu(x, name="r")]


@case
def activation_gradients(tf: Any) -> Any:
    x = tf.constant(numbers(2, 5, low=-4, high=8))
    found = []
    for function in (tf.nn.relu, tf.nn.relu6, tf.nn.elu, tf.nn.selu, tf.nn.softplus, tf.nn.softsign, tf.nn.leaky_relu):
        found += tf.gradients(function(x), x)
    return found


@case
def softmax(tf: Any) -> Any:
    x = tf.constant(numbers(2, 5, 3, low=-4, high=8))
    return [tf.nn.softmax(x), tf.nn.softmax(x, axis=1), tf.nn.log_softmax(x, name="log"), tf.nn.log_softmax(x, axis=0), tf.nn.softmax(x, dim=-1)]


@case
def softmax_gradients(tf: Any) -> Any:
    x, w = tf.constant(numbers(2, 5)), tf.constant(numbers(2, 5, seed=2))
    return [*tf.gradients(tf.nn.softmax(x) * w, x), *tf.gradients(tf.nn.log_softmax(x) * w, x)]


@case
def softmax_cross_entropy_with_logits(tf: Any) -> Any:
    x, y = tf.constant(numbers(4, 3)), tf.constant(np.eye(3, dtype=np.float32)[[0, 2, 1, 1]])
    return [
        tf.nn.softmax_cross_entropy_with_logits(labels=y, logits=x),
        tf.nn.softmax_cross_entropy_with_logits_v2(labels=y, logits=x, name="loss"),
        tf.nn.softmax_cross_entropy_with_logits_v2(labels=y, logits=x, axis=0),
        tf.nn.softmax_cross_entropy_with_logits_v2(labels=tf.ones([2, 2, 3]) / 3.0, logits=tf.constant(numbers(2, 2, 3))),
        *tf.gradients(tf.nn.softmax_cross_entropy_with_logits_v2(labels=y, logits=x), [x, y]),
    ]


@case
def softmax_cross_entropy_of_unknown_shape(tf: Any) -> Any:
    x, y = vague(tf, numbers(4, 3), [None, 3]), vague(tf, np.eye(3, dtype=np.float32)[[0, 2, 1, 1]], [None, 3])
    loss = tf.nn.softmax_cross_entropy_with_logits_v2(labels=y, logits=x)
    return [loss, *tf.gradients(loss, x)]


@case
def sparse_softmax_cross_entropy_with_logits(tf: Any) -> Any:
    x = tf.constant(numbers(4, 3))
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=[0, 2, 1, 1], logits=x)
    cube = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tf.constant([[0, 1], [2, 0]]), logits=tf.constant(numbers(2, 2, 3)), name="cube")
    return [loss, cube, *tf.gradients(loss, x)]


@case
def sparse_softmax_bad_shape(tf: Any) -> Any:
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=[0, 2], logits=tf.constant(numbers(4, 3)))


@case
def sigmoid_cross_entropy_with_logits(tf: Any) -> Any:
    x, y = tf.constant(numbers(4, 3)), tf.constant(numbers(4, 3, seed=2, low=0))
    loss = tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=x)
    return [
        loss,
        tf.nn.weighted_cross_entropy_with_logits(labels=y, logits=x, pos_weight=2.0),
        tf.nn.weighted_cross_entropy_with_logits(targets=y, logits=x, pos_weight=0.5, name="w"),
        tf.nn.log_poisson_loss(y, x),
        tf.nn.log_poisson_loss(y, x, compute_full_loss=True),
        *tf.gradients(loss, [x, y]),
    ]


# ---- normalisation


@case
def batch_normalization(tf: Any) -> Any:
    x = tf.constant(numbers(3, 4, 2, 2))
    mean, variance = tf.nn.moments(x, [0, 1, 2])
    return [
        mean,
        variance,
        *tf.nn.moments(x, [0], keep_dims=True, name="kept"),
        tf.nn.batch_normalization(x, mean, variance, tf.constant([1.0, 2.0]), tf.constant([0.5, 3.0]), 1e-3),
        tf.nn.batch_normalization(x, mean, variance, None, None, 1e-3, name="plain"),
        *tf.nn.weighted_moments(x, [0, 1], tf.constant(numbers(3, 4, 1, 1, seed=2, low=0))),
    ]


@case
def sufficient_statistics(tf: Any) -> Any:
    x = tf.constant(numbers(3, 4))
    count, mean_ss, var_ss, shift = tf.nn.sufficient_statistics(x, [0], shift=0.5)
    first = tf.nn.normalize_moments(count, mean_ss, var_ss, shift)
    count, mean_ss, var_ss, shift = tf.nn.sufficient_statistics(vague(tf, numbers(3, 4)), [0, 1])
    return [*first, *tf.nn.normalize_moments(count, mean_ss, var_ss, shift)]


@case
def fused_batch_norm(tf: Any) -> Any:
    x, scale, offset = tf.constant(numbers(3, 4, 2, 2)), tf.constant([0.5, 3.0]), tf.constant([1.0, 2.0])
    y, mean, variance = tf.nn.fused_batch_norm(x, scale, offset)
    z, m, v = tf.nn.fused_batch_norm(x, scale, offset, [0.1, 0.2], [0.5, 0.7], epsilon=0.01, is_training=False, name="fixed")
    return [y, mean, variance, z, m, v, *tf.gradients(y * y, [x, scale, offset]), *tf.gradients(z * z, [x, scale, offset])]


@case
def lrn(tf: Any) -> Any:
    x = tf.constant(numbers(1, 2, 2, 7))
    y = tf.nn.lrn(x, 2, bias=1.5, alpha=0.3, beta=0.75)
    return [y, tf.nn.local_response_normalization(x), *tf.gradients(y, x)]


@case
def bias(tf: Any) -> Any:
    x, b = tf.constant(numbers(2, 3)), tf.constant(numbers(3, seed=2))
    y = tf.nn.bias_add(x, b)
    images = tf.nn.bias_add(tf.constant(numbers(2, 3, 2, 2)), b, data_format="NCHW", name="first")
    return [y, images, tf.nn.xw_plus_b(x, tf.constant(numbers(3, 4)), tf.zeros([4])), *tf.gradients(y, [x, b]), *tf.gradients(images, b)]


@case
def bias_bad(tf: Any) -> Any:
    return tf.nn.bias_add(tf.constant(numbers(2, 3)), [1.0], data_format="HWC")


@case
def relu_layer(tf: Any) -> Any:
    return tf.nn.relu_layer(tf.constant(numbers(2, 3)), tf.constant(numbers(3, 4)), tf.zeros([4]))


# ---- dropout: nodes alone, and the numbers of a seed elsewhere


@case
def dropout(tf: Any) -> Any:
    x = tf.constant(numbers(4, 3))
    return [
        tf.nn.dropout(x, 0.5),
        tf.nn.dropout(x, keep_prob=0.25, seed=7),
        tf.nn.dropout(x, rate=0.4, name="named"),
        tf.nn.dropout(vague(tf, numbers(4, 3), [None, 3]), rate=0.4),
        tf.nn.dropout(x, rate=tf.constant(0.3)),
        tf.nn.dropout(x, rate=0.5, noise_shape=[None, 1]),
        tf.nn.dropout(x, rate=0.5, noise_shape=[4, 1]),
        tf.nn.dropout(x, rate=0.0),
        *tf.gradients(tf.nn.dropout(x, 0.5), x),
    ]


@case
def dropout_bad_rate(tf: Any) -> Any:
    return tf.nn.dropout(tf.constant(numbers(4, 3)), rate=1.5)


@case
def dropout_of_integers(tf: Any) -> Any:
    return tf.nn.dropout(tf.constant([1, 2]), rate=0.5)


# ---- embeddings


@case
def embedding(tf: Any) -> Any:
    table, parts = tf.constant(numbers(6, 3)), [tf.constant(numbers(3, 2)), tf.constant(numbers(2, 2, seed=2))]
    return [
        tf.nn.embedding_lookup(table, [[1, 0], [5, 5]]),
        tf.nn.embedding_lookup(table, tf.constant([1, 0]), max_norm=0.5, name="short"),
        tf.nn.embedding_lookup(parts, tf.constant([[4, 0], [2, 3]])),
        tf.nn.embedding_lookup(parts, tf.constant([4, 0, 2, 3]), partition_strategy="div"),
    ]


# ---- losses


@case
def losses(tf: Any) -> Any:
    x, y = tf.constant(numbers(4, 3)), tf.constant(numbers(4, 3, seed=2, low=0))
    found = [
        tf.losses.mean_squared_error(y, x),
        tf.losses.absolute_difference(y, x, weights=2.0),
        tf.losses.huber_loss(y, x, delta=0.5),
        tf.losses.hinge_loss(y, x),
        tf.losses.log_loss(y, tf.nn.sigmoid(x)),
        tf.losses.cosine_distance(y, x, axis=1),
        tf.losses.sigmoid_cross_entropy(y, x, label_smoothing=0.1),
        tf.losses.mean_pairwise_squared_error(y, x),
    ]
    return [*found, tf.losses.get_total_loss()]


@case
def loss_of_classes(tf: Any) -> Any:
    x, y = tf.constant(numbers(4, 3)), tf.constant(np.eye(3, dtype=np.float32)[[0, 2, 1, 1]])
    return [
        tf.losses.softmax_cross_entropy(y, x),
        tf.losses.softmax_cross_entropy(y, x, label_smoothing=0.1, weights=tf.constant([1.0, 0.0, 2.0, 1.0])),
        tf.losses.sparse_softmax_cross_entropy([0, 2, 1, 1], x),
        tf.losses.sparse_softmax_cross_entropy(tf.constant([[0], [2], [1], [1]]), x, scope="s", loss_collection="mine"),
    ]


@case
def loss_reductions(tf: Any) -> Any:
    x, y, w = tf.constant(numbers(4, 3)), tf.constant(numbers(4, 3, seed=2)), tf.constant([[1.0], [0.0], [2.0], [0.5]])
    return [tf.losses.mean_squared_error(y, x, weights=w, reduction=reduction) for reduction in sorted(set(tf.losses.Reduction.all()))]


@case
def loss_of_unknown_shape(tf: Any) -> Any:
    x, y = vague(tf, numbers(4, 3), [None, 3]), vague(tf, np.eye(3, dtype=np.float32)[[0, 2, 1, 1]], [None, 3])
    loss = tf.losses.softmax_cross_entropy(y, x)
    return [loss, *tf.gradients(loss, x)]


@case
def loss_gradients(tf: Any) -> Any:
    x, y = tf.constant(numbers(4, 3)), tf.constant(numbers(4, 3, seed=2, low=0))
    found = [tf.losses.mean_squared_error(y, x), tf.losses.huber_loss(y, x, delta=0.5), tf.losses.sigmoid_cross_entropy(y, x)]
    return [grad for loss in found for grad in tf.gradients(loss, x)]


@case
def loss_bad_weights(tf: Any) -> Any:
    return tf.losses.mean_squared_error(tf.constant(numbers(4, 3)), tf.constant(numbers(4, 3)), weights=tf.constant([1.0, 2.0]))


@case
def loss_bad_shapes(tf: Any) -> Any:
    return tf.losses.mean_squared_error(tf.constant(numbers(4, 3)), tf.constant(numbers(4, 2)))


@case
def loss_bad_reduction(tf: Any) -> Any:
    return tf.losses.compute_weighted_loss(tf.constant(numbers(4, 3)), reduction="most")


# ---- layers


@case
def dense(tf: Any) -> Any:
    x = tf.placeholder(tf.float32, [None, 3], name="x")
    first = tf.layers.dense(x, 4, activation=tf.nn.relu)
    second = tf.layers.dense(x, 4, name="d", kernel_regularizer=tf.nn.l2_loss)
    again = tf.layers.dense(x, 4, name="d", reuse=True, kernel_regularizer=tf.nn.l2_loss)
    layer = tf.layers.Dense(2, use_bias=False)
    return [first, second, again, tf.layers.dense(x, 5), layer(x), layer(x)]


@case
def dense_values(tf: Any) -> Any:
    ones = tf.ones_initializer()
    return [
        tf.layers.dense(tf.constant(numbers(2, 3)), 4, kernel_initializer=ones, bias_initializer=ones),
        tf.layers.dense(tf.constant(numbers(2, 2, 3)), 4, kernel_initializer=ones),
        tf.layers.flatten(tf.constant(numbers(2, 2, 3))),
    ]


@case
def dense_in_scopes(tf: Any) -> Any:
    x = tf.placeholder(tf.float32, [None, 3], name="x")
    found = []
    for reuse in (False, True):
        with tf.variable_scope("net", reuse=reuse):
            found.append(tf.layers.dense(x, 4, name="d"))
            found.append(tf.layers.dense(x, 4))
    with tf.variable_scope("other", initializer=tf.zeros_initializer()):
        found.append(tf.layers.dense(x, 4))
    return found


@case
def dense_bad(tf: Any) -> Any:
    return tf.layers.dense(tf.placeholder(tf.float32, [None, None]), 4)


@case
def convolution_layers(tf: Any) -> Any:
    x = tf.placeholder(tf.float32, [None, 8, 8, 3], name="x")
    return [
        tf.layers.conv2d(x, 4, 3, padding="same", activation=tf.nn.relu),
        tf.layers.conv2d(x, 4, [3, 2], strides=(2, 1), name="c"),
        tf.layers.conv2d(x, 4, 3, dilation_rate=2),
        tf.layers.conv1d(tf.placeholder(tf.float32, [None, 8, 3]), 4, 3, strides=2),
        tf.layers.conv3d(tf.placeholder(tf.float32, [None, 8, 8, 8, 3]), 4, 3, strides=2),
        tf.layers.conv2d_transpose(x, 4, 3, strides=2, padding="same"),
        tf.layers.separable_conv2d(x, 4, 3, depth_multiplier=2),
    ]


@case
def transposed_and_separable_layers(tf: Any) -> Any:
    images = tf.placeholder(tf.float32, [None, None, None, 3])
    volumes, wide = tf.placeholder(tf.float32, [None, 4, 5, 6, 3]), tf.placeholder(tf.float32, [2, 3, None, 5, 6])
    rows = tf.placeholder(tf.float32, [None, 10, 3])
    return [
        tf.layers.conv2d_transpose(images, 5, 3, 2, padding="same", activation=tf.nn.relu),
        tf.layers.conv2d_transpose(images, 4, 3, 2),
        tf.layers.conv3d_transpose(volumes, 5, 3, 2, padding="same", activation=tf.nn.relu),
        tf.layers.conv3d_transpose(volumes, 4, [1, 2, 3], [1, 1, 2], use_bias=False, name="q"),
        tf.layers.conv3d_transpose(wide, 4, 2, data_format="channels_first"),
        tf.layers.Conv3DTranspose(2, 2)(volumes),
        tf.layers.separable_conv1d(rows, 5, 3, strides=2, depth_multiplier=2, padding="same", activation=tf.nn.relu),
        tf.layers.separable_conv1d(rows, 4, 2, use_bias=False, name="r"),
        tf.layers.separable_conv1d(tf.placeholder(tf.float32, [None, 3, 10]), 4, 3, data_format="channels_first"),
        tf.layers.SeparableConv1D(4, 3, dilation_rate=2)(rows),
    ]


@case
def pooling_layers(tf: Any) -> Any:
    x = tf.placeholder(tf.float32, [None, 8, 8, 3], name="x")
    return [
        tf.layers.max_pooling2d(x, 2, 2),
        tf.layers.average_pooling2d(x, 2, 2, padding="same"),
        tf.layers.max_pooling1d(tf.placeholder(tf.float32, [None, 8, 3]), 2, 2),
        tf.layers.flatten(x),
        tf.layers.flatten(tf.placeholder(tf.float32, [None, 8, None])),
        tf.layers.dropout(x, 0.4, training=True),
        tf.layers.dropout(x, 0.4),
    ]


@case
def batch_normalization_layers(tf: Any) -> Any:
    x, rows = tf.placeholder(tf.float32, [None, 8, 8, 3], name="x"), tf.placeholder(tf.float32, [None, 3], name="rows")
    return [
        tf.layers.batch_normalization(x, training=True),
        tf.layers.batch_normalization(x),
        tf.layers.batch_normalization(rows, training=True, momentum=0.9, name="bn"),
        tf.layers.batch_normalization(rows),
        tf.layers.batch_normalization(x, center=False, scale=False, training=True),
    ]


@case
def batch_renormalization_layers(tf: Any) -> Any:
    x, rows = tf.constant(numbers(3, 4, 2, 3)), tf.constant(numbers(6, 3, seed=2))

    def variance(shape: Any, dtype: Any = None, partition_info: Any = None) -> Any:
        return tf.constant(4.0, dtype, shape)

    return [
        tf.layers.batch_normalization(x, training=True, renorm=True),
        tf.layers.batch_normalization(x, axis=1, scale=False, training=True, renorm=True, fused=True, moving_variance_initializer=variance),
        tf.layers.batch_normalization(rows, training=True, renorm=True, renorm_clipping={"rmax": 1.5, "rmin": 0.7, "dmax": 0.2}, name="bn"),
        tf.layers.batch_normalization(rows, center=False, training=True, renorm=True, renorm_clipping={"rmax": 1.5}, renorm_momentum=0.5),
        tf.layers.batch_normalization(rows, renorm=True),
        tf.layers.batch_normalization(rows, training=True, fused=True),
    ]


# ---- a whole network, and its gradients


@case
def convolutional_network(tf: Any) -> Any:
    def layer(x: Any, name: str, shape: list[int], combine: Any) -> Any:
        with tf.variable_scope(name):
            weights = tf.Variable(numbers(*shape, seed=len(name), low=-0.1, high=0.1), name="w")
            biases = tf.Variable(tf.constant(0.1, shape=shape[-1:]), name="b")
            return combine(x, weights) + biases

    def convolve(x: Any, weights: Any) -> Any:
        return tf.nn.conv2d(x, weights, strides=[1, 1, 1, 1], padding="SAME")

    def pool(x: Any) -> Any:
        return tf.nn.max_pool(x, ksize=[1, 3, 3, 1], strides=[1, 3, 3, 1], padding="SAME")

    x = vague(tf, numbers(4, 16, 16, 3), [None, 16, 16, 3])
    y = pool(tf.nn.relu(layer(x, "conv1", [3, 3, 3, 8], convolve)))
    y = pool(tf.nn.relu(layer(y, "conv2", [3, 3, 8, 6], convolve)))
    y = tf.nn.relu(layer(tf.reshape(y, [-1, 2 * 2 * 6]), "fc1", [24, 10], tf.matmul))
    y = layer(y, "fc2", [10, 4], tf.matmul)
    loss = tf.losses.softmax_cross_entropy(onehot_labels=np.eye(4, dtype=np.float32)[[0, 2, 1, 3]], logits=y)
    return [y, loss, *tf.gradients(loss, tf.trainable_variables())]
