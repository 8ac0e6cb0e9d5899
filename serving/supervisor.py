"""Supervision of worker processes, prepared: scratch directory, open files, circus's watcher."""

from __future__ import annotations

import resource
import tempfile
from functools import partial

from bentoml.exceptions import BentoMLException

from api.settings import Settings, hand_down_scratch, hand_down_signing_key
from serving.listener import open_listener
from serving.patches.circus_watcher import replace_watcher
from serving.scratch import clear_after, open_scratch

# Open files, connections among them: many systems let a process have 1,024 unless it asks.
MAX_FILES = 65536


def start_supervision(settings: Settings) -> None:
    """Prepare how workers are kept, before BentoML starts them.

    Raises:
        BentoMLException: nothing can be written where temporary files go, or Wyoming has no port.
    """
    try:
        scratch = open_scratch()
    except OSError as error:
        raise BentoMLException(f"no place for temporary files: {error}") from error
    hand_down_scratch(scratch)
    hand_down_signing_key()
    tempfile.tempdir = str(scratch)
    _allow_more_files()
    if settings.wyoming_port:
        open_listener(settings)
    replace_watcher(settings.shutdown_seconds, partial(clear_after, scratch))


def _allow_more_files() -> None:
    _, allowed = resource.getrlimit(resource.RLIMIT_NOFILE)
    maximum = MAX_FILES if allowed == resource.RLIM_INFINITY else min(allowed, MAX_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (maximum, allowed))
