"""With real TensorFlow: loads and runs what we exported, and exports the same programs.

`python saved_models.py FOLDER` prints {name: answer} of all SavedModels FOLDER/ours/<name>; what TensorFlow exported itself is under FOLDER/theirs.
"""

import json
import os
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

sys.path.insert(0, str(Path(__file__).parent))

import tensorflow.compat.v1 as tf
from saved_model_programs import PROGRAMS, answer

tf.disable_v2_behavior()
tf.logging.set_verbosity(tf.logging.ERROR)
folder = Path(sys.argv[1])
(folder / "theirs").mkdir()
found = {}
for path in sorted((folder / "ours").iterdir()):
    found[path.name] = answer(tf, str(path))
for name, program in PROGRAMS.items():
    with tf.Graph().as_default():
        program(tf, str(folder / "theirs" / name))
print(json.dumps(found))
