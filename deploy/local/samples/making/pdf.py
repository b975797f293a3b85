"""Writes PDFs with the standard fonts, uncompressed, so that the same text always gives the same bytes."""

import unicodedata

LETTER = (612, 792)

# Widths of the printable characters of ASCII, in thousandths of the font's size, from Adobe's metrics of the standard fonts.
TIMES = (
    250, 333, 408, 500, 500, 833, 778, 180, 333, 333, 500, 564, 250, 333, 250, 278,
    500, 500, 500, 500, 500, 500, 500, 500, 500, 500, 278, 278, 564, 564, 564, 444,
    921, 722, 667, 667, 722, 611, 556, 722, 722, 333, 389, 722, 611, 889, 722, 722,
    556, 722, 667, 556, 611, 722, 722, 944, 722, 722, 611, 333, 278, 333, 469, 500,
    333, 444, 500, 444, 500, 444, 333, 500, 500, 278, 278, 500, 278, 778, 500, 500,
    500, 500, 333, 389, 278, 500, 500, 722, 500, 500, 444, 480, 200, 480, 541,
)
HELVETICA = (
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278,
    556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
    1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778,
    667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
    333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
    556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
)
# Widths of what else the samples have: in Times, and in Helvetica.
OTHERS = {"“": (444, 333), "”": (444, 333), "’": (333, 222), "–": (500, 556), "§": (500, 556)}

# The fonts by their names in the content, each with its metrics. Bold type is a little wider than its metrics here say, and is used
# for headings only, which are not justified.
FONTS = {
    "T": ("Times-Roman", TIMES, 0),
    "TB": ("Times-Bold", TIMES, 0),
    "H": ("Helvetica", HELVETICA, 1),
    "HB": ("Helvetica-Bold", HELVETICA, 1),
}

SOFT_HYPHEN = "\u00ad"


def width(text, font, size):
    """The width of a text in points."""
    _, metrics, column = FONTS[font]
    total = 0
    for c in text:
        if c in OTHERS:
            total += OTHERS[c][column]
        else:
            base = unicodedata.normalize("NFD", c)[0]
            total += metrics[ord(base) - 32]
    return total * size / 1000


def wrapped(text, font, size, room):
    """The lines of a text. A word may be divided at a soft hyphen."""
    lines, line = [], ""
    words = text.split()
    while words:
        word = words.pop(0)
        whole = word.replace(SOFT_HYPHEN, "")
        longer = f"{line} {whole}".strip()
        if width(longer, font, size) <= room:
            line = longer
            continue
        head, hyphen, tail = word.partition(SOFT_HYPHEN)
        divided = f"{line} {head}-".strip()
        if hyphen and width(divided, font, size) <= room:
            lines.append(divided)
            line = ""
            words.insert(0, tail)
            continue
        lines.append(line)
        line = whole
    return [*lines, line]


class Page:
    """What a page draws."""

    def __init__(self):
        self.content = []

    def text(self, x, y, text, font="T", size=12, word_space=0):
        """A line of text that begins at a point."""
        escaped = text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
        begin = f"BT /{font} {number(size)} Tf {number(word_space)} Tw {number(x)} {number(y)} Td"
        self.content.append(f"{begin} ({escaped}) Tj ET")

    def middle(self, y, text, font="T", size=12):
        """A line of text in the middle of the page."""
        self.text((LETTER[0] - width(text, font, size)) / 2, y, text, font, size)

    def justified(self, x, y, line, room, font="T", size=12):
        """A line of text that fills its column."""
        blanks = line.count(" ")
        space = (room - width(line, font, size)) / blanks if blanks else 0
        self.text(x, y, line, font, size, space)

    def rule(self, x, y, to):
        """A thin horizontal line."""
        self.content.append(f"0.5 w {number(x)} {number(y)} m {number(to)} {number(y)} l S")

    def bytes(self):
        return "\n".join(self.content).encode("cp1252")


def number(value):
    """A number as PDF writes it, in thousandths at most."""
    return f"{value:.3f}".rstrip("0").rstrip(".")


def stream(entries, content):
    return b"<<%s/Length %d>>\nstream\n%s\nendstream" % (entries, len(content), content)


def of_pages(pages, title):
    """A PDF of pages with text."""
    fonts = "".join(
        f"/{name}<</Type/Font/Subtype/Type1/BaseFont/{base}/Encoding/WinAnsiEncoding>>"
        for name, (base, _, _) in FONTS.items()
    )
    resources = f"<</Font<<{fonts}>>>>".encode()
    return of_streams([(resources, page.bytes()) for page in pages], [], title)


def of_streams(pages, objects, title):
    """A PDF of pages, each with its resources and its content, and of further objects, which are numbered from 4."""
    first = 4 + len(objects)
    kids = " ".join(f"{first + 2 * at} 0 R" for at in range(len(pages)))
    every = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids.encode(), len(pages)),
        b"<</Title(%s)>>" % title.encode("ascii"),
        *objects,
    ]
    for at, (resources, content) in enumerate(pages):
        every.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 %d %d]/Resources%s/Contents %d 0 R>>"
            % (*LETTER, resources, first + 2 * at + 1)
        )
        every.append(stream(b"", content))
    written = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    table = b"0000000000 65535 f \n"
    for at, content in enumerate(every, start=1):
        table += b"%010d 00000 n \n" % len(written)
        written += b"%d 0 obj\n%s\nendobj\n" % (at, content)
    end = b"xref\n0 %d\n%strailer\n<</Root 1 0 R/Info 3 0 R/Size %d>>\nstartxref\n%d\n%%%%EOF\n"
    return bytes(written) + end % (len(every) + 1, table, len(every) + 1, len(written))
