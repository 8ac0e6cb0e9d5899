"""GET /health."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request

from api.health_schemas import (
    CancelledHealth,
    Health,
    HealthStatus,
    JobsHealth,
    LimitsHealth,
    ModelHealth,
    QueueHealth,
)
from api.jobs.jobs import find_jobs
from api.openapi.examples import HEALTH
from api.openapi.openapi import errors, shown
from api.request_context import context_of
from api.requests.model_registry import ModelRegistry, registry_of

router = APIRouter(tags=["health"])


@router.get("/health", responses={**shown(HEALTH), **errors(503)})
async def health(
    request: Request, registry: Annotated[ModelRegistry, Depends(registry_of)]
) -> Health | HealthStatus:
    """What is being served; 503 until the models are loaded. Without a key it is the status."""
    if context_of(request).asks_for_key:
        return HealthStatus()
    default, admission, limits = registry.default, registry.admission, registry.limits
    states = {name: model.state() for name, model in registry.pool.loaded.items()}
    loaded = [
        ModelHealth(
            name=name,
            device=state.device,
            dtype=state.dtype,
            slots=state.slots,
            running=state.running,
            waiting=state.waiting,
        )
        for name, state in states.items()
    ]
    return Health(
        default_model=default.name,
        models=[model.name for model in registry.models],
        device=states[default.name].device,
        dtype=states[default.name].dtype,
        version=request.app.version,
        queue=QueueHealth(
            running=admission.running, waiting=admission.waiting, seconds=admission.held
        ),
        cancelled=CancelledHealth(
            requests=admission.cancelled,
            windows=sum(state.counters.cancelled for state in states.values()),
        ),
        limits=LimitsHealth(upload_bytes=limits.upload_bytes, audio_seconds=limits.audio_seconds),
        jobs=await _jobs(request),
        loaded=loaded,
    )


async def _jobs(request: Request) -> JobsHealth | None:
    jobs = find_jobs(request.app.state)
    if jobs is None:
        return None
    totals = await jobs.totals()
    return JobsHealth(
        queued=totals.by_status.get("queued", 0),
        in_progress=totals.by_status.get("in_progress", 0),
        queued_seconds=round(totals.queued_seconds),
    )
