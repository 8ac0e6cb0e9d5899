"""Multipart bodies as nobody should send them; each can be made again from its number."""

from __future__ import annotations

import io
import re
import wave
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from api.parameters import TranscriptionRequest
from tests.speech_clips import FORMATS

BOUNDARY = b"----a-boundary-of-the-tests"
MULTIPART = b"multipart/form-data; boundary="
# A third of a second of speech, so that what can be read after all is transcribed in no time.
FRAMES = 5_000
MEBIBYTE = 1024 * 1024

Parts = list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Sent:
    """A request's body and its content type."""

    body: bytes
    content_type: bytes = MULTIPART + BOUNDARY


def disposition(name: bytes, more: bytes = b"") -> bytes:
    """The header that names a part."""
    return b'Content-Disposition: form-data; name="' + name + b'"' + more


def audio() -> bytes:
    """The recording in every body."""
    made = io.BytesIO()
    with (
        wave.open(str(FORMATS / "jfk-16k.wav")) as clip,
        wave.open(made, "wb") as piece,
    ):
        piece.setparams(clip.getparams())
        piece.writeframes(clip.readframes(FRAMES))
    return made.getvalue()


AUDIO = audio()
FILE = (
    disposition(b"file", b'; filename="a.wav"') + b"\r\nContent-Type: audio/x-wav",
    AUDIO,
)
FIELDS: Parts = [
    (disposition(b"model"), b"tiny.en"),
    (disposition(b"response_format"), b"verbose_json"),
    (disposition(b"timestamp_granularities[]"), b"word"),
    (disposition(b"prompt"), "Zürich, 東京.".encode()),
    (disposition(b"chunking_strategy[type]"), b"server_vad"),
]


def body_of(parts: Parts, boundary: bytes = BOUNDARY) -> bytes:
    """The parts between boundaries."""
    start = b"--" + boundary + b"\r\n"
    joined = b"".join(start + head + b"\r\n\r\n" + data + b"\r\n" for head, data in parts)
    return joined + b"--" + boundary + b"--\r\n"


def whole(random: Random) -> Parts:
    """The parts of a body that can be served, the file first or last."""
    return [FILE, *FIELDS] if random.random() < 0.5 else [*FIELDS, FILE]


def within(random: Random, parts: Parts, *more: tuple[bytes, bytes]) -> Sent:
    """The parts, with more of them somewhere."""
    place = random.randint(0, len(parts))
    return Sent(body_of([*parts[:place], *more, *parts[place:]]))


def doubled_parts(random: Random) -> Sent:
    parts = whole(random)
    return within(random, parts, *[random.choice(parts)] * random.randint(1, 5))


def missing_parts(random: Random) -> Sent:
    parts = whole(random)
    return Sent(body_of(random.sample(parts, random.randint(0, len(parts) - 1))))


def another_boundary(random: Random) -> Sent:
    body = body_of(whole(random))
    named = random.choice(
        [
            BOUNDARY + b"x",
            BOUNDARY[:-1],
            BOUNDARY.upper(),
            b"",
            b'""',
            b'"' + BOUNDARY + b'"',
            b'"' + BOUNDARY,
            b'" "',
            b"-",
            b"\xe4",
            b"b" * random.choice([70, 71, 300, 5_000]),
            BOUNDARY + b"; boundary=b",
            BOUNDARY + b"; boundary=" + BOUNDARY,
        ]
    )
    return Sent(body, MULTIPART + named)


def another_type(random: Random) -> Sent:
    kinds = [
        b"",
        b"multipart/form-data",
        b"multipart/form-data; boundary",
        b"multipart/form-data, multipart/form-data; boundary=" + BOUNDARY,
        b"multipart/mixed; boundary=" + BOUNDARY,
        b"text/plain",
        b"application/x-www-form-urlencoded",
        b"MULTIPART/FORM-DATA;BOUNDARY=" + BOUNDARY,
        b";;;" + MULTIPART + BOUNDARY,
        b"multipart/form-data;" * 50 + b"boundary=" + BOUNDARY,
    ]
    return Sent(body_of(whole(random)), random.choice(kinds))


def boundary_in_content(random: Random) -> Sent:
    line = random.choice([b"--" + BOUNDARY, b"--" + BOUNDARY + b"--", b"--" + BOUNDARY[:-3]])
    line = random.choice([b"", b"\r\n", b"\n"]) + line + random.choice([b"", b"\r\n", b"\r"])
    parts = whole(random)
    place = random.randrange(len(parts))
    head, data = parts[place]
    cut = random.randint(0, len(data))
    parts[place] = (head, data[:cut] + line + data[cut:])
    return Sent(body_of(parts))


