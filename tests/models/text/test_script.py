"""One script in one transcript: Chinese and Serbian, with words and tokens that still fit."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.language.languages import Script
from models.text import chinese, serbian
from models.text.script import ScriptNormalizer
from models.text.transcript import Segment, TokenScore, Word
from models.text.words import split_words

SIMPLIFIED = "我们后来发现头发里面有东西"
TRADITIONAL = "我們後來發現頭髮裡面有東西"
LATIN = " Ljubav, džep i konj: Njegoš voli injekcije."
CYRILLIC = " Љубав, џеп и коњ: Његош воли инјекције."
HANT: tuple[Script, ...] = ("Hant", "Hant-TW", "Hant-HK")


def said(text: str, language: str = "zh", *, cut: int = 2) -> Segment:
    """A segment with words, and with tokens of `cut` bytes, which part characters."""
    data = text.encode()
    scores = [TokenScore(data[at : at + cut], -0.5) for at in range(0, len(data), cut)]
    starts = [number / 10 for number in range(len(scores) + 1)]
    return Segment(
        id=0,
        seek=0,
        start=0.0,
        end=starts[-1],
        text=text,
        tokens=(50364, 1, 2, 50464),
        temperature=0.0,
        avg_logprob=-0.25,
        compression_ratio=1.5,
        no_speech_prob=0.125,
        scores=tuple(scores),
        words=tuple(split_words(scores, starts, is_spaced=language == "sr")),
        language=language,
    )


def texts(segments: list[Segment], *asked: Script) -> list[str]:
    return [segment.text for segment in ScriptNormalizer(asked).normalized_together(segments)]


def joins(segment: Segment) -> bool:
    """True if the words, and the bytes of the tokens, are the text."""
    words = "".join(word.text for word in segment.words)
    return segment.text == words == b"".join(each.data for each in segment.scores).decode()


@pytest.mark.parametrize(
    ("segments", "expected"),
    [
        ([SIMPLIFIED, SIMPLIFIED, TRADITIONAL], [SIMPLIFIED] * 3),
        ([SIMPLIFIED, TRADITIONAL, TRADITIONAL], [TRADITIONAL] * 3),
        ([TRADITIONAL, "我们", "你好"], [TRADITIONAL, "我們", "你好"]),
        (["我们", TRADITIONAL], ["我們", TRADITIONAL]),
        ([SIMPLIFIED, "這是 OpenAI 的 API。"], [SIMPLIFIED, "这是 OpenAI 的 API。"]),
        ([TRADITIONAL, "干扰干净的后台，他只有一只"], [TRADITIONAL, "干擾乾淨的後臺，他只有一隻"]),  # noqa: RUF001
        (["你好", "中文"], ["你好", "中文"]),
        (["们", "們"], ["们", "们"]),
        ([], []),
    ],
)
def test_script_of_most_is_that_of_all(segments: list[str], expected: list[str]) -> None:
    assert texts([said(text) for text in segments]) == expected


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("Hans", "他们在台湾里面吃面包，皇后后来说这干扰太阳着实"),  # noqa: RUF001
        ("Hant", "他們在臺灣裡面吃麵包，皇后後來說這干擾太陽著實"),  # noqa: RUF001
        ("Hant-TW", "他們在臺灣裡面吃麵包，皇后後來說這干擾太陽著實"),  # noqa: RUF001
        ("Hant-HK", "他們在台灣裏面吃麪包，皇后後來説這干擾太陽着實"),  # noqa: RUF001
    ],
)
def test_script_that_is_asked_for(asked: Script, expected: str) -> None:
    simplified = "他们在台湾里面吃面包，皇后后来说这干扰太阳着实"  # noqa: RUF001

    assert texts([said(simplified)], asked) == [expected]
    assert texts([said(simplified), said(TRADITIONAL)], asked)[0] == expected


@pytest.mark.parametrize("script", HANT)
def test_what_is_traditional_is_not_made_so_once_more(script: Script) -> None:
    text = "干擾皇后的天干，乾隆在公里"  # noqa: RUF001

    assert texts([said(text)], script) == [text]


def test_words_are_not_replaced_by_those_of_a_region() -> None:
    assert texts([said("软件、出租车、土豆")], "Hant-TW") == ["軟件、出租車、土豆"]
    assert texts([said("軟體、計程車、馬鈴薯")], "Hans") == ["软体、计程车、马铃薯"]


@pytest.mark.parametrize("language", ["ja", "ko", "en", "hr", "bs", "ru"])
def test_other_languages_stay(language: str) -> None:
    segments = [said(SIMPLIFIED), said("学校で會う、対応。Ljubav љубав", language)]

    assert texts(segments, "Hant", "Latn")[1] == segments[1].text
    assert not ScriptNormalizer().applies_to(segments[1])


def test_cantonese_is_written_with_chinese() -> None:
    assert texts([said("佢哋係度讲嘢", "yue"), said(TRADITIONAL)]) == ["佢哋係度講嘢", TRADITIONAL]


@pytest.mark.parametrize("first", [SIMPLIFIED, TRADITIONAL])
def test_what_comes_first_tells_while_the_text_is_read(first: str) -> None:
    script = ScriptNormalizer()
    came = [script.normalized(said(text)) for text in ("你好", first, SIMPLIFIED, TRADITIONAL)]

    assert [segment.text for segment in came] == ["你好", first, first, first]


def test_what_is_asked_for_goes_before_what_comes_first() -> None:
    assert ScriptNormalizer(["Hant"]).normalized(said(SIMPLIFIED)).text == TRADITIONAL


def test_two_scripts_asked_for_are_none() -> None:
    assert texts([said(SIMPLIFIED)], "Hans", "Hant-TW") == [SIMPLIFIED]
    assert texts([said(SIMPLIFIED), said(CYRILLIC, "sr")], "Latn", "Hant") == [
        TRADITIONAL,
        LATIN,
    ]


@pytest.mark.parametrize("cut", [1, 2, 3, 4, 7, 100])
def test_words_times_and_tokens_stay_with_the_text(cut: int) -> None:
    before = said(SIMPLIFIED + " OK，好。", cut=cut)  # noqa: RUF001
    after = ScriptNormalizer(["Hant-TW"]).normalized(before)

    assert after.text == TRADITIONAL + " OK，好。"  # noqa: RUF001
    assert joins(after)
    assert [replace(word, text="") for word in after.words] == [
        replace(word, text="") for word in before.words
    ]
    assert [score.logprob for score in after.scores] == [score.logprob for score in before.scores]
    assert replace(after, text="", words=(), scores=()) == replace(
        before, text="", words=(), scores=()
    )


def test_words_that_are_not_the_text_are_written_one_by_one() -> None:
    before = replace(said("头发"), words=(Word("头", 0, 1, 1), Word("发?", 1, 2, 1)), scores=())
    after = ScriptNormalizer(["Hant"]).normalized(before)

    assert (after.text, [word.text for word in after.words]) == ("頭髮", ["頭", "發?"])


def test_tokens_that_are_not_the_text_stay() -> None:
    before = replace(said("头发"), scores=(TokenScore(b"\xe5", -1.0),))

    assert ScriptNormalizer(["Hant"]).normalized(before).scores == before.scores


@pytest.mark.slow
@given(
    st.text(st.characters(codec="gb18030", categories=["Lo", "Po", "Nd", "Zs"])),
    st.sampled_from(["Hans", *HANT]),
)
def test_each_character_becomes_one(text: str, script: Script) -> None:
    assert [len(piece) for piece in chinese.converted(text, script)] == [1] * len(text)


def characters_of(charset: str, first: int, last: int) -> str:
    """The more frequent half of a national set, by its leading bytes."""
    rows = (bytes([row, cell]) for row in range(first, last + 1) for cell in range(0x40, 0xFF))
    return b"".join(rows).decode(charset, "ignore")


@pytest.mark.parametrize("script", HANT)
def test_frequent_simplified_characters_become_traditional(script: Script) -> None:
    frequent = [c for c in characters_of("gb2312", 0xB0, 0xD7) if chinese.marks(c)[0]]
    left = [c for c in frequent if chinese.marks(chinese.converted(c, script)[0])[0]]

    assert len(frequent) > 1100
    # Of chemistry, and without a Traditional form.
    assert set(left) <= set("硷傈酶墒酞")


def test_frequent_traditional_characters_become_simplified() -> None:
    frequent = [c for c in characters_of("big5", 0xA4, 0xC6) if chinese.marks(c)[1]]
    left = [c for c in frequent if chinese.marks(chinese.converted(c, "Hans")[0])[1]]

    assert len(frequent) > 2000
    # Rare ones that mainland China does not simplify, and 妳.
    assert len(left) < 0.1 * len(frequent)


@pytest.mark.parametrize(
    ("latin", "cyrillic"),
    [
        (LATIN, CYRILLIC),
        ("NJEGOŠ i DŽEP, Đorđe, čaša", "ЊЕГОШ и ЏЕП, Ђорђе, чаша"),
        ("konju nadživeti odžak konjunktura", "коњу надживети оџак конјунктура"),
        ("Tanjug, podžanr, vanjezički 2024.", "Танјуг, поджанр, ванјезички 2024."),
    ],
)
def test_serbian_letters(latin: str, cyrillic: str) -> None:
    assert "".join(serbian.converted(cyrillic, "Latn")) == latin
    assert "".join(serbian.converted(latin, "Cyrl")) == cyrillic


def test_foreign_words_in_serbian_stay() -> None:
    assert "".join(serbian.converted("Windows i ti", "Cyrl")) == "Windows и ти"
    assert "".join(serbian.converted("Ово Google и много текста", "Cyrl")) == (
        "Ово Google и много текста"
    )


@pytest.mark.parametrize("cut", [1, 3, 5])
@pytest.mark.parametrize(
    ("text", "asked", "expected"), [(LATIN, "Cyrl", CYRILLIC), (CYRILLIC, "Latn", LATIN)]
)
def test_serbian_words_and_tokens_stay_with_the_text(
    cut: int, text: str, asked: Script, expected: str
) -> None:
    before = said(text, "sr", cut=cut)
    after = ScriptNormalizer([asked]).normalized(before)

    assert after.text == expected
    assert joins(after)
    assert len(after.words) == len(before.words)


@pytest.mark.parametrize(
    ("segments", "expected"),
    [([LATIN, LATIN, CYRILLIC], LATIN), ([CYRILLIC, CYRILLIC, LATIN], CYRILLIC)],
)
def test_serbian_script_of_most_is_that_of_all(segments: list[str], expected: str) -> None:
    assert texts([said(text, "sr") for text in segments]) == [expected] * 3
