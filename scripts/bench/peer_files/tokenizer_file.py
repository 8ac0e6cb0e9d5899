"""openai-whisper's vocabulary in the form of Hugging Face's `tokenizer.json`."""

from __future__ import annotations

import json
from functools import cache
from itertools import pairwise

from whisper.tokenizer import get_tokenizer

from models.checkpoints.catalogue import Dimensions

_BYTE_LEVEL = {
    "type": "ByteLevel",
    "add_prefix_space": False,
    "trim_offsets": True,
    "use_regex": True,
}


@cache
def vocabulary_json(dims: Dimensions) -> str:
    """Every token by id, in GPT-2's byte-level letters; what no token has is a placeholder."""
    ranks, specials = ranks_and_specials(dims)
    names = {rank: _letters(token) for token, rank in ranks.items()}
    names |= {number: name for name, number in specials.items()}
    return json.dumps([names.get(number, f"<|unused{number}|>") for number in range(dims.n_vocab)])


@cache
def tokenizer_json(dims: Dimensions) -> str:
    """A `tokenizer.json` that encodes and decodes as openai-whisper does."""
    ranks, specials = ranks_and_specials(dims)
    added = [
        {
            "id": number,
            "content": name,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": True,
        }
        for name, number in sorted(specials.items(), key=lambda item: item[1])
    ]
    content = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "normalizer": None,
        "pre_tokenizer": _BYTE_LEVEL,
        "post_processor": None,
        "decoder": _BYTE_LEVEL,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": "",
            "end_of_word_suffix": "",
            "fuse_unk": False,
            "vocab": {_letters(token): rank for token, rank in ranks.items()},
            "merges": [
                " ".join(map(_letters, _halves(token, ranks)))
                for token in sorted(ranks, key=lambda token: ranks[token])
                if len(token) > 1
            ],
        },
    }
    return json.dumps(content)


def ranks_and_specials(dims: Dimensions) -> tuple[dict[bytes, int], dict[str, int]]:
    """The tokens of text by their bytes, and the special ones by name, with their ids."""
    tokenizer = get_tokenizer(dims.is_multilingual, num_languages=dims.num_languages)
    specials = tokenizer.special_tokens
    texts = range(min(specials.values()))
    decode = tokenizer.encoding.decode_single_token_bytes
    return {decode(number): number for number in texts}, specials


def _halves(token: bytes, ranks: dict[bytes, int]) -> list[bytes]:
    """The two tokens that byte-pair encoding merges into this one, from the ranks alone."""
    parts = [bytes([byte]) for byte in token]
    while len(parts) > 2:
        merged = [ranks.get(left + right, len(ranks)) for left, right in pairwise(parts)]
        first = merged.index(min(merged))
        parts[first : first + 2] = [parts[first] + parts[first + 1]]
    return parts


def _letters(token: bytes) -> str:
    return "".join(map(_letter, token))


@cache
def _letter(byte: int) -> str:
    """GPT-2's letter for a byte: itself where it is printable Latin-1, else the next from 256."""
    if _is_printable(byte):
        return chr(byte)
    return chr(256 + sum(not _is_printable(other) for other in range(byte)))


def _is_printable(byte: int) -> bool:
    return 0x21 <= byte <= 0x7E or (0xA1 <= byte <= 0xFF and byte != 0xAD)