def huge_header(random: Random) -> Sent:
    size = random.choice([1_000, 5_000, 70_000, 2 * MEBIBYTE])
    heads = [
        b"X-Large: " + b"x" * size,
        b"X-" + b"x" * size + b": y",
        disposition(b"n" * size),
        disposition(b"file", b'; filename="' + b"f" * size + b'"'),
        disposition(b"prompt", b"; x=y" * (size // 5)),
        b"x" * size,
    ]
    return within(random, whole(random), (random.choice(heads), b"data"))


def many_headers(random: Random) -> Sent:
    headers = [b"X-%d: y" % number for number in range(random.choice([5, 50, 20_000]))]
    head = b"\r\n".join([disposition(b"prompt"), *headers])
    return within(random, whole(random), (head, b"data"))


def many_parts(random: Random) -> Sent:
    count = random.choice([5, 100, 200, 10_000])
    more = random.choice(
        [
            (disposition(b"unknown"), b""),
            (disposition(b"keywords[]"), b"word"),
            (disposition(b"x", b'; filename="x"'), b"data"),
            (disposition(b"file", b'; filename="x"'), b""),
            (b"", b""),
        ]
    )
    return within(random, whole(random), *[more] * count)


CHARSETS = (
    b'utf-8 latin-1 utf-16 utf-32 utf-7 idna punycode undefined hex rot13 zlib bz2 unicode_escape \
raw_unicode_escape utf-8-sig mbcs cp037 big5 klingon ../../etc \xe4 "utf-8 '.split(b" ")
)


def charsets(random: Random) -> Sent:
    charset = random.choice([*CHARSETS, b"c" * 3_000])
    parts = whole(random)
    text = random.choice(
        [b"\\ud800", b"+2AA-", b"\xff\xfe\xd8", "ä".encode(), b"616", b"xn--a\xff"]
    )
    parts.append((disposition(random.choice([b"prompt", b"model", b"language"])), text))
    if random.random() < 0.7:
        return Sent(body_of(parts), MULTIPART + BOUNDARY + b"; charset=" + charset)
    place = random.randrange(len(parts))
    head, data = parts[place]
    parts[place] = (head + b"\r\nContent-Type: text/plain; charset=" + charset, data)
    return within(random, parts, (disposition(b"_charset_"), charset))


DISPOSITIONS = [
    b"Content-Disposition: form-data",
    b"Content-Disposition: form-data; name",
    b"Content-Disposition: form-data; name=",
    b'Content-Disposition: form-data; name=""',
    b'Content-Disposition: form-data; name="prompt',
    b'Content-Disposition: form-data; name="pro\\"mpt"',
    b"Content-Disposition: form-data; name=prompt; name=model",
    b"Content-Disposition: form-data; name*=utf-8''prompt",
    b"Content-Disposition: form-data; name*=klingon'x'%ff; name=prompt",
    b"Content-Disposition: form-data; name*0=pro; name*1=mpt",
    b"Content-Disposition: attachment; name=prompt",
    b"Content-Disposition: form-data; name=file; filename*=utf-8''a.wav",
    b'Content-Disposition: form-data; name="file"; filename="C:\\a\\b.wav"',
    b'Content-Disposition: form-data; name="file"; filename="../../../etc/passwd"',
    b'Content-Disposition: form-data; name="file"; filename="\x00"',
    b"Content-Disposition: ;;;;name=prompt",
    b"content-disposition:form-data;name=prompt",
    b"Content-Disposition : form-data; name=prompt",
    b"Content-Disposition: form-data;\r\n name=prompt",
    b"Content-Disposition: form-data; name=prompt\r\nContent-Disposition: form-data; name=model",
    b"Content-Transfer-Encoding: base64\r\n" + disposition(b"prompt"),
    b"Content-Length: 7\r\n" + disposition(b"prompt"),
    disposition(b"prompt\x00"),
    disposition(b"\xed\xa0\x80"),
    disposition(b"prompt[]" * 300),
    disposition(b"chunking_strategy[[[]"),
    disposition(b"file[]"),
    b": ",
    b":",
    b"\x00: \x00",
    b"",
]


def dispositions(random: Random) -> Sent:
    return within(random, whole(random), (random.choice(DISPOSITIONS), b"data"))


NAMES = [name.encode() for name in TranscriptionRequest.model_fields] + [b"unknown"]
VALUES = [
    b"\x00",
    b"a\x00b",
    b"\xed\xa0\x80",
    b"\xff\xfe\x00",
    b"\xef\xbb\xbfen",
    b"\xe2\x80\xae",
    b"9" * 5_000,
    b"-" + b"9" * 400,
    b"0." + b"9" * 5_000,
    b"1e999",
    b"1e-999",
    b"-0",
    b"NaN",
    b"Infinity",
    b"1_000",
    "٣".encode(),
    b"none",
    b"null",
    b"{}",
    b"[]",
    b"[[[]]]",
    b"[null, 1, {}]",
    b"[" * 50_000,
    b'{"a":' * 50_000,
    b'{"type": "server_vad", "threshold": ' + b"9" * 5_000 + b"}",
    b'{"type": "server_vad", "threshold": 1e999}',
    b'{"type": "\\ud800"}',
    b'["\\ud800"]',
    b'"\\ud800"',
    b"data:,",
    b"%s%n{}{0}",
    b"," * 10_000,
    b"x" * MEBIBYTE,
]


def strange_values(random: Random) -> Sent:
    parts = whole(random)
    for _ in range(random.choice([1, 1, 2])):
        name = random.choice(NAMES) + random.choice([b"", b"", b"[]", b"[type]", b"[0]"])
        parts.append((disposition(name), random.choice(VALUES)))
    return Sent(body_of(parts))


def empty_parts(random: Random) -> Sent:
    parts = whole(random)
    place = random.randrange(len(parts))
    head, data = parts[place]
    parts[place] = random.choice([(head, b""), (b"", data), (b"", b"")])
    return Sent(body_of(parts))


def nested(random: Random) -> Sent:
    inner = random.choice([BOUNDARY, b"inner", BOUNDARY + b"2"])
    head = disposition(random.choice([b"file", b"prompt", b"unknown"]))
    head += b"\r\nContent-Type: multipart/mixed; boundary=" + inner
    return within(random, whole(random), (head, body_of(whole(random), inner)))


def around(random: Random) -> Sent:
    filler = random.choice([b"\r\n", b"preamble\r\n", b"\r\n" * 1_000, random.randbytes(100)])
    body = body_of(whole(random))
    return Sent(random.choice([filler + body, body + filler, filler + body + filler, body + body]))


def large(random: Random) -> Sent:
    size = random.randint(1, 3) * MEBIBYTE
    data = random.choice([b"\r\n", b"\r", b"\x00", b"--" + BOUNDARY[:-1]])
    filled = data * (size // len(data))
    parts = [(FILE[0], filled), *FIELDS]
    return random.choice(
        [
            Sent(body_of(parts)),
            Sent(body_of(parts)[:-50]),
            Sent(filled),
            within(random, whole(random), (disposition(b"unknown"), filled)),
        ]
    )


def garbage(random: Random) -> Sent:
    noise = random.randbytes(random.choice([0, 1, 2, 100, 10_000]))
    start = b"--" + BOUNDARY
    return Sent(
        random.choice([noise, start + noise, start + b"\r\n" + noise, start + b"--" + noise])
    )


def untouched(random: Random) -> Sent:
    return Sent(body_of(whole(random)))


def cut(random: Random, body: bytes) -> bytes:
    return body[: random.randint(0, len(body))]


def cut_start(random: Random, body: bytes) -> bytes:
    return body[random.randint(0, min(len(body), 300)) :]


def flipped(random: Random, body: bytes) -> bytes:
    damaged = bytearray(body)
    # Where the headers are, rather than in the audio.
    most = random.choice([len(body), 400])
    for _ in range(random.randint(1, 20) if body else 0):
        damaged[random.randrange(min(most, len(body)))] ^= 1 << random.randrange(8)
    return bytes(damaged)


def line_ends(random: Random, body: bytes) -> bytes:
    ends = [b"\r\n", b"\n", b"\r", b"\r\r\n", b"\n\r", b"", b"\r\n\r\n"]
    share = random.choice([0.02, 0.3, 1.0])

    def another(end: re.Match[bytes]) -> bytes:
        return random.choice(ends) if random.random() < share else end[0]

    return re.sub(rb"\r\n", another, body)


def moved(random: Random, body: bytes) -> bytes:
    first, second, third = sorted(random.randint(0, len(body)) for _ in range(3))
    a, b, c, d = body[:first], body[first:second], body[second:third], body[third:]
    return random.choice([a + c + b + d, a + c + d, a + b + b + c + d, d + c + b + a])


DAMAGES: list[Callable[[Random, bytes], bytes]] = [cut, cut_start, flipped, line_ends, moved]
MUTATIONS: list[Callable[[Random], Sent]] = [
    doubled_parts,
    missing_parts,
    another_boundary,
    another_type,
    boundary_in_content,
    huge_header,
    many_headers,
    many_parts,
    charsets,
    dispositions,
    strange_values,
    strange_values,
    empty_parts,
    nested,
    around,
    garbage,
    untouched,
    untouched,
    untouched,
    untouched,
    untouched,
]


def mutated(number: int) -> Sent:
    """The body of that number."""
    random = Random(number)
    mutation = MUTATIONS[number % len(MUTATIONS)]
    sent = mutation(random) if number % 100 else large(random)
    if mutation is untouched or random.random() < 0.2:
        return replace(sent, body=random.choice(DAMAGES)(random, sent.body))
    return sent
