"""Programs like those whose models others published, small: each builds its graph in the default graph, and says what to feed, fetch and run."""

import numpy as np


def _values(*shape, seed=1, scale=1.0):
    return (np.random.default_rng(seed).normal(size=shape) * scale).astype(np.float32)


def _weights(tf, name, *shape):
    return tf.get_variable(name, initializer=_values(*shape, seed=len(name), scale=(2 / max(1, np.prod(shape[:-1]))) ** 0.5))


def _convolved(tf, x, name, size, channels, strides=1):
    with tf.variable_scope(name):
        kernel = _weights(tf, "weights", size, size, int(x.shape[-1]), channels)
        return tf.nn.bias_add(
            tf.nn.conv2d(x, kernel, [1, strides, strides, 1], "SAME"), tf.get_variable("biases", initializer=np.zeros(channels, "f"))
        )


def face_detector(tf):
    """Pictures of any size; anchors from the size of the map; suppression picture by picture, padded to one size."""
    pictures = tf.placeholder(tf.uint8, [None, None, None, 3], name="image_tensor")
    with tf.name_scope("Preprocessor"):
        x = tf.map_fn(lambda picture: tf.image.resize_images(picture, [32, 32]), tf.to_float(pictures), dtype=tf.float32) / 127.5 - 1.0
    x.set_shape([None, 32, 32, 3])
    x = _convolved(tf, x, "Conv1", 3, 8, 2)
    x = tf.nn.relu(x) + tf.get_variable("alpha", initializer=np.full(8, 0.25, "f")) * (x - tf.abs(x)) * 0.5
    heads = _convolved(tf, tf.nn.max_pool(x, [1, 2, 2, 1], [1, 2, 2, 1], "SAME"), "Heads", 1, 5)
    sizes = tf.shape(heads)
    rows, columns = tf.meshgrid(tf.to_float(tf.range(sizes[1])), tf.to_float(tf.range(sizes[2])), indexing="ij")
    centres = tf.reshape(tf.stack([rows, columns], 2), [1, -1, 2]) / 8.0
    offsets, scores = tf.split(tf.reshape(heads, tf.stack([sizes[0], -1, 5])), [4, 1], 2)
    low, high = centres + offsets[..., :2] * 0.1, centres + 0.2 + offsets[..., 2:] * 0.1

    def kept(boxes_and_scores):
        boxes, score = boxes_and_scores
        chosen = tf.reshape(tf.where(score > 0.4), [-1])
        boxes, score = tf.gather(boxes, chosen), tf.gather(score, chosen)
        found = tf.image.non_max_suppression(boxes, score, tf.minimum(6, tf.shape(boxes)[0]), iou_threshold=0.5)
        missing = 6 - tf.shape(found)[0]
        return tf.pad(tf.gather(boxes, found), [[0, missing], [0, 0]]), tf.pad(tf.gather(score, found), [[0, missing]]), tf.shape(found)[0]

    with tf.name_scope("Postprocessor"):
        found = tf.map_fn(kept, (tf.concat([low, high], 2), tf.sigmoid(scores[..., 0])), dtype=(tf.float32, tf.float32, tf.int32))
    return {pictures: np.abs(_values(2, 40, 30, 3) * 90).astype(np.uint8)}, dict(zip(("boxes", "scores", "count"), found, strict=True)), []


def classifier_of_files(tf):
    """Encoded pictures come in as a vector of strings, and are decoded one by one."""
    pictures = tf.placeholder(tf.uint8, [None, 6, 5, 3])
    files = tf.map_fn(tf.image.encode_png, pictures, dtype=tf.string, name="files")
    decoded = tf.map_fn(lambda file: tf.to_float(tf.image.decode_png(file, channels=3)), files, dtype=tf.float32)
    decoded.set_shape([None, 6, 5, 3])
    logits = tf.reduce_mean(_convolved(tf, decoded / 255.0, "logits", 3, 4), [1, 2])
    names = tf.gather(tf.constant(["cat", "dog", "owl", "fox"]), tf.argmax(logits, 1))
    texts = tf.map_fn(lambda name: tf.string_join([name, "!"]), names)
    return {pictures: np.abs(_values(3, 6, 5, 3) * 90).astype(np.uint8)}, {"names": texts, "scores": tf.nn.softmax(logits)}, []


