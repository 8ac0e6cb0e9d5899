"""Language tags of tracks: equal if they name the same language in ISO 639-1, 639-2 or 639-3."""

from __future__ import annotations

# ISO 639-1 with its code in 639-2/T, which is that of 639-3.
_TWO_LETTERS = """
aa aar ab abk ae ave af afr ak aka am amh an arg ar ara as asm av ava ay aym az aze ba bak be bel
bg bul bi bis bm bam bn ben bo bod br bre bs bos ca cat ce che ch cha co cos cr cre cs ces cu chu
cv chv cy cym da dan de deu dv div dz dzo ee ewe el ell en eng eo epo es spa et est eu eus fa fas
ff ful fi fin fj fij fo fao fr fra fy fry ga gle gd gla gl glg gn grn gu guj gv glv ha hau he heb
hi hin ho hmo hr hrv ht hat hu hun hy hye hz her ia ina id ind ie ile ig ibo ii iii ik ipk io ido
is isl it ita iu iku ja jpn jv jav ka kat kg kon ki kik kj kua kk kaz kl kal km khm kn kan ko kor
kr kau ks kas ku kur kv kom kw cor ky kir la lat lb ltz lg lug li lim ln lin lo lao lt lit lu lub
lv lav mg mlg mh mah mi mri mk mkd ml mal mn mon mr mar ms msa mt mlt my mya na nau nb nob nd nde
ne nep ng ndo nl nld nn nno no nor nr nbl nv nav ny nya oc oci oj oji om orm or ori os oss pa pan
pi pli pl pol ps pus pt por qu que rm roh rn run ro ron ru rus rw kin sa san sc srd sd snd se sme
sg sag si sin sk slk sl slv sm smo sn sna so som sq sqi sr srp ss ssw st sot su sun sv swe sw swa
ta tam te tel tg tgk th tha ti tir tk tuk tl tgl tn tsn to ton tr tur ts tso tt tat tw twi ty tah
ug uig uk ukr ur urd uz uzb ve ven vi vie vo vol wa wln wo wol xh xho yi yid yo yor za zha zh zho
zu zul
"""
# The other code of a language: 639-2/B, withdrawn ones, one of 639-3 for the commonest of a group.
_OTHERS = """
alb sqi arm hye baq eus bur mya chi zho cze ces dut nld fre fra geo kat ger deu gre ell ice isl
mac mkd mao mri may msa per fas rum ron slo slk tib bod wel cym in ind iw heb ji yid jw jav mo ron
mol ron scc srp scr hrv sh hbs cmn zho arb ara pes fas zsm msa swh swa ekk est lvs lav fil tgl
nb nor nob nor
"""


def _pairs(text: str) -> dict[str, str]:
    codes = text.split()
    return dict(zip(codes[::2], codes[1::2], strict=True))


_CODES = _pairs(_TWO_LETTERS) | _pairs(_OTHERS)


def same_language(tag: str, other: str) -> bool:
    """Whether both tags are of one language; where both name a region or script, of one such."""
    (code, rest), (other_code, other_rest) = _parts(tag), _parts(other)
    return code == other_code and (not rest or not other_rest or rest == other_rest)


def _parts(tag: str) -> tuple[str, str]:
    code, _, rest = tag.lower().replace("_", "-").partition("-")
    return _CODES.get(code, code), rest
