"""Files as they go wrong: each kind spoils a sound table by a seed, and writes what is left."""

import gzip
import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from tests.integration import users_data

Spoil = Callable[[bytes, np.random.Generator], bytes]
INJECTED = ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", '=HYPERLINK("http://x","y")', "-2+3", "\t=1"]


def sound() -> bytes:
    """The table that is spoiled: 400 rows of numbers, words, days and the target `answer`."""
    frame = users_data.small(400)
    frame["word"] = np.where(frame["s0"] > 0, "up, or so", "down")
    frame["day"] = pd.date_range("2024-01-01", periods=400).strftime("%d.%m.%Y")
    return frame.to_csv(index=False).encode()


def _lines(content: bytes) -> list[bytes]:
    return content.split(b"\n")[:-1]


def _joined(lines: list[bytes]) -> bytes:
    return b"\n".join(lines) + b"\n"


def _some_lines(change: Callable[[bytes, np.random.Generator], bytes], share: float) -> Spoil:
    def spoil(content: bytes, rng: np.random.Generator) -> bytes:
        first, *rest = _lines(content)
        chosen = rng.random(len(rest)) < share
        chosen[rng.integers(0, len(rest))] = True
        spoiled = [change(one, rng) if own else one for own, one in zip(chosen, rest, strict=True)]
        return _joined([first, *spoiled])

    return spoil


def _cell(value: Callable[[np.random.Generator], bytes], share: float = 0.3) -> Spoil:
    def change(line: bytes, rng: np.random.Generator) -> bytes:
        cells = line.split(b",")
        cells[int(rng.integers(0, 3))] = value(rng)
        return b",".join(cells)

    return _some_lines(change, share)


def _cut(content: bytes, rng: np.random.Generator) -> bytes:
    return content[: int(rng.integers(1, len(content)))]


def _flipped(content: bytes, rng: np.random.Generator) -> bytes:
    changed = bytearray(content)
    for place in rng.integers(0, len(content), int(rng.integers(1, 40))):
        changed[place] = int(rng.integers(0, 256))
    return bytes(changed)


def _zipped(names: list[str]) -> Spoil:
    def spoil(content: bytes, rng: np.random.Generator) -> bytes:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in names:
                archive.writestr(name, content)
        return file.getvalue()

    return spoil


def _encrypted(content: bytes, rng: np.random.Generator) -> bytes:
    packed = bytearray(_zipped(["f.csv"])(content, rng))
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = packed.find(magic) + offset
        packed[at : at + 2] = struct.pack("<H", 1)
    return bytes(packed)


def _bomb(pack: Callable[[bytes], bytes]) -> Spoil:
    return lambda content, _rng: pack(content + b"0" * (200 << 20))


def _zip_bomb(content: bytes) -> bytes:
    return _zipped(["f.csv"])(content, np.random.default_rng(0))


def _parquet(frame: pd.DataFrame) -> bytes:
    file = io.BytesIO()
    frame.to_parquet(file)
    return file.getvalue()


def _as_parquet(content: bytes) -> bytes:
    return _parquet(pd.read_csv(io.BytesIO(content)))


def _header(change: Callable[[bytes], bytes]) -> Spoil:
    def spoil(content: bytes, rng: np.random.Generator) -> bytes:
        first, *rest = _lines(content)
        return _joined([change(first), *rest])

    return spoil


def _target(values: list[bytes]) -> Spoil:
    def change(line: bytes, rng: np.random.Generator) -> bytes:
        cells = line.replace(b"up, or so", b"up").replace(b'"', b"").split(b",")
        cells[4] = values[int(rng.integers(0, len(values)))]
        return b",".join(cells)

    return _some_lines(change, 1.0)


def _wide(content: bytes, rng: np.random.Generator) -> bytes:
    return b",".join(b"c%d" % n for n in range(30_000)) + b"\n" + b"1," * 29_999 + b"1\n"


def _mojibake(content: bytes, rng: np.random.Generator) -> bytes:
    lines = _lines(content)
    kinds = ["latin-1", "utf-8", "cp1251", "shift_jis"]
    words = ["Zürich", "Zürich", "Привет", "日本"]
    for place in rng.integers(1, len(lines), 40):
        pick = int(rng.integers(0, len(kinds)))
        lines[place] = lines[place].replace(b"down", words[pick].encode(kinds[pick]))
    return _joined(lines)


