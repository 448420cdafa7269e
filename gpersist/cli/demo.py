"""`gpersist demo`: trains with asynchronous saves, is killed in the middle of one, resumes, finishes, and verifies what stands."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

from gpersist import files
from gpersist.bundle import parse_temporary
from gpersist.checkpoint import Verified, locate, verify
from gpersist.cli.output import Column, add_json, amount, counted, printable, rate, write_json, write_line, write_table
from gpersist.devices import devices
from gpersist.errors import AlreadyExistsError, DataLossError, DeviceNotFoundError, InternalError

_DEFAULT_STEPS = 300
_MIN_STEPS = 6
_DEFAULT_VIRTUAL_DEVICES = 2
_MAX_DEFAULT_DEVICES = 4
_MAX_LOSS_DIFFERENCE = 1e-3
"""Between the two runs of one step: a GPU's sums may be taken in another order."""

_SAVES = (
    Column("step", is_number=True),
    Column("tensors", is_number=True),
    Column("size", is_number=True),
    Column("held up", is_number=True),
    Column("on disk after", is_number=True),
    Column("speed", is_number=True),
    Column("now"),  # the newest three are kept
)
_PLACES = (Column("device"), Column("kind"), Column("tensors", is_number=True), Column("size", is_number=True))


@dataclasses.dataclass
class _Run:
    """What one run of the training program told."""

    exit_status: int = 0
    devices: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    tensors: int = 0
    size_bytes: int = 0
    placement: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    resumed: dict[str, Any] | None = None
    dying: dict[str, Any] | None = None
    losses: dict[int, float] = dataclasses.field(default_factory=dict)
    saves: list[dict[str, Any]] = dataclasses.field(default_factory=list)

    @property
    def last_step(self) -> int:
        """The last one that was trained."""
        return max(self.losses)


@dataclasses.dataclass(frozen=True)
class _Story:
    """All of it. `after_kill` and `at_end` are the folder's files then."""

    steps: int
    first: _Run
    second: _Run
    after_kill: list[dict[str, Any]]
    at_end: list[dict[str, Any]]
    verified: Verified
    verify_s: float

    @property
    def twice(self) -> list[int]:
        """The steps that both runs trained."""
        return sorted(self.first.losses.keys() & self.second.losses.keys())

    @property
    def loss_difference(self) -> float:
        """The largest difference of the losses of one step; NaN if one is."""
        differences = [abs(self.first.losses[step] - self.second.losses[step]) for step in self.twice]
        return max(differences, key=lambda difference: (math.isnan(difference), difference), default=0.0)

    @property
    def saves(self) -> list[dict[str, Any]]:
        """The saves that ended, and whether retention has kept them."""
        indexes = {entry["name"] for entry in self.at_end}
        return [{**save, "kept": os.path.basename(save["prefix"]) + ".index" in indexes} for save in self.first.saves + self.second.saves]


_EXAMPLES = """\
examples:
  gpersist demo
  gpersist demo --dir run --steps 1000 --devices 4   and keep the checkpoints"""


