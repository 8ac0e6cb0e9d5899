"""Before a start: checks settings, port and keys, then prints the models to import, one a line."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from api.middleware.access import access_problem
from api.port import port_problem
from api.settings import SettingError, Settings


def main(environ: Mapping[str, str] | None = None, arguments: Sequence[str] = ()) -> int:
    """The exit status: 0, or 2 when a setting stops the start (one line each on stderr).

    `environ` is the process's own by default, completed by `.env`. `arguments` are for `bentoml
    serve`, and may name another port: then the server checks it.
    """
    try:
        settings = Settings.from_environ(environ)
    except SettingError as error:
        print(error.message, file=sys.stderr)
        return 2
    if not arguments and (problem := _address_problem(settings)):
        print(problem, file=sys.stderr)
        return 2
    wanted = () if settings.on_demand == ("all",) else settings.on_demand
    print(*dict.fromkeys((*settings.models, *wanted)), sep="\n")
    return 0


def _address_problem(settings: Settings) -> str | None:
    return port_problem(settings.host, settings.port) or access_problem(settings, settings.host)


if __name__ == "__main__":
    sys.exit(main(arguments=sys.argv[1:]))
