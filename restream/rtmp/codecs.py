"""What the decoder configurations of HEVC, AV1 and Opus say. Pure.

Sources: ISO/IEC 14496-15 8.3.3 and annex E (hvcC, codec strings), ITU-T H.265 7.3.2.2, AV1 bitstream 5.5 and
"AV1 Codec ISO Media File Format Binding" 2.3, RFC 7845 5.1 and RFC 6716 3.1 (Opus).
"""

from __future__ import annotations

from typing import Final

from restream.rtmp.bits import BitReader

LAST_HEVC_PROFILE: Final = 11
HEVC_SPS: Final = 33
AV1_SEQUENCE: Final = 1
AV1_VERSION: Final = 0x81
OPUS_HEAD: Final = b"OpusHead"
OPUS_RATE: Final = 48_000
"""Opus always decodes at this rate, whatever was recorded."""
LARGEST_SPS: Final = 2048
"""Bytes looked at; the picture's size stands near the beginning."""


def is_hevc(config: bytes) -> bool:
    """Whether this is an hvcC and not an avcC: both begin with version 1, then comes the profile.

    HEVC's are up to 11, beside a bit for the tier; H.264's begin at 44.
    """
    return len(config) > 1 and config[0] == 1 and config[1] & 0xDF <= LAST_HEVC_PROFILE


def is_av1(config: bytes) -> bool:
    """Whether this is an av1C: its marker bit is set, where avcC and hvcC have version 1."""
    return config[:1] == bytes([AV1_VERSION])


def is_opus(config: bytes) -> bool:
    """Whether this is an OpusHead and not an AudioSpecificConfig."""
    return config.startswith(OPUS_HEAD)


def hevc(config: bytes) -> tuple[str, int, int]:
    """RFC 6381 codec string, width and height from an HEVCDecoderConfigurationRecord.

    Raises EOFError or IndexError when it breaks off.
    """
    if len(config) < 23:
        raise EOFError("the HEVC configuration breaks off")
    space, tier, profile = config[1] >> 6, config[1] >> 5 & 1, config[1] & 31
    compatible = int(f"{int.from_bytes(config[2:6], 'big'):032b}"[::-1], 2)
    constraints = config[6:12].rstrip(b"\0")
    parts = [
        "hvc1",
        f"{('', 'A', 'B', 'C')[space]}{profile}",
        f"{compatible:X}",
        f"{'LH'[tier]}{config[12]}",
        *(f"{byte:X}" for byte in constraints),
    ]
    return ".".join(parts), *hevc_picture_size(_hevc_sps(config))


def _hevc_sps(config: bytes) -> bytes:
    """The first sequence parameter set among the configuration's arrays."""
    at = 23
    for _ in range(config[22]):
        kind, count = config[at] & 63, int.from_bytes(config[at + 1 : at + 3], "big")
        at += 3
        for _ in range(count):
            size = int.from_bytes(config[at : at + 2], "big")
            at += 2
            if at + size > len(config):
                raise EOFError("a parameter set breaks off")
            if kind == HEVC_SPS:
                return config[at : at + size]
            at += size
    raise EOFError("no SPS")


def hevc_picture_size(sps: bytes) -> tuple[int, int]:
    """Width and height, cropped, from a sequence parameter set (ITU-T H.265, 7.3.2.2.1). Raises EOFError."""
    bits = BitReader(sps[2:LARGEST_SPS].replace(b"\0\0\3", b"\0\0"))
    bits.read(4)
    layers = bits.read(3)
    bits.read(1)
    bits.read(96)  # the general profile and level
    present = [bits.read(2) for _ in range(layers)]
    if layers:
        bits.read(2 * (8 - layers))
    for flags in present:
        bits.read((88 if flags & 2 else 0) + (8 if flags & 1 else 0))
    bits.ue()
    chroma = bits.ue()
    if chroma == 3:
        bits.read(1)
    width, height = bits.ue(), bits.ue()
    if bits.read(1):
        left, right, top, bottom = bits.ue(), bits.ue(), bits.ue(), bits.ue()
        width -= (left + right) * (2 if chroma in (1, 2) else 1)
        height -= (top + bottom) * (2 if chroma == 1 else 1)
    return width, height


def av1(config: bytes) -> tuple[str, int, int]:
    """RFC 6381 codec string, width and height from an AV1CodecConfigurationRecord.

    Raises EOFError or IndexError when it breaks off or holds no sequence header.
    """
    profile, level = config[1] >> 5, config[1] & 31
    high, twelve = config[2] >> 6 & 1, config[2] >> 5 & 1
    depth = 8 if not high else 12 if twelve and profile == 2 else 10
    codec = f"av01.{profile}.{level:02}{'MH'[config[2] >> 7]}.{depth:02}"
    return codec, *av1_picture_size(_av1_sequence(config[4:]))


def _av1_sequence(units: bytes) -> bytes:
    """The first sequence header among the configuration's OBUs."""
    at = 0
    while at < len(units):
        head = units[at]
        at += 2 if head & 4 else 1
        size, shift = len(units) - at, 0
        if head & 2:
            size = 0
            while True:
                byte = units[at]
                at += 1
                size |= (byte & 127) << shift
                shift += 7
                if byte < 128 or shift > 28:
                    break
        if head >> 3 & 15 == AV1_SEQUENCE:
            return units[at : at + size]
        at += size
    raise EOFError("no sequence header")


def av1_picture_size(sequence: bytes) -> tuple[int, int]:
    """Largest width and height from a sequence header OBU (AV1, 5.5.1). Raises EOFError."""
    bits = BitReader(sequence[:LARGEST_SPS])
    bits.read(4)
    if bits.read(1):  # reduced_still_picture_header
        bits.read(5)
    else:
        _skip_operating_points(bits)
    wide, high = bits.read(4) + 1, bits.read(4) + 1
    return bits.read(wide) + 1, bits.read(high) + 1


def _skip_operating_points(bits: BitReader) -> None:
    delay = 0
    if bits.read(1):  # timing_info
        bits.read(64)
        if bits.read(1):
            bits.ue()
        if bits.read(1):  # decoder_model_info
            delay = bits.read(5) + 1
            bits.read(42)
    display = bits.read(1)
    for _ in range(bits.read(5) + 1):
        bits.read(12)
        if bits.read(5) > 7:
            bits.read(1)
        if delay and bits.read(1):
            bits.read(2 * delay + 1)
        if display and bits.read(1):
            bits.read(4)


def opus(config: bytes) -> tuple[str, int, int]:
    """Codec string, rate and channels from an OpusHead. Raises IndexError when it breaks off."""
    if len(config) < 19:
        raise IndexError("the OpusHead breaks off")
    return "opus", OPUS_RATE, config[9]


def opus_samples(packet: bytes) -> int:
    """How long an Opus packet sounds, in samples of 48 kHz; 0 for what is no packet (RFC 6716, 3.1)."""
    if not packet:
        return 0
    kind, code = packet[0] >> 3, packet[0] & 3
    if kind < 12:
        size = (480, 960, 1920, 2880)[kind & 3]
    elif kind < 16:
        size = (480, 960)[kind & 1]
    else:
        size = (120, 240, 480, 960)[kind & 3]
    if code < 3:
        return size * (1 if code == 0 else 2)
    return size * (packet[1] & 63) if len(packet) > 1 else 0
