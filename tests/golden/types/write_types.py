"""Writes `types.json`; see PROVENANCE.md."""

import json
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf


def error_codes():
    kinds = {name: getattr(tf.errors, name) for name in dir(tf.errors) if name.endswith("Error")}
    without_message = ("OpError", "OperatorNotAllowedInGraphError")
    return {name: kind(None, None, "").error_code for name, kind in kinds.items() if name not in without_message}


def dtypes():
    for number in range(256):
        try:
            dtype = tf.as_dtype(number)
        except TypeError:
            continue
        if number < 100:
            has_array = dtype not in (tf.resource, tf.variant)
            numpy = repr(np.dtype(dtype.as_numpy_dtype)) if has_array else None
            yield {"enum": number, "name": dtype.name, "numpy": numpy, "size_bytes": dtype.size if has_array else 0}
        else:
            yield {"enum": number, "base": dtype.base_dtype.as_datatype_enum}


Path(sys.argv[1]).write_text(json.dumps({"error_codes": error_codes(), "dtypes": list(dtypes())}, indent=1) + "\n")
