"""What `bentoml build --arg NAME=VALUE` says: a bento keeps it, and is served with it."""

from __future__ import annotations

from typing import Literal

import bentoml
from pydantic import BaseModel

from api.settings import Settings


class Arguments(BaseModel, extra="forbid"):
    """Which model a bento carries, and what its packages are for; `cuda` runs on CPUs as well."""

    model: str = Settings().default_model
    device: Literal["cpu", "cuda"] = "cpu"


def read_arguments() -> Arguments:
    """Those of the command line, or of the bento that is served.

    Raises:
        bentoml.exceptions.InvalidArgument: there is no such argument, or no such device.
    """
    return bentoml.use_arguments(Arguments)
