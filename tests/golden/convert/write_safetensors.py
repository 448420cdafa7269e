"""Writes package.safetensors with the package `safetensors`, and the same arrays as package.npz with NumPy.

python tests/golden/convert/write_safetensors.py        needs safetensors, numpy and ml_dtypes
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import ml_dtypes
import numpy as np

HERE = Path(__file__).parent
_WORDS = "bool uint8 int8 float8_e5m2 float8_e4m3fn int16 uint16 float16 bfloat16 int32 uint32 float32 float64 int64 uint64"
METADATA = {"note": "é", "a": "b"}


def arrays() -> dict[str, np.ndarray]:
    """One of each type, and shapes at the edges."""
    found: dict[str, np.ndarray] = {}
    for number, name in enumerate(_WORDS.split()):
        dtype = np.dtype(getattr(ml_dtypes, name, None) or name)
        found[f"of/{name}"] = (np.arange(6).reshape(2, 3) + number).astype(dtype)
    return found | {
        "scalar": np.array(3.5, np.float32),
        "empty": np.zeros((0, 3), np.int32),
        "é": np.ones(3, np.float64),
        "b": np.arange(5, dtype=np.float32),
    }


if __name__ == "__main__":
    import safetensors
    from safetensors.numpy import save_file

    save_file(arrays(), HERE / "package.safetensors", METADATA)
    (HERE / "written_by.json").write_text(
        json.dumps({"safetensors": safetensors.__version__, "numpy": np.__version__, "python": sys.version.split()[0]}) + "\n"
    )
