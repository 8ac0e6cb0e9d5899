"""Requests with broken multipart bodies; each can be made again from its number."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from tests.wire.bodies import (
    BOUNDARIES,
    BOUNDARY,
    CHARSETS,
    CONTENT_TYPES,
    DISPOSITIONS,
    FIELDS,
    FILE,
    FILE_HEAD,
    IN_SOME_CHARSET,
    MEBIBYTE,
    MODEL,
    MULTIPART,
    NAMES,
    VALUES,
    Part,
    body_of,
    named,
)


@dataclass(frozen=True)
class Sent:
    """A request's body and its content type."""

    body: bytes
    content_type: bytes = MULTIPART + BOUNDARY


def whole(random: Random) -> list[Part]:
    """Parts that can be served, the file first or last."""
    return random.choice([[FILE, *FIELDS], [*FIELDS, FILE]])


def with_more(random: Random, *more: Part) -> Sent:
    """Parts that can be served, with more of them somewhere."""
    parts = whole(random)
    place = random.randint(0, len(parts))
    return Sent(body_of([*parts[:place], *more, *parts[place:]]))


def doubled_parts(random: Random) -> Sent:
    return with_more(random, *[random.choice([FILE, *FIELDS])] * random.randint(1, 5))


def missing_parts(random: Random) -> Sent:
    parts = whole(random)
    return Sent(body_of(random.sample(parts, random.randrange(len(parts)))))


def empty_parts(random: Random) -> Sent:
    parts = whole(random)
    place = random.randrange(len(parts))
    head, data = parts[place]
    parts[place] = random.choice([(head, b""), (b"", data), (b"", b"")])
    return Sent(body_of(parts))


def another_boundary(random: Random) -> Sent:
    return Sent(body_of(whole(random)), MULTIPART + random.choice(BOUNDARIES))


def another_type(random: Random) -> Sent:
    return Sent(body_of(whole(random)), random.choice(CONTENT_TYPES))


def boundary_in_content(random: Random) -> Sent:
    line = random.choice([b"--" + BOUNDARY, b"--" + BOUNDARY + b"--", b"--" + BOUNDARY[:-3]])
    line = random.choice([b"", b"\r\n", b"\n"]) + line + random.choice([b"", b"\r\n", b"\r"])
    parts = whole(random)
    place = random.randrange(len(parts))
    head, data = parts[place]
    end = random.randint(0, len(data))
    parts[place] = (head, data[:end] + line + data[end:])
    return Sent(body_of(parts))


