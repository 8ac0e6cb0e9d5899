"""Offline benchmark: speed, accuracy and memory over recordings, alone or against peers."""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from scripts.bench.competitor import COMPETITORS
from scripts.bench.peer_files.weights import write_files
from scripts.bench.worker import Pass, Worker
from scripts.shared.accuracy import word_error_rate
from scripts.shared.command_line import (
    Parser,
    add_machine,
    add_precision,
    add_report,
    add_strategy,
    positive,
    positive_float,
    run,
)
from scripts.shared.corpus import add_choice, choice_of, choose, joined
from scripts.shared.errors import BenchError
from scripts.shared.host import describe_host
from scripts.shared.manifest import Clip
from scripts.shared.report import number, table
from scripts.shared.run_config import RunConfig

OURS = "ours"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; the exit status: 0, 1 for an error, 130 when interrupted."""
    return run(_parser(), _measure, arguments)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m scripts.bench.offline", description=__doc__)
    parser.add_argument(
        "--against",
        type=_competitors,
        default=[],
        metavar="NAME,...",
        help=f"peers: {', '.join(name for name in COMPETITORS if name != OURS)} (default: none)",
    )
    parser.add_argument("--rounds", type=positive, default=3, metavar="N", help="default: 3")
    parser.add_argument(
        "--time-limit",
        type=positive_float,
        default=1800.0,
        metavar="S",
        help="seconds for one competitor in one round (default: 1800)",
    )
    add_report(parser, "offline.json")
    add_choice(parser)
    parser.add_argument("--join", action="store_true", help="join the clips to one long recording")
    _add_model(parser)
    return parser


def _add_model(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("model")
    weights = group.add_mutually_exclusive_group()
    weights.add_argument("--model", default="base", help="from the store (default: base)")
    weights.add_argument(
        "--random-weights", metavar="NAME", help="this model's dimensions; speed only"
    )
    group.add_argument(
        "--tokens-per-window",
        type=positive,
        default=100,
        metavar="N",
        help="with random weights (default: 100)",
    )
    add_machine(group)
    ours = parser.add_argument_group("ours")
    add_precision(ours)
    ours.add_argument("--slots", type=positive, default=0, metavar="N", help="default: as served")
    ours.add_argument(
        "--concurrency",
        type=positive,
        default=1,
        metavar="N",
        help="recordings in flight at once (default: 1)",
    )
    add_strategy(ours)
    peers = parser.add_argument_group("faster-whisper")
    peers.add_argument("--compute-type", default="int8", help="default: int8")
    peers.add_argument("--batch-size", type=positive, default=8, metavar="N")


def _competitors(text: str) -> list[str]:
    names = [name for name in text.split(",") if name]
    for name in names:
        if name not in COMPETITORS or name == OURS:
            known = ", ".join(name for name in COMPETITORS if name != OURS)
            raise argparse.ArgumentTypeError(f"{name!r} is none of {known}")
    return list(dict.fromkeys(names))


def _setup(options: argparse.Namespace) -> RunConfig:
    return RunConfig(
        model=options.random_weights or options.model,
        tokens_per_window=options.tokens_per_window if options.random_weights else None,
        threads=options.threads,
        device=options.device,
        dtype=options.dtype,
        slots=options.slots,
        concurrency=options.concurrency,
        strategy=options.strategy,
        compute_type=options.compute_type,
        batch_size=options.batch_size,
    )


def _measure(options: argparse.Namespace) -> dict[str, object]:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        chosen = choose(choice_of(options))
        clips = [joined(chosen, Path(folder) / "joined.wav")] if options.join else chosen
        return _compare(options, chosen, clips, Path(folder))


def _compare(
    options: argparse.Namespace, chosen: Sequence[Clip], clips: Sequence[Clip], folder: Path
) -> dict[str, object]:
    setup = _setup(options)
    names = [OURS, *options.against]
    if setup.tokens_per_window is None:
        _import(setup.model)
    files = write_files(setup, names, folder)
    setups = {name: replace(setup, files=files.get(name)) for name in names}
    with ExitStack() as stack:
        workers, started = [], {}
        for name in names:  # one after another, so that each loads alone
            worker = stack.enter_context(Worker(name, setups[name], options.time_limit))
            started[name] = worker.ready()
            worker.transcribe([min(chosen, key=lambda clip: clip.seconds)])  # warms up
            workers.append(worker)
        passes = _run(workers, clips, options.rounds)
    results = {name: _result(clips, passes[name], setup) | started[name] for name in names}
    ratios = {name: _ratio(passes[OURS], passes[name]) for name in options.against}
    _print(clips, results, ratios, setup)
    return {
        "hardware": describe_host(),
        "setup": asdict(setup),
        "audio": _audio(chosen, clips),
        "rounds": options.rounds,
        "competitors": results,
        "ours_over_peer": ratios,
    }


def _import(model: str) -> None:
    command = [sys.executable, "-m", "cli", "import", model, "--if-missing"]
    if subprocess.run(command, check=False, cwd=Path(__file__).parents[2]).returncode:  # noqa: S603
        raise BenchError(f"{model} could not be imported")


def _run(workers: Sequence[Worker], clips: Sequence[Clip], rounds: int) -> dict[str, list[Pass]]:
    """Every competitor in turn, so that what disturbs the machine disturbs them alike."""
    passes: dict[str, list[Pass]] = {worker.name: [] for worker in workers}
    audio = sum(clip.seconds for clip in clips)
    for number_ in range(1, rounds + 1):
        for worker in workers:
            done = worker.transcribe(clips)
            passes[worker.name].append(done)
            print(
                f"round {number_}: {worker.name} {audio / done.seconds:.1f} RTFx", file=sys.stderr
            )
    return passes


def _result(clips: Sequence[Clip], passes: Sequence[Pass], setup: RunConfig) -> dict[str, Any]:
    audio = sum(clip.seconds for clip in clips)
    return {
        "rtfx": _spread([audio / done.seconds for done in passes]),
        "wer_percent": _error_rate(clips, passes, setup),
        "cpu_seconds": statistics.median(done.cpu_seconds for done in passes),
        "peak_memory": max(done.peak_memory for done in passes),
        "seconds": [done.seconds for done in passes],
        "texts": passes[-1].texts,
    }


def _error_rate(clips: Sequence[Clip], passes: Sequence[Pass], setup: RunConfig) -> float | None:
    if setup.tokens_per_window is not None:
        return None
    rates = [word_error_rate(clips, done.texts) for done in passes]
    known = [rate for rate in rates if rate is not None]
    return statistics.median(known) if known else None


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def _ratio(ours: Sequence[Pass], peer: Sequence[Pass]) -> dict[str, float]:
    """Speed relative to a peer's, round by round."""
    return _spread([other.seconds / own.seconds for own, other in zip(ours, peer, strict=True)])


