"""The commands of `bulk` from the console: exit statuses, what is printed, and retry."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bulk.locks import working
from cli.__main__ import main
from tests.bulk.doubles import by_content, manifest_of, recordings, results
from tests.client.serving import BROKEN, TEXT, api, speaking
from tests.server import PROJECT, SECONDS

KEY = "sk-very-secret"
Ran = tuple[int, str, str]
RunCli = Callable[..., Ran]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> RunCli:
    """Runs `whisper-bento bulk`: exit status, output and errors."""

    def run_bulk(*arguments: str | Path) -> Ran:
        try:
            status = main(["bulk", *map(str, arguments)])
        except SystemExit as ended:
            status = int(ended.code or 0)
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run_bulk


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """One of three recordings, of which one is a text."""
    paths = recordings(tmp_path / "in", ["sound", BROKEN.decode(), "sound"])
    return manifest_of(tmp_path / "m.jsonl", paths)


def http(url: str) -> list[str]:
    return ["--runner", "http", "--url", url, "--progress", "plain"]


def test_run_prints_a_summary_and_says_what_failed(
    run: RunCli, manifest: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with api(speaking()) as url:
        status, printed, errors = run("run", manifest, "--out", out, *http(url), "--api-key", KEY)
    summary = json.loads(printed)
    assert (status, summary["ok"], summary["failed"], summary["left"]) == (1, 2, 1, 0)
    assert summary["failures"] == {"audio_error": 1}
    assert "00001.wav: The file is not audio of a known format. (audio_error)" in errors
    assert by_content(out)["00000.wav"]["text"] == TEXT
    assert KEY not in "".join(path.read_text() for path in out.iterdir())


def test_a_second_run_has_nothing_to_do_and_asks_nobody(
    run: RunCli, manifest: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with api(speaking()) as url:
        run("run", manifest, "--out", out, *http(url))
    status, printed, _ = run("run", manifest, "--out", out, *http("http://127.0.0.1:9"))
    assert (status, json.loads(printed)["chosen"]) == (0, 0)


def test_status_tells_what_there_is(run: RunCli, manifest: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with api(speaking()) as url:
        run("run", manifest, "--out", out, *http(url), "--srt")
    status, printed, _ = run("status", out, "--json")
    found = json.loads(printed)
    assert (status, found["ok"], found["failed"], found["left"]) == (1, 2, 1, 0)
    assert 'failures        {"audio_error": 1}' in run("status", out, "--compact")[1]
    assert len(list(out.glob("part-*"))) == 1
    assert len(list((out / "srt").iterdir())) == 2


def test_retry_takes_what_may_pass_with_the_runs_own_options(
    run: RunCli, manifest: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with api(speaking()) as url:
        run("run", manifest, "--out", out, *http(url), "--language", "de")
        (part,) = out.glob("part-*")
        lines = [json.loads(line) for line in part.read_text("utf-8").splitlines()]
        for line in lines:
            if line["uri"].endswith("00002.wav"):
                error = {"code": "unavailable", "message": "not now"}
                line |= {"status": "failed", "text": "", "error": error}
        part.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
        status, printed, _ = run("retry", out)
        assert (status, json.loads(printed)["ok"]) == (0, 1)
        assert json.loads(run("retry", out)[1])["chosen"] == 0
    found = by_content(out)
    assert (found["00002.wav"]["text"], found["00001.wav"]["status"]) == (TEXT, "failed")
    assert len({each["options_hash"] for each in results(out)}) == 1


def test_retry_without_a_server_loses_nothing(run: RunCli, manifest: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with api(speaking()) as url:
        run("run", manifest, "--out", out, *http(url))
    (part,) = out.glob("part-*")
    part.write_text(part.read_text().replace("audio_error", "unavailable"))
    before = part.read_bytes()
    for _ in range(2):
        assert run("retry", out, "--url", "http://127.0.0.1:9", "--timeout", "1")[0] == 3
    manifest.rename(tmp_path / "gone")
    assert run("retry", out)[0] == 2
    assert part.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "value"),
    [("keyword", None), ("url", [7]), ("disk_gib", "2"), ("model", 7), ("srt", 1)],
)
def test_retry_of_a_damaged_run_file_is_said(
    run: RunCli, manifest: Path, tmp_path: Path, name: str, value: object
) -> None:
    out = tmp_path / "out"
    with api(speaking()) as url:
        run("run", manifest, "--out", out, *http(url))
    found = json.loads((out / "run.json").read_text())
    found["arguments"][name] = value
    (out / "run.json").write_text(json.dumps(found))
    status, printed, errors = run("retry", out)
    assert (status, printed, errors.count("\n")) == (2, "", 1)
    assert name in errors


def test_status_without_a_manifest_of_any_name_is_1(run: RunCli, tmp_path: Path) -> None:
    (manifest := tmp_path / "m\udcff.jsonl").write_bytes(b'{"uri": "none.wav"}\n')
    out = tmp_path / "out"
    with api(speaking()) as url:
        run("run", manifest, "--out", out, *http(url))
    (part,) = out.glob("part-*")
    part.write_text(part.read_text().replace("failed", "ok").replace('"error": {', '"was": {'))
    assert run("status", out)[0] == 0
    manifest.unlink()
    status, printed, _ = run("status", out)
    assert (status, r"m\udcff.jsonl" in printed, "unknown" in printed) == (1, True, True)


def test_two_runs_at_once_are_status_1(run: RunCli, manifest: Path, tmp_path: Path) -> None:
    with working(tmp_path / "out", "all"):
        status, _, errors = run("run", manifest, "--out", tmp_path / "out", *http("http://h"))
    assert (status, "is going on already" in errors) == (1, True)


def test_a_changed_option_is_refused_by_name(run: RunCli, manifest: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with api(speaking()) as url:
        run("run", manifest, "--out", out, *http(url))
    status, printed, errors = run("run", manifest, "--out", out, "--runner", "http", "-l", "de")
    assert (status, printed) == (2, "")
    assert 'language: none -> "de"' in errors


def test_no_server_is_status_3_and_a_bad_manifest_is_2(
    run: RunCli, manifest: Path, tmp_path: Path
) -> None:
    status, printed, errors = run(
        "run", manifest, "--out", tmp_path / "out", *http("http://127.0.0.1:9")
    )
    assert (status, printed) == (3, "")
    assert errors.startswith("error: no answer from http://127.0.0.1:9/v1")
    manifest.write_text("talk.mp3\n")
    status, _, errors = run("run", manifest, "--out", tmp_path / "out", *http("http://h"))
    assert (status, "line 1: no JSON" in errors) == (2, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "m.jsonl"],
        ["run", "m.jsonl", "--out", "o", "--shard", "4/4"],
        ["run", "m.jsonl", "--out", "o", "--in-flight", "0"],
        ["run", "m.jsonl", "--out", "o", "--disk-gib", "none"],
        ["run", "m.jsonl", "--out", "o", "--metrics-port", "70000"],
        ["run", "m.jsonl", "--out", "o", "--runner", "spark"],
        ["retry", "."],
        ["make-manifest", "/no/such/folder"],
        ["nothing"],
    ],
)
def test_wrong_usage_is_status_2_in_a_line(run: RunCli, arguments: list[str]) -> None:
    status, printed, errors = run(*arguments)
    assert (status, printed, errors.count("\n")) == (2, "", 1)
    assert errors.startswith("error: ")


def test_make_manifest_prints_rows(run: RunCli, tmp_path: Path) -> None:
    recordings(tmp_path / "in", ["a", "b"])
    status, printed, errors = run("make-manifest", tmp_path / "in")
    uris = [json.loads(line)["uri"] for line in printed.splitlines()]
    assert uris == [str(tmp_path / "in" / f"0000{n}.wav") for n in range(2)]
    assert (status, errors) == (0, "2 recordings\n")
    assert run("make-manifest", tmp_path / "in", "--out", tmp_path / "m")[0] == 0
    assert (tmp_path / "m").read_text() == printed


def test_metrics_are_there_while_it_runs(run: RunCli, manifest: Path, tmp_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken, api(speaking()) as url:
        port = str(taken.getsockname()[1])
        status, _, errors = run(
            "run", manifest, "--out", tmp_path / "out", *http(url), "--metrics-port", port
        )
    assert (status, f"--metrics-port {port}" in errors) == (2, True)


@pytest.mark.parametrize("command", ["", "run", "status", "retry", "make-manifest"])
def test_help_imports_neither_models_nor_http(command: str) -> None:
    given = [*([command] if command else []), "--help"]
    code = (
        "import sys\nfrom cli.__main__ import main\n"
        f"try:\n    main(['bulk', *{given!r}])\nexcept SystemExit:\n    pass\n"
        "heavy = {'torch', 'bentoml', 'httpx', 'rich', 'fsspec'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, timeout=SECONDS, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
