"""Start of the backend without a server: what can be said before PyTorch is imported."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from api.version import PROJECT_FILE
from client.backend.errors import UsageError
from client.backend.protocol import Tell

if TYPE_CHECKING:
    from cli.local.local import Local


@asynccontextmanager
async def open_local(
    tell: Tell,
    *,
    retries: int = 2,
    wait_seconds: float | None = None,
    environ: Mapping[str, str] | None = None,
) -> AsyncIterator[Local]:
    """The backend within a block, with the server's settings; models are loaded as they are needed.

    `tell` is called with what a user should know. A recording is tried `retries` times more where
    something failed that is not its fault, and waits `wait_seconds` for a device that is busy with
    others, without end if None. `environ` is the process's own by default, completed by
    `.env`.

    Raises:
        UsageError: a setting is malformed.
    """
    from api.settings import SettingError, Settings, prepare_environment

    try:
        settings = Settings.from_environ(environ, **_defaults())
    except SettingError as error:
        raise UsageError("; ".join(error.message.splitlines())) from None
    # Before PyTorch reads it.
    prepare_environment()
    from cli.local.local import Local
    from cli.local.stored_models import StoredModels

    local = Local(StoredModels(settings, tell), retries=retries, wait_seconds=wait_seconds)
    try:
        yield local
    finally:
        await local.close()


def _defaults() -> dict[str, str]:
    """In a bento its own model is the default, as it is for its server; in a checkout nothing."""
    description = PROJECT_FILE.parent.parent / "bento.yaml"
    if not description.is_file():
        return {}
    import yaml

    arguments = yaml.safe_load(description.read_text(encoding="utf-8")).get("args") or {}
    return {"default_model": arguments["model"]} if arguments.get("model") else {}
