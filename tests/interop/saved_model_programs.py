"""Programs that export SavedModels, for TensorFlow and for gpersist; and what a loaded one gives."""

import os
import pathlib


def linear(tf, resource=False, device=None):
    x = tf.placeholder(tf.float32, [None, 2], name="x")
    with tf.device(device):
        w = tf.Variable([[1.0], [2.0]], name="w", use_resource=resource)
        b = tf.Variable([0.5], name="b", use_resource=resource)
    return x, tf.add(tf.matmul(x, w), b, name="y")


def export(tf, sess, folder, x, y, **options):
    builder = tf.saved_model.builder.SavedModelBuilder(folder)
    signature = tf.saved_model.signature_def_utils.predict_signature_def({"x": x}, {"y": y})
    builder.add_meta_graph_and_variables(sess, ["serve"], {"serving_default": signature}, **options)
    return builder


def session(tf):
    sess = tf.Session(config=tf.ConfigProto(allow_soft_placement=True))
    sess.run(tf.global_variables_initializer())
    return sess


def plain(tf, folder):
    x, y = linear(tf)
    export(tf, session(tf), folder, x, y).save()


def as_text(tf, folder):
    x, y = linear(tf, resource=True)
    export(tf, session(tf), folder, x, y, strip_default_attrs=True).save(as_text=True)


def on_devices(tf, folder):
    x, y = linear(tf, device="/gpu:0")
    export(tf, session(tf), folder, x, y).save()


def devices_cleared(tf, folder):
    x, y = linear(tf, resource=True, device="/gpu:0")
    export(tf, session(tf), folder, x, y, clear_devices=True).save()


def simple(tf, folder):
    x, y = linear(tf)
    tf.saved_model.simple_save(session(tf), folder, {"x": x}, {"y": y})


def two_graphs(tf, folder):
    x, y = linear(tf)
    builder = export(tf, session(tf), folder, x, y)
    with tf.Graph().as_default():
        linear(tf)
        builder.add_meta_graph(["serve", "gpu"], clear_devices=True)
    builder.save()


def tables(tf, folder):
    vocabulary = pathlib.Path(f"{folder}.txt")
    vocabulary.write_text("cat\ndog\n")
    index = tf.lookup.TextFileIndex
    path = tf.constant(str(vocabulary), name="vocabulary")
    table = tf.lookup.StaticHashTable(tf.lookup.TextFileInitializer(path, tf.string, index.WHOLE_LINE, tf.int64, index.LINE_NUMBER), -1)
    x = tf.placeholder(tf.string, [None], name="x")
    y = tf.cast(table.lookup(x), tf.float32, name="y")
    paths = tf.get_collection(tf.GraphKeys.ASSET_FILEPATHS)
    export(tf, session(tf), folder, x, y, assets_collection=paths, main_op=tf.tables_initializer()).save()
    os.remove(vocabulary)


PROGRAMS = {function.__name__: function for function in (plain, as_text, on_devices, devices_cleared, simple, two_graphs, tables)}


def answer(tf, folder):
    """What the model's default signature gives."""
    with tf.Graph().as_default(), tf.Session(config=tf.ConfigProto(allow_soft_placement=True)) as sess:
        meta = tf.saved_model.loader.load(sess, ["serve"], folder)
        signature = meta.signature_def["serving_default"]
        given = ["dog", "cow", "cat"] if signature.inputs["x"].dtype == 7 else [[1.0, 2.0], [0.25, -1.0]]
        return sess.run(signature.outputs["y"].name, {signature.inputs["x"].name: given}).tolist()
