"""Languages as clients say them: codes, tags and names; held against the tables of others."""

from __future__ import annotations

from collections import Counter

import pytest
from babel import Locale
from babel.localedata import exists
from hypothesis import given
from hypothesis import strategies as st
from langcodes import data_dicts
from whisper.tokenizer import TO_LANGUAGE_CODE

from models.language.language_names import CODES, NAMES
from models.language.language_tags import Language, asks_to_detect, find_language, near_languages
from models.language.languages import LANGUAGES

# Whisper's code for Javanese was a mistake for this one, which ISO has withdrawn.
ISO = {code: {"jw": "jv"}.get(code, code) for code in LANGUAGES}
# The territories of the Norwegian, Filipino and Montenegrin names that Babel has.
RELATED = {"no": ["nb"], "nn": ["nn"], "tl": ["fil"], "zh": ["zh_Hant"], "sr": ["sr_Latn"]}


def found(text: str) -> tuple[str, str | None] | None:
    language = find_language(text)
    return (language.code, language.script) if language else None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        *(("nb", "no"), ("nb-NO", "no"), ("nob", "no"), ("nor", "no"), ("no", "no"), ("NO", "no")),
        *(("nn-NO", "nn"), ("nno", "nn"), ("no-nyn", "nn"), ("no-bok", "no")),
        *(("iw", "he"), ("iw-IL", "he"), ("heb", "he"), ("in", "id"), ("in_ID", "id")),
        *(("ji", "yi"), ("mo", "ro"), ("mol", "ro"), ("jw", "jw"), ("jv", "jw"), ("jav", "jw")),
        *(("fil", "tl"), ("fil-PH", "tl"), ("tgl", "tl"), ("sh", "sr"), ("cnr-ME", "sr")),
        *(("deu", "de"), ("ger", "de"), ("de-CH-1996", "de"), ("fra", "fr"), ("fre-CA", "fr")),
        *(("eng", "en"), ("en-US", "en"), ("en_GB", "en"), ("EN", "en"), (" en ", "en")),
        *(("pes", "fa"), ("prs-AF", "fa"), ("swh", "sw"), ("zsm", "ms"), ("msa", "ms")),
        *(("lvs", "lv"), ("ekk", "et"), ("khk", "mn"), ("arb", "ar"), ("arz", "ar")),
        *(("ar-EG", "ar"), ("ar-arz-EG", "ar"), ("azj-Latn", "az"), ("uzn", "uz"), ("plt", "mg")),
        *(("haw", "haw"), ("mri", "mi"), ("mao", "mi"), ("cym", "cy"), ("wel", "cy")),
        *(("en-a-bbb-x-private", "en"), ("de-DE-u-co-phonebk", "de"), ("de-x-zh", "de")),
        *(("en_US.UTF-8", "en"), ("de_DE@euro", "de"), ("i-lux", "lb"), ("es-419", "es")),
    ],
)
def test_code_or_tag(text: str, code: str) -> None:
    assert found(text) == (code, None)


@pytest.mark.parametrize(
    ("text", "code", "script"),
    [
        *(("zh", "zh", None), ("cmn", "zh", None), ("zho", "zh", None), ("chi", "zh", None)),
        *(("zh-CN", "zh", "Hans"), ("zh-SG", "zh", "Hans"), ("zh_MY", "zh", "Hans")),
        *(("zh-Hans", "zh", "Hans"), ("zh-Hans-CN", "zh", "Hans"), ("zh-CHS", "zh", "Hans")),
        *(("zh-Hans-HK", "zh", "Hans"), ("zh-cmn-Hans-CN", "zh", "Hans")),
        *(("zh-Hant", "zh", "Hant"), ("ZH-HANT-cn", "zh", "Hant"), ("zh-CHT", "zh", "Hant")),
        *(("zh-TW", "zh", "Hant-TW"), ("zh_TW.UTF-8", "zh", "Hant-TW")),
        *(("zh-Hant-TW", "zh", "Hant-TW"), ("cmn-Hant-TW", "zh", "Hant-TW")),
        *(("zh-HK", "zh", "Hant-HK"), ("zh-MO", "zh", "Hant-HK"), ("zh-Hant-HK", "zh", "Hant-HK")),
        *(("yue", "yue", None), ("zh-yue", "yue", None), ("zh-yue-HK", "yue", "Hant-HK")),
        *(("yue-Hans", "yue", "Hans"), ("zh-US", "zh", None), ("zh-x-tw", "zh", None)),
        *(("sr", "sr", None), ("sr-Latn", "sr", "Latn"), ("sr-Cyrl-RS", "sr", "Cyrl")),
        *(("sr_RS@latin", "sr", "Latn"), ("sr_RS.UTF-8@latin", "sr", "Latn")),
        *(("uz-Latn", "uz", None), ("az-Cyrl", "az", None), ("ja-Hant", "ja", None)),
        *(("Chinese (Simplified)", "zh", "Hans"), ("Traditional Chinese", "zh", "Hant")),
        *(("中文（简体）", "zh", "Hans"), ("繁體中文", "zh", "Hant")),  # noqa: RUF001 - as browsers
        *(("Serbian (Latin)", "sr", "Latn"), ("Chinese (Hong Kong)", "zh", None)),
    ],
)
def test_script(text: str, code: str, script: str | None) -> None:
    assert found(text) == (code, script)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        *(("Deutsch", "de"), ("deutsch", "de"), ("Deutsch (Schweiz)", "de"), ("GERMAN", "de")),
        *(("español", "es"), ("ESPAÑOL", "es"), ("espanol", "es"), ("espan\u0303ol", "es")),
        *(("français", "fr"), ("francais", "fr"), ("português", "pt"), ("čeština", "cs")),
        *(("中文", "zh"), ("普通话", "zh"), ("廣東話", "yue"), ("日本語", "ja"), ("한국어", "ko")),
        *(("العربية", "ar"), ("עברית", "he"), ("हिन्दी", "hi"), ("ไทย", "th"), ("தமிழ்", "ta")),
        *(("norsk", "no"), ("Bokmål", "no"), ("bokmal", "no"), ("norsk nynorsk", "nn")),
        *(("Русский", "ru"), ("русскии", "ru"), ("Ελληνικά", "el"), ("ελληνικα", "el")),
        *(("Türkçe", "tr"), ("Tiếng Việt", "vi"), ("tieng viet", "vi"), ("Kreyòl ayisyen", "ht")),
        *(("\u02bbŌlelo Hawai\u02bbi", "haw"), ("olelo hawaii", "haw"), ("o\u2018zbek", "uz")),
        *(("haitian_creole", "ht"), ("Haitian-Creole", "ht"), ("te reo Māori", "mi")),
        *(("Ｄｅｕｔｓｃｈ", "de"), ("Spanish; Castilian", "es")),  # noqa: RUF001 - full width
    ],
)
def test_name(text: str, code: str) -> None:
    assert find_language(text) == Language(code)


