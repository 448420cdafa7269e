"""With real TensorFlow: imports each `.meta` of a folder, restores its checkpoint, runs `out:0` and the frozen graph beside it; writes the same.

`python meta_graphs.py FOLDER` prints {name: [restored, frozen]}; what TensorFlow wrote itself is under FOLDER/theirs.
"""

import json
import os
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
tf.logging.set_verbosity(tf.logging.ERROR)
folder = Path(sys.argv[1])
(folder / "theirs").mkdir()
found = {}
for path in sorted(folder.glob("*.meta")):
    prefix = str(path.with_suffix(""))
    with tf.Graph().as_default(), tf.Session(config=tf.ConfigProto(allow_soft_placement=True)) as sess:
        saver = tf.train.import_meta_graph(str(path), clear_devices=True)
        saver.restore(sess, prefix)
        restored = sess.run("out:0").tolist()
        theirs = str(folder / "theirs" / path.stem)
        saver.save(sess, theirs)
        graph_def = tf.graph_util.convert_variables_to_constants(sess, tf.get_default_graph().as_graph_def(), ["out"])
        Path(theirs + ".pb").write_bytes(graph_def.SerializeToString())
    with tf.Graph().as_default(), tf.Session() as sess:
        graph_def = tf.GraphDef.FromString(path.with_suffix(".pb").read_bytes())
        (out,) = tf.import_graph_def(graph_def, return_elements=["out:0"])
        found[path.stem] = [restored, sess.run(out).tolist()]
print(json.dumps(found))
