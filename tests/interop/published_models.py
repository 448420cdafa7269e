"""With real TensorFlow: builds, saves and runs the programs of published_programs.py. `python published_models.py FOLDER` writes
FOLDER/<name>.meta with its checkpoint, and FOLDER/<name>.npz, what it gave.
"""

import os
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import numpy as np
import tensorflow.compat.v1 as tf
from published_programs import PROGRAMS, answers

tf.disable_v2_behavior()
tf.logging.set_verbosity(tf.logging.ERROR)
folder = Path(sys.argv[1])
for name, program in PROGRAMS.items():
    with tf.Graph().as_default(), tf.Session() as sess:
        tf.set_random_seed(7)
        feeds, fetches, ops = program(tf)
        sess.run(tf.global_variables_initializer())
        variables = {variable.op.name: variable for variable in tf.global_variables()}
        prefix = str(folder / name)
        if variables:
            tf.train.Saver().save(sess, prefix, write_state=False)
        else:
            tf.train.export_meta_graph(prefix + ".meta")
        np.savez(prefix + ".npz", **answers(sess, feeds, fetches, ops, variables))
