"""`gpersist completion`: scripts by which bash, zsh and fish complete the commands, their options, and checkpoints.

A checkpoint is completed by its prefix: of `ckpt-7.index` and `ckpt-7.data-00000-of-00001`, `ckpt-7`. Scripts hold all that they need; no program is
run when TAB is pressed.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from gpersist.cli.output import write_line

_FILES = {"FILE": "file", "D": "folder"}
"""What an option takes, by its metavar; positional arguments are checkpoints or files."""

_EXAMPLES = """\
examples:
  source <(gpersist completion bash)                  in this shell
  gpersist completion bash >> ~/.bash_completion      in each one
  gpersist completion zsh > "${fpath[1]}/_gpersist"
  gpersist completion fish > ~/.config/fish/completions/gpersist.fish"""


class _Option(NamedTuple):
    """An option of a command.

    Attributes:
        names: `--placement`, `--policy`.
        about: its help.
        takes: "" for a flag, "file", "folder", "words", "anything".
        words: the values there are.
        is_repeatable: may be given more than once.
    """

    names: tuple[str, ...]
    about: str
    takes: str
    words: tuple[str, ...]
    is_repeatable: bool


class _Command(NamedTuple):
    """A command: its options, and what its positional arguments are: "" (none), "path", or the words themselves."""

    name: str
    about: str
    options: list[_Option]
    positional: str


def register(commands: Any) -> None:
    """Adds the command to the parser."""
    parser = commands.add_parser(
        "completion",
        help="a script that makes a shell complete with TAB",
        description="Write a script that has a shell complete commands, options and the prefixes of checkpoints.",
        epilog=_EXAMPLES,
    )
    parser.add_argument("shell", choices=sorted(_SHELLS), help="the shell")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Runs the command."""
    write_line(_SHELLS[arguments.shell]([_command(name, *listed) for name, listed in arguments.commands.items()]))
    return 0


def _command(name: str, summary: str, parser: argparse.ArgumentParser) -> _Command:
    actions = parser._actions  # argparse has no other way to ask
    positional = [action for action in actions if not action.option_strings]
    words = [" ".join(map(str, action.choices)) for action in positional if action.choices]
    options = [_option(action) for action in actions if action.option_strings]
    return _Command(name, summary, options, words[0] if words else "path" if positional else "")


def _option(action: argparse.Action) -> _Option:
    words = tuple(map(str, action.choices or ()))
    takes = "" if action.nargs == 0 else "words" if words else _FILES.get(str(action.metavar), "anything")
    about = (action.help or "").replace("\n", " ")
    return _Option(tuple(action.option_strings), about, takes, words, isinstance(action.default, list))


_BASH = r"""
# Completion of gpersist for bash: source <(gpersist completion bash)

_gpersist_paths() { # $1: -f for files, -d for folders, or what a checkpoint, a model or a folder may be named by
    local path kind=$1 typed=${cur#[\"\']}
    typed=${typed//\\/}
    compopt -o filenames
    while IFS= read -r path; do
        if [[ -z $kind && ! -d $path ]]; then
            case $path in
                *.data-?????-of-?????) continue ;;
                *.index) path=${path%.index} ;;
                *.meta) [[ -e ${path%.meta}.index && $cur != *.m* ]] && continue ;;
            esac
        fi
        COMPREPLY+=("$path")
    done < <(compgen ${kind:--f} -- "$typed")
}

_gpersist() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command= word
    COMPREPLY=()
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        [[ $word != -* ]] && { command=$word; break; }
    done
    case $command:$prev in
%(values)s
    esac
    case $command:$cur in
        :*) COMPREPLY=($(compgen -W '%(commands)s -h --help --version' -- "$cur")) ;;
%(options)s
        *:-*) ;;
%(positional)s
    esac
}

complete -F _gpersist gpersist
"""


def _bash(commands: list[_Command]) -> str:
    values, options, positional = [], [], []
    for command in commands:
        for option in command.options:
            found = {
                "": "",
                "words": f"COMPREPLY=($(compgen -W '{' '.join(option.words)}' -- \"$cur\")); return",
                "file": "_gpersist_paths -f; return",
                "folder": "_gpersist_paths -d; return",
                "anything": "return",
            }[option.takes]
            values += [f"        {'|'.join(f'{command.name}:{name}' for name in option.names)}) {found} ;;"] if found else []
        names = " ".join(name for option in command.options for name in option.names)
        options.append(f"        {command.name}:-*) COMPREPLY=($(compgen -W '{names}' -- \"$cur\")) ;;")
        if command.positional:
            found = "_gpersist_paths" if command.positional == "path" else f"COMPREPLY=($(compgen -W '{command.positional}' -- \"$cur\"))"
            positional.append(f"        {command.name}:*) {found} ;;")
    return _filled(_BASH, commands=" ".join(command.name for command in commands), values=values, options=options, positional=positional)


