"""What kind of file it is: its first bytes tell; its ending only where they do not."""

from __future__ import annotations

import mmap
import re
import zipfile
from pathlib import Path

from kamp_lib.text import Text

TEXT_ENDINGS = (".csv", ".tsv", ".txt", ".dat", ".asc", ".log", ".prn")
# What a file without telling bytes is, by its ending.
BY_ENDING = {
    **dict.fromkeys(TEXT_ENDINGS, "text"),
    **dict.fromkeys((".xlsx", ".xlsm", ".xlsb", ".ods"), "workbook"),
    ".xls": "old workbook",
    **dict.fromkeys((".parquet", ".pq"), "parquet"),
    **dict.fromkeys((".feather", ".arrow", ".ipc"), "arrow"),
    **dict.fromkeys((".json", ".jsonl", ".ndjson"), "json"),
    **dict.fromkeys((".db", ".sqlite", ".sqlite3", ".db3"), "database"),
    ".mat": "matlab",
    **dict.fromkeys((".h5", ".hdf5"), "hdf5"),
    ".npy": "numpy",
    ".npz": "numpy archive",
    ".wav": "sound",
}
ARCHIVE_ENDINGS = (".zip", ".gz")
IMAGE_ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
ENDINGS = (*BY_ENDING, *ARCHIVE_ENDINGS)
MOST_MEMBERS = 100_000
MEMBER = b"PK\x01\x02"  # begins each entry of a zip's list
File = tuple[Path, str]  # where it is, and what the person calls it

_MAGIC = {
    b"PAR1": "parquet",
    b"ARROW1": "arrow",
    b"FEA1": "feather 1",
    b"\xff\xff\xff\xff": "arrow",
    b"SQLite format 3\0": "database",
    b"MATLAB 5.0 MAT-file": "matlab",
    b"MATLAB 7.3 MAT-file": "hdf5",
    b"\x89HDF\r\n\x1a\n": "hdf5",
    b"\x93NUMPY": "numpy",
    b"\x1f\x8b": "gzip",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "old workbook",
    b"7z\xbc\xaf\x27\x1c": "other archive",
    b"Rar!\x1a\x07": "other archive",
    b"BZh": "other archive",
    b"\xfd7zXZ\0": "other archive",
    b"\x28\xb5\x2f\xfd": "other archive",
    b"%PDF": "pdf",
    b"\x89PNG\r\n\x1a\n": "image",
    b"\xff\xd8\xff": "image",
    b"II*\0": "image",
    b"MM\0*": "image",
    b"GIF8": "image",
}
_MARKUP = re.compile(
    rb"\s*(<!--.*?-->\s*)*<(!doctype\s+html|html|head|body|meta|table|style|div)\b",
    re.IGNORECASE | re.DOTALL,
)
_EXCEL_XML = b"urn:schemas-microsoft-com:office:spreadsheet"
_PACKED = Text(
    "판정 파일은 압축을 풀어 적어 주세요.",
    "unpack a file of labels before you name it.",
)
# What cannot be read, and what to do instead.
REFUSED = {
    "zip": _PACKED,
    "gzip": _PACKED,
    "other archive": Text(
        "zip·gz 이외의 압축 파일은 읽을 수 없습니다. 압축을 풀거나 zip으로 다시 묶어 가져오세요.",
        "of archives only zip and gz are read; unpack it, or pack it again as zip.",
    ),
    "damaged archive": Text(
        "압축 파일이 아니거나 망가졌습니다. 다시 압축해 가져오세요.",
        "it is damaged, or no archive at all; pack it again.",
    ),
    "feather 1": Text(
        "옛 Feather(버전 1) 파일입니다. 버전 2나 Parquet으로 다시 저장하세요.",
        "it is an old Feather file (version 1); save it as version 2 or Parquet.",
    ),
    "pdf": Text(
        "PDF에서는 표를 읽을 수 없습니다. 설비나 MES에서 CSV나 엑셀로 내보내세요.",
        "no table can be read from a PDF; export CSV or Excel from the machine or MES.",
    ),
    "document": Text(
        "문서 파일에서는 표를 읽을 수 없습니다. 표를 엑셀(.xlsx)이나 CSV로 저장해 가져오세요.",
        "no table can be read from a document; save the table as Excel (.xlsx) or CSV.",
    ),
    "image": Text(
        "이미지인데 파일 확장자가 다릅니다. 확장자를 .png, .jpg 등으로 고쳐 가져오세요.",
        "it is a picture under another ending; rename it to .png, .jpg and so on.",
    ),
}


def kind_of(path: Path) -> str | None:
    """The kind of a file; None when neither its bytes nor its ending tell."""
    with open(path, "rb") as file:
        head = file.read(4096)
    for magic, kind in _MAGIC.items():
        if head.startswith(magic):
            return kind
    ending = BY_ENDING.get(path.suffix.lower())
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _kind_of_zip(path) or ending or "zip"
    if head[:4] in (b"RIFF", b"RF64", b"RIFX") and head[8:12] == b"WAVE":
        return "sound"
    if head[257:262] == b"ustar":
        return "other archive"
    if _EXCEL_XML in head:
        return "excel xml"
    if _MARKUP.match(head.removeprefix(b"\xef\xbb\xbf")):
        return "web page"
    if ending in ("workbook", "old workbook") and not _junk(head):
        return "text"  # what an MES calls .xls is often a CSV
    if path.suffix.lower() in ARCHIVE_ENDINGS:  # unpacked already, under its old name
        return "damaged archive" if _junk(head) else "text"
    if ending == "text" and re.match(rb"(\xef\xbb\xbf)?\s*(\[\s*)?\{\s*\"", head):
        return "json"
    return ending


def _kind_of_zip(path: Path) -> str | None:
    """Workbooks, documents and NumPy archives are zip files too."""
    if has_countless_members(path):
        return "zip"
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return None
    if {"xl/workbook.xml", "xl/workbook.bin"} & names:
        return "workbook"
    if {"word/document.xml", "ppt/presentation.xml", "Contents/content.hpf"} & names:
        return "document"
    if "content.xml" in names and "mimetype" in names:
        return "workbook"
    if names and all(name.endswith(".npy") for name in names):
        return "numpy archive"
    return "zip"


def has_countless_members(path: Path) -> bool:
    """Whether the list of a zip's members is too long to be read into memory."""
    with (
        open(path, "rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
    ):
        at, count = data.find(MEMBER), 0
        while at >= 0 and count <= MOST_MEMBERS:
            at, count = data.find(MEMBER, at + len(MEMBER)), count + 1
    return count > MOST_MEMBERS


def _junk(head: bytes) -> bool:
    return b"\0" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff"))
