"""A comparison from its announcement to its last line."""

from __future__ import annotations

import sys

from cli.comparison.address import ComparisonError
from cli.comparison.client import Asking
from cli.comparison.compare import Compared, compare
from cli.comparison.plan import Plan
from cli.comparison.report import as_json, lines_of, plan_lines, summary


async def run(plan: Plan) -> int:
    """Compare and print; returns the number of differences.

    What people are told beside the result goes to stderr.

    Raises:
        ComparisonError: it could not be done to the end; what was found until then is printed.
    """
    size = plan.recording.stat().st_size
    print(*plan_lines(plan.servers, plan.calls, size), sep="\n", file=sys.stderr, flush=True)
    if plan.is_dry:
        print(*(call.name for call in plan.calls), sep="\n")
        return 0
    results: list[Compared] = []
    error: str | None = None
    try:
        await _collect(plan, results)
    except ComparisonError as failed:
        error = str(failed)
        raise
    finally:
        if plan.as_json:
            print(as_json(plan.servers, results, error))
    if not plan.as_json:
        print(summary(results))
    return sum(len(each.found) for each in results)


async def _collect(plan: Plan, results: list[Compared]) -> None:
    asking = Asking(plan.recording, plan.language, plan.timeout, _tell)
    async for each in compare(plan.servers, plan.calls, asking, plan.tolerance):
        if not plan.as_json:
            print(*lines_of(each, results), sep="\n", flush=True)
        results.append(each)


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