_ZSH = r"""
#compdef gpersist
# Completion of gpersist for zsh: gpersist completion zsh > "${fpath[1]}/_gpersist", or source it

_gpersist_paths() { # what a checkpoint, a model or a folder may be named by
    local -a indexes
    indexes=(${(Q)PREFIX}*.index(N:r))
    (( $#indexes )) && compadd -f -- $indexes
    _path_files -g '^(*.index|*.data-?????-of-?????)'
}

_gpersist() {
    local -a commands
    local context state state_descr line
    typeset -A opt_args
    setopt localoptions extendedglob
    commands=(
%(commands)s
    )
    _arguments -C '(-h --help)'{-h,--help}'[show the help]' '--version[show the version]' '1: :->command' '*:: :->arguments'
    case $state in
        command) _describe command commands ;;
        arguments)
            case $words[1] in
%(arguments)s
            esac ;;
    esac
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _gpersist "$@"; else compdef _gpersist gpersist; fi
"""

_ZSH_TAKES = {"file": ":file:_files", "folder": ":folder:_files -/", "anything": ":value:", "": ""}


def _zsh(commands: list[_Command]) -> str:
    lines = []
    for command in commands:
        specs = []
        for option in command.options:
            takes = f":value:({' '.join(option.words)})" if option.takes == "words" else _ZSH_TAKES[option.takes]
            others = "*" if option.is_repeatable else f"({' '.join(option.names)})"
            specs += [_quoted(f"{others}{name}[{_in_brackets(option.about)}]{takes}") for name in option.names]
        words = "_gpersist_paths" if command.positional == "path" else f"({command.positional})"
        specs += [_quoted(f"*:argument:{words}")] if command.positional else []
        lines.append(f"                {command.name}) _arguments {' '.join(specs)} ;;")
    about = [f"        {_quoted(f'{command.name}:{command.about}')}" for command in commands]
    return _filled(_ZSH, commands=about, arguments=lines)


_FISH = r"""
# Completion of gpersist for fish: gpersist completion fish > ~/.config/fish/completions/gpersist.fish

function __gpersist_paths # what a checkpoint, a model or a folder may be named by
    for path in (__fish_complete_path (commandline -ct) | string replace -r '\t.*' '')
        string match -qr '\.data-\d{5}-of-\d{5}$' -- $path; or string replace -r '\.index$' '' -- $path
    end
end

complete -c gpersist -f
complete -c gpersist -n __fish_use_subcommand -s h -l help -d 'show the help'
complete -c gpersist -n __fish_use_subcommand -l version -d 'show the version'
%(lines)s
"""

_FISH_TAKES = {"file": " -r -F", "folder": " -x -a '(__fish_complete_directories)'", "anything": " -x", "": ""}


def _fish(commands: list[_Command]) -> str:
    lines = [f"complete -c gpersist -n __fish_use_subcommand -a {command.name} -d {_quoted(command.about)}" for command in commands]
    for command in commands:
        start = f"complete -c gpersist -n '__fish_seen_subcommand_from {command.name}'"
        for option in command.options:
            names = "".join(f" -l {name[2:]}" if name.startswith("--") else f" -s {name[1:]}" for name in option.names)
            takes = f" -x -a '{' '.join(option.words)}'" if option.takes == "words" else _FISH_TAKES[option.takes]
            lines.append(f"{start}{names}{takes} -d {_quoted(option.about)}")
        if command.positional:
            words = "(__gpersist_paths)" if command.positional == "path" else command.positional
            lines.append(f"{start} -a '{words}'")
    return _filled(_FISH, lines=lines)


def _filled(template: str, **parts: str | Iterable[str]) -> str:
    texts: Mapping[str, str] = {name: part if isinstance(part, str) else "\n".join(part) for name, part in parts.items()}
    for name, text in texts.items():
        template = template.replace(f"%({name})s", text)
    return template.strip("\n")


def _quoted(text: str) -> str:
    """As one word of a shell's."""
    return "'" + text.replace("'", "'\\''") + "'"


def _in_brackets(text: str) -> str:
    """As the description of an option in zsh's `_arguments`."""
    for char in "\\[]:":
        text = text.replace(char, "\\" + char)
    return text


_SHELLS: dict[str, Callable[[list[_Command]], str]] = {"bash": _bash, "zsh": _zsh, "fish": _fish}