def _audio(chosen: Sequence[Clip], clips: Sequence[Clip]) -> dict[str, object]:
    return {
        "seconds": sum(clip.seconds for clip in clips),
        "joined": clips[0] is not chosen[0],
        "clips": [{"name": clip.path.name, "seconds": clip.seconds} for clip in chosen],
    }


def _print(
    clips: Sequence[Clip],
    results: dict[str, dict[str, Any]],
    ratios: dict[str, dict[str, float]],
    setup: RunConfig,
) -> None:
    audio = sum(clip.seconds for clip in clips)
    weights = f"random weights, {setup.tokens_per_window} tokens a window"
    kind = setup.model if setup.tokens_per_window is None else f"{setup.model} ({weights})"
    print(f"{kind}: {len(clips)} recordings, {audio:.0f} s, {setup.threads} threads\n")
    rows = [["", "RTFx", "min", "max", "WER %", "CPU s", "peak MB", "load s", "ours/peer", "how"]]
    for name, result in results.items():
        rate = result["rtfx"]
        rows.append(
            [
                name,
                *(number(rate[key]) for key in ("median", "min", "max")),
                number(result["wer_percent"]),
                number(result["cpu_seconds"]),
                number(result["peak_memory"] / 1e6, 0),
                number(result["load_seconds"]),
                number(ratios[name]["median"] if name in ratios else None, 2),
                result["description"],
            ]
        )
    print(table(rows))


if __name__ == "__main__":
    sys.exit(main())
