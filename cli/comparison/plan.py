"""Configuration of a comparison, from command-line arguments and environment variables."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cli.comparison.address import OPENAI_HOST, ComparisonError, Server
from cli.comparison.calls import Call, chosen_calls
from client.remote.address import base_url, checked_key

AGAINST_KEY = "WHISPER_AGAINST_KEY"
HERE_KEY = "WHISPER_HERE_KEY"
OPENAI_KEY = "OPENAI_API_KEY"


@dataclass(frozen=True)
class Plan:
    """Servers, calls, recording and how it is told."""

    servers: tuple[Server, Server]
    calls: tuple[Call, ...]
    recording: Path
    language: str | None
    tolerance: float
    timeout: float
    as_json: bool
    is_dry: bool


def plan_of(given: argparse.Namespace, environ: Mapping[str, str]) -> Plan:
    """The plan that arguments and environment make.

    Raises:
        ComparisonError: one of them is malformed; the message says which.
    """
    if not given.file.is_file():
        raise ComparisonError(f"{given.file} is no file")
    here = _server("--here", given.here, given.here_model or given.model)
    against = _server("--against", given.against, given.model)
    keys = {
        "--here-key": given.here_key or environ.get(HERE_KEY),
        "--key": given.key or environ.get(AGAINST_KEY) or _openai_key(against, environ),
    }
    servers = (_with_key(here, "--here-key", keys), _with_key(against, "--key", keys))
    try:
        calls = chosen_calls(given.only, deployment=any(each.names_deployment for each in servers))
    except ValueError as error:
        raise ComparisonError(f"--only: {error}") from None
    return Plan(
        servers,
        calls,
        given.file,
        given.language,
        given.tolerance,
        given.timeout,
        given.json,
        given.dry_run,
    )


def _openai_key(server: Server, environ: Mapping[str, str]) -> str | None:
    """OpenAI's key for OpenAI alone: no other server is to learn it."""
    is_openai = server.url.scheme == "https" and server.url.host == OPENAI_HOST
    return environ.get(OPENAI_KEY) if is_openai else None


def _server(option: str, url: str, model: str) -> Server:
    try:
        return Server(base_url(url), model)
    except ValueError as error:
        raise ComparisonError(f"{option}: {error}") from None


def _with_key(server: Server, option: str, keys: Mapping[str, str | None]) -> Server:
    try:
        return Server(server.url, server.model, checked_key(keys[option]))
    except ValueError as error:
        raise ComparisonError(f"{option}: {error}") from None
