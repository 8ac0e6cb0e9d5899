"""Text of recordings: what is printed, what is written, and the exit status."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from whisper.utils import WriteTSV, WriteTXT

from tests.api.fake import TRANSCRIPTIONS
from tests.client.conftest import Ran
from tests.client.serving import BROKEN, TEXT, api, ran, speaking
from tests.server import SECONDS

Run = Callable[..., Ran]
FORMATS = ("txt", "srt", "vtt", "tsv", "json")


def answer(url: str, **fields: str) -> str:
    """What the API itself answers."""
    data = {"model": "whisper-1", **fields}
    files = {"file": ("a.mp3", b"sound")}
    return httpx.post(f"{url}{TRANSCRIPTIONS}", data=data, files=files, timeout=SECONDS).text


def test_text_of_a_single_file_goes_to_standard_output(run: Run, recording: Path) -> None:
    with api(fake := speaking()) as url:
        assert run(recording, "--url", url) == (0, f"{TEXT}\n", "")
    assert [audio for audio, _ in fake.calls] == [b"sound"]
    assert [path.name for path in recording.parent.iterdir()] == ["talk.mp3"]


def test_all_formats_of_one_upload_are_as_the_api_and_openai_whisper_have_them(
    run: Run, recording: Path, tmp_path: Path
) -> None:
    (tmp_path / "in" / "sub").mkdir(parents=True)
    recording.rename(tmp_path / "in" / "sub" / "talk.mp3")
    out = tmp_path / "out"
    with api(fake := speaking()) as url:
        options = ("--recursive", "-o", out, "--output_format", "all", "--url", url)
        assert run(tmp_path / "in", *options)[:2] == (0, "")
        assert len(fake.calls) == 1
        told = {name: answer(url, response_format=name) for name in ("srt", "vtt", "verbose_json")}
    written = {name: (out / "sub" / f"talk.{name}").read_bytes().decode() for name in FORMATS}
    assert sorted(path.name for path in (out / "sub").iterdir()) == sorted(
        f"talk.{name}" for name in FORMATS
    )
    assert {name: written[name] for name in ("srt", "vtt")} == {
        name: told[name] for name in ("srt", "vtt")
    }
    assert written["json"] == told["verbose_json"]
    # As the server writes it, and Python does not.
    assert '"no_speech_prob":0.000015' in written["json"]
    for name, writer in (("tsv", WriteTSV("")), ("txt", WriteTXT(""))):
        file = io.StringIO()
        writer.write_result(json.loads(told["verbose_json"]), file)
        assert written[name] == file.getvalue()


@pytest.mark.parametrize("name", ["srt", "vtt"])
def test_limits_of_lines_are_the_servers(run: Run, recording: Path, name: str) -> None:
    with api(speaking()) as url:
        limit = ("--max_line_width", "12", "-f", name)
        assert run(recording, *limit, "--url", url)[0] == 0
        told = answer(url, response_format=name, max_line_width="12")
    assert recording.with_suffix(f".{name}").read_text("utf-8") == told


def test_options_reach_the_server(run: Run, recording: Path) -> None:
    options = [
        *("--language", "de", "--initial_prompt", "Aesop", "--temperature", "0.5"),
        *("--keyword", "Kubernetes", "--keyword", "BentoML", "--word_timestamps", "True"),
        *("--condition_on_previous_text", "True", "--no_speech_threshold", "None"),
    ]
    with api(fake := speaking()) as url:
        assert run(recording, *options, "-f", "json", "--url", url)[0] == 0
    [(_, asked)] = fake.calls
    assert (asked.language, asked.initial_prompt, asked.temperature) == ("de", "Aesop", (0.5,))
    assert asked.keywords == ("Kubernetes", "BentoML")
    assert asked.condition_on_previous_text
    assert asked.no_speech_threshold is None
    assert asked.word_timestamps
    words = json.loads(recording.with_suffix(".json").read_text("utf-8"))["words"]
    assert [each["word"] for each in words][:2] == ["The", "naïve"]


@pytest.mark.parametrize("command", [["translate"], ["transcribe", "--task", "translate"]])
def test_translation(run: Run, recording: Path, command: list[str]) -> None:
    with api(fake := speaking()) as url:
        assert run(*command, recording, "-f", "txt", "--url", url)[0] == 0
        formats = ("-f", "srt", "-f", "json")
        assert run(*command, recording, *formats, "--url", url)[0] == 0
    assert [asked.task for _, asked in fake.calls] == ["translate"] * 2
    assert recording.with_suffix(".txt").read_text("utf-8") == "The naïve wind and\nthe sun.\n"
    assert json.loads(recording.with_suffix(".json").read_text("utf-8"))["task"] == "translate"
    assert recording.with_suffix(".srt").read_text("utf-8").startswith("1\n00:00:00,000 --> ")


def test_one_bad_file_is_a_line_and_the_rest_goes_on(run: Run, tmp_path: Path) -> None:
    paths = [tmp_path / f"{number:02}.mp3" for number in range(20)]
    for path in paths:
        path.write_bytes(b"sound")
    paths[7].write_bytes(BROKEN)
    with api(speaking()) as url:
        status, out, errors = run(*paths, "--url", url)
    assert (status, out) == (1, "")
    line, summary = errors.splitlines()
    assert line == f"error: {paths[7]}: The file is not audio of a known format."
    assert summary.startswith("19 done, 1 failed in ")
    assert len(list(tmp_path.glob("*.txt"))) == 19


def test_missing_file_fails_alone(run: Run, recording: Path) -> None:
    with api(speaking()) as url:
        status, _, errors = run(recording, recording.with_name("no.mp3"), "--url", url)
    assert status == 1
    assert f"error: {recording.with_name('no.mp3')}: No such file or directory" in errors
    assert recording.with_suffix(".txt").is_file()


def test_what_is_done_is_skipped_and_needs_no_server(run: Run, recording: Path) -> None:
    with api(fake := speaking()) as url:
        assert run(recording, "-f", "srt", "--url", url)[0] == 0
        assert run(recording, "-f", "srt", "-f", "vtt", "--url", url)[0] == 0
        assert len(fake.calls) == 2
    status, out, errors = run(recording, "-f", "vtt", "--url", url)
    assert (status, out) == (0, "")
    assert errors.startswith("0 done, 1 skipped in ")


@pytest.mark.parametrize("again", ["changed", "overwrite"])
def test_what_is_not_done_any_more_is_done_again(run: Run, recording: Path, again: str) -> None:
    with api(fake := speaking()) as url:
        assert run(recording, "-f", "srt", "--url", url)[0] == 0
        later = recording.with_suffix(".srt").stat().st_mtime_ns + 1_000_000_000
        if again == "changed":
            os.utime(recording, ns=(later, later))
        more = ["--overwrite"] if again == "overwrite" else []
        assert run(recording, "-f", "srt", *more, "--url", url)[0] == 0
    assert len(fake.calls) == 2


def test_archive_knows_recordings_by_content(run: Run, recording: Path, tmp_path: Path) -> None:
    archive = tmp_path / "archive.txt"
    with api(fake := speaking()) as url:
        options = ("--archive", archive, "-f", "txt", "--url", url)
        assert run(recording, *options)[0] == 0
        copy = recording.rename(tmp_path / "re\nnamed.mp3")
        assert "1 skipped" in run(copy, *options)[2]
        recording.write_bytes(b"another sound")
        recording.with_suffix(".txt").unlink()
        assert run(recording, *options)[0] == 0
    assert [audio for audio, _ in fake.calls] == [b"sound", b"another sound"]
    assert len(archive.read_text("utf-8").splitlines()) == 2


def test_json_lines(run: Run, recording: Path) -> None:
    broken = recording.with_name("broken.mp3")
    broken.write_bytes(BROKEN)
    with api(speaking()) as url:
        status, out, _ = run(recording, broken, "--json-lines", "-f", "txt", "--url", url)
        again = run(recording, "--json-lines", "-f", "txt", "--url", url)[1]
    assert status == 1
    lines = {each["file"]: each for each in map(json.loads, out.splitlines())}
    done, failed = lines[str(recording)], lines[str(broken)]
    assert done.keys() == {"file", "status", "text", "seconds", "rtfx"}
    assert (done["status"], done["text"]) == ("done", TEXT)
    assert done["rtfx"] == pytest.approx(3.7 / done["seconds"], rel=0.1)
    assert failed == {
        "file": str(broken),
        "status": "failed",
        "error": "The file is not audio of a known format.",
    }
    assert json.loads(again) == {"file": str(recording), "status": "skipped"}
    assert recording.with_suffix(".txt").read_text("utf-8").split() == TEXT.split()


def test_json_lines_alone_write_no_files(run: Run, recording: Path) -> None:
    with api(speaking()) as url:
        out = run(recording, "--json-lines", "--url", url)[1]
    assert json.loads(out)["text"] == TEXT
    assert [path.name for path in recording.parent.iterdir()] == ["talk.mp3"]


def test_standard_input(tmp_path: Path) -> None:
    with api(fake := speaking()) as url:
        assert ran("-", "--url", url, stdin=b"piped", cwd=tmp_path) == (0, f"{TEXT}\n", "")
        srt = ran("-", "-f", "srt", "--url", url, stdin=b"piped")[1]
        assert srt == answer(url, response_format="srt")
        told = ran("-", "-f", "srt", "-o", tmp_path / "out", "--url", url, stdin=b"piped")
        assert told[:2] == (0, "")
    assert {audio for audio, _ in fake.calls} == {b"piped", b"sound"}
    assert (tmp_path / "out" / "stdin.srt").read_text("utf-8") == srt
    status, out, errors = ran("-", "-f", "srt", "-f", "vtt", "--url", url)
    assert (status, out) == (2, "")
    assert errors == "error: files of standard input need a folder: --output_dir\n"


@pytest.mark.parametrize(
    "name", ["a b.mp3", "a\nb.mp3", "🎙.mp3", "--language.mp3", "会议.mp3", os.fsdecode(b"\xff.mp3")]
)
def test_names_of_any_kind(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"sound")
    with api(speaking()) as url:
        assert ran("--url", url, "--", name, cwd=tmp_path) == (0, f"{TEXT}\n", "")
        assert ran("-f", "srt", "--url", url, "--", name, cwd=tmp_path)[0] == 0
    assert (tmp_path / name).with_suffix(".srt").is_file()


def test_folder_without_recordings_is_wrong_usage(run: Run, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing", encoding="utf-8")
    assert run(tmp_path) == (2, "", f"error: there is no audio or video in {tmp_path}\n")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ("--device", "cpu"),
            "--device is not an option here: it is a setting of the server ",
        ),
        (("--model_dir", "x"), "BENTOML_HOME"),
        (("--beam_size", "5"), "--beam-size is not an option here: the engine decides it"),
        (("--output_format", "doc"), "invalid choice: 'doc'"),
        (("--jobs", "0"), "'0' is no whole number from 1 on"),
        (("--timeout", "soon"), "'soon' is no number of seconds"),
        (("--verbose", "maybe"), "'maybe' is neither True nor False"),
    ],
)
def test_wrong_usage_is_a_line(
    capsys: pytest.CaptureFixture[str], run: Run, options: tuple[str, ...], said: str
) -> None:
    with pytest.raises(SystemExit) as stopped:
        run("a.mp3", *options)
    assert stopped.value.code == 2
    [line] = capsys.readouterr().err.splitlines()
    assert said in line


def test_an_option_that_the_server_refuses_ends_the_run(run: Run, recording: Path) -> None:
    others = [recording.with_name(f"{number}.mp3") for number in range(3)]
    for path in others:
        path.write_bytes(b"sound")
    with api(fake := speaking()) as url:
        status, _, errors = run(*others, "--language", "klingon", "-j", "1", "--url", url)
    assert status == 2
    assert errors.startswith("error: ")
    assert "klingon" in errors
    assert fake.calls == []


@pytest.mark.parametrize("option", ["--initial_prompt", "--model", "--keyword"])
def test_bytes_that_are_no_text(run: Run, recording: Path, option: str) -> None:
    status, _, errors = run(recording, option, os.fsdecode(b"Gr\xfc\xdfe"))
    assert (status, errors) == (2, "error: an option is no text in UTF-8: 'Gr\\udcfc\\udcdfe'\n")


def test_recordings_with_the_same_file_are_wrong_usage(run: Run, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "talk.mp3").write_bytes(folder.encode())
    with api(fake := speaking()) as url:
        named = (tmp_path / "a", tmp_path / "b")
        status, out, errors = run(*named, "-o", tmp_path / "out", "--url", url)
        assert (status, out, fake.calls) == (2, "", [])
        assert run(*named, "--url", url)[0] == 0
    assert errors.startswith(f"error: {named[0] / 'talk.mp3'} and {named[1] / 'talk.mp3'} would ")
    assert not (tmp_path / "out").exists()


def test_words_of_a_translation_are_wrong_usage(run: Run, recording: Path) -> None:
    status, _, errors = run("translate", recording, "--word_timestamps", "True")
    assert status == 2
    assert "a translation has no times of words" in errors
