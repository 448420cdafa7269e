"""Writes models with Keras, and what they predict.

    python write_keras.py TARGET [KERAS [CASE...]]

KERAS is `keras` (Keras 3, with TensorFlow behind it) or `tf_keras` (Keras 2). Each case becomes CASE.h5 and an entry in KERAS.npz, whose arrays are
CASE/in/0 ... and CASE/out/0 .... What a version of Keras cannot make is told, and left out.
"""

from __future__ import annotations

import importlib
import os
import sys
import warnings
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["KERAS_BACKEND"] = "tensorflow"
sys.path.insert(0, str(Path(__file__).resolve().parent))
warnings.simplefilter("ignore")

import cases
import numpy as np

target, kind = Path(sys.argv[1]), (sys.argv[2:] or ["keras"])[0]
keras = importlib.import_module(kind)
target.mkdir(parents=True, exist_ok=True)
told = {}
for case in sys.argv[3:] or cases.CASES:
    try:
        model = cases.randomised(keras, case)
        model.save(str(target / f"{case}.h5"))
    except Exception as error:
        print("left out:", case, type(error).__name__, str(error)[:150].replace("\n", " "))
        continue
    arrays = cases.feeds(model, case)
    named = model.input if isinstance(model, keras.Model) and not isinstance(model, keras.Sequential) else None
    names = sorted(named) if isinstance(named, dict) else []
    given = dict(zip(names, arrays, strict=True)) if names else arrays if len(arrays) > 1 else arrays[0]
    results = model(given, training=False)
    if isinstance(results, dict):
        results = [results[key] for key in sorted(results)]
    for index, array in enumerate(arrays):
        told[f"{case}/in/{index}"] = array
    for index, result in enumerate(results if isinstance(results, (list, tuple)) else [results]):
        told[f"{case}/out/{index}"] = np.asarray(result)
np.savez(target / f"{kind}.npz", **told)
print(kind, keras.__version__, len({name.partition("/")[0] for name in told}), "cases")
