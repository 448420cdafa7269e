"""On a CUDA device, through CuPy: `python -m benchmarks.gpu`, or `make gpu-bench`. Without one it says so, and measures nothing.

On the emulated runtime (tests/cudasim) all of it runs at tiny sizes, to see that it does; figures from there mean nothing, and none is shown.
"""

from __future__ import annotations

import argparse
import functools
import importlib.util
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from rich.table import Table

import gpersist
from benchmarks import machine, report
from benchmarks.goals import Verdict
from benchmarks.rounds import Measured, Missing, Worker, measure
from benchmarks.training import HoldUp, Training
from benchmarks.transfers import Files, PinnedCopies, Pipelines, Step, interleave, temporary
from benchmarks.workloads import Workload, workload

WORKLOADS = ("large", "layers")
CONTENDERS = ("gpersist (GPU)", "torch (GPU)", "torch DCP (GPU)", "safetensors (GPU)", "orbax (GPU)")
IS_EMULATED = "CUDASIM_LIBRARY" in os.environ
_TMPFS = Path("/dev/shm")
_PINNED_BYTES = 2 << 30
_TINY_BYTES = 1 << 20


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark; returns the exit status."""
    arguments = _parse(argv)
    out = report.console()
    cupy = _cupy()
    if cupy is None:
        out.print("no CUDA device that CuPy can use: nothing was measured")
        return 0
    if IS_EMULATED:
        arguments.quick, arguments.rounds = True, 1
    results: dict[str, Any] = {**_describe(cupy, arguments.folder or Path(tempfile.gettempdir())), "rounds": arguments.rounds, "workloads": {}}
    verdicts: list[Verdict] = []
    for name in WORKLOADS:
        chosen = workload(name, quick=arguments.quick)
        with temporary(arguments.folder) as disk, temporary(_TMPFS if machine.file_system(_TMPFS) == "tmpfs" else arguments.folder) as tmpfs:
            here = _here(cupy, chosen, disk, tmpfs, arguments)
            phases, versions, missing = _peers(chosen, tmpfs, arguments)
        found = _judge(name, here)
        verdicts += found
        results["workloads"][name] = {"title": chosen.title, "bytes": chosen.total_bytes, **_as_json(here, phases), "versions": versions}
        table = _table(chosen, here, phases)
        if not IS_EMULATED:
            out.print(table)
            if not all(sample["hidden"] for sample in here["save_async"].samples):
                out.print("the stream ran dry before save_async returned: the time it was held counts the host's as well")
            for line in missing:
                out.print(f"[dim]left out: {line}[/]", highlight=False)
    if IS_EMULATED:
        out.print("emulated: no figures")
        return 0
    out.print(report.table_of_goals(verdicts))
    results["goals"] = report.verdicts_as_json(verdicts)
    if arguments.output or not arguments.quick:
        report.write(arguments.output or report.RESULTS / f"{machine.slug(results['device'])}.json", results)
    return 1 if arguments.check and any(verdict.word == "missed" for verdict in verdicts) else 0


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.gpu", description="gpersist against pinned copies and its peers, on a CUDA device.")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that all of it runs; keeps no results")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a goal is missed")
    parser.add_argument("--folder", type=Path, help="on the disk that is meant (default: the system's folder for temporary files)")
    parser.add_argument("--output", type=Path, help="where to keep the results (default: benchmarks/results/<device>.json)")
    return parser.parse_args(argv)


def _cupy() -> Any:
    """The module, if there is a device for it."""
    if importlib.util.find_spec("cupy") is None:
        return None
    import cupy

    return cupy if cupy.is_available() else None


def _describe(cupy: Any, folder: Path) -> dict[str, Any]:
    """The device, its link, driver, and what ran on it."""
    info = next(device.info() for device in gpersist.devices() if device.backend == "cuda")
    return {
        "device": info.product,
        "driver": info.driver_version,
        "cuda_runtime": cupy.cuda.runtime.runtimeGetVersion(),
        "pcie_generation": info.pcie_generation,
        "pcie_lanes": info.pcie_width,
        "versions": {"gpersist": gpersist.__version__, "cupy": cupy.__version__},
        **machine.describe(folder),
    }


def _here(cupy: Any, chosen: Workload, disk: Path, tmpfs: Path, arguments: argparse.Namespace) -> dict[str, Measured]:
    """What is measured in this process, by name."""
    arrays = {name: cupy.asarray(array) for name, array in chosen.make().items()}
    pinned = PinnedCopies(cupy, _TINY_BYTES if arguments.quick else _PINNED_BYTES)
    pipelines, on_tmpfs, on_disk = Pipelines(arrays), Files(arrays, tmpfs), Files(arrays, disk)
    steps: dict[str, Step] = {
        "pinned copy out": pinned.out,
        "save to memory": pipelines.send,
        "save to tmpfs": on_tmpfs.save,
        "save to disk": on_disk.save,
        "save to disk, durable": functools.partial(on_disk.save, durable=True),
        "pinned copy in": pinned.back,
        "load from memory": pipelines.receive,
        "load from tmpfs": on_tmpfs.load,
        "load from disk, cached": on_disk.load,
    }
    measured = interleave(steps, arguments.rounds)
    for name in ("pinned copy out", "pinned copy in"):  # brought to the workload's size
        measured[name] = measured[name].scaled(chosen.total_bytes / pinned.size_bytes)
    hold_up, training = HoldUp(cupy, arrays, tmpfs, quick=arguments.quick), Training(cupy, arrays, tmpfs, quick=arguments.quick)
    steps = {"device copy": hold_up.copy, "save_async": hold_up.save_async, "step alone": training.alone, "step, saving": training.with_save}
    return measured | interleave(steps, arguments.rounds)


def _peers(chosen: Workload, folder: Path, arguments: argparse.Namespace) -> tuple[dict[str, dict[str, Measured]], dict[str, str], list[str]]:
    """Measured actions by phase, in tmpfs; versions; and who was left out, and why."""
    named = [path for path in [os.environ.get("GPERSIST_PEERS_PYTHON")] if path]
    versions, missing = {}, []
    with ExitStack() as stack:
        workers = []
        for contender in CONTENDERS[:1] if IS_EMULATED else CONTENDERS:
            interpreters = [sys.executable] if contender == CONTENDERS[0] else [*named, sys.executable]
            try:
                worker = stack.enter_context(Worker(contender, chosen.name, folder, quick=arguments.quick, interpreters=interpreters))
            except Missing as reason:
                missing.append(f"{contender}: {reason}")
                continue
            workers.append(worker)
            versions[contender] = worker.version
        return {phase: measure(workers, phase, arguments.rounds) for phase in ("save", "load", "async")}, versions, missing


def _judge(name: str, here: Mapping[str, Measured]) -> list[Verdict]:
    """The goals for GPUs, as ratios to what the same run measured."""
    return [
        Verdict(
            name,
            "save to memory at 95 % of the pinned bandwidth out (time at most 1.053 ×)",
            here["save to memory"].ratio(here["pinned copy out"]),
            1 / 0.95,
        ),
        Verdict(name, "stream held by save_async at most 1.05 × device copy", here["save_async"].ratio(here["device copy"]), 1.05),
        Verdict(name, "step with a save in flight at most 1.05 × step alone", here["step, saving"].ratio(here["step alone"]), 1.05),
    ]


def _as_json(here: Mapping[str, Measured], phases: Mapping[str, Mapping[str, Measured]]) -> dict[str, Any]:
    """Medians of all that was measured, here and by the peers' processes."""
    return {
        "measured": {name: {figure: taken.median(figure) for figure in taken.samples[0]} for name, taken in here.items()},
        "peers": {name: {"median_s": taken.median(), "best_s": taken.best()} for phase in phases.values() for name, taken in phase.items()},
    }


