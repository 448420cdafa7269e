"""Session: runs operations of a graph, and keeps its variables. TensorFlow 1's `tf.Session`, in one process."""

from __future__ import annotations

import copy
import itertools
import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, NamedTuple

import numpy as np

from gpersist import protos
from gpersist.devices import Device, DeviceSpec, devices, keep_freed_memory
from gpersist.errors import InvalidArgumentError, NotFoundError, UnimplementedError
from gpersist.graph import defaults
from gpersist.graph.executor import execute, run_raw
from gpersist.graph.fetches import Fetches, feed_key, feeds_of
from gpersist.graph.functions import Functions, place_of
from gpersist.graph.graph import Graph
from gpersist.graph.operation import Operation
from gpersist.graph.partial_runs import PartialRun
from gpersist.graph.placer import Placer, full_name
from gpersist.graph.plan import Plan
from gpersist.graph.planner import Planner
from gpersist.graph.tensor import Tensor
from gpersist.graph.tensor_handle import TensorHandle
from gpersist.graph.tracing import Trace
from gpersist.graph.transfer import Transfers
from gpersist.graph.variables_store import Buffer, VariablesStore

_LOG = logging.getLogger("gpersist")
_MAX_PLANS = 256


class DeviceAttributes(NamedTuple):
    """A device of a session, as `Session.list_devices` tells it."""

    name: str
    device_type: str
    memory_limit_bytes: int
    incarnation: int


