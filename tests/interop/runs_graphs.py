"""Runs frozen graphs and SavedModels with TensorFlow: of each folder's CASE.pb, CASE.txt (names to feed, then names to fetch, a line each) and CASE/.

python runs_graphs.py FOLDER TOLD.npz RESULTS.npz

TOLD has CASE/in/0 and so on. RESULTS gets CASE/frozen/0 and so on, and CASE/saved/KEY where there is a folder CASE.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow.compat.v1 as tf
from tensorflow.core.protobuf import rewriter_config_pb2

tf.disable_v2_behavior()
# On processors for which TensorFlow does not take oneDNN, its fused convolution knows no groups; the plain one does.
config = tf.ConfigProto()
config.graph_options.rewrite_options.remapping = rewriter_config_pb2.RewriterConfig.OFF
folder, told, results = Path(sys.argv[1]), np.load(sys.argv[2]), {}
for path in sorted(folder.glob("*.pb")):
    case = path.stem
    feeds, fetches = (line.split() for line in path.with_suffix(".txt").read_text().splitlines())
    arrays = [told[f"{case}/in/{index}"] for index in range(len(feeds))]
    with tf.Graph().as_default(), tf.Session(config=config) as sess:
        tf.import_graph_def(tf.GraphDef.FromString(path.read_bytes()), name="")
        for index, value in enumerate(sess.run(fetches, dict(zip(feeds, arrays, strict=True)))):
            results[f"{case}/frozen/{index}"] = value
    if (folder / case).is_dir():
        with tf.Session(graph=tf.Graph(), config=config) as sess:
            signature = tf.saved_model.loader.load(sess, ["serve"], str(folder / case)).signature_def["serving_default"]
            names = {key: info.name for key, info in signature.outputs.items()}
            for key, value in sess.run(names, dict(zip(feeds, arrays, strict=True))).items():
                results[f"{case}/saved/{key}"] = value
np.savez(sys.argv[3], **results)