KINDS: dict[str, Spoil] = {
    "cut off": _cut,
    "bytes flipped": _flipped,
    "noise": lambda _c, rng: rng.bytes(5000),
    "noise without NUL": lambda _c, rng: rng.bytes(5000).replace(b"\0", b"x"),
    "delimiters lost": _some_lines(lambda one, _rng: one.replace(b",", b"", 2), 0.05),
    "delimiters more": _some_lines(lambda one, _rng: one + b",,extra", 0.05),
    "another delimiter midway": _some_lines(lambda one, _rng: one.replace(b",", b";"), 0.5),
    "huge field": _cell(lambda _: b"x" * (2 << 20), 0.01),
    "quote not closed": _cell(lambda _: b'"open', 0.01),
    "quotes within": _cell(lambda _: b'a"b"c', 0.2),
    "NaN and Inf": _cell(lambda rng: [b"NaN", b"Inf", b"-inf", b"1e999"][int(rng.integers(0, 4))]),
    "mixed types": _cell(lambda rng: [b"x", b"1", b"2024-01-01", b"TRUE"][int(rng.integers(0, 4))]),
    "formulas": _cell(lambda rng: INJECTED[int(rng.integers(0, 3))].encode()),
    "formulas in the header": _header(
        lambda one: one.replace(b"s0", b"=1+1").replace(b"s1", b"@x")
    ),
    "giant numbers": _cell(lambda rng: b"9" * int(rng.integers(19, 500))),
    "strange numbers": _cell(
        lambda rng: [b"0x1F", b"1_000", b"1e-400", b"--5", b"\xe2\x82\xac"][int(rng.integers(0, 5))]
    ),
    "strange days": _cell(
        lambda rng: [b"31.02.2024", b"9999-99-99", b"0000-00-00", b"1.1.1"][int(rng.integers(0, 4))]
    ),
    "zip bomb": _bomb(_zip_bomb),
    "gzip bomb": _bomb(gzip.compress),
    "gzip cut off": lambda c, rng: _cut(gzip.compress(c), rng),
    "gzip spoiled": lambda c, rng: _flipped(gzip.compress(c), rng),
    "zip of several": _zipped(["a.csv", "b.csv", "../../c.csv"]),
    "zip of nothing": _zipped([]),
    "zip spoiled": lambda c, rng: _flipped(_zipped(["f.csv"])(c, rng), rng),
    "zip encrypted": _encrypted,
    "empty": lambda _c, _rng: b"",
    "blank": lambda _c, rng: bytes(rng.choice(list(b" \n\r\t"), 200).astype("uint8")),
    "header only": lambda c, rng: _lines(c)[0] + b"\n" * int(rng.integers(0, 5)),
    "no header": lambda c, _rng: _joined(_lines(c)[1:]),
    "NULs": _some_lines(lambda one, _rng: one.replace(b",", b"\0", 1), 0.02),
    "UTF-16 cut in a sign": lambda c, rng: c.decode().encode("utf-16")[: -int(rng.integers(1, 99))],
    "encodings mixed": _mojibake,
    "Parquet cut off": lambda c, rng: _cut(_as_parquet(c), rng),
    "Parquet spoiled": lambda c, rng: _flipped(_as_parquet(c), rng),
    "Parquet of lists": lambda _c, _rng: _parquet(pd.DataFrame({"answer": [[1], [2]]})),
    "target missing in rows": _target([b"yes", b"no", b"no", b""]),
    "target of one class": _target([b"no"]),
    "target of many": _target([b"a", b"b", b"c", b"d"]),
    "names all alike": _header(lambda one: b",".join([b"answer"] * (one.count(b",") + 1))),
    "too many columns": _wide,
}


def write(kind: str, seed: int, folder: Path) -> Path:
    """Write one spoiled file."""
    path = folder / f"{kind.replace(' ', '_')}-{seed}.csv"
    path.write_bytes(KINDS[kind](sound(), np.random.default_rng([seed, len(kind)])))
    return path