class BaseSession:
    """What `Session` and `InteractiveSession` have in common. May be run by several threads at once.

    Args:
        target: empty; there is no other process to talk to.
        graph: whose operations are run; the default graph if None.
        config: a `ConfigProto`; heeded are `allow_soft_placement`, `log_device_placement`, `device_count` and
            `operation_timeout_in_ms`.

    Attributes:
        variables: their values in this session.
        resources: what operations keep for each other besides: lookup tables, by name.
        kept_tensors: arrays that `get_session_handle` keeps, by the names of their handles.
        functions: those of the graph's library, for operations that call them.

    Raises:
        TypeError: `graph` is no graph, or `config` no ConfigProto.
        NotFoundError: `target` is not empty.
    """

    def __init__(self, target: str = "", graph: Graph | None = None, config: Any = None) -> None:
        self._is_closed = True  # until it has been made
        keep_freed_memory()
        if graph is not None and not isinstance(graph, Graph):
            raise TypeError(f'Argument `graph` must be a tf.Graph, but got "{type(graph).__name__}"')
        if config is not None and not hasattr(config, "device_count"):
            raise TypeError(f'Argument `config` must be a tf.ConfigProto, but got "{type(config).__name__}"')
        if target is not None and not isinstance(target, (str, bytes)):
            raise TypeError(f'Argument `target` must be a string, but got "{type(target).__name__}"')
        if target:
            raise NotFoundError(
                f"No session factory registered for the given session options: target {target!r}; there are only sessions in this process"
            )
        self._graph = defaults.get_default_graph() if graph is None else graph
        config = _DEFAULT["config"] if config is None else config
        self._config = config
        self._timeout_ms = max(getattr(config, "operation_timeout_in_ms", 0), 0)
        self._lock = threading.Lock()
        self._plans: dict[Any, Plan] = {}
        self._mutations = -1
        self.variables = VariablesStore()
        self.resources: dict[Any, Any] = {}
        self.kept_tensors: dict[bytes, Any] = {}
        self._partial_runs: dict[str, PartialRun] = {}
        self._partial_run_numbers = itertools.count()
        self._transfers = Transfers()
        self._placer = Placer(
            _devices_for(config),
            allow_soft_placement=bool(getattr(config, "allow_soft_placement", False)),
            log_device_placement=bool(getattr(config, "log_device_placement", False)),
        )
        self._planner = Planner(self._placer, self.variables, self._transfers, self)
        self.functions = Functions(self._graph, self._for_function)
        self._is_closed = False

    @property
    def graph(self) -> Graph:
        """The graph whose operations are run."""
        return self._graph

    @property
    def graph_def(self) -> protos.GraphDef:
        """The graph as a message."""
        return self._graph.as_graph_def()

    @property
    def sess_str(self) -> str:
        """The target, which is empty."""
        return ""

    def list_devices(self) -> list[DeviceAttributes]:
        """The devices that operations can be placed on."""
        self._check_open()
        return [
            DeviceAttributes(full_name(device), str(device.spec.device_type), device.memory().total_bytes, index + 1)
            for index, device in enumerate(self._placer.available)
        ]

    def device_of(self, element: Any) -> Device:
        """Where an operation, or that of a tensor or a variable, is placed in this session."""
        op = self._graph._operation_of(element)
        with self._lock:
            self._placer.place(self._graph)
        return self._placer.device_of(op)

    def buffers_of(self, variables: Iterable[Operation]) -> list[Buffer]:
        """The buffers of variables' nodes, made where they aren't there yet.

        Raises:
            InvalidArgumentError: a device that a node of the graph names isn't there.
        """
        self._check_open()
        with self._lock:
            self._placer.place(self._graph)
            return [self._planner.context(op).buffer() for op in variables]

    @property
    def available_devices(self) -> list[Device]:
        """The devices that operations can be placed on; the host is the first."""
        return list(self._placer.available)

    @contextmanager
    def variables_placed(self, devices: Mapping[Operation, Device], moved: Callable[[str], Device | None] | None = None) -> Iterator[None]:
        """Puts variables, with all that belongs to each, on other devices than their nodes name: for good, unless what is done within raises.

        Values that they have move with them.

        Args:
            devices: of the variables' nodes.
            moved: tells where all nodes that name a device go instead, those of functions too, or None. It takes the place of an earlier call's.

        Raises:
            InvalidArgumentError: a device that another node of the graph names isn't there; nothing has moved.
        """
        before = self._placer.overrides, self._placer.moved
        self._place_anew(before[0] | dict(devices), before[1] if moved is None else moved)
        try:
            yield
        except BaseException:
            self._place_anew(*before)
            raise

    def _place_anew(self, overrides: Mapping[Operation, Device], moved: Callable[[str], Device | None] | None) -> None:
        self._check_open()
        with self._lock:
            if moved is not self._placer.moved:
                self.functions.forget_places()
            self._placer.override(self._graph, overrides, moved)
            self._plans.clear()
            self._planner.move_to_new_places()

    def run(self, fetches: Any, feed_dict: Mapping[Any, Any] | None = None, options: Any = None, run_metadata: Any = None) -> Any:
        """Computes tensors and runs operations.

        Args:
            fetches: a tensor, an operation, a variable, the name of one, or any nest of lists, tuples, dicts and named tuples of these.
            feed_dict: values that take the place of tensors in this run.
            options: a `RunOptions`; heeded are `timeout_in_ms` and `trace_level`.
            run_metadata: a `RunMetadata`, which gets `step_stats` if `options` ask for a trace, and is empty otherwise.

        Returns:
            The nest, with NumPy arrays and scalars for tensors, and None for operations.

        Raises:
            RuntimeError: the session is closed, or its graph empty.
            TypeError: something can be no fetch, or no key or value of a feed.
            ValueError: it is in another graph, or a value of another shape than its tensor.
            DeadlineExceededError: it took longer than `options` allow.
            GPersistError: an operation failed; `error.op` is that operation.
        """
        if run_metadata is not None and not hasattr(run_metadata, "step_stats"):
            raise TypeError(f"Argument `run_metadata` must be a tf.RunMetadata, but got {type(run_metadata).__name__!r}")
        if options is not None and not hasattr(options, "timeout_in_ms"):
            raise TypeError(f"Argument `options` must be a tf.RunOptions, but got {type(options).__name__!r}")
        self._check_open()
        if not self._graph.version:
            raise RuntimeError("The Session graph is empty. Add operations to the graph before calling run().")
        fed = feeds_of(self._graph, _checked_dict(feed_dict)) if feed_dict else {}  # what is wrong with these is told first, as in TensorFlow
        fetched = Fetches(self._graph, fetches)
        plan = self._plan(fetched, tuple(fed))
        timeout_ms = max(getattr(options, "timeout_in_ms", 0), 0) or self._timeout_ms
        trace = None if run_metadata is None or not getattr(options, "trace_level", 0) else Trace(self._device_of)
        values = execute(plan if trace is None else trace.plan(plan), tuple(fed.values()), timeout_ms / 1000 if timeout_ms else None)
        if run_metadata is not None:
            found = protos.RunMetadata() if trace is None else protos.RunMetadata(step_stats=trace.stats())
            run_metadata.ParseFromString(found.SerializeToString())
        return self._built(fetched, values)

    def _device_of(self, op: Operation) -> Device:
        """Where an operation of a plan runs; one of a function's is where the host is."""
        return self._placer.device_of(op) if op.graph is self._graph else self._planner.host

    def make_callable(self, fetches: Any, feed_list: Any = None, accept_options: bool = False) -> Callable[..., Any]:
        """A function that runs the same fetches each time, its arguments being the values of the tensors in `feed_list`."""
        del accept_options
        if feed_list is not None and not isinstance(feed_list, (list, tuple)):
            raise TypeError(f"Argument `feed_list` must be a list or tuple. Received: feed_list={feed_list}")
        fetched = Fetches(self._graph, fetches)
        keys = tuple(feed_list or ())

        def call(*values: Any, **_: Any) -> Any:
            self._check_open()
            fed = feeds_of(self._graph, dict(zip(keys, values)))  # noqa: B905  # what is not given is not fed, as in TensorFlow
            return self._built(fetched, execute(self._plan(fetched, tuple(fed)), tuple(fed.values()), self._timeout_ms / 1000 or None))

        return call

    def _built(self, fetched: Fetches, values: Sequence[Any]) -> Any:
        """The caller's nest, with handles for names of tensors that are to be kept."""
        if fetched.handles:
            values = [TensorHandle(value, fetched.handles[index], self) if index in fetched.handles else value for index, value in enumerate(values)]
        return fetched.build(values)

    def run_where_made(self, fetches: Sequence[Tensor], feeds: Sequence[Tensor], values: Sequence[Any]) -> list[Any]:
        """Computes tensors from arrays on any devices; gives the results on the devices that they were made on, perhaps in memory that others have.

        Raises:
            GPersistError: see `run`.
        """
        self._check_open()
        places = tuple(place_of(value) for value in values)
        key = (tuple(fetches), tuple(feeds), places)
        with self._lock:
            if self._mutations != self._graph._mutations:
                self._plans.clear()
                self._mutations = self._graph._mutations
            plan = self._plans.get(key)
            if plan is None:
                self._placer.place(self._graph)
                plan = self._plans[key] = self._planner.plan(fetches, feeds, [place or self._planner.host for place in places])
        with np.errstate(all="ignore"):
            return run_raw(plan, values)

    def partial_run_setup(self, fetches: Any, feeds: Any = None) -> str:
        """Begins a run that is made in parts.

        Args:
            fetches: all that its parts will fetch.
            feeds: the tensors that they will feed, or their names.

        Returns:
            A handle for `partial_run`.

        Raises:
            RuntimeError: the session is closed.
            TypeError: something can be no fetch, or no feed.
            InvalidArgumentError: there is nothing to fetch, or a tensor to feed twice.
        """
        self._check_open()
        wanted = [feeds] if feeds is not None and not isinstance(feeds, (list, tuple)) else feeds or ()
        run = PartialRun(Fetches(self._graph, fetches).elements, [feed_key(self._graph, key) for key in wanted])
        handle = run.handle(next(self._partial_run_numbers))
        self._partial_runs[handle] = run
        return handle

    def partial_run(self, handle: str, fetches: Any, feed_dict: Mapping[Any, Any] | None = None) -> Any:
        """Makes a part of a run: no operation runs again that an earlier part has run.

        Args:
            handle: what `partial_run_setup` gave.
            fetches: tensors that no part has fetched.
            feed_dict: values of tensors that no part has fed.

        Raises:
            InvalidArgumentError: the run is over, or it needs what has not been fed yet.
        """
        self._check_open()
        fetched = Fetches(self._graph, fetches)
        fed = feeds_of(self._graph, _checked_dict(feed_dict)) if feed_dict else {}
        run = self._partial_runs.get(handle)
        if run is None:
            raise InvalidArgumentError("Must run 'setup' before performing partial runs!")
        values = run.run(fetched.elements, fed, self.run)
        if run.is_done:
            del self._partial_runs[handle]
        return self._built(fetched, values)

    def as_default(self) -> AbstractContextManager[BaseSession]:
        """Makes it this thread's default session for the duration of a `with`; it stays open after that."""
        return defaults.SESSIONS.pushed(self)

    def close(self) -> None:
        """Gives up variables and streams. Calling it again does nothing."""
        self._is_closed = True
        self._plans.clear()
        self._transfers.close()
        self.variables.clear()
        self.kept_tensors.clear()
        self._partial_runs.clear()

    def _for_function(self) -> tuple[Placer, Planner]:
        """A placer and a planner for the body of a function, like those of the graph itself."""
        placer = self._placer.for_another_graph()
        return placer, Planner(placer, self.variables, self._transfers, self)

    def _check_open(self) -> None:
        if self._is_closed:
            raise RuntimeError("Attempted to use a closed Session.")

    def _plan(self, fetched: Fetches, fed: tuple[Any, ...]) -> Plan:
        key = (fetched.elements, fed)
        if self._mutations == self._graph._mutations:
            found = self._plans.get(key)
            if found is not None:
                return found
        with self._lock:
            if self._mutations != self._graph._mutations:
                self._plans.clear()
                self._mutations = self._graph._mutations
            self._placer.place(self._graph)
            plan = self._planner.plan(fetched.elements, fed)
            if len(self._plans) >= _MAX_PLANS:
                self._plans.pop(next(iter(self._plans)))
            self._plans[key] = plan
            return plan


