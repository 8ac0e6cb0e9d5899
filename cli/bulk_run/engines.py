"""The engines that the arguments of a run name: servers, or processes with models."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from bulk.engine import Engine
from bulk.run import Seen
from bulk.runners.engine_process import ChildEngine, start_child
from bulk.runners.server_engine import ServerEngine
from bulk.runners.servers import Servers
from bulk.runners.several import Several
from bulk.runners.supervised import Supervised
from client.backend.errors import UsageError
from client.backend.request import Request
from client.connecting import server_of

# Rows that a server is given at once: it makes batches of them, and tells when it has enough.
SERVER_IN_FLIGHT = 8
_ROOT = Path(__file__).parents[2]
_VISIBLE = "CUDA_VISIBLE_DEVICES"
# Without the current folder among the modules: what lies there is the user's.
CHILD = (sys.executable, "-P", "-m", "cli.bulk_run.engine")


def engine_of(given: argparse.Namespace, environ: Mapping[str, str], seen: Seen) -> Engine:
    """The engine of a run.

    Raises:
        UsageError: the address or the key of a server is malformed.
    """
    if given.runner == "http":
        return _servers(given, environ, seen)
    return _processes(given, environ, seen)


def _servers(given: argparse.Namespace, environ: Mapping[str, str], seen: Seen) -> Servers:
    in_flight = given.in_flight or SERVER_IN_FLIGHT
    engines = []
    for url in dict.fromkeys(given.url or (None,)):
        named = argparse.Namespace(
            url=url,
            api_key=given.api_key,
            api_key_file=given.api_key_file,
            timeout=None,
            retries=0,
        )
        engines.append(ServerEngine(server_of(named, environ), in_flight, seen.tell))
    return Servers(engines, in_flight, seen.tell, given.timeout)


def _processes(given: argparse.Namespace, environ: Mapping[str, str], seen: Seen) -> Engine:
    from models.engine.device.gpus import count_gpus

    gpus = count_gpus()
    if given.gpus and given.gpus > gpus:
        raise UsageError(f"--gpus {given.gpus}: PyTorch can use {gpus} here")
    each_environ = environs(given.gpus or gpus, {**environ, "PYTHONPATH": project_path(environ)})
    in_flight = str(given.in_flight or 0)
    engines = [
        Supervised(
            partial(_started, (*CHILD, in_flight), each),
            seen.inflight,
            seen.restarted,
            given.max_restarts,
        )
        for each in each_environ
    ]
    return engines[0] if len(engines) == 1 else Several(engines)


def project_path(environ: Mapping[str, str]) -> str:
    """PYTHONPATH with this project, which may be a checkout that is not installed."""
    given = environ.get("PYTHONPATH", "").split(os.pathsep)
    return os.pathsep.join([str(_ROOT), *filter(None, given)])


def environs(gpus: int, environ: Mapping[str, str]) -> list[dict[str, str]]:
    """That of each engine's process, which sees one GPU: of those that this one sees.

    Raises:
        UsageError: there are not so many.
    """
    if gpus < 2:
        return [dict(environ)]
    seen = list(filter(None, environ.get(_VISIBLE, "").split(","))) or list(map(str, range(gpus)))
    if gpus > len(seen):
        raise UsageError(f"--gpus {gpus}: {_VISIBLE} names {len(seen)}")
    return [{**environ, _VISIBLE: gpu} for gpu in seen[:gpus]]


async def _started(
    command: tuple[str, ...], environ: Mapping[str, str], request: Request
) -> ChildEngine:
    return await start_child(command, request, environ)
