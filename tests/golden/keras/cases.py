"""Models that Keras writes: functions of the module `keras` (Keras 3, or tf_keras for Keras 2), by name."""

from __future__ import annotations

from typing import Any

import numpy as np


def sequential(*layers: str, of: str = "L.Input((6, 5))") -> Any:
    """A model of layers one after the other, each an expression."""

    def build(keras: Any) -> Any:
        names = {"L": keras.layers, "keras": keras}
        return keras.Sequential([eval(of, names), *(eval(layer, names) for layer in layers)], name="model")

    return build


IMAGE = "L.Input((8, 7, 3))"
VOLUME = "L.Input((5, 4, 6, 2))"
VECTOR = "L.Input((4,))"
WORDS = "L.Input((5,), dtype='int32')"


def _attention(keras: Any) -> Any:
    layers = keras.layers
    words, vectors = layers.Input((5,), dtype="int32", name="words"), layers.Input((4, 6), name="vectors")
    x, y, z = (layers.Embedding(9, 6, mask_zero=True)(words) for _ in range(3))  # Keras 3's heads take masks away from their arguments
    heads = layers.MultiHeadAttention(2, 3, value_dim=2)(x, x, use_causal_mask=True)
    plain = layers.MultiHeadAttention(2, 3, use_bias=False)(vectors, y, vectors[:, :1] + y)
    scored = [layers.Attention(use_scale=True)([vectors, z]), layers.AdditiveAttention()([vectors, z], use_causal_mask=True)]
    normalized = [layers.GroupNormalization(3)(vectors), layers.UnitNormalization()(vectors), layers.EinsumDense("abc,cd->abd", (None, 2), "relu")(x)]
    return keras.Model([words, vectors], [heads, plain, *scored, *normalized], name="model")


def _stacked(keras: Any) -> Any:
    layers = keras.layers
    words, vectors = layers.Input((5,), dtype="int32", name="words"), layers.Input((5, 4), name="vectors")
    steps = layers.Embedding(9, 4, mask_zero=True)(words)
    back = layers.RNN([layers.LSTMCell(3), layers.SimpleRNNCell(2)], go_backwards=True)(vectors)
    return keras.Model([words, vectors], [layers.RNN([layers.LSTMCell(3), layers.GRUCell(2)], return_sequences=True)(steps), back], name="model")


def _prepared(keras: Any) -> Any:
    layers = keras.layers
    image, numbers, x = layers.Input((4, 5, 3), name="image"), layers.Input((3,), dtype="int32", name="numbers"), layers.Input((4,), name="x")
    sizes = [layers.Resizing(3, 7)(image), layers.CenterCrop(2, 2)(image)]
    encoded = [layers.CategoryEncoding(6, mode)(numbers) for mode in ("multi_hot", "count")]
    scaled = layers.Normalization(mean=1.0, variance=4.0, invert=True)(x)
    bounded = layers.Discretization([-1.0, 0.0, 1.0])(x)
    return keras.Model([image, numbers, x], [*sizes, *encoded, scaled, bounded, layers.SpectralNormalization(layers.Dense(2))(x)], name="model")


def _parts(keras: Any) -> Any:
    """Outputs that are not the first of their operation, of Keras 3."""
    x = keras.layers.Input((6,), name="x")
    ops = keras.ops
    pieces = ops.split(x, [1, 3], axis=-1)
    others = [x[:, 1::2], ops.argmax(x, axis=-1), ops.tile(x, [1, 2]), ops.clip(x, -1, 1), ops.reshape(x, [-1, 3, 2]), 1 - x]
    return keras.Model(x, [pieces[2], pieces[1], *others], name="model")


def _named_ends(keras: Any) -> Any:
    """Keras 3 has inputs and outputs as dicts."""
    layers = keras.layers
    b, a = layers.Input((4,), name="b"), layers.Input((4,), name="a")
    return keras.Model({"b": b, "a": a}, {"sum": layers.Add()([a, b]), "first": layers.Dense(2)(b)}, name="model")


def _several(keras: Any) -> Any:
    layers = keras.layers
    one, two = layers.Input((4,), name="one"), layers.Input((4,), name="two")
    shared = layers.Dense(4, activation="relu", name="shared")
    a, b = shared(one), shared(two)
    total = layers.Add(name="total")([a, b, one])
    return keras.Model([one, two], [layers.Dense(3, name="first")(total), layers.Concatenate(name="second")([a, b])], name="model")


