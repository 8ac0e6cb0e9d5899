"""The command `completion`: a script that completes commands, options and their values."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from client.arguments import (
    PROGRAM,
    SHELLS,
    Parser,
    completion_parser,
    detect_parser,
    status_parser,
    transcribe_parser,
    watch_parser,
)
from client.job_arguments import ACTIONS, action_parser
from client.options import truth

DEFAULT = "transcribe"
_FUNCTION = "_whisper_bento"


@dataclass(frozen=True)
class Option:
    """An option by all its names; `values` are those that it takes, if they are few."""

    names: tuple[str, ...]
    about: str
    takes_value: bool
    values: tuple[str, ...]


Options = Mapping[str, tuple[Option, ...]]


def completion(given: argparse.Namespace, commands: Mapping[str, str]) -> int:
    """Print the script for a shell; `commands` are all of the program, with what each is for."""
    write: dict[str, Callable[[Mapping[str, str], Options], str]] = {
        "bash": _bash,
        "zsh": _zsh,
        "fish": _fish,
    }
    print(write[given.shell](commands, _options()), end="")
    return 0


def _options() -> Options:
    """The options of the client's commands; those of others are left to their help."""
    parsers = {
        "transcribe": transcribe_parser("transcribe", ""),
        "translate": transcribe_parser("translate", ""),
        "detect": detect_parser(),
        "status": status_parser(),
        "watch": watch_parser(),
        "completion": completion_parser(),
    }
    found = {name: _of_parser(parser) for name, parser in parsers.items()}
    every = (each for action in ACTIONS for each in _of_parser(action_parser(action)))
    found["jobs"] = tuple({each.names: each for each in every}.values())
    return found


def _of_parser(parser: Parser) -> tuple[Option, ...]:
    # argparse has no public way to what it was told.
    actions: list[argparse.Action] = parser._actions  # noqa: SLF001
    return tuple(
        Option(
            tuple(each.option_strings),
            (each.help or "").replace("%%", "%"),
            each.nargs != 0,
            ("True", "False") if each.type is truth else tuple(map(str, each.choices or ())),
        )
        for each in actions
        if each.option_strings
    )


def _bash(commands: Mapping[str, str], options: Options) -> str:
    values = "\n".join(
        f'        {name}) COMPREPLY=($(compgen -W {shlex.quote(words)} -- "$word")); return ;;'
        for name, words in _values(options).items()
    )
    return f"""# Completion of {PROGRAM} for bash, to be sourced.
{_FUNCTION}() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} options
    COMPREPLY=()
    case $before in
{values}
    esac
    case ${{COMP_WORDS[1]}} in
{_cases(options, "        {name}) options={words} ;;")}
        {"|".join(_others(commands, options)) or '""'}) options=--help ;;
        *) options={shlex.quote(_names(options[DEFAULT]))} ;;
    esac
    if [[ $word == -* ]]; then
        COMPREPLY=($(compgen -W "$options" -- "$word"))
    elif (( COMP_CWORD == 1 )); then
        COMPREPLY=($(compgen -W {shlex.quote(" ".join(commands))} -- "$word"))
    elif (( COMP_CWORD == 2 )) && [[ $before == jobs ]]; then
        COMPREPLY=($(compgen -W {shlex.quote(" ".join(ACTIONS))} -- "$word"))
    elif (( COMP_CWORD == 2 )) && [[ $before == completion ]]; then
        COMPREPLY=($(compgen -W {shlex.quote(" ".join(SHELLS))} -- "$word"))
    fi
}}
# Without a match, file names.
complete -o bashdefault -o default -F {_FUNCTION} {PROGRAM}
"""


def _zsh(commands: Mapping[str, str], options: Options) -> str:
    values = "\n".join(
        f"        ({name}) compadd -- {words}; return ;;"
        for name, words in _values(options).items()
    )
    described = " ".join(shlex.quote(f"{name}:{about}") for name, about in commands.items())
    return f"""#compdef {PROGRAM}
# Completion of {PROGRAM} for zsh, to be sourced, or kept as {_FUNCTION} in a folder of $fpath.
{_FUNCTION}() {{
    local before=${{words[CURRENT-1]}}
    local -a options commands
    case $before in
{values}
    esac
    case ${{words[2]}} in
{_cases(options, "        ({name}) options=({names}) ;;")}
        ({"|".join(_others(commands, options)) or '""'}) options=(--help) ;;
        (*) options=({_names(options[DEFAULT])}) ;;
    esac
    if [[ $PREFIX == -* ]]; then
        compadd -- $options
    elif (( CURRENT == 2 )); then
        commands=({described})
        _describe command commands
        _files
    elif (( CURRENT == 3 )) && [[ $before == jobs ]]; then
        compadd -- {" ".join(ACTIONS)}
    elif (( CURRENT == 3 )) && [[ $before == completion ]]; then
        compadd -- {" ".join(SHELLS)}
    else
        _files
    fi
}}
if [[ ${{funcstack[1]}} == {_FUNCTION} ]]; then
    {_FUNCTION} "$@"
else
    compdef {_FUNCTION} {PROGRAM}
fi
"""


def _fish(commands: Mapping[str, str], options: Options) -> str:
    others = [name for name in commands if name != DEFAULT]
    lines = [
        f"# Completion of {PROGRAM} for fish, to be sourced.",
        *(
            f"complete -c {PROGRAM} -n __fish_use_subcommand -a {name} -d {_fish_quoted(about)}"
            for name, about in commands.items()
        ),
        _fish_words("jobs", ACTIONS),
        _fish_words("completion", SHELLS),
    ]
    for command, each in options.items():
        seen = f"__fish_seen_subcommand_from {command}"
        if command == DEFAULT:
            seen = f"not __fish_seen_subcommand_from {' '.join(others)}"
        lines += [_fish_option(seen, option) for option in each]
    return "\n".join(lines) + "\n"


def _fish_words(command: str, words: Mapping[str, str] | tuple[str, ...]) -> str:
    seen = f"__fish_seen_subcommand_from {command}"
    return f"complete -c {PROGRAM} -n '{seen}' -a {_fish_quoted(' '.join(words))}"


def _fish_option(seen: str, option: Option) -> str:
    parts = [f"complete -c {PROGRAM} -n {_fish_quoted(seen)}"]
    parts += [
        f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names
    ]
    if option.values:
        parts.append(f"-xa {_fish_quoted(' '.join(option.values))}")
    elif option.takes_value:
        parts.append("-r")
    return " ".join([*parts, f"-d {_fish_quoted(option.about)}"])


def _fish_quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _values(options: Options) -> dict[str, str]:
    """Options with few values, by their names in a pattern of the shell."""
    every = (each for command in options.values() for each in command if each.values)
    return {"|".join(each.names): " ".join(each.values) for each in every}


def _cases(options: Options, line: str) -> str:
    rows = {name: _names(each) for name, each in options.items() if name != DEFAULT}
    return "\n".join(
        line.format(name=name, names=names, words=shlex.quote(names))
        for name, names in rows.items()
    )


def _names(options: tuple[Option, ...]) -> str:
    return " ".join(name for each in options for name in each.names)


def _others(commands: Mapping[str, str], options: Options) -> list[str]:
    return [name for name in commands if name not in options]
