"""`tf.app` and `tf.flags`: absl's, with what TensorFlow adds to them. absl is imported when something of it is used."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

__all__ = ["app", "flags"]

_OLD_NAMES = {"flag_name": "name", "default_value": "default", "docstring": "help"}
_DEFINITIONS = ("DEFINE_string", "DEFINE_boolean", "DEFINE_bool", "DEFINE_float", "DEFINE_integer")


def _absl(module: str) -> Any:
    return importlib.import_module(f"absl.{module}")


class _FlagValues:
    """absl's `FLAGS`, which parses the command line when a flag is read before `tf.app.run` has (TensorFlow's `_FlagValuesWrapper`)."""

    def __getattr__(self, name: str) -> Any:
        values = _absl("flags").FLAGS
        if not hasattr(type(values), name) and not name.startswith("__") and not values.is_parsed():
            values(sys.argv)
        return getattr(values, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(_absl("flags").FLAGS, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(_absl("flags").FLAGS, name)

    def __getitem__(self, name: str) -> Any:
        return _absl("flags").FLAGS[name]

    def __setitem__(self, name: str, flag: Any) -> None:
        _absl("flags").FLAGS[name] = flag

    def __iter__(self) -> Iterator[str]:
        return iter(_absl("flags").FLAGS)

    def __len__(self) -> int:
        return len(_absl("flags").FLAGS)

    def __call__(self, argv: Sequence[str], known_only: bool = False) -> list[str]:
        rest: list[str] = _absl("flags").FLAGS(argv, known_only=known_only)
        return rest

    def __dir__(self) -> list[str]:
        return dir(_absl("flags").FLAGS)

    def __str__(self) -> str:
        return str(_absl("flags").FLAGS)


class _Flags:
    """The module `tf.flags`."""

    FLAGS = _FlagValues()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        module = _absl("flags")
        if name in _DEFINITIONS:
            module.disclaim_key_flags()  # a flag is its program's, and not this module's, which calls absl for it
        value = getattr(module, name)
        return _with_old_names(value) if name in _DEFINITIONS else value

    def __dir__(self) -> list[str]:
        return dir(_absl("flags"))


def _with_old_names(define: Callable[..., Any]) -> Callable[..., Any]:
    """Takes the keywords of the flags that TensorFlow had before absl's."""

    def defined(*arguments: Any, **named: Any) -> Any:
        return define(*arguments, **{_OLD_NAMES.get(name, name): value for name, value in named.items()})

    return defined


class _App:
    """The module `tf.app`."""

    flags = _Flags()

    @staticmethod
    def run(main: Callable[[list[str]], Any] | None = None, argv: Sequence[str] | None = None) -> None:
        """Parses the flags, and exits with what `main` returns; flags that nobody defined are left to it (`tf.app.run`).

        Args:
            main: called with the program's name and what is left of the arguments; default: `main` of the program.
            argv: default: `sys.argv`.

        Raises:
            DuplicateFlagError: the program has a flag of absl's own, such as `log_dir`.
        """
        try:
            _absl("app")
        except _absl("flags").DuplicateFlagError as error:
            error.add_note("tf.app.run needs absl.logging, which has a flag of that name, as with TensorFlow 1.14: give the program's another")
            raise
        _absl("app").run(main or sys.modules["__main__"].main, argv, flags_parser=lambda given: _absl("flags").FLAGS(given, known_only=True))


app = _App()
flags = app.flags
