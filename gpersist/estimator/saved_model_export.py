"""How an Estimator is exported: the model as it predicts, with the values of a checkpoint, as a SavedModel in a folder named after the time."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Mapping
from typing import Any

from gpersist import files
from gpersist.errors import NotFoundError
from gpersist.estimator.estimator_spec import EstimatorSpec
from gpersist.estimator.run_config import RunConfig
from gpersist.estimator.signatures import build_all_signature_defs
from gpersist.graph import Graph, GraphKeys, Session
from gpersist.ops.random_seed import set_random_seed
from gpersist.saved_model.builder import SavedModelBuilder
from gpersist.saved_model.tag_constants import SERVING
from gpersist.train.global_step import create_global_step
from gpersist.train.saver import Saver
from gpersist.train.scaffold import Scaffold

_LOG = logging.getLogger("gpersist")
_ATTEMPTS = 10


def export_saved_model(
    base: str | os.PathLike[str],
    receiver_fn: Callable[[], Any],
    model_fn: Callable[[Any], EstimatorSpec],
    config: RunConfig,
    checkpoint_path: str,
    assets_extra: Mapping[str, str] | None,
    *,
    as_text: bool,
    strips: bool,
) -> bytes:
    """Writes the SavedModel of a model function.

    Args:
        base: the folder that it will be in, in one of its own.
        receiver_fn: gives a `ServingInputReceiver`.
        model_fn: gives the model that predicts, from features.
        config: says which sessions, and the graph's seed.
        checkpoint_path: prefix of the checkpoint that has the values.
        assets_extra: files that are copied into `assets.extra`, by the names of the copies.
        as_text: whether graphs are written as text.
        strips: whether attributes that have their default values are left out.

    Returns:
        The new folder, as bytes.

    Raises:
        ValueError: the checkpoint lacks variables of the model.
    """
    export_dir = _timestamped(os.fsdecode(base))
    builder = SavedModelBuilder(export_dir)
    with Graph().as_default() as graph:
        create_global_step(graph)
        set_random_seed(config.tf_random_seed)
        receiver = receiver_fn()
        spec = model_fn(receiver.features)
        signatures = build_all_signature_defs(receiver.receiver_tensors, spec.export_outputs, receiver.receiver_tensors_alternatives)
        with Session(graph=graph, config=config.session_config) as session:
            main_op = spec.scaffold.local_init_op
            if main_op is None:
                main_op = Scaffold.default_local_init_op()
            saver = spec.scaffold.saver or Saver(sharded=True)
            try:
                saver.restore(session, checkpoint_path)
            except NotFoundError as error:
                raise ValueError(
                    "Could not load all requested variables from checkpoint. Please make sure your model_fn does not expect variables that were "
                    f"not saved in the checkpoint {checkpoint_path!r}.\n\n{error}"
                ) from error
            builder.add_meta_graph_and_variables(
                session,
                [SERVING],
                signatures,
                assets_collection=graph.get_collection(GraphKeys.ASSET_FILEPATHS),
                main_op=main_op,
                saver=saver,
                strip_default_attrs=strips,
            )
    for name, source in (assets_extra or {}).items():
        builder.add_extra_asset(source, name)
    builder.save(as_text)
    return os.fsencode(export_dir)


def _timestamped(base: str) -> str:
    """A folder's path that nothing has yet, named after the time in seconds, so that newer exports have greater numbers."""
    for attempt in range(_ATTEMPTS):
        path = os.path.join(base, str(int(time.time())))
        if files.active().stat(path) is None:
            return path
        _LOG.warning("Directory %s already exists; retrying (attempt %d/%d)", path, attempt + 1, _ATTEMPTS)
        time.sleep(1)
    raise RuntimeError(f"Failed to obtain a unique export directory name after {_ATTEMPTS} attempts.")