def test_every_name_of_openai_whisper() -> None:
    wrong = {name: code for name, code in TO_LANGUAGE_CODE.items() if found(name) != (code, None)}
    assert wrong == {}


def test_every_code_and_name_of_the_table_is_found_and_has_one_meaning() -> None:
    aliases = {code: [code, *CODES.get(code, "").split()] for code in LANGUAGES}
    times = Counter(alias for each in aliases.values() for alias in each)
    assert [alias for alias, count in times.items() if count > 1] == []
    pairs = [(alias, code) for code, each in aliases.items() for alias in each]
    pairs += [(name, code) for code, each in NAMES.items() for name in each.split(", ")]
    assert {name: code for name, code in pairs if find_language(name) != Language(code)} == {}


@pytest.mark.parametrize("code", LANGUAGES)
def test_codes_are_those_of_iso(code: str) -> None:
    """ISO 639-2 in both forms, ISO 639-3, macrolanguages' members, and what was withdrawn."""
    iso = ISO[code]
    own = {
        iso,
        data_dicts.LANGUAGE_ALPHA3.get(iso),
        data_dicts.LANGUAGE_ALPHA3_BIBLIOGRAPHIC.get(iso),
    }
    larger = data_dicts.MACROLANGUAGES | data_dicts.NORMALIZED_MACROLANGUAGES
    members = {member for member, macro in larger.items() if macro in own}
    old = {old for old, new in data_dicts.LANGUAGE_REPLACEMENTS.items() if new.split("-")[0] in own}
    wanted = {each for each in own | members | old if each and each not in LANGUAGES}
    # Members that Whisper has a code for itself, by other names of theirs.
    wanted -= {
        alias for other in LANGUAGES if other != code for alias in CODES.get(other, "").split()
    }

    codes = {each: getattr(find_language(each), "code", None) for each in wanted}
    assert codes == dict.fromkeys(wanted, code)


@pytest.mark.parametrize("code", LANGUAGES)
def test_names_are_those_of_the_unicode_consortium(code: str) -> None:
    locales = [ISO[code], *RELATED.get(code, [])]
    names = {Locale("en").languages[ISO[code]]} - {"Myanmar"}
    for each in filter(exists, locales):
        names.add(str(Locale.parse(each).languages[each.split("_")[0]]))

    assert {name for name in names if found(name) != (code, None)} == set()


@pytest.mark.parametrize(
    "text",
    [
        *(
            "xx",
            "klingon",
            "tlh",
            "gsw",
            "zxx",
            "e",
            "x-zh",
            "i-klingon",
            "en-",
            "-en",
            "1",
            "(",
            "!",
        ),
        *(
            "in english",
            "so what",
            "german french",
            "en;de",
            "english;german",
            "q" * 101,
            "en" * 1000,
            "\u202een",
            "\x00en",
        ),
    ],
)
def test_what_is_no_language_of_whisper(text: str) -> None:
    assert find_language(text) is None
    assert not asks_to_detect(text)


@pytest.mark.parametrize(
    "text", ["auto", "AUTO", " Auto ", "und", "und-Latn", "null", "None", "detect", "undefined"]
)
def test_what_asks_to_detect(text: str) -> None:
    assert asks_to_detect(text)
    assert find_language(text) is None


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("germn", "german"),
        ("Deutch", "deutsch"),
        ("portugese", "portuguese"),
        ("espanhol", "espanol"),
    ],
)
def test_what_is_near(text: str, near: str) -> None:
    assert near_languages(text)[0] == near


@given(st.text(max_size=120))
def test_any_text_is_a_language_or_none(text: str) -> None:
    language = find_language(text)

    assert language is None or language.code in LANGUAGES
    assert not (language and asks_to_detect(text))


def test_nothing_is_near_to_nonsense() -> None:
    assert near_languages("klingon" * 1000) == near_languages("") == near_languages("qqq") == []
