"""Parts of pages from docstrings and signatures."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import pydoc
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gpersist
from gpersist import errors as tree

ROOT = Path(__file__).parents[2]


def docstring(module_name: str) -> str:
    """A module's docstring, under the file's name; what is indented in it is a block of code."""
    path = Path(importlib.import_module(module_name).__file__ or "").relative_to(ROOT)
    first, _, rest = _doc(importlib.import_module(module_name)).partition("\n")
    return f"**[`{path}`](../{path})**: {first}\n{re.sub(r'(?<=[^ ])_(?=[^ ])|[*<]', _escaped_outside_code, rest)}"


def _escaped_outside_code(found: re.Match[str]) -> str:
    line = found.string[found.string.rfind("\n", 0, found.start()) + 1 : found.start()]
    is_code = line.startswith("    ") or line.count("`") % 2
    return found.group() if is_code or found.group() == "_" else "\\" + found.group()


def errors() -> str:
    """A section for each class of the tree, in the order of the code."""
    return "\n\n".join(_error(error) for error in vars(tree).values() if isinstance(error, type) and issubclass(error, tree.GPersistError))


def _error(error: type[tree.GPersistError]) -> str:
    cause, _, cure = inspect.cleandoc(error.__doc__ or "").partition("\n\nCure: ")
    bases = " and ".join(f"`{_name(base)}`" for base in error.__bases__ if base is not Exception)
    facts = f"Code {error.code}" + (f"; {'an' if bases[1] in 'AEIOU' else 'a'} {bases}" if bases else "; the base of all")
    told = " ".join(cause.split("\n\n")[0].split())
    return f"### {error.__name__}\n\n{facts}. {told}" + (f"\n\n*Cure*: {' '.join(cure.split())}" if cure else "")


def _name(base: type) -> str:
    return base.__name__ if base.__module__ in ("builtins", tree.__name__) else pydoc.classname(base, "").replace("._base", "")


def functions() -> str:
    """The functions and classes of `gpersist`, but for the errors: what they take and what they are."""
    lines = ["| | |", "|---|---|"]
    for name in gpersist.__all__:
        value = getattr(gpersist, name)
        if not name.startswith("_") and not (isinstance(value, type) and issubclass(value, Exception)):
            lines.append(f"| `{name}{_parameters(value)}` | {_first_sentence(value)} |")
    return "\n".join(lines)


def members(name: str) -> str:
    """The public methods and properties of a class of `gpersist`."""
    lines = ["| | |", "|---|---|"]
    for member, value in vars(getattr(gpersist, name)).items():
        if not member.startswith("_") and _first_sentence(value):
            lines.append(f"| `.{member}{'' if isinstance(value, property) else _parameters(value)}` | {_first_sentence(value)} |")
    return "\n".join(lines)


def section(title: str, name: str) -> str:
    """A section of a docstring in Google's style, as a table: `Args` of `gpersist:load`."""
    text = inspect.getdoc(pkgutil.resolve_name(name)) or ""
    body = re.search(rf"^{title}:\n((?:    .*\n?|\n)+)", text, re.MULTILINE)
    if body is None:
        raise ValueError(f"{name} has no section {title!r}")
    entries = re.findall(r"^    (\S.*?): ((?:.*\n?)(?:^     +.*\n?)*)", body[1], re.MULTILINE)
    return "\n".join(["| | |", "|---|---|", *(f"| `{entry.lstrip('*')}` | {_in_table(' '.join(told.split()))} |" for entry, told in entries)])


def _in_table(text: str) -> str:
    return text.replace("|", "\\|")


def _parameters(value: Any) -> str:
    """`(prefix, names=None, *, into=None)`: of a class those of making it."""
    parameters = inspect.signature(value).parameters.values()
    found = [parameter.replace(annotation=parameter.empty) for parameter in parameters if parameter.name not in ("self", "cls")]
    return str(inspect.Signature(found)).replace(" object at 0x", "")


def _first_sentence(value: Any) -> str:
    return _in_table(" ".join((inspect.getdoc(value) or "").split("\n\n")[0].split()))


def rooms() -> str:
    """The layers, from the bottom, and what each package owns by the first line of its docstring."""
    with open(ROOT / "pyproject.toml", "rb") as file:
        contract = tomllib.load(file)["tool"]["importlinter"]["contracts"][0]
    lines = ["| layer | | owns |", "|---|---|---|"]
    for layer, text in enumerate(reversed(contract["layers"])):
        for name in _names(text):
            lines.append(f"| {layer} | `{name}` | {_first_sentence(importlib.import_module(name))} |")
    return "\n".join(lines)


def _names(layer: str) -> Iterator[str]:
    return (name.strip(" ()") for name in layer.split("|"))


def _doc(module: Any) -> str:
    return inspect.cleandoc(module.__doc__)
