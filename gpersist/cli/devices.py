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
)


_EXAMPLES = """\
examples:
  gpersist devices
  GPERSIST_VIRTUAL_DEVICES=4x2GiB gpersist devices
  CUDA_VISIBLE_DEVICES=1 gpersist devices           the second GPU, as GPU:0"""


def register(commands: Any) -> None:
    """Adds the command to the parser."""
    parser = commands.add_parser(
        "devices",
        help="the devices that tensors can be restored to",
        description="List the devices of this process, with NVML's figures and the CUDA runtime's. GPERSIST_VIRTUAL_DEVICES=4 puts four virtual "
        "ones in the place of GPUs; they are always named as such.",
        epilog=_EXAMPLES,
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
    backends = {info.backend for info in found}
    write_line()
    if "virtual" in backends:
        write_line("virtual devices are switched on; CUDA devices, if any, are hidden")
    elif "cuda" not in backends:
        write_line("no CUDA device: none is visible, or the driver or CuPy is missing")
    for info in found:
        if facts := _facts(info):
            write_line(f"{info.name}: {printable(', '.join(facts))}")
    return 0


def _facts(info: DeviceInfo) -> list[str]:
    """What is too long for the table."""
    capability = ".".join(map(str, info.compute_capability or ()))
    facts = {"": info.uuid, "PCI ": info.pci_bus_id, "compute capability ": capability, "driver ": info.driver_version}
    return [what + fact for what, fact in facts.items() if fact]


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
    )
