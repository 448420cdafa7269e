"""Writes a graph, its Saver and its collections as text, to be read; and reads the text again."""

import gpersist.compat.v1 as tf


def main() -> None:
    v1 = tf.Variable(tf.constant(1.0, shape=[1]), name="v1")
    v2 = tf.Variable(tf.constant(2.0, shape=[1]), name="v2")
    tf.add(v1, v2, name="result")
    saver = tf.train.Saver()
    meta_graph_def = saver.export_meta_graph("saved/model.meta.pbtxt", as_text=True)

    print("meta_info_def:", " ".join(op.name for op in meta_graph_def.meta_info_def.stripped_op_list.op))
    print("graph_def:", *(f"{node.name}({', '.join(node.input)})" for node in meta_graph_def.graph_def.node), sep="\n  ")
    print(f"saver_def:\n{meta_graph_def.saver_def}")
    for key in sorted(meta_graph_def.collection_def):
        print(f"collection_def {key}:\n{meta_graph_def.collection_def[key]}")

    tf.reset_default_graph()
    tf.train.import_meta_graph("saved/model.meta.pbtxt")
    print("read again:", [variable.name for variable in tf.global_variables()])
    print([op.values() for op in tf.get_default_graph().get_operations()][:3])


if __name__ == "__main__":
    main()
