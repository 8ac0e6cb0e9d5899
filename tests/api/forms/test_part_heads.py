"""Preambles and file names in every form, to both readers of bodies, which must agree."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from api.forms.preamble import MAX_PREAMBLE_BYTES
from api.middleware.native_body import NativeBody
from serving.patches.bentoml_server import replace_defaults
from tests.api.fake import TRANSCRIPTIONS, FakeTranscriber, client

BOUNDARY = "xXx"
HEADERS = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}
AUDIO = b"RIFF\x00\xff\r\n--not the boundary"
END = f"--{BOUNDARY}--\r\n".encode()
CHINESE = "%E5%BD%95%E9%9F%B3.ogg"

# The status, and the file as it was read or the message of the error.
Answer = tuple[int, bytes | str]
Reader = Callable[[bytes, int], Answer]


def part(disposition: str, data: bytes = AUDIO, more: str = "") -> bytes:
    head = f"--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n{more}\r\n"
    return head.encode() + data + b"\r\n"


MODEL = part('name="model"', b"base")
FILE = part('name="file"; filename="a.wav"')


def through_openai(body: bytes, size: int) -> Answer:
    """By the OpenAI app."""
    fake = FakeTranscriber()
    answer = client(fake).post(TRANSCRIPTIONS, content=pieces(body, size), headers=HEADERS)
    if answer.status_code != 200:
        return answer.status_code, str(answer.json()["error"]["message"])
    return 200, fake.calls[0][0]


def through_bentoml(body: bytes, size: int) -> Answer:
    """By the native endpoint: followed, and then read by Starlette as BentoML does it."""

    async def reached(request: Request) -> PlainTextResponse:
        async with request.form() as form:
            file = form["file"]
            assert not isinstance(file, str)
            return PlainTextResponse(await file.read())

    replace_defaults()
    app = NativeBody(Starlette(routes=[Route("/transcribe", reached, methods=["POST"])]))
    answer = TestClient(app).post("/transcribe", content=pieces(body, size), headers=HEADERS)
    if answer.status_code != 200:
        return answer.status_code, str(answer.json()["error"]["message"])
    return 200, answer.content


def pieces(body: bytes, size: int) -> list[bytes]:
    return [body[at : at + size] for at in range(0, len(body), size)]


both = pytest.mark.parametrize("read", [through_openai, through_bentoml])
in_pieces = pytest.mark.parametrize("size", [1, 100_000])


@both
@in_pieces
@pytest.mark.parametrize(
    "name",
    [
        f"filename*=UTF-8''{CHINESE}",
        f"filename*=utf-8'zh'{CHINESE}",
        "filename*=ISO-8859-1''na%EFve.wav",
        "filename*=\"UTF-8''quoted.wav\"",
        "Filename*=UTF-8''capital.wav",
        "filename* = UTF-8''spaced.wav",
        "filename*=UTF-8''",
        "filename*0=a; filename*1=.wav",
        "filename*0*=UTF-8''%E5%BD; filename*1*=%95.wav",
        'FILENAME="a.wav"',
        'filename = "a.wav"',
        f"filename=\"=?utf-8?B?5b2V6Z+zLm9nZw==?=\"; filename*=utf-8''{CHINESE}",
        f"filename*=utf-8''{CHINESE}; filename=\"a.wav\"",
    ],
)
def test_every_kind_of_file_name_makes_a_file(read: Reader, size: int, name: str) -> None:
    assert read(part(f'name="file"; {name}') + MODEL + END, size) == (200, AUDIO)


@both
def test_file_name_may_come_before_the_name(read: Reader) -> None:
    body = part(f"filename*=UTF-8''{CHINESE}; name=file") + MODEL + END

    assert read(body, 7) == (200, AUDIO)


@both
@pytest.mark.parametrize(
    "disposition",
    [
        'name="file"',
        'name="file"; title="; filename*=UTF-8\'\'a"',
        'name="file"; title="\\"; filename*=x"',
        "name=\"file\"; filenames*=UTF-8''a",
        "name=\"file\"; filename*x=UTF-8''a",
        "name=\"file\"; my-filename*=UTF-8''a",
        'name="file"; filename*',
    ],
)
def test_part_without_file_name_is_none_whatever_its_type(read: Reader, disposition: str) -> None:
    body = MODEL + part(disposition, b"text", "Content-Type: audio/ogg\r\n") + END

    assert read(body, 100) == (400, "The field 'file' must be a file part with a file name.")


@both
@pytest.mark.parametrize("field", ["model", "prompt"])
def test_text_with_an_extended_file_name_is_a_file_and_refused(read: Reader, field: str) -> None:
    body = part(f"name=\"{field}\"; filename*=UTF-8''a") + FILE + END

    assert read(body, 100) == (400, f"The field {field!r} must be text, not a file.")


@both
@in_pieces
@pytest.mark.parametrize(
    "preamble",
    [
        b"This is a MIME message\r\n",
        b"two lines\r\nof text\r\n",
        b"\r\n",
        b"\r\n\r\n\r\n",
        b"ends in a line feed\n",
        b"--\r\n--xX\r\n--xXxY\r\n --xXx\r\nin --xXx\r\n",
        b"--xXx no boundary\r\n",
        b"\x00\xff\xfe binary \r\r\n",
        b"x" * (MAX_PREAMBLE_BYTES - 1000) + b"\r\n",
    ],
)
def test_preamble_is_passed_over(read: Reader, size: int, preamble: bytes) -> None:
    assert read(preamble + MODEL + FILE + END, size) == (200, AUDIO)


@both
def test_space_after_a_boundary_is_no_preamble(read: Reader) -> None:
    body = b"text\r\n" + MODEL.replace(b"xXx\r\n", b"xXx \t\r\n") + FILE + END + b"epilogue"

    assert read(body, 3) == (200, AUDIO)


@both
@in_pieces
def test_preamble_has_a_bound(read: Reader, size: int) -> None:
    body = b"x" * MAX_PREAMBLE_BYTES + b"\r\n" + MODEL + FILE + END
    message = "The multipart body cannot be read: its boundary does not come."

    assert read(body, size) == (400, message)


@both
@pytest.mark.parametrize("body", [b"{}", b"garbage" * 10, b"--xXy\r\n\r\n--xXy--\r\n", b"--xXx"])
def test_body_without_its_boundary_is_refused(read: Reader, body: bytes) -> None:
    assert read(body, 5) == (
        400,
        "The multipart body cannot be read: its boundary does not come.",
    )


def test_body_without_its_boundary_is_refused_before_it_is_read() -> None:
    sent = 0

    def endless() -> object:
        nonlocal sent
        for _ in range(10_000):
            sent += 1
            yield b"x" * 1024

    for app, path in ((client(), TRANSCRIPTIONS), (TestClient(NativeBody(_reads)), "/transcribe")):
        sent = 0
        answer = app.post(path, content=endless(), headers=HEADERS)  # type: ignore[arg-type]
        assert answer.status_code == 400
        assert answer.json()["error"]["message"].endswith("its boundary does not come.")


async def _reads(scope: object, receive: object, send: object) -> None:
    await Request(scope, receive).body()  # type: ignore[arg-type]


@both
def test_end_of_a_preamble_may_be_all(read: Reader) -> None:
    status, message = read(b"text\r\n" + END, 100)

    assert (status, message) == (400, "The field 'file' is missing: it must hold the audio.")
