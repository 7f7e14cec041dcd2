"""Encodings: which one a text file has, where it breaks it, and the same text as UTF-8."""

import codecs
from dataclasses import dataclass
from typing import IO

from perennial.adapters.intake.limits import SHOWN
from perennial.errors import InputError

BLOCK = 1 << 20
SAMPLE = 1 << 18
BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# those that exports have; others are guessed too easily
LEGACY = ["cp1252", "latin_1", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256"]
LEGACY += ["shift_jis", "euc_jp", "gb18030", "big5", "euc_kr", "koi8_r", "mac_roman"]
CONTROLS = bytes(set(range(32)) - {9, 10, 12, 13, 26, 27})
BINARY = 0.001  # share of control characters from which a file is no text
REMEDY = "Export it again as UTF-8, or correct those bytes."


@dataclass
class Scan:
    """What the bytes of a file are.

    Attributes:
        size: How many there are.
        controls: Control characters among them.
        nul: The first NUL's offset; -1 without one.
        bad: Offset, line and value of bytes that are no UTF-8, the first few.
        sound: Characters beyond ASCII that are UTF-8.
        wrong: Bytes that are no UTF-8.
    """

    size: int
    controls: int
    nul: int
    bad: list[tuple[int, int, int]]
    sound: int
    wrong: int


def scan(file: IO[bytes]) -> Scan:
    """Look at every byte once, in blocks."""
    found = Scan(0, 0, -1, [], 0, 0)
    rest, line = b"", 1
    file.seek(0)
    while block := file.read(BLOCK):
        found.controls += len(block) - len(block.translate(None, CONTROLS))
        if found.nul < 0 and (nul := block.find(b"\0")) >= 0:
            found.nul = found.size + nul
        rest, line = _decode(rest + block, found.size - len(rest), line, found, last=False)
        found.size += len(block)
        if found.wrong > 10_000:  # no UTF-8 at all
            return found
    _decode(rest, found.size - len(rest), line, found, last=True)
    return found


def _decode(block: bytes, start: int, line: int, found: Scan, last: bool) -> tuple[bytes, int]:
    """Decode a block; return what the next one must complete, and the line it starts on."""
    at = 0
    while at < len(block):
        try:
            text = block[at:].decode("utf-8")
        except UnicodeDecodeError as error:
            good = block[at : at + error.start]
            found.sound += len(good) - len(good.decode("utf-8"))
            if (
                error.end == len(block) - at
                and not last
                and error.reason == "unexpected end of data"
            ):
                return block[at + error.start :], line + good.count(b"\n")
            line += good.count(b"\n")
            place = at + error.start
            found.wrong += 1
            if len(found.bad) < SHOWN:
                found.bad.append((start + place, line, block[place]))
            if found.wrong > 10_000:
                return b"", line
            at = place + 1
        else:
            found.sound += len(block) - at - len(text)
            return b"", line + block[at:].count(b"\n")
    return b"", line


def encoding_of(file: IO[bytes], name: str) -> str:
    """Return the encoding of a text file.

    Raises:
        InputError: it is no text, or damaged; each broken byte with its offset and line.
    """
    file.seek(0)
    head = file.read(4)
    bom = next((known for mark, known in BOMS if head.startswith(mark)), None)
    if bom is not None and bom != "utf-8-sig":
        return bom
    found = scan(file)
    if found.nul >= 0:
        wide = _wide(file)
        if wide is not None:
            return wide
        fault = f"{name}: no text: a NUL byte at offset {found.nul:,}"
        raise InputError(fault, "Give CSV, Parquet, a folder of either, or a database.")
    if found.controls > max(1, BINARY * found.size):
        fault = (
            f"{name}: no text: {found.controls:,} of {found.size:,} bytes are control characters"
        )
        raise InputError(fault, "Give CSV, Parquet, a folder of either, or a database.")
    if not found.bad:
        return bom or "utf-8"
    if bom or found.sound >= found.wrong:  # UTF-8 that was damaged
        raise InputError(_broken(name, found), REMEDY)
    guessed = _guess(file, found.bad[0][0])
    if guessed is None:
        raise InputError(_broken(name, found), REMEDY)
    return guessed


def _broken(name: str, found: Scan) -> list[str]:
    faults = [
        f"{name}: byte 0x{value:02X} at offset {offset:,} (line {line:,}) is no UTF-8"
        for offset, line, value in found.bad
    ]
    more = found.wrong - len(found.bad)
    return [*faults, f"{name}: and {more:,} more such bytes"] if more > 0 else faults


def _wide(file: IO[bytes]) -> str | None:
    """Return the kind of UTF-16 without a mark: every other byte of plain text is NUL."""
    file.seek(0)
    sample = file.read(4096)
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    half = max(1, len(sample) // 2)
    if odd / half > 0.7 and even / half < 0.1:
        return "utf-16-le"
    return "utf-16-be" if even / half > 0.7 and odd / half < 0.1 else None


def _guess(file: IO[bytes], offset: int) -> str | None:
    """Return what charset-normalizer takes the file for, by its start and where UTF-8 ends."""
    from charset_normalizer import from_bytes

    file.seek(0)
    sample = file.read(SAMPLE)
    if offset > SAMPLE:
        file.seek(max(0, offset - SAMPLE // 2))
        sample += file.read(SAMPLE)
    best = from_bytes(sample, cp_isolation=LEGACY).best()
    if best is None:
        return None
    # the Western ones differ in a few signs only, and cp1252 is what exports have
    western = best.encoding in ("latin_1", "cp1250", "cp1254", "cp1252", "mac_roman")
    return "cp1252" if western and _decodes(sample, "cp1252") else best.encoding


def _decodes(sample: bytes, encoding: str) -> bool:
    try:
        sample.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def as_utf8(file: IO[bytes], encoding: str, target: IO[bytes], name: str) -> None:
    """Write the same text as UTF-8.

    Raises:
        InputError: it can't be decoded; with the offset.
    """
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    file.seek(0)
    at = 0
    try:
        while block := file.read(BLOCK):
            target.write(decoder.decode(block).encode("utf-8", "strict"))
            at += len(block)
        target.write(decoder.decode(b"", final=True).encode())
    except UnicodeError as error:
        start = at + getattr(error, "start", 0)
        fault = f"{name}: near offset {start:,}: not readable as {encoding}"
        raise InputError(fault, REMEDY) from error
    target.seek(0)