def huge_header(random: Random) -> Sent:
    size = random.choice([1_000, 5_000, 70_000, 2 * MEBIBYTE])
    heads = [
        b"X-Large: " + b"x" * size,
        b"X-" + b"x" * size + b": y",
        b"x" * size,
        named(b"n" * size),
        named(b"file", b'; filename="' + b"f" * size + b'"'),
        named(b"prompt", b"; x=y" * (size // 5)),
    ]
    return with_more(random, (random.choice(heads), b"data"))


def many_headers(random: Random) -> Sent:
    headers = [b"X-%d: y" % number for number in range(random.choice([5, 50, 20_000]))]
    return with_more(random, (b"\r\n".join([named(b"prompt"), *headers]), b"data"))


def many_parts(random: Random) -> Sent:
    part = random.choice(
        [
            (named(b"unknown"), b""),
            (named(b"keywords[]"), b"word"),
            (named(b"x", b'; filename="x"'), b"data"),
            (named(b"file", b'; filename="x"'), b""),
            (b"", b""),
        ]
    )
    return with_more(random, *[part] * random.choice([5, 100, 200, 10_000]))


def charsets(random: Random) -> Sent:
    charset = random.choice(CHARSETS)
    name = random.choice([*NAMES, *IN_SOME_CHARSET])
    more = random.choice([b"", b'; filename="x"', b"\r\nContent-Type: text/plain; charset="])
    part = (named(name, more + charset if b"charset" in more else more), b"\\ud800")
    body = with_more(random, part, (named(b"_charset_"), charset)).body
    return Sent(body, MULTIPART + BOUNDARY + random.choice([b"", b"; charset=" + charset]))


def dispositions(random: Random) -> Sent:
    return with_more(random, (random.choice(DISPOSITIONS), b"data"))


def strange_values(random: Random) -> Sent:
    name = random.choice(NAMES) + random.choice([b"", b"", b"[]", b"[type]", b"[0]"])
    return Sent(body_of([FILE, MODEL, (named(name), random.choice(VALUES))]))


def nested(random: Random) -> Sent:
    inner = random.choice([BOUNDARY, b"inner", BOUNDARY + b"2"])
    head = named(random.choice([b"file", b"prompt", b"unknown"]))
    head += b"\r\nContent-Type: multipart/mixed; boundary=" + inner
    return with_more(random, (head, body_of(whole(random), inner)))


def around(random: Random) -> Sent:
    more = random.choice([b"\r\n", b"preamble\r\n", b"\r\n" * 1_000, random.randbytes(100)])
    body = body_of(whole(random))
    return Sent(random.choice([more + body, body + more, more + body + more, body + body]))


def large(random: Random) -> Sent:
    size = random.randint(1, 3) * MEBIBYTE
    piece = random.choice([b"\r\n", b"\r", b"\x00", b"--" + BOUNDARY[:-1]])
    data = piece * (size // len(piece))
    return random.choice(
        [
            Sent(data),
            Sent(body_of([(FILE_HEAD, data), *FIELDS])),
            Sent(body_of([*FIELDS, (FILE_HEAD, data)])[:-50]),
            with_more(random, (named(b"unknown"), data)),
        ]
    )


def garbage(random: Random) -> Sent:
    noise = random.randbytes(random.choice([0, 1, 2, 100, 10_000]))
    start = b"--" + BOUNDARY
    return Sent(random.choice([b"", start, start + b"\r\n", start + b"--"]) + noise)


def damaged(random: Random) -> Sent:
    return with_damage(random, Sent(body_of(whole(random))))


def cut(random: Random, body: bytes) -> bytes:
    return body[: random.randint(0, len(body))]


def cut_at_the_start(random: Random, body: bytes) -> bytes:
    return body[random.randint(0, min(len(body), 300)) :]


def flipped(random: Random, body: bytes) -> bytes:
    changed = bytearray(body)
    # Half of them where the headers are, rather than in the audio.
    maximum = min(random.choice([len(body), 400]), len(body))
    for _ in range(random.randint(1, 20) if body else 0):
        changed[random.randrange(maximum)] ^= 1 << random.randrange(8)
    return bytes(changed)


def line_ends(random: Random, body: bytes) -> bytes:
    ends = [b"\n", b"\r", b"\r\r\n", b"\n\r", b"", b"\r\n\r\n"]
    share = random.choice([0.02, 0.3, 1.0])

    def another(end: re.Match[bytes]) -> bytes:
        return random.choice(ends) if random.random() < share else end[0]

    return re.sub(rb"\r\n", another, body)


def moved(random: Random, body: bytes) -> bytes:
    first, second, third = sorted(random.randint(0, len(body)) for _ in range(3))
    a, b, c, d = body[:first], body[first:second], body[second:third], body[third:]
    return random.choice([a + c + b + d, a + c + d, a + b + b + c + d, d + c + b + a])


DAMAGES: list[Callable[[Random, bytes], bytes]] = [cut, cut_at_the_start, flipped, line_ends, moved]
MUTATIONS: list[Callable[[Random], Sent]] = [
    *(doubled_parts, missing_parts, empty_parts, another_boundary, another_type),
    *(boundary_in_content, huge_header, many_headers, many_parts, charsets, dispositions),
    *(strange_values, strange_values, strange_values, nested, around, garbage),
    *(damaged, damaged, damaged, damaged, damaged),
]


def with_damage(random: Random, sent: Sent) -> Sent:
    """The same with its bytes damaged."""
    return replace(sent, body=random.choice(DAMAGES)(random, sent.body))


def mutated(number: int) -> tuple[str, Sent]:
    """The request of that number, and what it is called."""
    random = Random(number)
    mutation = MUTATIONS[number % len(MUTATIONS)] if number % 100 else large
    sent = mutation(random)
    if random.random() < 0.2:
        sent = with_damage(random, sent)
    return f"{number}, {mutation.__name__}", sent


def in_pieces(number: int, body: bytes) -> list[bytes]:
    """A body in up to ten pieces, cut anywhere."""
    random = Random(number)
    ends = sorted(random.randint(0, len(body)) for _ in range(random.randint(0, 9)))
    return [body[a:b] for a, b in zip([0, *ends], [*ends, len(body)], strict=True)]