class Session(BaseSession):
    """A session (`tf.Session`). As a context manager it is the default session, its graph the default graph, and it is closed at the end."""

    def __init__(self, target: str = "", graph: Graph | None = None, config: Any = None) -> None:
        super().__init__(target, graph, config)
        self._entered = ExitStack()

    def __enter__(self) -> Session:
        with ExitStack() as stack:
            stack.enter_context(self._graph.as_default())
            stack.enter_context(self.as_default())
            self._entered = stack.pop_all()
        return self

    def __exit__(self, *error: Any) -> None:
        self._entered.__exit__(*error)
        self.close()

    @staticmethod
    def reset(target: str, containers: Any = None, config: Any = None) -> None:
        """Does nothing: the variables of a session in this process go with it."""
        del target, containers, config


class InteractiveSession(BaseSession):
    """A session that is the default one from the start until it is closed (`tf.InteractiveSession`)."""

    def __init__(self, target: str = "", graph: Graph | None = None, config: Any = None) -> None:
        super().__init__(target, graph, config)
        if graph is not None:
            defaults.GRAPHS.entries.append(graph)
        self._pushed_graph = graph
        defaults.SESSIONS.entries.append(self)

    def close(self) -> None:
        """Closes it; it is the default session no longer."""
        if not self._is_closed:
            if self in defaults.SESSIONS.entries:
                defaults.SESSIONS.entries.remove(self)
            if self._pushed_graph in defaults.GRAPHS.entries:
                defaults.GRAPHS.entries.remove(self._pushed_graph)
        super().close()