def _nested(keras: Any) -> Any:
    layers = keras.layers
    inner = keras.Sequential([layers.Input((4,)), layers.Dense(5, activation="tanh"), layers.BatchNormalization(), layers.Dense(4)], name="inner")
    x = layers.Input((4,), name="x")
    hidden = layers.Input((4,), name="hidden")
    other = keras.Sequential([layers.Input((4,)), layers.Dense(4), layers.BatchNormalization()], name="other")
    outer = keras.Model(hidden, [layers.Dense(4)(other(hidden)), layers.Activation("sigmoid")(hidden)], name="outer")
    first, second = outer(inner(inner(x)))
    return keras.Model(x, layers.Multiply()([first, second]), name="model")


def _frozen_base(keras: Any) -> Any:
    layers = keras.layers
    base = keras.Sequential(
        [layers.Input((4,)), layers.Dense(5), layers.BatchNormalization(), layers.Dense(4), layers.BatchNormalization()], name="base"
    )
    base.trainable = False
    partly = keras.Sequential(
        [layers.Input((4,)), layers.Dense(3), layers.BatchNormalization(), layers.Dense(4), layers.BatchNormalization()], name="p"
    )
    partly.layers[0].trainable = partly.layers[1].trainable = False
    x = layers.Input((4,))
    return keras.Model(x, layers.Dense(2)(partly(base(x))), name="model")


def _merges(keras: Any) -> Any:
    layers = keras.layers
    x, y = layers.Input((3, 4)), layers.Input((3, 4))
    pair = [x, y]
    results = [layers.Subtract()(pair), layers.Multiply()(pair), layers.Average()(pair), layers.Maximum()(pair), layers.Minimum()(pair)]
    results += [layers.Concatenate(axis=1)(pair), layers.Dot(axes=2)(pair), layers.Dot(axes=(1, 1), normalize=True)(pair)]
    flat = [layers.Flatten()(part) for part in pair]
    return keras.Model(pair, [*results, layers.Dot(axes=1)(flat), layers.Dot(axes=-1, normalize=True)(flat)], name="model")


def _states(keras: Any) -> Any:
    layers = keras.layers
    source, target = layers.Input((None, 3), name="source"), layers.Input((4, 2), name="target")
    _, hidden, carried = layers.LSTM(5, return_state=True, name="encoder")(source)
    decoded, last, _ = layers.LSTM(5, return_sequences=True, return_state=True, name="decoder")(target, initial_state=[hidden, carried])
    gru = layers.GRU(5)(target, initial_state=last)
    both = layers.Bidirectional(layers.LSTM(5, return_state=True))(target, initial_state=[hidden, carried, last, hidden])
    return keras.Model([source, target], [layers.Dense(2)(decoded), gru, *both], name="model")


def _masks(keras: Any) -> Any:
    layers = keras.layers
    words, steps = layers.Input((5,), dtype="int32"), layers.Input((5, 3))
    vectors = layers.Embedding(7, 4, mask_zero=True)(words)
    masked = layers.Masking(0.5)(steps)
    results = [
        layers.LSTM(3)(vectors),
        layers.LSTM(3, return_sequences=True, go_backwards=True)(vectors),
        layers.GRU(3, return_sequences=True)(masked),
    ]
    results += [layers.Bidirectional(layers.GRU(2, return_sequences=True))(masked), layers.GlobalAveragePooling1D()(masked)]
    results += [layers.SimpleRNN(3)(layers.Dropout(0.5)(layers.Dense(4)(layers.Concatenate()([vectors, masked]))))]
    results += [layers.TimeDistributed(layers.Dense(2))(masked), layers.LSTM(2)(layers.TimeDistributed(layers.Dense(3))(masked))]
    return keras.Model([words, steps], results, name="model")


def _operations(keras: Any) -> Any:
    layers = keras.layers
    x, y = layers.Input((4,)), layers.Input((4,))
    summed = (x + y) * 0.5 - 1.0
    return keras.Model([x, y], [layers.Dense(2)(summed), -x / 2.0, keras.activations.relu(x), 1.0 - y, summed**2.0], name="model")


