"""SyncReplicasOptimizer: gradients of several replicas are averaged, and applied in one step (`tf.train.SyncReplicasOptimizer`).

The replicas put their gradients into an accumulator for each variable, and wait for a token of a queue. A queue runner of the chief takes the
averages, applies them, and puts tokens of the new step into the queue. Within one process the replicas are threads of one session.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Any

from gpersist.graph import GraphKeys, Operation, Tensor, get_default_graph, name_scope
from gpersist.ops.accumulators import ConditionalAccumulator, SparseConditionalAccumulator
from gpersist.ops.control import group, no_op
from gpersist.ops.filling import fill
from gpersist.ops.indexed_slices import IndexedSlices
from gpersist.ops.queues import FIFOQueue
from gpersist.ops.variable import Variable
from gpersist.ops.variable_lists import global_variables, report_uninitialized_variables
from gpersist.ops.variables import assign
from gpersist.train.coordinator import Coordinator
from gpersist.train.moving_averages import ExponentialMovingAverage
from gpersist.train.optimizer import GradAndVar, Optimizer
from gpersist.train.queue_runner import QueueRunner
from gpersist.train.session_manager import missing_variables
from gpersist.train.session_run_hook import SessionRunHook

__all__ = ["SyncReplicasOptimizer"]

_LOG = logging.getLogger("gpersist")


class SyncReplicasOptimizer(Optimizer):
    """Averages the gradients of replicas before another optimizer applies them.

    Args:
        opt: the optimizer that applies them.
        replicas_to_aggregate: how many gradients make a step.
        total_num_replicas: how many replicas there are, as many by default.
        variable_averages: moving averages, updated after each step.
        variables_to_average: their variables.
        use_locking: see Optimizer.
        name: of the scope of its nodes.

    Attributes:
        local_step_init_op: initialises a replica's step.
        chief_init_op: initialises that and the accumulators; known after `apply_gradients`, as are the others.
        ready_for_local_init_op: gives the names of variables that must have values before that.
    """

    local_step_init_op: Any
    chief_init_op: Operation
    ready_for_local_init_op: Tensor

    def __init__(
        self,
        opt: Optimizer,
        replicas_to_aggregate: int,
        total_num_replicas: int | None = None,
        variable_averages: ExponentialMovingAverage | None = None,
        variables_to_average: Sequence[Any] | None = None,
        use_locking: bool = False,
        name: str = "sync_replicas",
    ) -> None:
        super().__init__(use_locking, name)
        self._total_num_replicas = replicas_to_aggregate if total_num_replicas is None else total_num_replicas
        _LOG.info("SyncReplicasV2: replicas_to_aggregate=%s; total_num_replicas=%s", replicas_to_aggregate, self._total_num_replicas)
        self._opt = opt
        self._replicas_to_aggregate = replicas_to_aggregate
        self._variable_averages, self._variables_to_average = variable_averages, variables_to_average
        self._global_step: Any = None
        self._local_step: Any = None
        self._sync_token_queue: FIFOQueue | None = None
        self._chief_queue_runner: QueueRunner | None = None
        self._accumulator_list: list[tuple[ConditionalAccumulator | SparseConditionalAccumulator, str]] = []

    def compute_gradients(self, *args: Any, **kwargs: Any) -> list[GradAndVar]:
        """The other optimizer's `compute_gradients`."""
        return self._opt.compute_gradients(*args, **kwargs)

    def apply_gradients(self, grads_and_vars: Iterable[GradAndVar], global_step: Any = None, name: str | None = None) -> Any:
        """Adds an operation that gives a replica's gradients and waits for the next step, and what the chief runs to make that step.

        Args:
            grads_and_vars: as `compute_gradients` gives them.
            global_step: the variable that counts the steps.
            name: for TensorFlow's sake.

        Returns:
            What each replica runs: it changes the replica's own step.

        Raises:
            ValueError: no gradients, gradients of an unknown kind, or no step.
        """
        if not grads_and_vars:
            raise ValueError("Must supply at least one variable")
        if global_step is None:
            raise ValueError("Global step is required to check staleness")
        self._global_step = global_step
        graph = get_default_graph()
        with graph.colocate_with(no_op()):
            self._local_step = Variable(
                0, trainable=False, collections=[GraphKeys.LOCAL_VARIABLES], dtype=global_step.dtype.base_dtype, name="sync_rep_local_step"
            )
        self.local_step_init_op = assign(self._local_step, global_step)
        self.ready_for_local_init_op = report_uninitialized_variables(global_variables())
        with name_scope(None, self._name):
            given: list[Operation] = []
            aggregated: list[GradAndVar] = []
            for grad, var in grads_and_vars:
                with graph.device(var.device):
                    if grad is None:
                        aggregated.append((None, var))
                        continue
                    apply_op, taken = self._accumulated(grad, var)
                given.append(apply_op)
                aggregated.append((taken, var))
            with graph.device(global_step.device), name_scope(""):
                train_op = self._synchronized(given, aggregated)
            chief_init_ops = [self.local_step_init_op]
            for accumulator, device in self._accumulator_list:
                with graph.device(device):
                    chief_init_ops.append(accumulator.set_global_step(global_step, name="SetGlobalStep"))
            self.chief_init_op = group(*chief_init_ops)
        return train_op

    def _accumulated(self, grad: Any, var: Any) -> tuple[Operation, Any]:
        """What adds a gradient to the variable's accumulator, and the average that is taken from it."""
        accumulator: ConditionalAccumulator | SparseConditionalAccumulator
        made: tuple[Operation, Any]
        shared_name = f"{var.name}/grad_accum"
        if isinstance(grad, Tensor):
            accumulator = ConditionalAccumulator(grad.dtype, shape=var.get_shape(), shared_name=shared_name)
            made = accumulator.apply_grad(grad, local_step=self._local_step), accumulator.take_grad(self._replicas_to_aggregate)
        elif isinstance(grad, IndexedSlices):
            accumulator = SparseConditionalAccumulator(grad.dtype, shape=(), shared_name=shared_name)
            given = accumulator.apply_indexed_slices_grad(grad, local_step=self._local_step)
            made = given, accumulator.take_indexed_slices_grad(self._replicas_to_aggregate)
        else:
            raise ValueError("Unknown grad type!")
        self._accumulator_list.append((accumulator, var.device))
        return made

    def _synchronized(self, given: list[Operation], aggregated: list[GradAndVar]) -> Any:
        """Adds the chief's step, and what waits for it, which it gives."""
        graph, dtype = get_default_graph(), self._global_step.dtype.base_dtype
        update_op = self._opt.apply_gradients(aggregated, self._global_step)
        queue = self._sync_token_queue = FIFOQueue(-1, dtype, shapes=(), name="sync_token_q", shared_name="sync_token_q")
        with graph.control_dependencies(given):
            token = queue.dequeue()
        train_op = assign(self._local_step, token)
        with graph.control_dependencies([update_op]):
            tokens = fill([max(self._total_num_replicas, self._replicas_to_aggregate)], self._global_step)
            sync_op: Any = queue.enqueue_many((tokens,))
        if self._variable_averages is not None:
            with graph.control_dependencies([sync_op]):
                sync_op = self._variable_averages.apply(self._variables_to_average)
        self._chief_queue_runner = QueueRunner(queue, [sync_op])
        return train_op

    def get_chief_queue_runner(self) -> QueueRunner:
        """What the chief runs in a thread: it averages, applies, counts the step and gives tokens.

        Raises:
            ValueError: `apply_gradients` has not been called.
        """
        if self._chief_queue_runner is None:
            raise ValueError("Should be called after apply_gradients().")
        return self._chief_queue_runner

    def get_slot(self, *args: Any, **kwargs: Any) -> Any:
        """The other optimizer's `get_slot`."""
        return self._opt.get_slot(*args, **kwargs)

    def variables(self) -> list[Any]:
        """The other optimizer's variables."""
        return self._opt.variables()

    def get_slot_names(self, *args: Any, **kwargs: Any) -> list[str]:
        """The other optimizer's `get_slot_names`."""
        return self._opt.get_slot_names(*args, **kwargs)

    def get_init_tokens_op(self, num_tokens: int = -1) -> Operation:
        """An operation for the chief to begin with: it puts tokens into the queue, as many as make a step by default.

        Raises:
            ValueError: `apply_gradients` has not been called; or too few tokens for replicas that compute several gradients a step.
        """
        if self._sync_token_queue is None:
            raise ValueError("get_init_tokens_op() should be called after apply_gradients().")
        needed = self._replicas_to_aggregate - self._total_num_replicas
        if num_tokens == -1:
            num_tokens = self._replicas_to_aggregate
        elif num_tokens < needed:
            raise ValueError(f"Too few tokens to finish the first step: {num_tokens} (given) vs {needed} (needed)")
        if num_tokens <= 0:
            return no_op(name="no_init_tokens")
        with get_default_graph().device(self._global_step.device), name_scope(""):
            return self._sync_token_queue.enqueue_many((fill([num_tokens], self._global_step),))

    def make_session_run_hook(self, is_chief: bool, num_tokens: int = -1) -> SessionRunHook:
        """A hook that initialises all this; for the chief it starts the queue runner, too, with so many tokens."""
        return _SyncReplicasHook(self, is_chief, num_tokens)


