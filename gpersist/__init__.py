"""TensorFlow-1-compatible model persistence on CuPy, without TensorFlow.

    import gpersist

    gpersist.save("ckpt/model-100", {"w": w, "b": b})          # CuPy, NumPy, torch, JAX; whole on the disk, or not there
    handle = gpersist.save_async("ckpt/model-200", arrays)     # their values of this moment; handle.result() waits
    arrays = gpersist.load("ckpt/model-200")                   # each on the device where it lived
    with gpersist.open("ckpt/model-200") as checkpoint: ...    # names, shapes, one tensor, one slice; nothing is read before

Everything raised derives from `GPersistError`.
"""

from gpersist.checkpoint.save import save, save_async
from gpersist.checkpoint.restore import load
from gpersist.version import __version__
