"""Estimator: trains a model function, keeps its checkpoints in a folder, predicts, evaluates and exports (`tf.estimator.Estimator`).

Each call builds the graph anew. Hooks and summaries are left out.
"""

from __future__ import annotations

import copy
import inspect
import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from gpersist import files
from gpersist.errors import NotFoundError, OutOfRangeError, UnimplementedError
from gpersist.estimator.estimator_spec import EstimatorSpec
from gpersist.estimator.mode_keys import ModeKeys
from gpersist.estimator.run_config import RunConfig
from gpersist.estimator.signatures import build_all_signature_defs
from gpersist.graph import Graph, GraphKeys, Operation, Session, get_default_graph
from gpersist.ops.control import group, no_op
from gpersist.ops.lookup import tables_initializer
from gpersist.ops.random_seed import set_random_seed
from gpersist.ops.variable_lists import global_variables_initializer, local_variables_initializer
from gpersist.saved_model.builder import SavedModelBuilder
from gpersist.saved_model.tag_constants import SERVING
from gpersist.train.checkpoint_reader import list_variables, load_variable
from gpersist.train.checkpoint_state import get_checkpoint_state, latest_checkpoint
from gpersist.train.global_step import create_global_step, get_or_create_global_step_read
from gpersist.train.graph_io import write_graph
from gpersist.train.saver import Saver

_LOG = logging.getLogger("gpersist")
_EXPORT_ATTEMPTS = 10


