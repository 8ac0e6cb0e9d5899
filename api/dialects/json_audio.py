"""Scanner of a JSON body that comes in pieces: the base64 in it apart from the rest.

Of the recording only a piece at a time is in memory, whatever its size.
"""

from __future__ import annotations

import binascii
import re

from api.errors import ApiError

MAX_REST = 1024 * 1024
MAX_DEPTH = 32
_TOKEN = re.compile(rb'["{}\[\]]')
_END_OR_ESCAPE = re.compile(rb'["\\]')
_ESCAPE = re.compile(rb"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_CUT_ESCAPE = re.compile(rb"\\(?:u[0-9a-fA-F]{0,3})?\Z")
_DATA_URL = re.compile(rb"data:[^,]{0,200};base64,")
_LONGEST_DATA_URL = 256
_SPACE = b" \t\r\n"


def bad_json(reason: str) -> ApiError:
    """The error of a body that is no JSON we know."""
    return ApiError(f"The JSON body cannot be read: {reason}")


class Base64Stream:
    """Decodes the content of a JSON string that is base64, with or without `data:...;base64,`."""

    def __init__(self) -> None:
        self._escape = self._quad = b""
        self._start: bytes | None = b""
        self._is_over = False

    def decode(self, text: bytes, *, last: bool) -> bytes:
        """The bytes of the next piece; an `ApiError` if it is not base64."""
        text = self._without_prefix(self._unescaped(text, last), last).translate(None, _SPACE)
        text = self._quad + text
        whole = len(text) if last else len(text) - len(text) % 4
        text, self._quad = text[:whole], text[whole:]
        if not text:
            return b""
        if self._is_over:
            raise _not_base64("there is more behind its end")
        self._is_over = text.endswith(b"=")
        if len(text) % 4 > 1:  # some write it without its padding
            text += b"=" * (-len(text) % 4)
        try:
            return binascii.a2b_base64(text, strict_mode=True)
        except binascii.Error as error:
            raise _not_base64(str(error)) from error

    def _unescaped(self, text: bytes, last: bool) -> bytes:
        """Slashes and plus signs are written as escapes by some."""
        text, self._escape = self._escape + text, b""
        if b"\\" not in text:
            return text
        if not last and (cut := _CUT_ESCAPE.search(text)):
            text, self._escape = text[: cut.start()], cut[0]
        return _ESCAPE.sub(_character, text)

    def _without_prefix(self, text: bytes, last: bool) -> bytes:
        if self._start is None:
            return text
        self._start += text
        if len(self._start) < _LONGEST_DATA_URL and not last:
            return b""
        text, self._start = self._start, None
        return text[match.end() :] if (match := _DATA_URL.match(text)) else text


def _character(escape: re.Match[bytes]) -> bytes:
    if escape[1] is None:
        return {b"n": b"\n", b"r": b"\r", b"t": b"\t"}.get(escape[2], escape[2])
    return chr(int(escape[1], 16)).encode("utf-8", "surrogatepass")


def _not_base64(reason: str) -> ApiError:
    message = f"The field 'input_audio.data' is not base64: {reason[:1].lower()}{reason[1:]}."
    return ApiError(message, param="input_audio", code="invalid_value")


class AudioScanner:
    """Takes a body in pieces; `rest` is all of it with an empty string in the recording's place."""

    def __init__(self) -> None:
        self.rest = bytearray()
        self.found = False
        self._audio: Base64Stream | None = None
        self._in_string = self._escaped = False
        self._depth = 0
        # The last string, what has come since, and the key of the object that we are in.
        self._string, self._since, self._parent = bytearray(), b"", b""

    def feed(self, piece: bytes) -> bytes:
        """The part of the recording that is in the next piece.

        Raises:
            ApiError: it is not base64, or the rest is beyond its limits.
        """
        audio, position = b"", 0
        while position < len(piece):
            if self._audio:
                decoded, position = self._in_audio(self._audio, piece, position)
                audio += decoded
            elif self._in_string:
                position = self._in_text(piece, position)
            else:
                position = self._outside(piece, position)
            if len(self.rest) > MAX_REST:
                raise bad_json(f"without the audio it has more than {MAX_REST} bytes.")
        return audio

    def _in_audio(self, stream: Base64Stream, piece: bytes, start: int) -> tuple[bytes, int]:
        end = piece.find(b'"', start)
        if end < 0:
            return stream.decode(piece[start:], last=False), len(piece)
        self._audio = None
        self.rest += b'"'
        self._string, self._since = bytearray(), b""
        return stream.decode(piece[start:end], last=True), end + 1

    def _in_text(self, piece: bytes, start: int) -> int:
        if self._escaped:
            self._escaped = False
            end = start + 1
        else:
            found = _END_OR_ESCAPE.search(piece, start)
            end = found.end() if found else len(piece)
            self._escaped = found is not None and found[0] == b"\\"
            self._in_string = found is None or found[0] == b"\\"
        self.rest += piece[start:end]
        self._string += piece[start : end if self._in_string else end - 1]
        return end

    def _outside(self, piece: bytes, start: int) -> int:
        found = _TOKEN.search(piece, start)
        end = found.end() if found else len(piece)
        self.rest += piece[start:end]
        self._since += piece[start : found.start() if found else end]
        if found:
            self._take(found[0])
        return end

    def _take(self, token: bytes) -> None:
        follows_key = self._since.strip() == b":"
        if token == b'"':
            if follows_key and (self._depth, self._parent) == (2, b"input_audio"):
                self._begin_value()
            else:
                self._in_string = True
            self._string = self._string if self._audio else bytearray()
        elif token in b"{[":
            self._depth += 1
            if self._depth == 2:
                self._parent = bytes(self._string) if follows_key and token == b"{" else b""
        else:
            self._depth -= 1
        self._since = b""
        if self._depth > MAX_DEPTH:
            raise bad_json(f"it is nested in more than {MAX_DEPTH} levels.")

    def _begin_value(self) -> None:
        if self._string != b"data":
            self._in_string = True
            return
        if self.found:
            raise bad_json("the field 'input_audio.data' is there twice.")
        self.found, self._audio = True, Base64Stream()
