"""FFmpeg's parts that an upload may reach: demuxers by rule, and decoders of sound alone.

A demuxer is in the list if what it reads holds its sound in one file, is told by its content, and
is what people record, broadcast, telephone or archive. None opens a second file or an address: no
playlist, script, device, or sequence of images. Formats of games, of images, subtitles and video
without sound are not, as each is code that strangers' bytes reach.

A decoder is in the list if it is FFmpeg's own and decodes sound that these containers hold. Where a
fault of the pinned FFmpeg 8.1.2 is known, it is left out: SEGA's ADX (CVE-2026-64835), Shorten
(CVE-2026-65704), Musepack SV7 (CVE-2026-125171). Video and subtitles have no decoder here at all.
"""

from __future__ import annotations

_PHONES_AND_PROGRAMS = "aac ac3 aiff amr asf au avi caf eac3 flac flv matroska mov mp3 mpeg mpegts"
_PHONES_AND_PROGRAMS += " ogg w64 wav wv"
_FILM_AND_BROADCAST = "dv gxf loas mxf nut rm wtv"
_ARCHIVES = "aea ape dsf dts dtshd iff mlp mpc8 oma tak truehd tta xwma"
_SPEECH = "avr dss ilbc ircam mmf nistsphere pvf qcp sox voc wve"

CONTAINERS = frozenset(
    " ".join((_PHONES_AND_PROGRAMS, _FILM_AND_BROADCAST, _ARCHIVES, _SPEECH)).split()
)

_PCM = """
pcm_alaw pcm_bluray pcm_dvd pcm_f16le pcm_f24le pcm_f32be pcm_f32le pcm_f64be pcm_f64le pcm_mulaw
pcm_s16be pcm_s16be_planar pcm_s16le pcm_s16le_planar pcm_s24be pcm_s24daud pcm_s24le
pcm_s24le_planar pcm_s32be pcm_s32le pcm_s32le_planar pcm_s64be pcm_s64le pcm_s8 pcm_s8_planar
pcm_u16be pcm_u16le pcm_u24be pcm_u24le pcm_u32be pcm_u32le pcm_u8 s302m
"""
_TELEPHONY = """
acelp.kelvin adpcm_ct adpcm_ima_oki adpcm_ima_qt adpcm_ima_wav adpcm_ms
adpcm_sbpro_2 adpcm_sbpro_3 adpcm_sbpro_4 adpcm_swf adpcm_yamaha amrnb amrwb dss_sp evrc g722
g723_1 g726 g726le g728 g729 gsm gsm_ms ilbc metasound msnsiren nellymoser qcelp real_144 real_288
sipr siren speex truespeech
"""
_LOSSY = """
aac aac_latm ac3 atrac1 atrac3 atrac3plus cook dca dolby_e eac3 iac imc mace3 mace6 mp1 mp1float
mp2 mp2float mp3 mp3adu mp3adufloat mp3float mp3on4 mp3on4float mpc8 on2avc opus qdm2 qdmc vorbis
wmapro wmav1 wmav2 wmavoice 8svx_exp 8svx_fib
"""
_LOSSLESS = """
alac als ape atrac3al atrac3plusal dsd_lsbf dsd_lsbf_planar dsd_msbf dsd_msbf_planar dst dvaudio
flac mlp ralf tak truehd tta wavpack wmalossless
"""

DECODERS = frozenset("".join((_PCM, _TELEPHONY, _LOSSY, _LOSSLESS)).split())

# The first holds for the decoders that FFmpeg opens to look for streams, too.
CONTAINER_OPTIONS = {
    "codec_whitelist": ",".join(sorted(DECODERS)),
    "format_whitelist": ",".join(sorted(CONTAINERS)),
    "protocol_whitelist": "none",
}
DECODER_OPTIONS = {"codec_whitelist": ",".join(sorted(DECODERS))}

# Frames without a header over them: FFmpeg takes the first one's bit rate for that of all, and
# makes up their times.
HEADERLESS = frozenset(
    {"aac", "ac3", "amr", "dts", "dtshd", "eac3", "loas", "mlp", "mp3", "truehd"}
)
# In Ogg FFmpeg knows when the first packets are of these; of others it gives the first page's the
# time 0, wherever the file was cut from.
OGG_TIMED = frozenset({"opus", "vorbis"})
# FFmpeg's name of MP4, M4A, MOV and 3GP, whose times are those of their edit lists.
ISO = "mov,mp4,m4a,3gp,3g2,mj2"
