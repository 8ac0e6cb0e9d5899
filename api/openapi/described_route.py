"""Routes that read their requests themselves, with their operation in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from starlette.routing import Route

from api.errors import ApiError, error_body


@dataclass(frozen=True)
class Operation:
    """An operation, as OpenAPI describes it, and the schemas that it refers to."""

    method: str
    fields: Mapping[str, Any]
    schemas: Sequence[type[BaseModel]] = ()


class DescribedRoute(Route):
    """A route of Starlette's; FastAPI describes those alone that it reads the requests of."""

    def __init__(self, path: str, endpoint: Callable[..., Any], operation: Operation) -> None:
        super().__init__(path, endpoint, methods=[operation.method])
        self.operation = operation


def refused(description: str, example: ApiError) -> dict[str, Any]:
    """An error answer, with an example of its envelope."""
    schema = {"$ref": "#/components/schemas/ErrorBody"}
    shown = {"schema": schema, "example": error_body(example).model_dump()}
    return {"description": description, "content": {"application/json": shown}}