def register(commands: Any) -> None:
    """Adds the command to the parser."""
    parser = commands.add_parser(
        "demo",
        help="train, save, be killed in the middle of a save, resume, verify",
        description="Train a small model on the best devices there are, with asynchronous saves; kill the training (SIGKILL) in the middle of a "
        "save; start it again, which resumes from the newest whole checkpoint; finish, verify, and tell what was saved, where it was, and how long "
        "training was held up.",
        epilog=_EXAMPLES,
    )
    parser.add_argument("--dir", metavar="D", help="an empty or new folder for the checkpoints, which stay there (default: a temporary one)")
    parser.add_argument("--steps", type=_at_least(_MIN_STEPS), default=_DEFAULT_STEPS, help=f"of training (default: {_DEFAULT_STEPS})")
    parser.add_argument("--devices", type=_at_least(1), metavar="N", help="GPUs to use; where there are none, virtual devices (default: 2)")
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Runs the command."""
    started = time.perf_counter()
    count, environment = _choose_devices(arguments.devices)
    with _folder(arguments.dir) as folder:
        story = _live(folder, count, arguments.steps, environment)
        duration_s = time.perf_counter() - started
        if arguments.json:
            write_json(_to_json(story, folder, duration_s))
            return 0
        _tell_story(story)
        _tell_tables(story)
        write_line()
        verified = story.verified
        write_line(
            f"verified {os.path.basename(verified.prefix)}: whole, {counted(verified.num_tensors, 'tensor')}, {amount(verified.total_bytes)}, "
            f"read at {rate(verified.total_bytes, story.verify_s)}"
        )
        ending = f"look at it: gpersist show {printable(folder)}" if arguments.dir else "--dir D keeps the checkpoints"
        write_line(f"all in {duration_s:.1f} s; {ending}")
    return 0


def _live(folder: str, devices: int, steps: int, environment: dict[str, str]) -> _Story:
    """Runs the training program twice, kills it once, and verifies what stands in the end.

    Raises:
        InternalError, DataLossError: it did not go as promised.
    """
    save_every = min(50, steps // _MIN_STEPS)
    die_in_save = steps // save_every * 2 // 3 * save_every
    program = [sys.executable, "-m", "gpersist.cli.training", folder]
    command = [*program, f"--devices={devices}", f"--steps={steps}", f"--save-every={save_every}"]
    with _bar(steps) as show_step:
        first = _run([*command, f"--die-in-save={die_in_save}"], environment, show_step)
        if first.exit_status != -signal.SIGKILL or first.dying is None:
            raise InternalError(f"the training program was to be killed, but ended with status {first.exit_status}")
        after_kill = _list(folder)
        second = _run(command, environment, show_step)
    if second.exit_status or second.resumed is None:
        raise InternalError(
            f"the second run of the training program ended with status {second.exit_status}, {'resumed' if second.resumed else 'not resumed'}"
        )
    verify_started = time.perf_counter()
    verified = verify(locate(folder))
    story = _Story(steps, first, second, after_kill, _list(folder), verified, time.perf_counter() - verify_started)
    _check(story, die_in_save - save_every)
    return story


def _choose_devices(wanted: int | None) -> tuple[int, dict[str, str]]:
    """How many devices to train on, and the environment in which there are so many, and this very gpersist."""
    there = len(devices()) - 1
    package = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    environment = {
        "OPENBLAS_NUM_THREADS": "1",  # for NumPy's small matrices, threads that wait for each other took six times as long on a busy machine
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH")))),
    }
    if not there:
        count = wanted or _DEFAULT_VIRTUAL_DEVICES
        return count, {**environment, "GPERSIST_VIRTUAL_DEVICES": str(count)}
    if wanted and wanted > there:
        raise DeviceNotFoundError(f"--devices {wanted}: {there} here; GPERSIST_VIRTUAL_DEVICES={wanted} tries it on virtual ones")
    return wanted or min(there, _MAX_DEFAULT_DEVICES), environment


@contextlib.contextmanager
def _folder(given: str | None) -> Iterator[str]:
    if given is None:
        with tempfile.TemporaryDirectory(prefix="gpersist-demo-") as folder:
            yield folder
        return
    files.active().make_folders(given)
    if files.active().names(given):
        raise AlreadyExistsError(
            f"--dir {given!r} is not empty: the demo would resume from what is there, and delete old checkpoints; give a new folder"
        )
    yield given


def _run(command: list[str], environment: dict[str, str], show_step: Callable[[int, str], None]) -> _Run:
    """Runs the training program to its end, whichever that is; in a process group of its own, for Ctrl-C is ours."""
    result = _Run()
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, process_group=0) as program:
        assert program.stdout
        try:
            for line in program.stdout:
                facts = json.loads(line)
                match facts.pop("event"):
                    case "started":
                        result.devices = facts["devices"]
                    case "training":
                        result.tensors, result.size_bytes, result.placement = facts["tensors"], facts["bytes"], facts["placement"]
                    case "resumed":
                        result.resumed = facts
                    case "step":
                        result.losses[facts["step"]] = facts["loss"]
                        show_step(facts["step"], f"loss {facts['loss']:.3f}")
                    case "saved":
                        result.saves.append(facts)
                    case "dying":
                        result.dying = facts
        except BaseException:
            program.kill()
            raise
    result.exit_status = program.returncode
    return result


@contextlib.contextmanager
def _bar(steps: int) -> Iterator[Callable[[int, str], None]]:
    """A bar of steps on stderr, if that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda step, text: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("training"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[text]}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as bar:
        task = bar.add_task("", total=steps, text="")
        yield lambda step, text: bar.update(task, completed=step, text=text)


def _list(folder: str) -> list[dict[str, Any]]:
    """The files of a folder, unfinished ones told apart."""
    found = [(name, files.active().stat(os.path.join(folder, name))) for name in files.active().names(folder)]
    return [{"name": name, "bytes": stat.st_size, "temporary": parse_temporary(name) is not None} for name, stat in found if stat]


