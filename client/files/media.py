"""Suffixes of audio and video: what is taken of a folder."""

from __future__ import annotations

from pathlib import PurePath

# Of the containers that the server reads. A file that is named is sent whatever it is called.
# fmt: off
SUFFIXES = frozenset({
    "3g2", "3gp", "aac", "ac3", "adts", "aif", "aifc", "aiff", "amr", "ape", "asf", "au", "avi",
    "caf", "dsf", "dss", "dts", "eac3", "f4v", "flac", "flv", "gsm", "m2ts", "m4a", "m4b", "m4r",
    "m4v", "mka", "mkv", "mov", "mp2", "mp3", "mp4", "mpe", "mpeg", "mpg", "mpga", "mts", "mxf",
    "oga", "ogg", "ogm", "ogv", "opus", "ra", "rm", "rmvb", "snd", "spx", "tak", "tta", "ts", "voc",
    "vob", "w64", "wav", "weba", "webm", "wma", "wmv", "wv",
})
# fmt: on


def is_media(path: PurePath) -> bool:
    """Whether a file of this name is taken for a recording."""
    return path.suffix[1:].lower() in SUFFIXES and not path.name.startswith(".")