class Estimator:
    """A model function with the folder of its checkpoints (`tf.estimator.Estimator`).

    Args:
        model_fn: gets `features`, and `labels`, `mode`, `params`, `config` as far as it takes them; gives an `EstimatorSpec`.
        model_dir: the folder; a temporary one where neither this nor `config` names one.
        config: a `RunConfig`.
        params: passed to `model_fn`.
        warm_start_from: not done.

    Raises:
        ValueError: `model_fn` is None or takes other arguments, or two folders are named.
        UnimplementedError: `warm_start_from`.
    """

    def __init__(
        self,
        model_fn: Callable[..., EstimatorSpec],
        model_dir: str | os.PathLike[str] | None = None,
        config: RunConfig | None = None,
        params: Any = None,
        warm_start_from: Any = None,
    ) -> None:
        if warm_start_from is not None:
            raise UnimplementedError("warm_start_from: call tf.train.init_from_checkpoint in the model function instead")
        self._config = _config_with_folder(config, model_dir)
        _check_model_fn(model_fn, params)
        self._model_fn = model_fn
        self._params = copy.deepcopy(params or {})

    @property
    def model_dir(self) -> str:
        """The folder of its checkpoints."""
        return str(self._config.model_dir)

    @property
    def config(self) -> RunConfig:
        """Its settings."""
        return self._config

    @property
    def params(self) -> Any:
        """A copy of what is passed to the model function."""
        return copy.deepcopy(self._params)

    @property
    def model_fn(self) -> Callable[..., EstimatorSpec]:
        """The model function, with `params` in it: takes features, labels, mode and config."""
        return self._call_model_fn

    def latest_checkpoint(self) -> str | None:
        """The prefix of the newest checkpoint; None without any."""
        return latest_checkpoint(self.model_dir)

    def get_variable_names(self) -> list[str]:
        """The names of the variables in the newest checkpoint.

        Raises:
            ValueError: there is no checkpoint.
        """
        self._checkpoint()
        return [name for name, _ in list_variables(self.model_dir)]

    def get_variable_value(self, name: str) -> Any:
        """The value that a variable has in the newest checkpoint.

        Raises:
            ValueError: there is no checkpoint.
        """
        self._checkpoint()
        return load_variable(self.model_dir, name)

    def train(
        self, input_fn: Callable[..., Any], hooks: Any = None, steps: int | None = None, max_steps: int | None = None, saving_listeners: Any = None
    ) -> Estimator:
        """Trains, from the newest checkpoint on, and saves checkpoints: one at the start, one at the end, and some on the way.

        Args:
            input_fn: gives features, or features and labels: tensors, or tensors by name.
            hooks: not run.
            steps: how many steps; by default until the input ends.
            max_steps: how many steps altogether, with those before.
            saving_listeners: not run.

        Returns:
            Itself.

        Raises:
            ValueError: `steps` and `max_steps`, or one that is not positive.
            RuntimeError: the loss is no number.
            UnimplementedError: hooks or listeners.
        """
        _check_none(hooks=hooks, saving_listeners=saving_listeners)
        if steps is not None and max_steps is not None:
            raise ValueError("Can not provide both steps and max_steps.")
        for name, value in (("steps", steps), ("max_steps", max_steps)):
            if value is not None and value <= 0:
                raise ValueError(f"Must specify {name} > 0, given: {value}")
        found = self.latest_checkpoint()
        if max_steps is not None and found is not None and max_steps <= load_variable(found, GraphKeys.GLOBAL_STEP):
            _LOG.info("Skipping training since max_steps has already saved.")
            return self
        with Graph().as_default() as graph:
            set_random_seed(self._config.tf_random_seed)
            step = create_global_step(graph)
            get_or_create_global_step_read(graph)
            spec = self._call_model_fn(*self._inputs(input_fn, ModeKeys.TRAIN), ModeKeys.TRAIN, self._config)
            assert spec.loss is not None
            graph.add_to_collection(GraphKeys.LOSSES, spec.loss)
            saver = getattr(spec.scaffold, "saver", None) or _collected_saver(graph) or self._new_saver()
            with self._session(graph, spec, found, saver) as sess:
                loss = self._run_steps(sess, spec, step, saver, steps, max_steps)
        _LOG.info("Loss for final step: %s.", loss)
        return self

    def evaluate(
        self, input_fn: Callable[..., Any], steps: int | None = None, hooks: Any = None, checkpoint_path: str | None = None, name: str | None = None
    ) -> dict[str, Any]:
        """Computes metrics.

        Args:
            input_fn: gives features and labels.
            steps: of how many batches; by default until the input ends.
            hooks: not run.
            checkpoint_path: the newest checkpoint by default; without any, variables have their first values.
            name: for TensorFlow's sake.

        Returns:
            The metrics by name, with `loss`, the mean of all batches', and `global_step`.

        Raises:
            ValueError: `steps` is not positive, or a metric has a name of these two.
            UnimplementedError: hooks.
        """
        del name
        _check_none(hooks=hooks)
        if steps is not None and steps <= 0:
            raise ValueError(f"Must specify steps > 0, given: {steps}")
        with Graph().as_default() as graph:
            set_random_seed(self._config.tf_random_seed)
            step = create_global_step(graph)
            spec = self._call_model_fn(*self._inputs(input_fn, ModeKeys.EVAL), ModeKeys.EVAL, self._config)
            for reserved in ("loss", GraphKeys.GLOBAL_STEP):
                if reserved in spec.eval_metric_ops:
                    raise ValueError(
                        f"Metric with name `{reserved}` is not allowed, because Estimator already defines a default metric with the same name."
                    )
            updates = [spec.loss, *(update for _, update in spec.eval_metric_ops.values())]
            total, count = np.float32(0), 0
            with self._session(graph, spec, checkpoint_path or self._latest_or_none("evaluate")) as sess:
                while count != steps:
                    try:
                        total += np.float32(sess.run(updates)[0])
                    except (OutOfRangeError, StopIteration):
                        break
                    count += 1
                found: dict[str, Any] = sess.run({key: value for key, (value, _) in spec.eval_metric_ops.items()})
                found |= {"loss": np.float32(total / max(count, 1)), GraphKeys.GLOBAL_STEP: sess.run(step)}
        shown = ", ".join(f"{key} = {value}" for key, value in sorted(found.items()) if not isinstance(value, bytes))
        _LOG.info("Saving dict for global step %d: %s", found[GraphKeys.GLOBAL_STEP], shown)
        return found

    def predict(
        self,
        input_fn: Callable[..., Any],
        predict_keys: Any = None,
        hooks: Any = None,
        checkpoint_path: str | None = None,
        yield_single_examples: bool = True,
    ) -> Iterator[Any]:
        """Gives predictions, example by example, until the input ends: one that is all constants never does.

        Args:
            input_fn: gives features.
            predict_keys: names of the predictions that are wanted; all by default.
            hooks: not run.
            checkpoint_path: the newest checkpoint by default; without any, variables have their first values.
            yield_single_examples: whether batches are taken apart.

        Raises:
            ValueError: `predict_keys` names none of the predictions, or predictions have batches of several sizes.
            UnimplementedError: hooks.
        """
        _check_none(hooks=hooks)
        path = checkpoint_path or self._latest_or_none("predict")
        with Graph().as_default() as graph:
            set_random_seed(self._config.tf_random_seed)
            create_global_step(graph)
            features, _ = self._inputs(input_fn, ModeKeys.PREDICT)
            spec = self._call_model_fn(features, None, ModeKeys.PREDICT, self._config)
            predictions = _chosen(spec.predictions, predict_keys)
            session = self._session(graph, spec, path)
        try:  # the graph is not the default one while the caller has its turn
            while True:
                try:
                    found = session.run(predictions)
                except (OutOfRangeError, StopIteration):
                    return
                if not yield_single_examples:
                    yield found
                elif isinstance(found, dict):
                    for index in range(_batch_size(found)):
                        yield {key: value[index] for key, value in found.items()}
                else:
                    yield from found
        finally:
            session.close()

    def export_saved_model(
        self,
        export_dir_base: str | os.PathLike[str],
        serving_input_receiver_fn: Callable[[], Any] | None,
        assets_extra: Mapping[str, str] | None = None,
        as_text: bool = False,
        checkpoint_path: str | None = None,
        experimental_mode: str = ModeKeys.PREDICT,
    ) -> bytes:
        """Exports the model for serving, with the values of a checkpoint, to a new folder that is named after the time.

        Args:
            export_dir_base: the folder that it will be in.
            serving_input_receiver_fn: gives a `ServingInputReceiver`.
            assets_extra: files that are copied into `assets.extra`, by the names of the copies, relative to that.
            as_text: whether graphs are written as text.
            checkpoint_path: the newest checkpoint by default.
            experimental_mode: `ModeKeys.PREDICT`.

        Returns:
            The new folder, as bytes.

        Raises:
            ValueError: no function, no checkpoint, or one that lacks variables of the model.
            InvalidArgumentError: a name in `assets_extra` leads out of its folder.
            UnimplementedError: another mode.
            GPersistError: the file system said no; nothing is left behind.
        """
        if experimental_mode != ModeKeys.PREDICT:
            raise UnimplementedError(f"export_saved_model exports a model that predicts; experimental_mode {experimental_mode!r} is not done")
        return self._export(export_dir_base, serving_input_receiver_fn, assets_extra, as_text, checkpoint_path, True)

    def export_savedmodel(
        self,
        export_dir_base: str | os.PathLike[str],
        serving_input_receiver_fn: Callable[[], Any] | None,
        assets_extra: Mapping[str, str] | None = None,
        as_text: bool = False,
        checkpoint_path: str | None = None,
        strip_default_attrs: bool = False,
    ) -> bytes:
        """`export_saved_model` under its old name; attributes that have their default values are kept unless `strip_default_attrs`."""
        return self._export(export_dir_base, serving_input_receiver_fn, assets_extra, as_text, checkpoint_path, strip_default_attrs)

    def _export(
        self,
        base: str | os.PathLike[str],
        receiver_fn: Callable[[], Any] | None,
        assets_extra: Mapping[str, str] | None,
        as_text: bool,
        checkpoint_path: str | None,
        strips: bool,
    ) -> bytes:
        if receiver_fn is None:
            raise ValueError("An input_receiver_fn must be defined.")
        path = checkpoint_path or self._checkpoint()
        export_dir = _timestamped(os.fsdecode(base))
        builder = SavedModelBuilder(export_dir)
        with Graph().as_default() as graph:
            create_global_step(graph)
            set_random_seed(self._config.tf_random_seed)
            receiver = receiver_fn()
            spec = self._call_model_fn(receiver.features, None, ModeKeys.PREDICT, self._config)
            signatures = build_all_signature_defs(receiver.receiver_tensors, spec.export_outputs, receiver.receiver_tensors_alternatives)
            with Session(graph=graph, config=self._config.session_config) as sess:
                main_op = getattr(spec.scaffold, "local_init_op", None) or _local_init_op()
                saver = getattr(spec.scaffold, "saver", None) or Saver(sharded=True)
                try:
                    saver.restore(sess, path)
                except NotFoundError as error:
                    raise ValueError(
                        "Could not load all requested variables from checkpoint. Please make sure your model_fn does not expect variables that were "
                        f"not saved in the checkpoint {path!r}.\n\n{error}"
                    ) from error
                builder.add_meta_graph_and_variables(
                    sess,
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

    def _run_steps(self, sess: Session, spec: EstimatorSpec, step: Any, saver: Saver, steps: int | None, max_steps: int | None) -> Any:
        """Trains, and saves checkpoints; gives the last loss."""
        config = self._config
        prefix = os.path.join(self.model_dir, "model.ckpt")
        current = saved = int(sess.run(step))
        last = current + steps if steps is not None else max_steps
        saved_at = time.monotonic()

        def save() -> None:
            nonlocal saved, saved_at
            _LOG.info("Saving checkpoints for %d into %s.", current, prefix)
            saver.save(sess, prefix, global_step=current)
            saved, saved_at = current, time.monotonic()

        files.active().make_folders(self.model_dir)
        write_graph(sess.graph, self.model_dir, "graph.pbtxt")
        save()
        loss = None
        done = 0
        while last is None or current < last:
            try:
                _, loss = sess.run([spec.train_op, spec.loss])
            except (OutOfRangeError, StopIteration):
                break
            if np.isnan(loss).any():
                _LOG.error("Model diverged with loss = NaN.")
                raise RuntimeError("NaN loss during training.")
            if config.log_step_count_steps and done % config.log_step_count_steps == 0:
                _LOG.info("loss = %s, step = %s", loss, current)
            done += 1
            current = int(sess.run(step))
            if config.save_checkpoints_steps is not None:
                is_due = current - saved >= config.save_checkpoints_steps
            else:
                is_due = time.monotonic() - saved_at >= (config.save_checkpoints_secs or float("inf"))
            if is_due:
                save()
        if current != saved:
            save()
        if not done:
            _LOG.warning("Training with estimator made no steps. Perhaps input is empty or misspecified.")
        return loss

    def _session(self, graph: Graph, spec: EstimatorSpec, checkpoint: str | None, saver: Saver | None = None) -> Session:
        """A session whose variables have the values of a checkpoint, or their first ones; the graph, by then the default one, is complete."""
        init = global_variables_initializer()
        local_init = getattr(spec.scaffold, "local_init_op", None) or _local_init_op()
        saver = saver or getattr(spec.scaffold, "saver", None) or _collected_saver(graph) or self._new_saver()
        saver.build()
        graph.finalize()
        sess = Session(graph=graph, config=self._config.session_config)
        try:
            if checkpoint is None:
                sess.run(init)
            else:
                saver.restore(sess, checkpoint)
                state = get_checkpoint_state(self.model_dir)
                saver.recover_last_checkpoints(state.all_model_checkpoint_paths if state else [])
            sess.run(local_init)
        except BaseException:
            sess.close()
            raise
        return sess

    def _new_saver(self) -> Saver:
        config = self._config
        return Saver(
            sharded=True,
            max_to_keep=config.keep_checkpoint_max,
            keep_checkpoint_every_n_hours=config.keep_checkpoint_every_n_hours,
            defer_build=True,
            save_relative_paths=True,
        )

    def _inputs(self, input_fn: Callable[..., Any], mode: str) -> tuple[Any, Any]:
        """Features and labels."""
        given = {"mode": mode, "params": self.params, "config": self._config}
        names = inspect.signature(input_fn).parameters
        with get_default_graph().device("/cpu:0"):
            found = input_fn(**{name: value for name, value in given.items() if name in names})
        if not isinstance(found, (list, tuple)):
            return found, None
        if len(found) != 2:
            raise ValueError("input_fn should return (features, labels) as a len 2 tuple.")
        return found[0], found[1]

    def _call_model_fn(self, features: Any, labels: Any, mode: str, config: RunConfig) -> EstimatorSpec:
        names = inspect.signature(self._model_fn).parameters
        if labels is not None and "labels" not in names:
            raise ValueError("model_fn does not take labels, but input_fn returns labels.")
        given = {"labels": labels, "mode": mode, "params": self.params, "config": config}
        _LOG.info("Calling model_fn.")
        found = self._model_fn(features=features, **{name: value for name, value in given.items() if name in names})
        _LOG.info("Done calling model_fn.")
        if not isinstance(found, EstimatorSpec):
            raise ValueError("model_fn should return an EstimatorSpec.")
        return found

    def _checkpoint(self) -> str:
        path = self.latest_checkpoint()
        if path is None:
            raise ValueError(f"Couldn't find trained model at {self.model_dir}.")
        return path

    def _latest_or_none(self, doing: str) -> str | None:
        path = self.latest_checkpoint()
        if path is None:
            _LOG.info("Could not find trained model in model_dir: %s, running initialization to %s.", self.model_dir, doing)
        return path


def _config_with_folder(config: RunConfig | None, model_dir: str | os.PathLike[str] | None) -> RunConfig:
    if config is None:
        config = RunConfig()
    if not isinstance(config, RunConfig):
        raise ValueError(f"config must be an instance of `RunConfig`, but provided {config}.")
    wanted = None if model_dir is None else os.fspath(model_dir)
    configured = None if config.model_dir is None else os.fspath(config.model_dir)
    if wanted and configured and wanted != configured:
        raise ValueError(
            "`model_dir` are set both in constructor and `RunConfig`, but with different values. "
            f"In constructor: '{wanted}', in `RunConfig`: '{configured}'"
        )
    folder = wanted or configured
    if not folder:
        folder = tempfile.mkdtemp()
        _LOG.warning("Using temporary folder as model directory: %s", folder)
    return config.replace(model_dir=folder)


def _check_model_fn(model_fn: Any, params: Any) -> None:
    if model_fn is None:
        raise ValueError("model_fn must be provided to Estimator.")
    names = set(inspect.signature(model_fn).parameters)
    if "features" not in names:
        raise ValueError(f"model_fn ({model_fn}) must include features argument.")
    if params is not None and "params" not in names:
        raise ValueError(f"model_fn ({model_fn}) does not include params argument, but params ({params}) is passed to Estimator.")
    others = names - {"features", "labels", "mode", "params", "config", "self"}
    if others:
        raise ValueError(f"model_fn ({model_fn}) has following not expected args: {sorted(others)}")


def _check_none(**arguments: Any) -> None:
    for name, value in arguments.items():
        if value:
            raise UnimplementedError(f"{name}: gpersist's Estimator runs none; leave them out, or train with a session")


def _collected_saver(graph: Graph) -> Saver | None:
    found = graph.get_collection(GraphKeys.SAVERS)
    return found[0] if found else None


def _local_init_op() -> Operation:
    """What TensorFlow's Scaffold makes, nodes for resources that there are none of included."""
    return group(local_variables_initializer(), tables_initializer(), no_op(name="init"))


def _chosen(predictions: Any, predict_keys: Any) -> Any:
    if not predict_keys:
        return predictions
    if not isinstance(predictions, dict):
        raise ValueError("predict_keys argument is not valid in case of non-dict predictions.")
    found = {key: value for key, value in predictions.items() if key in predict_keys}
    if not found:
        raise ValueError(f"Expected to run at least one output from {predictions.keys()}, provided {predict_keys}.")
    return found


def _batch_size(found: Mapping[str, Any]) -> int:
    sizes = {key: value.shape[0] for key, value in found.items()}
    size: int = next(iter(sizes.values()))
    for key, other in sizes.items():
        if other != size:
            raise ValueError(f"Batch length of predictions should be same. {key} has different batch length than others.")
    return size


def _timestamped(base: str) -> str:
    """A folder's path that nothing has yet, named after the time in seconds, so that newer exports have greater numbers."""
    for attempt in range(_EXPORT_ATTEMPTS):
        path = os.path.join(base, str(int(time.time())))
        if files.active().stat(path) is None:
            return path
        _LOG.warning("Directory %s already exists; retrying (attempt %d/%d)", path, attempt + 1, _EXPORT_ATTEMPTS)
        time.sleep(1)
    raise RuntimeError(f"Failed to obtain a unique export directory name after {_EXPORT_ATTEMPTS} attempts.")
