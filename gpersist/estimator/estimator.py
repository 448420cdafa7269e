"""Estimator: trains a model function, keeps its checkpoints in a folder, predicts, evaluates and exports (`tf.estimator.Estimator`).

Each call builds the graph anew.
"""

from __future__ import annotations

import contextlib
import copy
import logging
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from gpersist import protos
from gpersist.errors import UnimplementedError
from gpersist.estimator import evaluation, saved_model_export, training
from gpersist.estimator.estimator_spec import EstimatorSpec
from gpersist.estimator.mode_keys import ModeKeys
from gpersist.estimator.model_functions import call_input_fn, call_model_fn, check_model_fn
from gpersist.estimator.run_config import RunConfig
from gpersist.estimator.warm_start_settings import as_settings
from gpersist.files import gfile
from gpersist.graph import Graph, GraphKeys
from gpersist.ops.random_seed import set_random_seed
from gpersist.train.checkpoint_reader import list_variables, load_variable
from gpersist.train.checkpoint_saver_hook import CheckpointSaverListener
from gpersist.train.checkpoint_state import latest_checkpoint
from gpersist.train.global_step import create_global_step, get_or_create_global_step_read
from gpersist.train.monitored_session import ChiefSessionCreator, MonitoredSession
from gpersist.train.session_run_hook import SessionRunHook
from gpersist.train.stopping_hooks import StopAtStepHook
from gpersist.train.warm_starting import warm_start

_LOG = logging.getLogger("gpersist")


