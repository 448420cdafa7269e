"""With real TensorFlow: runs frozen graphs. `python frozen_runs.py FOLDER` runs FOLDER/*.pb as FOLDER/*.json say, and prints {name: results}."""

import json
import os
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
found = {}
for path in sorted(Path(sys.argv[1]).glob("*.pb")):
    told = json.loads(path.with_suffix(".json").read_text())
    with tf.Graph().as_default(), tf.Session() as sess:
        tf.import_graph_def(tf.GraphDef.FromString(path.read_bytes()), name="")
        values = sess.run(told["fetches"], told["feeds"])
        found[path.stem] = {key: value.tolist() for key, value in values.items()}
print(json.dumps(found))
