"""The `serve` command: preflight checks, import of missing models, then `bentoml serve`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from api.settings import SettingError
from cli.commands import Parser, become
from cli.preflight import PreflightError, preflight

ROOT = Path(__file__).parent.parent


def main(arguments: Sequence[str]) -> int:
    """Become `bentoml serve`; returns the exit status 2 where a setting stops the start.

    Raises:
        WhisperError: a model is missing and cannot be imported.
    """
    if list(arguments) in (["-h"], ["--help"]):
        _parser().print_help()
        return 0
    os.chdir(ROOT)
    os.environ["BENTOML_DO_NOT_TRACK"] = "True"
    # As it is now: an import may load packages that set variables of their own.
    environ = dict(os.environ)
    bento = _bento_around(ROOT)
    if bento is None:  # a bento brings its models, and its own default among them
        try:
            wanted = preflight(arguments=arguments)
        except (SettingError, PreflightError) as error:
            print(error.message, file=sys.stderr)
            return 2
        _import_missing(wanted)
    return become("bentoml", ["serve", bento or "service:Whisper", *arguments], environ)


def _import_missing(names: Sequence[str]) -> None:
    # It imports BentoML: later than what is wrong can be said at once.
    from cli.import_model import import_missing

    for name in names:
        import_missing(name)


def _bento_around(root: Path) -> str | None:
    """The bento whose code this is; None in a checkout."""
    return str(root.parent) if (root.parent / "bento.yaml").is_file() else None


def _parser() -> Parser:
    parser = Parser(
        prog="whisper-bento serve",
        usage="%(prog)s [ARGUMENT ...]",
        description="Start the server: check the settings, import the models that are missing, "
        "and become `bentoml serve`. Settings are environment variables, which README.md lists.",
        epilog="For example: WHISPER_PORT=9000 whisper-bento serve",
    )
    parser.add_argument(
        "arguments", nargs="*", metavar="ARGUMENT", help="of `bentoml serve`, whose help lists them"
    )
    return parser
