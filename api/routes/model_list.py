"""GET /v1/models; GET and DELETE /v1/models/{id}."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, NoReturn

from fastapi import APIRouter, Depends, Path

from api.errors import ApiError
from api.openapi.examples import MODEL, MODEL_LIST
from api.openapi.openapi import errors, own_error, shown
from api.requests.model_registry import ModelRegistry, registry_of
from api.schemas import Model, ModelList

router = APIRouter(tags=["models"])

Registry = Annotated[ModelRegistry, Depends(registry_of)]
ModelId = Annotated[str, Path(description="A model id.", examples=["whisper-1"])]


@router.get("/models", responses={**shown(MODEL_LIST), **errors(503)})
async def models(registry: Registry) -> ModelList:
    """Every model id that requests may name."""
    return ModelList(
        data=[
            Model(id=model_id, created=registry.find(model_id).created)
            for model_id in registry.ids()
        ]
    )


def _undeletable(model_id: str) -> ApiError:
    message = f"The model '{model_id}' is part of this server and cannot be deleted over HTTP."
    return ApiError(message, status=HTTPStatus.FORBIDDEN, param="model")


# `path`: an id may have slashes, as in openai/whisper-base
@router.get("/models/{model_id:path}", responses={**shown(MODEL), **errors(404, 503)})
async def model(model_id: ModelId, registry: Registry) -> Model:
    """One model id."""
    return Model(id=model_id, created=registry.find(model_id).created)


@router.delete(
    "/models/{model_id:path}",
    status_code=HTTPStatus.FORBIDDEN,
    response_model=None,
    responses={
        **errors(404, 503),
        **own_error("Whoever runs the server deletes models.", _undeletable("base")),
    },
)
async def delete_model(model_id: ModelId, registry: Registry) -> NoReturn:
    """Refused: whoever runs the server deletes models, with `whisper-bento models delete`."""
    registry.find(model_id)
    raise _undeletable(model_id)
