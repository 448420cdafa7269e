"""Parts of pages about the command line, from its parser. Not argparse's own text: that changes with Python's version and the terminal's width."""

from __future__ import annotations

import argparse

from gpersist.cli.parser import build_parser


def commands() -> str:
    """What the program says of itself: groups of commands, examples, exit statuses."""
    parser = build_parser()
    return f"```text\n{parser.description or ''}\n{parser.epilog}\n```"


def manual() -> str:
    """A section for each command."""
    return "\n\n".join(_command(name, *listed) for name, listed in build_parser().parse_args([]).commands.items())


def _command(name: str, summary: str, parser: argparse.ArgumentParser) -> str:
    positional = [action for action in parser._actions if not action.option_strings]
    options = [action for action in parser._actions if action.option_strings and action.dest != "help"]
    synopsis = " ".join([f"gpersist {name}", *(["[options]"] if options else []), *map(_positional, positional)])
    about = parser.description or ""
    text = [f"## gpersist {name}", f"{summary[0].upper()}{summary[1:]}.", f"    {synopsis}", "\n".join(about.split("\n")) if "\n" in about else about]
    rows = [f"| `{_in_table(_positional(action).strip('[]'))}` | {_in_table(action.help or '')} |" for action in positional]
    rows += [f"| {_names(action)} | {_in_table(action.help or '')} |" for action in options]
    text += ["\n".join(["| | |", "|---|---|", *rows])]
    if parser.epilog:
        text += [f"```text\n{parser.epilog.strip()}\n```"]
    return "\n\n".join(text)


def _positional(action: argparse.Action) -> str:
    shown = str(action.metavar or "|".join(map(str, action.choices or [action.dest])))
    return {"*": f"[{shown} ...]", "+": f"{shown} ..."}.get(str(action.nargs), shown)


def _names(action: argparse.Action) -> str:
    value = "" if action.nargs == 0 else " " + str(action.metavar or "|".join(map(str, action.choices or [action.dest.upper()])))
    return ", ".join(f"`{name}{_in_table(value)}`" for name in action.option_strings)


def _in_table(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")