def _check(story: _Story, whole_step: int) -> None:
    """Holds what came of it against what was promised.

    Raises:
        DataLossError: a promise was broken.
    """
    second, verified = story.second, story.verified
    if not any(entry["temporary"] for entry in story.after_kill):
        raise InternalError("the training program was killed in the middle of a save, but left no unfinished file")
    if second.resumed and second.resumed["step"] != whole_step:
        raise DataLossError(f"the second run resumed from step {second.resumed['step']}; expected {whole_step}, the newest whole checkpoint")
    if not verified.prefix.endswith(f"-{story.steps}") or verified.num_tensors != second.tensors:
        raise DataLossError(f"{verified.prefix!r} holds {verified.num_tensors} tensors; expected step {story.steps} with {second.tensors}")
    if not story.loss_difference <= _MAX_LOSS_DIFFERENCE:
        raise DataLossError(f"losses of the steps that were trained twice differ by {story.loss_difference}: what was resumed is not what was saved")
    if any(entry["temporary"] for entry in story.at_end):
        raise DataLossError("the killed save's unfinished files are still there")


def _to_json(story: _Story, folder: str, duration_s: float) -> dict[str, Any]:
    first, second = story.first, story.second
    return {
        "folder": folder,
        "devices": first.devices,
        "steps": story.steps,
        "killed": {**(first.dying or {}), "signal": "SIGKILL", "last_step": first.last_step, "files": story.after_kill},
        "resumed": second.resumed,
        "trained_twice": {"steps": story.twice, "max_loss_difference": story.loss_difference},
        "final_loss": second.losses[story.steps],
        "saves": story.saves,
        "placement": second.placement,
        "verified": {**dataclasses.asdict(story.verified), "duration_s": story.verify_s},
        "duration_s": duration_s,
    }


def _tell_story(story: _Story) -> None:
    first, second = story.first, story.second
    assert first.dying and second.resumed
    if all(device["backend"] == "virtual" for device in first.devices):
        write_line(f"no CUDA device is used: training on {counted(len(first.devices), 'virtual device')},")
        write_line("which are host memory in the place of GPUs")
    else:
        write_line(f"training on {', '.join(device['name'] + ' ' + printable(device['product']) for device in first.devices)}")
    write_line(f"the model: {counted(first.tensors, 'tensor')}, momenta included, {amount(first.size_bytes)}")
    write_line()
    written, total = amount(first.dying["written_bytes"]), amount(first.dying["total_bytes"])
    write_line(f"run 1 was killed (SIGKILL) in the middle of saving step {first.dying['step']};")
    write_line(f"{written} of {total} were written. The folder then:")
    for entry in story.after_kill:
        write_line(f"  {amount(entry['bytes']):>10}  {printable(entry['name'])}{'  <- unfinished' if entry['temporary'] else ''}")
    newest, milliseconds = os.path.basename(second.resumed["prefix"]), second.resumed["duration_s"] * 1e3
    write_line(f"run 2 resumed from {newest}, the newest whole one, in {milliseconds:.0f} ms;")
    write_line("each tensor went where it had been, and the unfinished file is gone")
    write_line(f"it trained to step {second.last_step}: loss {first.losses[1]:.3f} at the beginning, {second.losses[second.last_step]:.3f} now")
    if story.twice:
        write_line(f"both runs trained steps {story.twice[0]} to {story.twice[-1]}: their losses differ by {story.loss_difference:g}")
    write_line()


def _tell_tables(story: _Story) -> None:
    rows = [
        (
            str(save["step"]),
            str(save["tensors"]),
            amount(save["bytes"]),
            f"{save['held_s'] * 1e3:.1f} ms",
            f"{save['duration_s'] * 1e3:.0f} ms",
            rate(save["bytes"], save["duration_s"]),
            "kept" if save["kept"] else "deleted",
        )
        for save in story.saves
    ]
    killed = story.first.dying["step"] if story.first.dying else ""
    rows.insert(len(story.first.saves), (str(killed), "-", "-", "-", "-", "-", "killed"))
    write_line("saves; for so long was training held up:")
    write_table(_SAVES, rows)
    write_line()
    write_line("where run 2 had its arrays:")
    places = story.second.placement
    write_table(_PLACES, [(row["device"], row["backend"], str(row["tensors"]), amount(row["bytes"])) for row in places])


def _at_least(least: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"{value}: expected at least {least}")
        return value

    return number
