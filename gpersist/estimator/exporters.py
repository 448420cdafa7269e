"""What is exported after evaluations of `train_and_evaluate` (`tf.estimator.Exporter` and its kinds)."""

from __future__ import annotations

import abc
import inspect
import logging
import os
from collections.abc import Callable, Mapping
from typing import Any

from gpersist.errors import NotFoundError
from gpersist.files import gfile
from gpersist.train.summary_writer import summary_iterator

_LOG = logging.getLogger("gpersist")
_Metrics = Mapping[str, Any]
_LOSS = "loss"
_COMPARED = {"best_eval_result", "current_eval_result"}
_TIMESTAMP_DIGITS = 10


class Exporter(abc.ABC):
    """Exports a model after an evaluation, or leaves it (`tf.estimator.Exporter`)."""

    @property
    @abc.abstractmethod
    def name(self) -> str:
        """The name of its folder in the folder `export`."""

    @abc.abstractmethod
    def export(self, estimator: Any, export_path: str, checkpoint_path: str, eval_result: _Metrics, is_the_final_export: bool) -> bytes | None:
        """Exports.

        Args:
            estimator: the Estimator.
            export_path: the folder for its exports.
            checkpoint_path: the checkpoint that was evaluated.
            eval_result: what came out.
            is_the_final_export: whether training has ended.

        Returns:
            The new folder; None where nothing was exported.
        """


class _SavedModelExporter(Exporter):
    """Exports for serving, each time."""

    def __init__(
        self,
        name: str,
        serving_input_receiver_fn: Callable[[], Any] | None,
        assets_extra: Mapping[str, str] | None = None,
        as_text: bool = False,
    ) -> None:
        self._name = name
        self._serving_input_receiver_fn = serving_input_receiver_fn
        self._assets_extra = assets_extra
        self._as_text = as_text

    @property
    def name(self) -> str:
        return self._name

    def export(self, estimator: Any, export_path: str, checkpoint_path: str, eval_result: _Metrics, is_the_final_export: bool) -> bytes | None:
        found: bytes = estimator.export_saved_model(
            export_path, self._serving_input_receiver_fn, assets_extra=self._assets_extra, as_text=self._as_text, checkpoint_path=checkpoint_path
        )
        return found


class FinalExporter(_SavedModelExporter):
    """Exports once, when training has ended (`tf.estimator.FinalExporter`); other arguments as of `Estimator.export_saved_model`.

    Args:
        name: of the folder of its exports, in `export`.
    """

    def export(self, estimator: Any, export_path: str, checkpoint_path: str, eval_result: _Metrics, is_the_final_export: bool) -> bytes | None:
        """Exports, if training has ended."""
        if not is_the_final_export:
            return None
        _LOG.info("Performing the final export in the end of training.")
        return super().export(estimator, export_path, checkpoint_path, eval_result, is_the_final_export)


class LatestExporter(_SavedModelExporter):
    """Exports after each evaluation, and keeps the newest exports (`tf.estimator.LatestExporter`).

    Args:
        name: of the folder of its exports, in `export`.
        serving_input_receiver_fn: gives a `ServingInputReceiver`; also the next two as of `Estimator.export_saved_model`.
        assets_extra: files to be copied.
        as_text: whether graphs are written as text.
        exports_to_keep: how many; None for all.

    Raises:
        ValueError: `exports_to_keep` is not positive.
    """

    def __init__(
        self,
        name: str,
        serving_input_receiver_fn: Callable[[], Any] | None,
        assets_extra: Mapping[str, str] | None = None,
        as_text: bool = False,
        exports_to_keep: int | None = 5,
    ) -> None:
        super().__init__(name, serving_input_receiver_fn, assets_extra, as_text)
        self._exports_to_keep = _checked_number(exports_to_keep)

    def export(self, estimator: Any, export_path: str, checkpoint_path: str, eval_result: _Metrics, is_the_final_export: bool) -> bytes | None:
        """Exports; removes old exports."""
        found = super().export(estimator, export_path, checkpoint_path, eval_result, is_the_final_export)
        _remove_old(export_path, self._exports_to_keep)
        return found