CASES: dict[str, Any] = {
    "operations": _operations,
    "masked_words": sequential("L.Embedding(7, 4, mask_zero=True)", "L.LSTM(3)", of=WORDS),
    "masked_steps": sequential(
        "L.Masking(0.5)", "L.Bidirectional(L.GRU(2, return_sequences=True))", "L.TimeDistributed(L.Dense(2))", "L.GlobalAveragePooling1D()"
    ),
    "dense": sequential("L.Dense(3, activation='relu')", "L.Dense(2, use_bias=False, activation='softmax')", of=VECTOR),
    "dense_rank3": sequential("L.Dense(3, activation='tanh')"),
    "dense_rank4": sequential("L.Dense(3, activation='sigmoid')", of=IMAGE),
    **{
        f"activation_{name}": sequential(f"L.Activation('{name}')", of=VECTOR)
        for name in ["linear", "relu", "softmax", "elu", "selu", "softplus", "softsign", "tanh", "sigmoid", "hard_sigmoid", "exponential", "swish", "gelu"]
    },
    "several": _several,
    "nested": _nested,
    "frozen_base": _frozen_base,
    "merges": _merges,
    "states": _states,
    "attention": _attention,
    "stacked": _stacked,
    "prepared": _prepared,
    "named_ends": _named_ends,
    "parts": _parts,
    "masks": _masks,
    "rectifiers": sequential(
        "L.ReLU(max_value=2.0, negative_slope=0.1, threshold=0.3)", "L.LeakyReLU()", "L.PReLU()", "L.ELU(0.7)", "L.ReLU(6.0)", "L.PReLU(shared_axes=[1])",
    ),
    "softmax": sequential("L.Softmax(axis=1)"),
    "cnn": sequential(
        "L.Conv2D(4, 3, activation='relu', padding='same')", "L.BatchNormalization()", "L.MaxPooling2D()", "L.Conv2D(3, (2, 3), strides=(2, 1))",
        "L.Flatten()", "L.Dropout(0.5)", "L.Dense(2, activation='softmax')", of=IMAGE,
    ),
    "dilated": sequential("L.Conv2D(4, 2, dilation_rate=2)", "L.Conv2D(6, 3, padding='same', dilation_rate=(1, 2), use_bias=False)", of=IMAGE),
    "grouped": sequential("L.Conv2D(6, 2, groups=3)", of=IMAGE),
    "conv1d": sequential("L.Conv1D(4, 3, padding='causal', dilation_rate=2)", "L.Conv1D(3, 2, strides=2)", "L.Conv1D(2, 2, padding='same')"),
    "conv3d": sequential("L.Conv3D(3, 2)", "L.MaxPooling3D()", of=VOLUME),
    "transposed": sequential(
        "L.Conv2DTranspose(4, 3, strides=2)", "L.Conv2DTranspose(2, (2, 3), strides=(2, 1), padding='same')",
        "L.Conv2DTranspose(2, 3, strides=2, padding='same', output_padding=1)", of=IMAGE,
    ),
    "transposed_open": sequential("L.Conv2DTranspose(4, 3, strides=2)", of="L.Input((None, None, 3))"),
    "conv1d_transpose": sequential("L.Conv1DTranspose(4, 3, strides=2)"),
    "conv3d_transpose": sequential("L.Conv3DTranspose(2, 2, strides=2, padding='same')", of=VOLUME),
    "separable": sequential(
        "L.SeparableConv2D(5, 3, depth_multiplier=2, padding='same', activation='relu')", "L.DepthwiseConv2D(3, depth_multiplier=2, strides=2)",
        "L.SeparableConv2D(2, 2, use_bias=False)", of=IMAGE,
    ),
    "separable1d": sequential("L.SeparableConv1D(4, 3, padding='same')", "L.SeparableConv1D(4, 2, strides=2)", "L.DepthwiseConv1D(2)"),
    "depthwise_dilated": sequential("L.DepthwiseConv2D(2, dilation_rate=2)", of=IMAGE),
    "pools": sequential("L.AveragePooling2D(2, padding='same')", "L.MaxPooling2D(2, strides=1, padding='same')", "L.GlobalAveragePooling2D()", of=IMAGE),
    "pools1d": sequential("L.MaxPooling1D(2)", "L.AveragePooling1D(2, strides=1)", "L.GlobalMaxPooling1D()"),
    "pools3d": sequential("L.AveragePooling3D(2)", "L.GlobalMaxPooling3D(keepdims=True)", of=VOLUME),
    "global_max": sequential("L.GlobalMaxPooling2D(keepdims=True)", of=IMAGE),
    "shapes": sequential("L.Permute((2, 1))", "L.Reshape((3, -1))", "L.Flatten()", "L.RepeatVector(3)", "L.SpatialDropout1D(0.2)"),
    "padding": sequential("L.ZeroPadding2D(((1, 2), (0, 3)))", "L.Cropping2D(((1, 0), (2, 1)))", "L.ZeroPadding2D(1)", "L.Cropping2D((1, 2))", of=IMAGE),
    "padding1d": sequential("L.ZeroPadding1D((2, 1))", "L.Cropping1D(1)", "L.UpSampling1D(3)"),
    "padding3d": sequential("L.ZeroPadding3D(1)", "L.Cropping3D(((1, 1), (0, 1), (1, 0)))", "L.UpSampling3D((1, 2, 2))", of=VOLUME),
    "upsampling": sequential("L.UpSampling2D((2, 3))", "L.UpSampling2D(2, interpolation='bilinear')", of=IMAGE),
    "normalized": sequential("L.LayerNormalization()", "L.BatchNormalization(axis=1, epsilon=1e-6)", "L.BatchNormalization(scale=False)"),
    "normalized_axes": sequential("L.LayerNormalization(axis=[1, 2])", "L.BatchNormalization(center=False, scale=False)", of=IMAGE),
    "rescaled": sequential("L.Rescaling(0.5, offset=1.0)", "L.Normalization(mean=[1.0, 2.0, 3.0], variance=[1.0, 4.0, 9.0])", of=IMAGE),
    "embedding": sequential("L.Embedding(7, 4)", "L.Flatten()", "L.Dense(2)", of=WORDS),
    "lstm": sequential("L.LSTM(4, return_sequences=True)", "L.LSTM(3, go_backwards=True, use_bias=False, recurrent_activation='hard_sigmoid')"),
    "gru": sequential("L.GRU(4, return_sequences=True)", "L.GRU(3, reset_after=False, activation='relu')", of="L.Input((None, 5))"),
    "gru_plain": sequential("L.GRU(4, reset_after=True, use_bias=False)", of="L.Input(batch_shape=(2, 6, 5))"),
    "simple_rnn": sequential("L.SimpleRNN(4, return_sequences=True, go_backwards=True)", "L.SimpleRNN(3)"),
    "cell": sequential("L.RNN(L.LSTMCell(4), return_sequences=True)", "L.RNN(L.GRUCell(3))"),
    **{
        f"bidirectional_{mode}": sequential(f"L.Bidirectional(L.LSTM(3, return_sequences={mode != 'mul'}), merge_mode='{mode}')")
        for mode in ["concat", "sum", "mul", "ave"]
    },
    "bidirectional_two": sequential("L.Bidirectional(L.GRU(3), backward_layer=L.LSTM(2, go_backwards=True))"),
    "distributed": sequential("L.TimeDistributed(L.Conv2D(2, 2))", "L.TimeDistributed(L.Flatten())", "L.TimeDistributed(L.Dense(3))", of=VOLUME),
    "distributed_open": sequential("L.TimeDistributed(L.Dense(3, activation='relu'))", "L.LSTM(2)", of="L.Input((None, 5))"),
    "distributed_model": sequential(
        "L.TimeDistributed(keras.Sequential([L.Input((5,)), L.Dense(3), L.BatchNormalization(), L.Dense(2), L.BatchNormalization()]))"
    ),
    "noises": sequential("L.GaussianNoise(0.1)", "L.GaussianDropout(0.1)", "L.AlphaDropout(0.1)", "L.Dense(2)"),
    "float64": sequential("L.Dense(3, dtype='float64')", of="L.Input((4,), dtype='float64')"),
    "half": sequential("L.Dense(3, dtype='mixed_float16')", "L.Dense(2)", of=VECTOR),
    "in_a_row": sequential(
        "keras.Sequential([L.Input((6, 5)), L.Conv1D(3, 2), L.BatchNormalization()])", "keras.Sequential([L.Input((5, 3)), L.Flatten(), L.Dense(2)])"
    ),
}  # fmt: skip


