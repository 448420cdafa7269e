"""A SavedModel of one graph in one call (`tf.saved_model.simple_save`)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from gpersist.graph import BaseSession, GraphKeys, Operation, get_default_graph
from gpersist.saved_model.builder import SavedModelBuilder
from gpersist.saved_model.signature_constants import DEFAULT_SERVING_SIGNATURE_DEF_KEY
from gpersist.saved_model.signature_def_utils import predict_signature_def
from gpersist.saved_model.tag_constants import SERVING

__all__ = ["simple_save"]


def simple_save(
    session: BaseSession,
    export_dir: str | os.PathLike[str],
    inputs: Mapping[str, Any],
    outputs: Mapping[str, Any],
    legacy_init_op: Operation | None = None,
) -> None:
    """Exports the default graph, without its devices, and the session's variables, for serving (`tf.saved_model.simple_save`).

    Args:
        session: whose variables.
        export_dir: a folder that is empty or not there.
        inputs: tensors, by the names that clients use.
        outputs: likewise.
        legacy_init_op: runs when the model is loaded, after variables are restored.

    Raises:
        AssertionError: `export_dir` is not empty.
        ValueError: no inputs or no outputs.
        FailedPreconditionError: a variable has no value.
        GPersistError: the file system said no; nothing is left behind.
    """
    signature = predict_signature_def(inputs, outputs)
    builder = SavedModelBuilder(export_dir)
    builder.add_meta_graph_and_variables(
        session,
        [SERVING],
        {DEFAULT_SERVING_SIGNATURE_DEF_KEY: signature},
        assets_collection=get_default_graph().get_collection(GraphKeys.ASSET_FILEPATHS),
        main_op=legacy_init_op,
        clear_devices=True,
    )
    builder.save()
