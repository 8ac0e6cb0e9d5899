"""The client as a single file, which has this module first and its other modules as text."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from types import ModuleType

_PACKAGE = ".__init__"


class Modules(MetaPathFinder, InspectLoader):
    """Imports modules from their source text in `sources`.

    Its keys are full names; that of a package ends in `.__init__`.
    """

    def __init__(self, sources: Mapping[str, str]) -> None:
        self._sources = sources

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module of this name, if it is one of these."""
        is_ours = fullname in self._sources or self.is_package(fullname)
        return spec_from_loader(fullname, self) if is_ours else None

    def is_package(self, fullname: str) -> bool:
        """Whether it is a package."""
        return f"{fullname}{_PACKAGE}" in self._sources

    def get_source(self, fullname: str) -> str:
        """Its text."""
        name = f"{fullname}{_PACKAGE}" if self.is_package(fullname) else fullname
        return self._sources[name]


def run(sources: Mapping[str, str], url: str) -> int:
    """Run the client of these `sources`, which asks the server at `url` unless told another."""
    sys.meta_path.insert(0, Modules(sources))
    from client.__main__ import main

    # One that is empty names no other server, as everywhere.
    return main(environ={**os.environ, "WHISPER_URL": os.environ.get("WHISPER_URL") or url})
