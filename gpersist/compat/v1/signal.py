"""TensorFlow 1's `tf.signal`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.signal",
    "",
    {
        "gpersist.ops.fft": "fft fft2d fft3d ifft ifft2d ifft3d irfft irfft2d irfft3d rfft rfft2d rfft3d",
        "gpersist.ops.mel_spectrograms": "linear_to_mel_weight_matrix mfccs_from_log_mel_spectrograms",
        "gpersist.ops.signal_frames": "frame overlap_and_add",
        "gpersist.ops.signal_transforms": "dct fftshift idct ifftshift inverse_mdct inverse_stft inverse_stft_window_fn mdct stft",
        "gpersist.ops.signal_windows": "hamming_window hann_window kaiser_bessel_derived_window kaiser_window vorbis_window",
    },
)
