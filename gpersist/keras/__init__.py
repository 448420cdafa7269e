"""Keras models from HDF5 files, as graphs for prediction. Needs h5py (`pip install 'gpersist[keras]'`).

`models.load_model` and `backend` are for programs that were written for Keras.
"""

from gpersist.keras.hdf5 import is_hdf5
from gpersist.keras.model import KerasModel, load_keras_model

__all__ = ["KerasModel", "is_hdf5", "load_keras_model"]
