"""TensorFlow 1's `tf.spectral`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.spectral",
    "",
    {
        "gpersist.ops.fft": "fft fft2d fft3d ifft ifft2d ifft3d irfft irfft2d irfft3d rfft rfft2d rfft3d",
        "gpersist.ops.signal_transforms": "dct idct",
    },
)
