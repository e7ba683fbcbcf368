"""The packed files among the bad inputs, byte by byte the same each time."""

import gzip
import io
import struct
import zipfile

from docs.bad_inputs.texts import PLAIN, cut

_MIB = 2**20
_SECTOR_BYTES = 512
_END, _FREE, _TABLE = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD


def gzip_bomb() -> bytes:
    """70 MiB of one letter."""
    return _packed(b"a" * 70 * _MIB)


def gzip_in_gzip() -> bytes:
    """Rows that are packed twice."""
    return _packed(_packed(PLAIN.encode()))


def cut_gzip() -> bytes:
    """The first 90 % of a packed file of 5,000 rows."""
    return cut(_packed(_rows()))


def damaged_gzip() -> bytes:
    """A packed file whose checksum does not fit the rows."""
    packed = bytearray(_packed(_rows()))
    packed[-8] ^= 0xFF
    return bytes(packed)


def _rows() -> bytes:
    return "".join(["Id,Name,Amount\n", *(f"{n},name {n},{n * n}\n" for n in range(5_000))]).encode()


def _packed(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


def zipped(parts: dict[str, str]) -> bytes:
    """A ZIP archive of these parts."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(zipfile.ZipInfo(name), text, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def locked_workbook() -> bytes:
    """What stands in place of an xlsx workbook behind a password: an OLE file with the encrypted package.

    Sector 0 is the table of sectors, 1 and 2 are the directory; each stream has eight sectors, which is the
    least that is kept in sectors of its own.
    """
    streams = {"EncryptionInfo": bytes(8 * _SECTOR_BYTES), "EncryptedPackage": bytes(8 * _SECTOR_BYTES)}
    table = [_TABLE, 2, _END]
    for _ in streams:
        first = len(table)
        table += [*range(first + 1, first + 8), _END]
    entries = [_entry("Root Entry", 5, child=1, first=_END, size=0)]
    entries += [
        _entry(name, 2, right=2 if number == 0 else _FREE, first=3 + 8 * number, size=len(content))
        for number, (name, content) in enumerate(streams.items())
    ]
    header = struct.pack(
        "<8s16xHHHHH6xIIIIIIIII109I",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        *(0x3E, 3, 0xFFFE, 9, 6),
        *(0, 1, 1, 0, 4_096, _END, 0, _END, 0),
        *(0, *[_FREE] * 108),
    )
    sectors = struct.pack("<128I", *table, *[_FREE] * (128 - len(table)))
    return header + sectors + b"".join(entries).ljust(2 * _SECTOR_BYTES, b"\0") + b"".join(streams.values())


def _entry(name: str, kind: int, *, first: int, size: int, right: int = _FREE, child: int = _FREE) -> bytes:
    """One entry of an OLE directory."""
    spelt = f"{name}\0".encode("utf-16-le")
    return struct.pack(
        "<64sHBBIII36xIQ", spelt.ljust(64, b"\0"), len(spelt), kind, 1, _FREE, right, child, first, size
    )
