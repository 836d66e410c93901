"""A scan is what its bytes say; whatever else is handed in is refused."""

import base64
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_hub.casework.scans import LARGEST, LARGEST_DRAWING, drawing_of, media_type_of, scan_of
from referral_hub.errors import InvalidResource

PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
JPEG = b"\xff\xd8\xff\xe0" + bytes(30) + b"\xff\xd9"


def png(width: int = 40, height: int = 20) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + bytes(width) for _ in range(height)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("content", "kind"), [(PDF, "application/pdf"), (JPEG, "image/jpeg"), (png(), "image/png")]
)
def test_three_kinds_are_taken(content: bytes, kind: str) -> None:
    assert scan_of(content) == kind


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"%PDF-1.4 that stops",
        JPEG[:-2],
        png()[:-4],
        b"GIF89a" + bytes(40),
        b"MZ" + bytes(100),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"PK\x03\x04" + PDF,
        PDF.replace(b"<<>>", b"<</OpenAction 2 0 R>>"),
        PDF.replace(b"<<>>", b"<</S /JavaScript>>"),
        b"%PDF-" + bytes(LARGEST) + b"%%EOF",
    ],
)
def test_anything_else_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidResource):
        scan_of(content)


@given(st.binary(max_size=200))
def test_no_bytes_make_it_fall(content: bytes) -> None:
    assert media_type_of(content) in ("", "application/pdf", "image/jpeg", "image/png")


def url(content: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(content).decode()


def test_a_drawing_is_given_back_as_it_was() -> None:
    assert drawing_of(url(png())) == png()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "data:image/png;base64,",
        "data:image/png;base64,%%%",
        "data:text/html;base64,PGI+",
        url(JPEG),
        url(png(1, 1)),
        url(png()) + "\n",
        url(png()[:-12] + bytes(LARGEST_DRAWING) + png()[-12:]),
    ],
)
def test_what_is_no_drawing_is_refused(text: str) -> None:
    with pytest.raises(InvalidResource):
        drawing_of(text)