class Estimator:
    """A model function with the folder of its checkpoints (`tf.estimator.Estimator`).

    Args:
        model_fn: gets `features`, and `labels`, `mode`, `params`, `config` as far as it takes them; gives an `EstimatorSpec`.
        model_dir: the folder; a temporary one where neither this nor `config` names one.
        config: a `RunConfig`.
        params: passed to `model_fn`.
        warm_start_from: a checkpoint, a SavedModel or `WarmStartSettings`: what variables begin with where the folder has no checkpoint yet.

    Raises:
        ValueError: `model_fn` is None or takes other arguments, two folders are named, or a subclass overrides what is public here.
    """

    def __init__(
        self,
        model_fn: Callable[..., EstimatorSpec],
        model_dir: str | os.PathLike[str] | None = None,
        config: RunConfig | None = None,
        params: Any = None,
        warm_start_from: Any = None,
    ) -> None:
        self._check_overridden()
        self._config = _completed(config, model_dir)
        _LOG.info("Using config: %s", vars(self._config))
        check_model_fn(model_fn, params)
        self._model_fn = model_fn
        self._params = copy.deepcopy(params or {})
        self._warm_start_settings = as_settings(warm_start_from)

    @property
    def model_dir(self) -> str:
        """The folder of its checkpoints."""
        return str(self._config.model_dir)

    @property
    def config(self) -> RunConfig:
        """A copy of its settings."""
        return copy.deepcopy(self._config)

    @property
    def params(self) -> Any:
        """A copy of what is passed to the model function."""
        return copy.deepcopy(self._params)

    @property
    def model_fn(self) -> Callable[..., EstimatorSpec]:
        """The model function, with `params` in it: takes features, labels, mode and config."""

        def public_model_fn(features: Any, labels: Any, mode: str, config: RunConfig) -> EstimatorSpec:
            return self._call_model_fn(features, labels, mode, config)

        return public_model_fn

    def latest_checkpoint(self) -> str | None:
        """The prefix of the newest checkpoint; None without any."""
        return latest_checkpoint(self.model_dir)

    def eval_dir(self, name: str | None = None) -> str:
        """The folder of the event files of an evaluation."""
        return os.path.join(self.model_dir, f"eval_{name}" if name else "eval")

    def get_variable_names(self) -> list[str]:
        """The names of the variables in the newest checkpoint.

        Raises:
            ValueError: there is no checkpoint.
        """
        self._check_trained()
        return [name for name, _ in list_variables(self.model_dir)]

    def get_variable_value(self, name: str) -> Any:
        """The value that a variable has in the newest checkpoint.

        Raises:
            ValueError: there is no checkpoint.
        """
        self._check_trained()
        return load_variable(self.model_dir, name)

    def train(
        self,
        input_fn: Callable[..., Any],
        hooks: Iterable[SessionRunHook] | None = None,
        steps: int | None = None,
        max_steps: int | None = None,
        saving_listeners: Iterable[CheckpointSaverListener] | None = None,
    ) -> Estimator:
        """Trains, from the newest checkpoint on, and saves checkpoints: one at the start, one at the end, and some on the way.

        Args:
            input_fn: gives features, or features and labels: tensors, or tensors by name; or a Dataset of them.
            hooks: take part in the runs.
            steps: how many steps; by default until the input ends.
            max_steps: how many steps altogether, with those before.
            saving_listeners: are told of each checkpoint, when it is there.

        Returns:
            Itself.

        Raises:
            ValueError: `steps` and `max_steps`, or one that is not positive; listeners without checkpoints.
            TypeError: hooks or listeners of another type.
            NanLossDuringTrainingError: the loss is no number.
        """
        if steps is not None and max_steps is not None:
            raise ValueError("Can not provide both steps and max_steps.")
        for name, value in (("steps", steps), ("max_steps", max_steps)):
            if value is not None and value <= 0:
                raise ValueError(f"Must specify {name} > 0, given: {value}")
        if max_steps is not None and max_steps <= self._trained_steps():
            _LOG.info("Skipping training since max_steps has already saved.")
            return self
        all_hooks = _checked(hooks, SessionRunHook, "Hooks must be a SessionRunHook")
        if steps is not None or max_steps is not None:
            all_hooks.append(StopAtStepHook(steps, max_steps))
        listeners = _checked(saving_listeners, CheckpointSaverListener, "saving_listeners must be a list of CheckpointSaverListener")
        with Graph().as_default() as graph, graph.device(self._config.device_fn):
            set_random_seed(self._config.tf_random_seed)
            create_global_step(graph)
            get_or_create_global_step_read(graph)
            spec, input_hooks = self._spec(input_fn, ModeKeys.TRAIN)
            if self._warm_start_settings:
                self._warm_start()
            loss = training.train(graph, spec, self._config, [*input_hooks, *all_hooks], listeners)
        _LOG.info("Loss for final step: %s.", loss)
        return self

    def evaluate(
        self,
        input_fn: Callable[..., Any],
        steps: int | None = None,
        hooks: Iterable[SessionRunHook] | None = None,
        checkpoint_path: str | None = None,
        name: str | None = None,
    ) -> dict[str, Any]:
        """Computes metrics, and writes them to an event file in `eval_dir(name)`.

        Args:
            input_fn: gives features and labels.
            steps: of how many batches; by default until the input ends.
            hooks: take part in the runs.
            checkpoint_path: the newest checkpoint by default; without any, variables have their first values.
            name: tells evaluations apart.

        Returns:
            The metrics by name, with `loss`, the mean of all batches', and `global_step`.

        Raises:
            ValueError: `steps` is not positive, or a metric has a name of these two.
            TypeError: hooks of another type.
        """
        all_hooks = _checked(hooks, SessionRunHook, "Hooks must be a SessionRunHook")
        if steps is not None:
            if steps <= 0:
                raise ValueError(f"Must specify steps > 0, given: {steps}")
            all_hooks.append(evaluation.StopAfterNEvalsHook(steps))
        path = checkpoint_path or self._latest_or_none("evaluate")
        with Graph().as_default() as graph:
            set_random_seed(self._config.tf_random_seed)
            step = create_global_step(graph)
            spec, input_hooks = self._spec(input_fn, ModeKeys.EVAL)
            update, values = evaluation.metric_ops(spec, step)
            if not path and self._warm_start_settings:
                self._warm_start()
            all_hooks = [*input_hooks, *all_hooks, *spec.evaluation_hooks]
            found = evaluation.run(spec.scaffold, update, values, all_hooks, path, self._config)
            evaluation.write_summaries(self.eval_dir(name), found, path)
        return found

    def predict(
        self,
        input_fn: Callable[..., Any],
        predict_keys: Any = None,
        hooks: Iterable[SessionRunHook] | None = None,
        checkpoint_path: str | None = None,
        yield_single_examples: bool = True,
    ) -> Iterator[Any]:
        """Gives predictions, example by example, until the input ends: one that is all constants never does.

        Args:
            input_fn: gives features.
            predict_keys: names of the predictions that are wanted; all by default.
            hooks: take part in the runs.
            checkpoint_path: the newest checkpoint by default; without any, variables have their first values.
            yield_single_examples: whether batches are taken apart.

        Raises:
            ValueError: `predict_keys` names none of the predictions, or predictions have batches of several sizes.
            TypeError: hooks of another type.
        """
        all_hooks = _checked(hooks, SessionRunHook, "Hooks must be a SessionRunHook")
        path = checkpoint_path or self._latest_or_none("predict")
        with Graph().as_default() as graph:
            set_random_seed(self._config.tf_random_seed)
            create_global_step(graph)
            features, _, input_hooks = call_input_fn(input_fn, ModeKeys.PREDICT, self.params, self.config)
            spec = self._call_model_fn(features, None, ModeKeys.PREDICT, self.config)
            if not path and self._warm_start_settings:
                self._warm_start()
            predictions = _chosen(spec.predictions, predict_keys)
            creator = ChiefSessionCreator(spec.scaffold, config=self._config.session_config, checkpoint_filename_with_path=path)
            session = MonitoredSession(creator, [*input_hooks, *all_hooks, *spec.prediction_hooks])
        with _closing(session, graph):
            while not session.should_stop():
                with graph.as_default():  # not while the caller has its turn
                    found = session.run(predictions)
                yield from _examples(found) if yield_single_examples else (found,)

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
            checkpoint_path: the newest checkpoint by default, or else that of `warm_start_from`.
            experimental_mode: `ModeKeys.PREDICT`.

        Returns:
            The new folder, as bytes.

        Raises:
            ValueError: no function, no checkpoint, or one that lacks variables of the model; an unknown mode.
            InvalidArgumentError: a name in `assets_extra` leads out of its folder.
            UnimplementedError: the mode of training or of evaluation.
            GPersistError: the file system said no; nothing is left behind.
        """
        if experimental_mode not in (ModeKeys.PREDICT, ModeKeys.TRAIN, ModeKeys.EVAL):
            raise ValueError(f"No valid modes for exporting found. Got {experimental_mode!r}.")
        if experimental_mode != ModeKeys.PREDICT:
            raise UnimplementedError(f"export_saved_model exports a model that predicts; experimental_mode {experimental_mode!r} is not done")
        return self._export(export_dir_base, serving_input_receiver_fn, assets_extra, as_text, checkpoint_path, strips=True)

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
        return self._export(export_dir_base, serving_input_receiver_fn, assets_extra, as_text, checkpoint_path, strips=strip_default_attrs)

    def _export(
        self,
        base: str | os.PathLike[str],
        receiver_fn: Callable[[], Any] | None,
        assets_extra: Mapping[str, str] | None,
        as_text: bool,
        checkpoint_path: str | None,
        *,
        strips: bool,
    ) -> bytes:
        if receiver_fn is None:
            raise ValueError("An input_receiver_fn must be defined.")
        path = checkpoint_path or self.latest_checkpoint()
        if not path and self._warm_start_settings:
            path = self._warm_start_settings.ckpt_to_initialize_from
            path = latest_checkpoint(path) if gfile.isdir(path) else path
        if not path:
            raise ValueError(f"Couldn't find trained model at {self.model_dir}.")

        def predicting(features: Any) -> EstimatorSpec:
            return self._call_model_fn(features, None, ModeKeys.PREDICT, self.config)

        return saved_model_export.export_saved_model(base, receiver_fn, predicting, self._config, path, assets_extra, as_text=as_text, strips=strips)

    def _spec(self, input_fn: Callable[..., Any], mode: str) -> tuple[EstimatorSpec, list[SessionRunHook]]:
        """The model, and the hooks that its input needs."""
        features, labels, hooks = call_input_fn(input_fn, mode, self.params, self.config)
        return self._call_model_fn(features, labels, mode, self.config), hooks

    def _call_model_fn(self, features: Any, labels: Any, mode: str, config: RunConfig) -> EstimatorSpec:
        return call_model_fn(self._model_fn, features, labels, mode, self.params, config)

    def _warm_start(self) -> None:
        assert self._warm_start_settings is not None
        _LOG.info("Warm-starting with WarmStartSettings: %s", self._warm_start_settings)
        warm_start(*self._warm_start_settings)

    def _trained_steps(self) -> int:
        """The global step of the newest checkpoint; 0 without any."""
        path = self.latest_checkpoint()
        return 0 if path is None else int(load_variable(path, GraphKeys.GLOBAL_STEP))

    def _check_trained(self) -> None:
        if self.latest_checkpoint() is None:
            raise ValueError(f"Could not find trained model in model_dir: {self.model_dir}.")

    def _latest_or_none(self, doing: str) -> str | None:
        path = self.latest_checkpoint()
        if path is None:
            _LOG.info("Could not find trained model in model_dir: %s, running initialization to %s.", self.model_dir, doing)
        return path

    def _check_overridden(self) -> None:
        public = {name for name in vars(Estimator) if not name.startswith("_")} - {"model_fn", "latest_checkpoint"}
        overridden = sorted(public & set(vars(type(self)))) if type(self) is not Estimator else []
        if overridden:
            raise ValueError(f"Subclasses of Estimator cannot override members of Estimator. {type(self)} does override {overridden}")


def _completed(config: RunConfig | None, model_dir: str | os.PathLike[str] | None) -> RunConfig:
    """Settings with a folder, and with settings of sessions: what has no kernel for a device is placed elsewhere."""
    if config is None:
        config = RunConfig()
        _LOG.info("Using default config.")
    if not isinstance(config, RunConfig):
        raise ValueError(f"config must be an instance of `RunConfig`, but provided {config}.")
    if config.session_config is None:
        session_config = protos.ConfigProto(allow_soft_placement=True)
        session_config.graph_options.rewrite_options.meta_optimizer_iterations = protos.RewriterConfig.ONE  # as TensorFlow's
        config = config.replace(session_config=session_config)
    wanted = None if model_dir is None else os.fspath(model_dir)
    if wanted is not None and config.model_dir is not None and wanted != config.model_dir:
        raise ValueError(
            "`model_dir` are set both in constructor and `RunConfig`, but with different values. "
            f"In constructor: '{wanted}', in `RunConfig`: '{config.model_dir}'"
        )
    if not wanted and config.model_dir is None:
        wanted = tempfile.mkdtemp()
        _LOG.warning("Using temporary folder as model directory: %s", wanted)
    return config.replace(model_dir=wanted) if wanted else config


def _checked(given: Iterable[Any] | None, kind: type, message: str) -> list[Any]:
    found = list(given or ())
    for each in found:
        if not isinstance(each, kind):
            raise TypeError(f"{message}, given: {each}")
    return found


def _chosen(predictions: Any, predict_keys: Any) -> Any:
    if not predict_keys:
        return predictions
    if not isinstance(predictions, dict):
        raise ValueError("predict_keys argument is not valid in case of non-dict predictions.")
    found = {key: value for key, value in predictions.items() if key in predict_keys}
    if not found:
        raise ValueError(f"Expected to run at least one output from {predictions.keys()}, provided {predict_keys}.")
    return found


def _examples(found: Any) -> Iterator[Any]:
    """The examples of a batch."""
    if not isinstance(found, dict):
        yield from found
        return
    sizes = {key: value.shape[0] for key, value in found.items()}
    size: int = next(iter(sizes.values()))
    for key, other in sizes.items():
        if other != size:
            raise ValueError(f"Batch length of predictions should be same. {key} has different batch length than others.")
    for index in range(size):
        yield {key: value[index] for key, value in found.items()}


@contextlib.contextmanager
def _closing(session: MonitoredSession, graph: Graph) -> Iterator[None]:
    """Closes a session as its own `with` does, with its graph as the default one for that moment."""
    try:
        yield
    except BaseException:
        with graph.as_default():
            is_end = session.__exit__(*sys.exc_info())
        if not is_end:
            raise
    else:
        with graph.as_default():
            session.__exit__(None, None, None)
