"""Preflight checks of a start: settings, port and keys, before anything is loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from api.middleware.access import access_problem
from api.port import port_problem
from api.settings import Settings
from api.webhooks.webhook_config import webhook_problem
from api.wyoming.address import wyoming_problem
from models.errors import WhisperError


class PreflightError(WhisperError):
    """The server could not start as it is told to; the message says which setting to change."""


def preflight(
    environ: Mapping[str, str] | None = None, arguments: Sequence[str] = ()
) -> tuple[str, ...]:
    """The names of the models that must be in the store, each once.

    `environ` is the process's own by default, completed by `.env`. `arguments` are for `bentoml
    serve`, and may name another port: then the server checks it.

    Raises:
        SettingError: a variable is malformed, one line each.
        PreflightError: the server could not listen, or not sign its webhooks.
    """
    settings = Settings.from_environ(environ)
    if problem := webhook_problem(settings):
        raise PreflightError(problem)
    if not arguments and (problem := _address_problem(settings)):
        raise PreflightError(problem)
    wanted = () if settings.on_demand == ("all",) else settings.on_demand
    return tuple(dict.fromkeys((*settings.models, *wanted)))


def _address_problem(settings: Settings) -> str | None:
    return (
        port_problem(settings.host, settings.port)
        or access_problem(settings, settings.host)
        or wyoming_problem(settings, settings.port)
    )
