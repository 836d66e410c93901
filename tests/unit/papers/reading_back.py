"""Reads a paper back with a reader that knows nothing of how it was made."""

from dataclasses import dataclass
from io import BytesIO
from typing import Any

from pypdf import PdfReader


@dataclass(frozen=True)
class Paper:
    """What a reader finds: pages, words, language, title, whether it says it is tagged, and its tags."""

    pages: int
    text: str
    language: str
    title: str
    is_marked: bool
    tags: frozenset[str]
    part: str
    size_mm: tuple[int, int]


def read_back(pdf: bytes) -> Paper:
    reader = PdfReader(BytesIO(pdf))
    root = reader.root_object
    metadata = root["/Metadata"].get_object().get_data().decode()
    box = reader.pages[0].mediabox
    return Paper(
        len(reader.pages),
        " ".join(" ".join(page.extract_text() for page in reader.pages).split()),
        str(root["/Lang"]),
        str(reader.metadata.title if reader.metadata else ""),
        bool(root["/MarkInfo"]["/Marked"]),
        frozenset(_tags(root["/StructTreeRoot"])),
        metadata.partition("pdfuaid:part>")[2][:1],
        (round(float(box.width) * 25.4 / 72), round(float(box.height) * 25.4 / 72)),
    )


def _tags(node: Any) -> set[str]:
    found: set[str] = set()
    waiting = [node]
    while waiting:
        one = waiting.pop()
        one = one.get_object() if hasattr(one, "get_object") else one
        if isinstance(one, list):
            waiting.extend(one)
        elif isinstance(one, dict):
            if "/S" in one:
                found.add(str(one["/S"]))
            if "/K" in one:
                waiting.append(one["/K"])
    return found