class _SyncReplicasHook(SessionRunHook):
    def __init__(self, sync_optimizer: SyncReplicasOptimizer, is_chief: bool, num_tokens: int) -> None:
        self._optimizer, self._is_chief, self._num_tokens = sync_optimizer, is_chief, num_tokens
        self._local_init_op: Any = None
        self._queue_runner: QueueRunner | None = None
        self._init_tokens_op: Operation | None = None

    def begin(self) -> None:
        optimizer = self._optimizer
        if optimizer._chief_queue_runner is None:
            raise ValueError("SyncReplicasOptimizer.apply_gradient should be called before using the hook.")
        self._local_init_op = optimizer.local_step_init_op
        if self._is_chief:
            self._local_init_op = optimizer.chief_init_op
            self._queue_runner = optimizer.get_chief_queue_runner()
            self._init_tokens_op = optimizer.get_init_tokens_op(self._num_tokens)

    def after_create_session(self, session: Any, coord: Coordinator) -> None:
        error = missing_variables(self._optimizer.ready_for_local_init_op, session, "Model is not ready for SyncReplicasOptimizer local init.")
        if error is not None:
            raise RuntimeError(
                f"Init operations did not make model ready for SyncReplicasOptimizer local_init. Init op: {self._local_init_op.name}, error: {error}"
            )
        session.run(self._local_init_op)
        if self._init_tokens_op is not None:
            session.run(self._init_tokens_op)
        if self._queue_runner is not None:
            self._queue_runner.create_threads(session, coord=coord, daemon=True, start=True)
