"""GET /health."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request

from api.examples import HEALTH
from api.openapi import errors, shown
from api.schemas import Health
from api.served import ServedModels, served_models

router = APIRouter(tags=["health"])


@router.get("/health", responses={**shown(HEALTH), **errors(503)})
async def health(
    request: Request, served: Annotated[ServedModels, Depends(served_models)]
) -> Health:
    """What is being served; 503 until the models are loaded."""
    default = served.default
    return Health(
        default_model=default.name,
        models=[model.name for model in served.models],
        loaded=sorted(served.pool.loaded),
        device=default.device,
        dtype=default.dtype,
        version=request.app.version,
    )