def _table(chosen: Workload, here: Mapping[str, Measured], phases: Mapping[str, Mapping[str, Measured]]) -> Table:
    """Times and rates; of transfers, the share of the pinned bandwidth in their direction."""
    table = Table(title=f"{chosen.title}, {chosen.total_bytes / 1e6:,.1f} MB", title_justify="left")
    for heading in ("", "median ms", "GB/s", "of pinned"):
        table.add_column(heading, justify="left" if not heading else "right", no_wrap=True)
    for name, taken in here.items():
        is_transfer = name.startswith(("pinned", "save to", "load from"))
        limit = here["pinned copy out" if name.startswith(("pinned copy out", "save")) else "pinned copy in"]
        rate = f"{chosen.total_bytes / taken.median() / 1e9:.2f}" if is_transfer or name == "device copy" else ""
        table.add_row(name, f"{taken.median() * 1e3:,.2f}", rate, f"{1 / taken.ratio(limit):.0%}" if is_transfer else "")
    table.add_row("save_async: caller blocked", f"{here['save_async'].median('blocked_s') * 1e3:,.2f}", "", "")
    table.add_row("training held up by a save", f"{here['step, saving'].median('held_s') * 1e3:,.2f}", "", "")
    for measured in phases.values():
        table.add_section()
        for name, taken in measured.items():
            table.add_row(name, f"{taken.median() * 1e3:,.2f}", f"{chosen.total_bytes / taken.median() / 1e9:.2f}", "")
    return table


if __name__ == "__main__":
    sys.exit(main())
