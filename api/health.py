"""GET /health."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request

from api.examples import HEALTH
from api.openapi import errors, shown
from api.schemas import CancelledHealth, Health, QueueHealth
from api.served import ServedModels, served_models

router = APIRouter(tags=["health"])


@router.get("/health", responses={**shown(HEALTH), **errors(503)})
async def health(
    request: Request, served: Annotated[ServedModels, Depends(served_models)]
) -> Health:
    """What is being served; 503 until the models are loaded."""
    default, admission = served.default, served.admission
    return Health(
        default_model=default.name,
        models=[model.name for model in served.models],
        device=default.device,
        dtype=default.dtype,
        version=request.app.version,
        queue=QueueHealth(
            running=admission.running, waiting=admission.waiting, seconds=admission.held
        ),
        cancelled=CancelledHealth(
            requests=admission.counters.cancelled,
            windows=sum(model.transcriber.cancelled_windows for model in served.models),
        ),
    )