def _loss_smaller(best_eval_result: _Metrics, current_eval_result: _Metrics) -> bool:
    for name, result in (("best_eval_result", best_eval_result), ("current_eval_result", current_eval_result)):
        if not result or _LOSS not in result:
            raise ValueError(f"{name} cannot be empty or no loss is found in it.")
    return bool(best_eval_result[_LOSS] > current_eval_result[_LOSS])


class BestExporter(_SavedModelExporter):
    """Exports where a model is better than those before, and keeps the newest exports (`tf.estimator.BestExporter`).

    Args:
        name: of the folder of its exports, in `export`.
        serving_input_receiver_fn: gives a `ServingInputReceiver`.
        event_file_pattern: the event files, in the Estimator's folder, that have the results of earlier evaluations; None for none.
        compare_fn: says from `best_eval_result` and `current_eval_result` whether the latter is better; by default, its loss is smaller.
        assets_extra: files to be copied.
        as_text: whether graphs are written as text.
        exports_to_keep: how many; None for all.

    Raises:
        ValueError: `exports_to_keep` is not positive, or `compare_fn` is None or takes other arguments.
    """

    def __init__(
        self,
        name: str = "best_exporter",
        serving_input_receiver_fn: Callable[[], Any] | None = None,
        event_file_pattern: str | None = "eval/*.tfevents.*",
        compare_fn: Callable[..., bool] | None = _loss_smaller,
        assets_extra: Mapping[str, str] | None = None,
        as_text: bool = False,
        exports_to_keep: int | None = 5,
    ) -> None:
        super().__init__(name, serving_input_receiver_fn, assets_extra, as_text)
        self._compare_fn = _checked_comparison(compare_fn)
        self._event_file_pattern = event_file_pattern
        self._model_dir: str | None = None
        self._best: _Metrics | None = None
        self._has_exported = False
        self._exports_to_keep = _checked_number(exports_to_keep)

    def export(self, estimator: Any, export_path: str, checkpoint_path: str, eval_result: _Metrics, is_the_final_export: bool) -> bytes | None:
        """Exports the first time, and what is better than the best before; removes old exports."""
        if self._model_dir != estimator.model_dir and self._event_file_pattern:
            _LOG.info("Loading best metric from event files.")
            self._model_dir = estimator.model_dir
            self._best = self._best_of_files(os.path.join(estimator.model_dir, self._event_file_pattern))
        is_best = self._best is None or not self._has_exported or self._compare_fn(best_eval_result=self._best, current_eval_result=eval_result)
        if not is_best:
            return None
        _LOG.info("Performing best model export.")
        self._best = eval_result
        found = super().export(estimator, export_path, checkpoint_path, eval_result, is_the_final_export)
        _remove_old(export_path, self._exports_to_keep)
        self._has_exported = True
        return found

    def _best_of_files(self, pattern: str) -> _Metrics | None:
        best: _Metrics | None = None
        for path in gfile.glob(pattern):
            for event in summary_iterator(path):
                found = {value.tag: value.simple_value for value in event.summary.value if value.HasField("simple_value")}
                if found and (best is None or self._compare_fn(best, found)):
                    best = found
        return best


def _checked_number(exports_to_keep: int | None) -> int | None:
    if exports_to_keep is not None and exports_to_keep <= 0:
        raise ValueError(f"`exports_to_keep`, if provided, must be a positive number. Got {exports_to_keep}")
    return exports_to_keep


def _checked_comparison(compare_fn: Any) -> Callable[..., bool]:
    if compare_fn is None:
        raise ValueError("`compare_fn` must not be None.")
    names = set(inspect.signature(compare_fn).parameters)
    for name in sorted(_COMPARED - names):
        raise ValueError(f"compare_fn ({compare_fn}) must include {name} argument.")
    if names - _COMPARED:
        raise ValueError(f"compare_fn ({compare_fn}) has following not expected args: {sorted(names - _COMPARED)}")
    found: Callable[..., bool] = compare_fn
    return found


def _remove_old(folder: str, kept: int | None) -> None:
    """Removes all but the newest exports; what is not named as an export is left."""
    if kept is None:
        return
    exports = sorted(name for name in gfile.listdir(folder) if len(name) == _TIMESTAMP_DIGITS and name.isdigit())
    for name in exports[:-kept]:
        try:
            gfile.rmtree(os.path.join(folder, name))
        except NotFoundError as error:
            _LOG.warning("Can not delete %s recursively: %s", name, error)
