"""With real TensorFlow: restores what our Savers saved, and saves the same variables with its own.

`python savers.py FOLDER` prints {name: {variable: value}} of all checkpoints FOLDER/ours/<name>; what TensorFlow wrote itself is under FOLDER/theirs.
"""

import json
import os
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

sys.path.insert(0, str(Path(__file__).parent))

import tensorflow.compat.v1 as tf
from saver_programs import OPTIONS, PROGRAMS, path_of, values

tf.disable_v2_behavior()
tf.logging.set_verbosity(tf.logging.ERROR)
folder = Path(sys.argv[1])
(folder / "theirs").mkdir()
found = {}
config = tf.ConfigProto(allow_soft_placement=True)
for program in PROGRAMS:
    for option, arguments in OPTIONS.items():
        name = f"{program}-{option}"
        with tf.Graph().as_default(), tf.Session(config=config) as sess:
            tf.train.import_meta_graph(str(folder / "ours" / name) + ".meta").restore(sess, path_of(folder / "ours", name, option))
            found[name] = values(tf, sess)
        with tf.Graph().as_default(), tf.Session(config=config) as sess:
            PROGRAMS[program](tf)
            sess.run(tf.global_variables_initializer())
            tf.train.Saver(**arguments).save(sess, str(folder / "theirs" / name))
print(json.dumps(found))