def randomised(keras: Any, name: str) -> Any:
    """A case's model with weights that are not those of its initializers."""
    keras.backend.clear_session()
    model = CASES[name](keras)
    rng = np.random.default_rng(len(name))
    weights = [rng.normal(0, 0.5, weight.shape) if weight.ndim else weight for weight in map(np.asarray, model.get_weights())]
    model.set_weights([np.abs(weight) + 0.5 if weight.ndim == 1 else weight for weight in weights])  # variances are positive
    return model


def feeds(model: Any, name: str) -> list[np.ndarray[Any, Any]]:
    """Arrays for a model's inputs: batches of 2, 6 of what is open."""
    rng = np.random.default_rng(len(name) + 1)
    arrays: list[np.ndarray[Any, Any]] = []
    for tensor in model.inputs:
        shape = [2 if axis == 0 else 6 if size is None else int(size) for axis, size in enumerate(tensor.shape)]
        dtype = np.dtype(getattr(tensor.dtype, "name", tensor.dtype))
        if dtype.kind == "i":
            arrays.append(rng.integers(0, 4, shape).astype(dtype))
            continue
        array = rng.normal(0, 1, shape).astype(dtype)
        if name.startswith("mask"):
            array[0, 1], array[1, 3:] = 0.5, 0.5
        arrays.append(array)
    return arrays
