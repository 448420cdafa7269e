"""Makes one file of a checkpoint: variables become constants, what the outputs do not need is left out; and runs that file."""

import gpersist.compat.v1 as tf
from gpersist.compat.v1 import gfile, graph_util


def save() -> None:
    x = tf.placeholder(tf.float32, [None, 2], name="x")
    with tf.device("/gpu:0"):
        w = tf.Variable([[1.0], [2.0]], name="w")
    b = tf.Variable([0.5], name="b")
    tf.add(tf.matmul(x, w), b, name="y")
    with tf.Session(config=tf.ConfigProto(allow_soft_placement=True)) as sess:
        sess.run(tf.global_variables_initializer())
        tf.train.Saver().save(sess, "saved/model.ckpt")


def freeze_graph(input_checkpoint: str, output_graph: str, output_node_names: str) -> None:
    tf.reset_default_graph()
    saver = tf.train.import_meta_graph(input_checkpoint + ".meta", clear_devices=True)
    with tf.Session() as sess:
        saver.restore(sess, input_checkpoint)
        output_graph_def = graph_util.convert_variables_to_constants(
            sess=sess, input_graph_def=sess.graph_def, output_node_names=output_node_names.split(",")
        )
    with gfile.GFile(output_graph, "wb") as f:
        f.write(output_graph_def.SerializeToString())
    print(f"{len(output_graph_def.node)} ops in the final graph.")


def load(path: str) -> None:
    tf.reset_default_graph()
    graph_def = tf.GraphDef()
    with gfile.FastGFile(path, "rb") as f:
        graph_def.ParseFromString(f.read())
    x, y = tf.import_graph_def(graph_def, return_elements=["x:0", "y:0"])
    print([(op.name, op.type) for op in tf.get_default_graph().get_operations()])
    with tf.Session() as sess:
        print(sess.run(y, {x: [[1, 1], [3, 4]]}))


def main() -> None:
    save()
    freeze_graph("saved/model.ckpt", "saved/frozen.pb", "y")
    load("saved/frozen.pb")


if __name__ == "__main__":
    main()
