"""The parser of all commands, and the help that teaches them: groups, examples, exit statuses."""

from __future__ import annotations

import argparse
import difflib
from types import ModuleType
from typing import Any

from gpersist.cli import completion, convert, demo, devices, diff, freeze, graph, place, show, verify
from gpersist.version import __version__

DEBUG_VARIABLE = "GPERSIST_DEBUG"

_GROUPS: dict[str, tuple[ModuleType, ...]] = {
    "look into checkpoints and models": (show, verify, diff, graph),
    "plan a restore": (place, devices),
    "write another file": (convert, freeze),
    "and": (demo, completion),
}
"""The commands as the help lists them."""

_EXAMPLES = f"""\
examples:
  gpersist show run/ckpt-100                        what is in it
  gpersist show run --values dense_0/bias           the values of one tensor
  gpersist verify run --all                         all of a folder, every byte
  gpersist diff run/ckpt-90 run/ckpt-100            what differs, by how much
  gpersist graph run/ckpt-100 --html graph.html     its graph, as a page
  gpersist place run --devices 4x16GiB              does it fit on such GPUs?
  gpersist convert run/ckpt-100 model.safetensors   in another format
  gpersist freeze run/ckpt-100 y.pb --outputs y     graph and values, one file
  gpersist show run --json | jq '.tensors[].name'   for programs
  gpersist demo                                     save, be killed, resume
  gpersist show --help                              all that one command takes
  source <(gpersist completion bash)                completion with TAB

A checkpoint is named by its prefix (run/ckpt-100), by any of its files
(run/ckpt-100.index), or by its folder (run), which means its newest one.

exit status:
  0    well
  1    a checkpoint is damaged, two differ, something does not fit or is missing
  2    wrong usage, nothing there, or a file of another kind
  130  interrupted
  141  whoever read the output has gone

environment:
  GPERSIST_VIRTUAL_DEVICES=4x2GiB   virtual devices in the place of GPUs
  {DEBUG_VARIABLE}=1                  errors with their traceback"""


class _Formatter(argparse.HelpFormatter):
    """Leaves texts of several lines as they are, and fills the others."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text.strip("\n") if "\n" in text else super()._fill_text(text, width, indent)


class _Parser(argparse.ArgumentParser):
    """A command's: takes options before, between and after names: `show run --tree 'dense_*'`."""

    _is_inside = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        if self._is_inside:
            return super().parse_known_args(args, namespace)
        self._is_inside = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._is_inside = False


class _Program(argparse.ArgumentParser):
    """The program's: of a command that is not there, it names the nearest."""

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if value not in (action.choices or [value]):
            near = difflib.get_close_matches(value, list(action.choices or ()), 1)
            did_you_mean = f": did you mean {near[0]!r}?" if near else ";"
            raise argparse.ArgumentError(None, f"there is no command {value!r}{did_you_mean} `gpersist --help` lists them")


class _Listed:
    """What commands register with: passes on to argparse, and notes for each its line in the list of commands, and its parser."""

    def __init__(self, subparsers: Any) -> None:
        self._subparsers = subparsers
        self.commands: dict[str, tuple[str, argparse.ArgumentParser]] = {}

    def add_parser(self, name: str, *, help: str, **arguments: Any) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = self._subparsers.add_parser(name, **{"formatter_class": _Formatter} | arguments)
        self.commands[name] = help, parser
        return parser


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands.

    What it parses has `run`, which takes it and returns the exit status, or None if no command was given; and `commands`: by their
    names, a line on each and its parser.
    """
    parser = _Program(
        prog="gpersist",
        usage="gpersist [-h] [--version] COMMAND ...",
        epilog=_EXAMPLES,
        formatter_class=_Formatter,
    )
    parser.add_argument("--version", action="version", version=f"gpersist {__version__}")
    subparsers = parser.add_subparsers(metavar="COMMAND", help=argparse.SUPPRESS, parser_class=_Parser, prog="gpersist")
    lines = ["Look into TensorFlow checkpoints, check and compare them, see where a restore\nwould put them, and write them in other formats.\n"]
    commands: dict[str, tuple[str, argparse.ArgumentParser]] = {}
    for title, modules in _GROUPS.items():
        listed = _Listed(subparsers)
        for module in modules:
            module.register(listed)
        commands |= listed.commands
        lines += [f"{title}:", *(f"  {name:12}{summary}" for name, (summary, _) in listed.commands.items()), ""]
    parser.description = "\n".join(lines)
    parser.set_defaults(run=None, commands=commands)
    return parser
