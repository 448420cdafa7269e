"""`gpersist devices`: the devices of this process."""

from __future__ import annotations

import argparse
import dataclasses
from typing import Any

from gpersist.cli.output import Column, add_json, amount, printable, write_json, write_line, write_table
from gpersist.devices import DeviceInfo, devices

_COLUMNS = (
    Column("device", style="cyan"),
    Column("kind"),
    Column("product", folds=True),
    Column("free", is_number=True),
    Column("total", is_number=True),
    Column("PCIe"),
    Column("driver"),
)


def register(commands: Any) -> None:
    """Adds the command to the parser."""
    parser = commands.add_parser(
        "devices",
        help="the devices that tensors can be restored to",
        description="List the devices of this process, with NVML's figures and the CUDA runtime's. GPERSIST_VIRTUAL_DEVICES=4 puts four virtual "
        "ones in the place of GPUs; they are always named as such.",
    )
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Runs the command."""
    found = [device.info() for device in devices()]
    if arguments.json:
        write_json({"devices": [dataclasses.asdict(info) for info in found]})
        return 0
    write_table(_COLUMNS, [_row(info) for info in found])
    named = [info for info in found if info.uuid or info.pci_bus_id or info.compute_capability]
    if named:
        write_line()
    for info in named:
        capability = "compute capability " + ".".join(map(str, info.compute_capability)) if info.compute_capability else ""
        write_line(f"{info.name}: {', '.join(printable(fact) for fact in (info.uuid, info.pci_bus_id, capability) if fact)}")
    if not any(info.backend == "cuda" for info in found):
        write_line()
        write_line("no CUDA device: none is visible, or CuPy or the driver is missing" + _hidden(found))
    return 0


def _row(info: DeviceInfo) -> tuple[str, ...]:
    generation = f"gen {info.pcie_generation}" if info.pcie_generation else ""
    width = f"x{info.pcie_width}" if info.pcie_width else ""
    return (
        info.name,
        info.backend,
        printable(info.product),
        amount(info.memory.free_bytes),
        amount(info.memory.total_bytes),
        f"{generation} {width}".strip() or "-",
        printable(info.driver_version or "-"),
    )


def _hidden(found: list[DeviceInfo]) -> str:
    return ", or virtual devices hide it" if any(info.backend == "virtual" for info in found) else ""
