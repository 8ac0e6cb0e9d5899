"""The `doctor` command: checks of this machine, each with what to do about a problem."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

from api.settings import SettingError, Settings
from cli.commands import Parser
from models.errors import WhisperError


@dataclass(frozen=True)
class Finding:
    """Result of one check."""

    check: str
    ok: bool
    detail: str

    def __str__(self) -> str:
        return f"{'ok' if self.ok else 'problem':<8} {self.check}: {self.detail}"


def examine(settings: Settings) -> list[Finding]:
    """Results of all checks; a transcription is tried where model and device are sound."""
    # They import PyTorch, which the help does without.
    from cli.doctor_checks import CHECKS, check_python, check_transcription

    found = [_finding("python", check_python)]
    found += [_finding(name, check, settings) for name, check in CHECKS.items()]
    if all(finding.ok for finding in found if finding.check in ("models", "device")):
        found.append(_finding("transcription", check_transcription, settings))
    return found


def main(arguments: Sequence[str], environ: Mapping[str, str] | None = None) -> int:
    """Print a line for each check; the exit status is 1 where there is a problem."""
    parser = Parser(
        prog="whisper-bento doctor",
        description="Check whether this machine can serve, and say what to do about what is wrong.",
    )
    parser.add_argument("--json", action="store_true", help="print a JSON array instead")
    wanted = parser.parse_args(arguments)
    try:
        settings = Settings.from_environ() if environ is None else Settings.from_environ(environ)
        found = [Finding("settings", ok=True, detail="well formed"), *examine(settings)]
    except SettingError as error:
        found = [Finding("settings", ok=False, detail=each) for each in error.message.splitlines()]
    if wanted.json:
        print(json.dumps([asdict(finding) for finding in found], indent=2))
    else:
        print(*found, sep="\n")
    return 0 if all(finding.ok for finding in found) else 1


def _finding(name: str, check: Callable[..., str], *settings: Settings) -> Finding:
    try:
        return Finding(name, ok=True, detail=check(*settings))
    except (WhisperError, OSError, RuntimeError) as error:  # PyTorch raises the last
        return Finding(name, ok=False, detail=" ".join(str(error).split()))
