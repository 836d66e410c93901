"""Makes the fonts that papers are set in, from the PyPI packages fontpkg-noto-sans and fontpkg-noto-sans-arabic.

What lives here: two weights of each, cut down to the letters that the hub's papers may hold, and ``covered.txt``,
which says what letters those are. What does not: setting a paper (``referral_hub.papers.press``).

Run it after ``pip install fonttools fontpkg-noto-sans fontpkg-noto-sans-arabic``, in any environment:
``python scripts/build_fonts.py``. The files it writes are kept in the tree.

Source: SIL Open Font License 1.1 (the fonts have no reserved names); OpenType 1.9, name table.
"""

from importlib.resources import files
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer

FOLDER = Path(__file__).parents[1] / "referral_hub" / "papers" / "fonts"
WEIGHTS = ((400, "Regular"), (700, "Bold"))
_KEPT_NAMES = frozenset({0, 1, 2, 3, 4, 5, 6, 13, 14})


def _span(*ends: tuple[int, int]) -> set[int]:
    return {code for first, last in ends for code in range(first, last + 1)}


WESTERN = _span(
    (0x20, 0x7E), (0xA0, 0x24F), (0x2B0, 0x36F), (0x370, 0x52F), (0x1E00, 0x1FFF), (0x2010, 0x2044), (0x20A0, 0x20CF),
    (0x2100, 0x214F), (0x2200, 0x22FF),
)  # fmt: skip
ARABIC = _span(
    (0x20, 0x7E), (0xA0, 0xFF), (0x600, 0x6FF), (0x750, 0x77F), (0x8A0, 0x8FF), (0xFB50, 0xFDFF), (0xFE70, 0xFEFC),
    (0x2010, 0x2026),
)  # fmt: skip
FONTS = (
    ("fontpkg_noto_sans", "NotoSans[wdth,wght].ttf", "Noto Sans", WESTERN),
    ("fontpkg_noto_sans_arabic", "NotoSansArabic[wdth,wght].ttf", "Noto Sans Arabic", ARABIC),
)


def cut(source: Path, weight: int, style: str, family: str, codes: set[int]) -> TTFont:
    """Gives one weight of a variable font with these letters only."""
    font = instancer.instantiateVariableFont(TTFont(source), {"wght": weight, "wdth": 100})
    options = subset.Options()
    options.layout_features = ["*"]
    options.name_IDs = ["*"]
    options.hinting = False
    options.drop_tables += ["STAT", "DSIG"]
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=codes)
    cutter.subset(font)
    names = font["name"]
    said = {1: family, 2: style, 4: f"{family} {style}", 6: f"{family.replace(' ', '')}-{style}"}
    for place, text in said.items():
        names.setName(text, place, 3, 1, 0x409)
    names.names = [name for name in names.names if name.nameID in _KEPT_NAMES]
    bold = weight >= 700
    font["OS/2"].usWeightClass = weight
    font["OS/2"].fsSelection = (font["OS/2"].fsSelection & ~0x61) | (0x20 if bold else 0x40)
    font["head"].macStyle = int(bold)
    return font


def ranges(codes: set[int]) -> str:
    """Gives code points as lines of first and last, in hexadecimal."""
    lines: list[list[int]] = []
    for code in sorted(codes):
        if lines and lines[-1][1] == code - 1:
            lines[-1][1] = code
        else:
            lines.append([code, code])
    return "".join(f"{first:04X} {last:04X}\n" for first, last in lines)


def main() -> None:
    """Writes the fonts, the licence and the list of letters."""
    covered: set[int] = set()
    for package, name, family, codes in FONTS:
        source = Path(str(files(package))) / "files" / name
        for weight, style in WEIGHTS:
            font = cut(source, weight, style, family, codes)
            covered |= set(font.getBestCmap())
            font.save(FOLDER / f"{family.replace(' ', '')}-{style}.ttf")
    licence = (Path(str(files("fontpkg_noto_sans"))) / "LICENSE").read_text(encoding="utf-8")
    (FOLDER / "OFL.txt").write_text(licence, encoding="utf-8")
    (FOLDER / "covered.txt").write_text(ranges(covered), encoding="ascii")
    for file in sorted(FOLDER.iterdir()):
        print(f"{file.stat().st_size:9,d}  {file.name}")


if __name__ == "__main__":
    main()
