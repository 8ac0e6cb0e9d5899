"""A multipart body that can be served, and the headers and values that nobody should send."""

from __future__ import annotations

import io
import wave

from api.forms.parameters import TranscriptionRequest
from tests.speech_clips import FORMATS

BOUNDARY = b"----a-boundary-of-the-tests"
MULTIPART = b"multipart/form-data; boundary="
MEBIBYTE = 1024 * 1024
# A third of a second, so that what can be read after all is transcribed in no time.
FRAMES = 5_000

Part = tuple[bytes, bytes]


def named(name: bytes, more: bytes = b"") -> bytes:
    """The header of a part with this name."""
    return b'Content-Disposition: form-data; name="' + name + b'"' + more


def short_audio() -> bytes:
    """The start of a recording."""
    made = io.BytesIO()
    with (
        wave.open(str(FORMATS / "jfk-16k.wav")) as clip,
        wave.open(made, "wb") as piece,
    ):
        piece.setparams(clip.getparams())
        piece.writeframes(clip.readframes(FRAMES))
    return made.getvalue()


def body_of(parts: list[Part], boundary: bytes = BOUNDARY) -> bytes:
    """The parts, each a header and data, between boundaries."""
    start = b"--" + boundary + b"\r\n"
    joined = b"".join(start + head + b"\r\n\r\n" + data + b"\r\n" for head, data in parts)
    return joined + b"--" + boundary + b"--\r\n"


FILE_HEAD = named(b"file", b'; filename="a.wav"') + b"\r\nContent-Type: audio/x-wav"
FILE: Part = (FILE_HEAD, short_audio())
MODEL: Part = (named(b"model"), b"tiny.en")
FIELDS: list[Part] = [
    MODEL,
    (named(b"response_format"), b"verbose_json"),
    (named(b"timestamp_granularities[]"), b"word"),
    (named(b"prompt"), "Zürich, 東京.".encode()),
    (named(b"chunking_strategy[type]"), b"server_vad"),
]

BOUNDARIES = [
    BOUNDARY + b"x",
    BOUNDARY[:-1],
    BOUNDARY.upper(),
    b"",
    b'""',
    b'"' + BOUNDARY + b'"',
    b'"' + BOUNDARY,
    b"-",
    b"a b",
    b"\xe4",
    *(b"b" * length for length in (70, 71, 300, 5_000)),
    BOUNDARY + b"; boundary=b",
    BOUNDARY + b"; boundary=" + BOUNDARY,
]
CONTENT_TYPES = [
    b"",
    b"text/plain",
    b"application/x-www-form-urlencoded",
    b"multipart/form-data",
    b"multipart/form-data; boundary",
    b"multipart/mixed; boundary=" + BOUNDARY,
    b"multipart/form-data, multipart/form-data; boundary=" + BOUNDARY,
    b"MULTIPART/FORM-DATA;BOUNDARY=" + BOUNDARY,
    b";;;" + MULTIPART + BOUNDARY,
    b"multipart/form-data;" * 50 + b"boundary=" + BOUNDARY,
]
CHARSETS = [
    *b"utf-8 utf-8-sig utf-7 utf-16 utf-32 latin-1 idna punycode undefined hex rot13".split(),
    *b"zlib bz2 unicode_escape raw_unicode_escape mbcs cp037 big5 klingon ../etc \xe4 ''".split(),
    b'"utf-8',
    b"",
    b"c" * 3_000,
]
IN_SOME_CHARSET = [b"\\ud800", b"+2AA-", b"\xff\xfe\xd8", "ä".encode(), b"616", b"xn--a\xff"]
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
    b"Content-Disposition: form-data;\r\n name=prompt",
    b"Content-Disposition: form-data; name=prompt\r\nContent-Disposition: form-data; name=model",
    b"Content-Disposition: attachment; name=prompt",
    b"Content-Disposition: ;;;;name=prompt",
    b"Content-Disposition : form-data; name=prompt",
    b"content-disposition:form-data;name=prompt",
    b"Content-Disposition: form-data; name=file; filename*=utf-8''a.wav",
    named(b"file", b'; filename="C:\\a\\b.wav"'),
    named(b"file", b'; filename="../../../etc/passwd"'),
    named(b"file", b'; filename="\x00"'),
    b"Content-Transfer-Encoding: base64\r\n" + named(b"prompt"),
    b"Content-Length: 7\r\n" + named(b"prompt"),
    *map(named, (b"prompt\x00", b"\xed\xa0\x80", b"prompt[]" * 300, b"file[]", b"languages[[[]")),
    b": ",
    b":",
    b"\x00: \x00",
    b"",
]
NAMES = [*(name.encode() for name in TranscriptionRequest.model_fields), b"unknown"]
VALUES = [
    *(b"\x00", b"a\x00b", b"\xed\xa0\x80", b"\xff\xfe\x00", b"\xef\xbb\xbfen", b"\xe2\x80\xae"),
    *(b"1e999", b"1e-999", b"-0", b"NaN", b"Infinity", b"1_000", "٣".encode()),
    *(b"9" * 5_000, b"-" + b"9" * 400, b"0." + b"9" * 5_000),
    *(b"none", b"null", b"{}", b"[]", b"[[[]]]", b"[null, 1, {}]", b"data:,", b"%s%n{}{0}"),
    *(b'"\\ud800"', b'["\\ud800"]', b'{"type": "\\ud800"}'),
    b'{"type": "server_vad", "threshold": ' + b"9" * 5_000 + b"}",
    b'{"type": "server_vad", "threshold": 1e999}',
    *(b"[" * 50_000, b'{"a":' * 50_000, b"," * 10_000, b"x" * MEBIBYTE),
]