def _checked_dict(feed_dict: Any) -> Mapping[Any, Any]:
    if not isinstance(feed_dict, Mapping):
        raise TypeError(f"Argument `feed_dict` must be a dictionary, found a {type(feed_dict).__name__}")
    return feed_dict


_DEFAULT: dict[str, Any] = {"config": None}


def set_default_config(config: Any) -> None:
    """The `ConfigProto` of sessions that are made from now on without one; None for none."""
    _DEFAULT["config"] = config


def _devices_for(config: Any) -> list[Device]:
    """The process's devices, fewer GPUs or more names for the CPU where `device_count` or `visible_device_list` says so.

    Raises:
        InvalidArgumentError: the list holds something else than numbers of GPUs.
        UnimplementedError: it gives GPUs other numbers.
    """
    found = devices()
    counts = dict(config.device_count) if config is not None else {}
    cpus = [found[0], *(_another_cpu(found[0], index) for index in range(1, counts.get("CPU", 1)))]
    gpus = found[1:]
    if config is not None and gpus and (listed := config.gpu_options.visible_device_list):
        gpus = gpus[: _visible(listed, len(gpus))]
    return [*cpus, *gpus[: counts.get("GPU", len(gpus))]]


def _visible(listed: str, count: int) -> int:
    numbers = [int(part) if part.strip().isdecimal() else None for part in listed.split(",")]
    for number, part in zip(numbers, listed.split(","), strict=True):
        if number is None:
            raise InvalidArgumentError(f"Could not parse entry in 'visible_device_list': '{part}'. visible_device_list = {listed}")
        if number >= count:
            raise InvalidArgumentError(f"'visible_device_list' listed an invalid Device id '{number}' but visible device count is {count}")
    if numbers != list(range(len(numbers))):
        raise UnimplementedError(
            f"visible_device_list={listed!r} would give GPUs other numbers; sessions number them as the process does: start the program with "
            f"CUDA_VISIBLE_DEVICES={listed}, or name /gpu:{numbers[0]} in the graph or in a device_map"
        )
    return len(numbers)


def _another_cpu(host: Device, index: int) -> Device:
    """The host under another number: `ConfigProto(device_count={"CPU": 4})` has four names for it."""
    made = copy.copy(host)
    made.spec = DeviceSpec(device_type="CPU", device_index=index)
    return made