def segmentation(tf):
    """Dilated convolutions between bilinear resizings."""
    picture = tf.placeholder(tf.uint8, [1, None, None, 3], name="ImageTensor")
    size = tf.shape(picture)[1:3]
    x = tf.image.pad_to_bounding_box(tf.image.resize_bilinear(tf.to_float(picture), size // 2, align_corners=True), 0, 0, 33, 33) / 127.5 - 1.0
    x = tf.nn.relu6(_convolved(tf, x, "entry", 3, 8, 2))
    branches = [tf.nn.atrous_conv2d(x, _weights(tf, f"branch{rate}", 3, 3, 8, 4), rate, "SAME") for rate in (2, 6)]
    branches.append(tf.image.resize_bilinear(tf.reduce_mean(x, [1, 2], keepdims=True), [17, 17], align_corners=True))
    logits = tf.image.resize_bilinear(_convolved(tf, tf.concat(branches, 3), "logits", 1, 3), [33, 33], align_corners=True)
    classes = tf.expand_dims(tf.to_int32(tf.argmax(logits, 3)), 3)
    return {picture: np.abs(_values(1, 50, 60, 3) * 90).astype(np.uint8)}, {"p": tf.nn.softmax(logits), "classes": classes}, []


def speech(tf):
    """A fused recurrent block with its state from outside, and a beam search over its letters."""
    x, lengths = tf.placeholder(tf.float32, [12, None, 10]), tf.placeholder(tf.int32, [None])
    state = tf.zeros(tf.stack([tf.shape(x)[1], 8]))
    kernel, bias, none = _weights(tf, "kernel", 18, 32), tf.get_variable("bias", initializer=_values(32, scale=0.1)), tf.zeros([8])
    block = tf.raw_ops.BlockLSTM(
        seq_len_max=tf.cast(tf.reduce_max(lengths), tf.int64), x=x, cs_prev=state, h_prev=state, w=kernel, wci=none, wcf=none, wco=none, b=bias
    )
    logits = tf.reshape(tf.matmul(tf.reshape(block.h, [-1, 8]), _weights(tf, "letters", 8, 6)), [12, -1, 6])
    (best, second), _ = tf.nn.ctc_beam_search_decoder(logits * 4, lengths, beam_width=8, top_paths=2)
    fetches = {"best": best.values, "where": best.indices, "second": tf.sparse_tensor_to_dense(second, -1), "p": tf.nn.softmax(logits)}
    return {x: _values(12, 2, 10), lengths: np.array([12, 9], np.int32)}, fetches, []


def sound_generator(tf):
    """Dilated layers whose pasts wait in queues, one sample a step."""
    sample = tf.placeholder(tf.int32, [1], name="sample")
    x, starts, pushes = tf.one_hot(sample, 8), [], []
    for number, dilation in enumerate([1, 2]):
        queue = tf.FIFOQueue(dilation, tf.float32, shapes=(1, 8), name=f"queue{number}")
        starts.append(queue.enqueue_many(tf.zeros((dilation, 1, 8))))
        past = queue.dequeue()
        pushes.append(queue.enqueue([x]))
        gate = tf.matmul(past, _weights(tf, f"past{number}", 8, 8)) + tf.matmul(x, _weights(tf, f"present_{number}", 8, 8))
        x += tf.tanh(gate) * tf.sigmoid(gate)
    with tf.control_dependencies(pushes):
        following = tf.nn.softmax(tf.cast(x, tf.float64))
    return {sample: np.array([3], np.int32)}, {"p": following}, [tf.group(*starts, name="start"), following.op, following.op]


def text_sampler(tf):
    """Tokens drawn one by one, the attention's past growing with them."""
    tokens = tf.placeholder(tf.int32, [2, None], name="context")
    table, mix = _weights(tf, "wte", 12, 8), _weights(tf, "c_attn", 8, 24)

    def attend(x, past):
        query, key, value = tf.split(tf.tensordot(x, mix, 1), 3, axis=2)
        past = tf.concat([past, tf.stack([key, value], 1)], 2)
        seen = tf.matmul(query, past[:, 0], transpose_b=True) * tf.rsqrt(8.0)
        rows, columns = tf.range(tf.shape(seen)[1])[:, None], tf.range(tf.shape(seen)[2])
        mask = tf.cast(rows >= columns - tf.shape(seen)[2] + tf.shape(seen)[1], tf.float32)
        return x + tf.matmul(tf.nn.softmax(seen * mask - 1e10 * (1 - mask)), past[:, 1]), past

    def step(past, last, found):
        x, past = attend(tf.gather(table, last[:, None]), past)
        logits = tf.matmul(x[:, -1], table, transpose_b=True)
        lowest = tf.nn.top_k(logits, k=5).values[:, -1, tf.newaxis]
        drawn = tf.random.categorical(tf.where(logits < lowest, tf.ones_like(logits) * -1e10, logits), 1, dtype=tf.int32, seed=3)
        return [past, tf.squeeze(drawn, [1]), tf.concat([found, drawn], 1)]

    _, past = attend(tf.gather(table, tokens[:, :-1]), tf.zeros([2, 2, 0, 8]))
    shapes = [tf.TensorShape([2, 2, None, 8]), tf.TensorShape([2]), tf.TensorShape([2, None])]
    loop = tf.while_loop(lambda *_: True, step, [past, tokens[:, -1], tokens], shapes, maximum_iterations=5, back_prop=False)
    return {tokens: np.array([[1, 5, 2], [7, 3, 3]], np.int32)}, {"tokens": loop[2]}, []


def embeddings(tf):
    """Rows of partitioned tables, in float64 on their way, trained by several optimizers with a rate that falls in steps."""
    users, items = tf.placeholder(tf.int64, [None]), tf.placeholder(tf.int64, [None])
    table = tf.get_variable("users", [10, 4], initializer=tf.random_normal_initializer(seed=1), partitioner=tf.fixed_size_partitioner(3))
    others, bias = _weights(tf, "items", 12, 4), tf.get_variable("bias", initializer=_values(10, 1), use_resource=True)
    step = tf.train.get_or_create_global_step()
    rate = tf.train.piecewise_constant(step, [0, 1], [0.1, 0.05, 0.01])
    near = tf.reduce_sum(tf.nn.embedding_lookup(table, users, partition_strategy="div") * tf.nn.embedding_lookup(others, items), 1)
    near += tf.cast(tf.gather(tf.cast(bias.read_value(), tf.float64), users)[:, 0], tf.float32)
    tf.add_to_collection(tf.GraphKeys.REGULARIZATION_LOSSES, 0.01 * tf.nn.l2_loss(others))
    loss = tf.losses.log_loss(tf.ones_like(near), tf.sigmoid(near)) + tf.losses.get_regularization_loss()
    trained = [
        tf.train.AdagradOptimizer(rate).minimize(loss, var_list=list(table)),
        tf.train.MomentumOptimizer(rate, 0.9, use_nesterov=True).minimize(loss, var_list=[others]),
        tf.train.FtrlOptimizer(0.1, l1_regularization_strength=0.01).minimize(loss, step, var_list=[bias]),
    ]
    return {users: np.array([1, 2, 3, 9, 2]), items: np.array([0, 11, 5, 6, 5])}, {"loss": loss, "rate": rate}, trained


def routing(tf):
    """A loop whose last variable starts as nothing that the loss depends on."""
    x = tf.placeholder(tf.float32, [None, 6, 4])
    votes = tf.tensordot(x, _weights(tf, "votes", 4, 3), 1)

    def step(number, logits, _):
        total = tf.reduce_sum(tf.nn.softmax(logits) * votes, 1, keepdims=True)
        return number + 1, logits + votes * total, tf.tanh(total)

    shapes = [tf.TensorShape([]), tf.TensorShape([None, 6, 3]), tf.TensorShape([None, 1, 3])]
    _, _, poses = tf.while_loop(lambda number, *_: number < 3, step, [0, tf.zeros_like(votes), tf.zeros([tf.shape(x)[0], 1, 3])], shapes)
    loss = tf.reduce_mean(tf.square(poses - 0.5))
    return {x: _values(2, 6, 4)}, {"loss": loss}, [tf.train.RMSPropOptimizer(0.01, momentum=0.5, centered=True).minimize(loss)]


def critic(tf):
    """A gradient penalty: the derivative of a derivative, of batch normalisation among others."""
    x = tf.placeholder(tf.float32, [4, 8, 8, 3])
    y, _, _ = tf.nn.fused_batch_norm(_convolved(tf, x, "conv", 3, 5, 2), tf.get_variable("gamma", initializer=np.ones(5, "f")), np.zeros(5, "f"))
    score = tf.reduce_mean(tf.nn.leaky_relu(y) * _values(4, 4, 5, seed=3), [1, 2, 3])
    slopes = tf.gradients(score, [x])[0]
    loss = tf.reduce_mean(score) + tf.reduce_mean((tf.sqrt(tf.reduce_sum(tf.square(slopes), [1, 2, 3])) - 1.0) ** 2)
    return {x: _values(4, 8, 8, 3)}, {"loss": loss, "slopes": slopes}, [tf.train.GradientDescentOptimizer(0.1).minimize(loss)]


PROGRAMS = {
    function.__name__: function
    for function in (
        face_detector,
        classifier_of_files,
        segmentation,
        speech,
        sound_generator,
        text_sampler,
        embeddings,
        routing,
        critic,
    )
}


def answers(sess, feeds, fetches, ops, variables):
    """What a model gives first, and after each of its operations was run twice; then its variables."""
    found = []
    rounds = [[], ops, ops] if ops else [[]]
    if ops and ops[0].name == "start":
        rounds = [ops[:1], ops[1:], ops[1:]]
    for some in rounds:
        for op in some:
            sess.run(op, feeds)
        found.append(sess.run(fetches, feeds))
    kept = sess.run(variables) if variables else {}
    return {f"{number}/{key}": value for number, values in enumerate(found) for key, value in values.items()} | {f"v/{k}": v for k, v in kept.items()}
