"""Jobs as they come: the answer, what is kept, and what is refused without a trace."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.jobs.job_form import MAX_KEPT_BYTES
from api.keys import key_digest
from api.settings import Settings
from models.jobs.job_folder import JobFolder
from models.options import MAX_CHARACTERS, TranscribeOptions
from tests.api.fake import TRANSCRIPTIONS, TRANSLATIONS, FakeTranscriber, client
from tests.api.jobs.serving import FILES, GatedTranscriber, files_in, job_server, run
from tests.wire.promises import promises

KEY = "a-key-of-the-tests"


@promises(
    "Background jobs",
    "`background=true`, on transcriptions and translations: 202 at once with a job, whose shape is "
    "that of OpenAI's `/v1/videos`",
    "extension",
)
@pytest.mark.parametrize("path", [TRANSCRIPTIONS, TRANSLATIONS])
def test_job_is_told_at_once(tmp_path: Path, path: str) -> None:
    async def scenario() -> None:
        async with job_server(tmp_path, GatedTranscriber()) as server:
            answer = await server.submit({"metadata[episode]": "42"}, path=path)

            assert answer.status_code == 202
            told = answer.json()
            assert told["id"].startswith("transcription_")
            assert told == {
                "id": told["id"],
                "object": "transcription.job",
                "status": "queued",
                "progress": 0,
                "task": "transcribe" if path == TRANSCRIPTIONS else "translate",
                "model": "base",
                "created_at": told["created_at"],
                "completed_at": None,
                "expires_at": None,
                "audio_seconds": told["audio_seconds"],
                "position": 1,
                "metadata": {"episode": "42"},
                "error": None,
            }
            assert len(files_in(tmp_path, "uploads")) == 1

    run(scenario())


OPTIONS = {
    "language": "zh-TW",
    "prompt": "Namen",
    "temperature": "0.2",
    "keywords[]": "Kubernetes,BentoML",
    "chunking_strategy[type]": "server_vad",
    "chunking_strategy[threshold]": "0.7",
    "response_format": "srt",
    "max_line_width": "42",
    "logprob_threshold": "none",
    "drop": "none",
    "channel": "1",
    "audio_track": "en",
    "word_times": "openai",
}


def test_job_is_worked_on_with_all_options_of_its_request(tmp_path: Path) -> None:
    plain = FakeTranscriber()
    client(plain).post(TRANSCRIPTIONS, data={"model": "base", **OPTIONS}, files=FILES)
    fake = FakeTranscriber()

    async def scenario() -> None:
        async with job_server(tmp_path, fake) as server:
            await server.ended(await server.make(OPTIONS))

    run(scenario())
    [(audio, options)] = fake.calls
    [(_, expected)] = plain.calls
    assert audio == b"audio"
    assert options == TranscribeOptions(**{**vars(expected), "is_job": True})


def test_of_a_long_prompt_the_end_is_kept(tmp_path: Path) -> None:
    prompt = "ä" * 3 * MAX_CHARACTERS + "\N{GRINNING FACE}" * MAX_CHARACTERS
    fake = FakeTranscriber()

    async def scenario() -> None:
        async with job_server(tmp_path, fake) as server:
            await server.ended(await server.make({"prompt": prompt}))

    run(scenario())
    [(_, options)] = fake.calls
    assert options.initial_prompt == prompt[-MAX_CHARACTERS:]


def test_fields_that_are_too_large_to_be_kept_are_refused(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with job_server(tmp_path) as server:
            answer = await server.submit({"keywords": "x" * MAX_KEPT_BYTES})
            assert answer.status_code == 400
            assert "262144 bytes" in answer.json()["error"]["message"]

    run(scenario())


@pytest.mark.parametrize(
    "fields",
    [
        {"temperature": "7"},
        {"model": "gpt-5"},
        {"language": "klingon"},
        {"response_format": "diarized_json"},
        {"background": "maybe"},
    ],
)
def test_request_that_is_refused_is_refused_as_without_background(
    tmp_path: Path, fields: dict[str, str]
) -> None:
    plain = client().post(TRANSCRIPTIONS, data={"model": "base", **fields}, files=FILES)

    async def scenario() -> None:
        async with job_server(tmp_path) as server:
            answer = await server.submit(fields)
            assert (answer.status_code, answer.json()) == (plain.status_code, plain.json())
            assert not (tmp_path / "jobs.sqlite3").exists()

    run(scenario())


@pytest.mark.parametrize(
    ("fields", "param", "message"),
    [
        ({"stream": "true"}, "stream", "stream cannot be had with background"),
        ({"metadata": "[1]"}, "metadata", "it must be an object of strings"),
        ({"metadata": '{"a": 1}'}, "metadata", "it must be an object of strings"),
        ({"metadata": '{"a": "' + "x" * 513 + '"}'}, "metadata", "values 512"),
        ({"metadata": '{"a": "\\ud800"}'}, "metadata", "half of a surrogate pair"),
        ({"metadata": '{"\\udfff": "a"}'}, "metadata", "half of a surrogate pair"),
        ({f"metadata[{n}a]": "x" for n in range(17)}, "metadata", "it may have 16 pairs"),
        ({"expires_after": "59"}, "expires_after", "greater than or equal to 60"),
    ],
)
def test_fields_of_jobs_are_checked(
    tmp_path: Path, fields: dict[str, str], param: str, message: str
) -> None:
    async def scenario() -> None:
        async with job_server(tmp_path) as server:
            answer = await server.submit(fields)
            assert answer.status_code == 400
            error = answer.json()["error"]
            assert error["param"] == param
            assert message in error["message"]
            assert not (tmp_path / "jobs.sqlite3").exists()

    run(scenario())


def test_fields_of_jobs_mean_nothing_to_other_requests() -> None:
    fields = {"model": "base", "metadata": "[1]", "expires_after": "x", "webhook_url": "x"}
    fields["webhook_include"] = "x"
    assert client().post(TRANSCRIPTIONS, data=fields, files=FILES).status_code == 200


@promises(
    "Background jobs",
    "Without them, by `WHISPER_JOBS=false`, `background=true` is a 400 that names the setting",
    "extension",
)
def test_jobs_that_are_off_are_refused() -> None:
    fields = {"model": "base", "background": "true"}
    for answer in (
        client().post(TRANSCRIPTIONS, data=fields, files=FILES),
        client().get(TRANSCRIPTIONS),
        client().get(f"{TRANSCRIPTIONS}/transcription_0"),
    ):
        assert answer.status_code == 400
        assert "WHISPER_JOBS" in answer.json()["error"]["message"]


def test_server_without_jobs_opens_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with job_server(tmp_path) as server:
            answer = await server.http.post(TRANSCRIPTIONS, data={"model": "base"}, files=FILES)
            assert answer.status_code == 200
            health = await server.http.get("/health")
            assert health.json()["jobs"] == {"queued": 0, "in_progress": 0, "queued_seconds": 0}

    run(scenario())
    assert list(tmp_path.iterdir()) == []


@promises(
    "Background jobs",
    "The same `idempotency-key` gives the same job; with another recording or other fields a 409",
    "extension",
)
def test_idempotency_key(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with job_server(tmp_path, GatedTranscriber()) as server:
            headers = {"idempotency-key": "k-1"}
            first = await server.submit({"prompt": "x"}, headers=headers)
            again = await server.submit({"prompt": "x"}, headers=headers)
            assert again.status_code == 202
            assert again.json()["id"] == first.json()["id"]
            for prompt, audio in (("y", b"audio"), ("x", b"other")):
                other = await server.submit({"prompt": prompt}, audio=audio, headers=headers)
                assert other.status_code == 409
                assert other.json()["error"]["code"] == "idempotency_key_reused"
                assert other.headers["x-should-retry"] == "false"
            assert len(files_in(tmp_path, "uploads")) == 1
            long = await server.submit(headers={"idempotency-key": "k" * 256})
            assert long.status_code == 400

    run(scenario())


@promises(
    "Background jobs",
    "Beyond `WHISPER_JOBS_SECONDS` and `WHISPER_JOBS_DISK_MIB` a 503 with `Retry-After`; jobs that "
    "were taken are done",
    "extension",
)
@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"jobs_seconds": 60}, "overloaded"),
        ({"jobs_disk_mib": 1}, "no_room"),
    ],
)
def test_budgets(
    tmp_path: Path, settings: dict[str, int], code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    audio = bytes(800 * 1024)  # taken for 51 seconds

    def no_copy(*_: object) -> None:
        raise AssertionError("The recording is copied.")

    async def scenario() -> None:
        told, fake = Settings(jobs_dir=tmp_path, **settings), GatedTranscriber()
        async with job_server(tmp_path, fake, told) as server:
            first = await server.submit(audio=audio)
            assert first.status_code == 202
            with monkeypatch.context() as patch:
                patch.setattr(JobFolder, "keep_upload", no_copy)
                second = await server.submit(audio=audio)
            assert second.status_code == 503
            assert second.headers["retry-after"] == "60"
            assert second.json()["error"]["code"] == code
            assert len(files_in(tmp_path, "uploads")) == 1
            for _ in fake.segments:
                fake.steps.release()
            assert (await server.ended(first.json()["id"]))["status"] == "completed"
            assert (await server.submit(audio=audio)).status_code == 202

    run(scenario())


def test_folder_that_cannot_be_used_is_an_error_of_the_server(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    async def scenario() -> None:
        settings = Settings(jobs_dir=tmp_path / "file")
        async with job_server(tmp_path, settings=settings) as server:
            answer = await server.submit()
            assert answer.status_code == 503
            assert answer.headers["retry-after"] == "30"

    run(scenario())


def test_keys_are_kept_as_digests_alone(tmp_path: Path) -> None:
    async def scenario() -> None:
        settings = Settings(jobs_dir=tmp_path, api_keys=(key_digest(KEY),))
        async with job_server(tmp_path, GatedTranscriber(), settings) as server:
            await server.make(key=KEY)

    run(scenario())
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert KEY.encode() not in kept
    assert key_digest(KEY).hex().encode() in kept
