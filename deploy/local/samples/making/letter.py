"""A letter of engagement in OpenDocument's format: letterhead and foot among the styles, a table of rates, a note, a tracked deletion."""

from .package import packed

NAMES = " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for prefix, name in (("office", "office"), ("text", "text"), ("table", "table"), ("style", "style"))
)
XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
ODT = "application/vnd.oasis.opendocument.text"

HEAD = ("BRAMBLE, ASANTE & WEIR PLLC", "77 Foundry Square, Burlington, Vermont 05401")
FOOT = "Bramble, Asante & Weir PLLC is a professional limited liability company of Vermont."
DELETED = "We will represent Tor Maplewood, too."
NOTE = "Paralegals and law clerks are not members of the Vermont Bar."

OPENING = (
    "November 12, 2024",
    "Ms. Solveig Ashgrove-Tanaka",
    "Green Kettle Creamery, Inc.",
    "9 Millrace Road, Stowe, Vermont 05672",
    "Re: Engagement in Green Kettle Creamery, Inc. v. Northfield Dairy Haulers, No. 24-CV-01187",
    "Dear Ms. Ashgrove-Tanaka:",
    "Thank you for choosing Bramble, Asante & Weir PLLC. This letter says what we will do for Green Kettle Creamery, Inc. in the action "
    "that it brought in the Superior Court of Washington County, Vermont on October 21, 2024.",
)
MIDDLE = "Our rates until December 31, 2025 are:"
RATES = (
    ("Person", "Role", "Rate"),
    ("Josephine Asante", "Partner", "$485.00 an hour"),
    ("Lucian Weir", "Associate", "$310.00 an hour"),
    ("Paralegals", "", "$145.00 an hour"),
)
CLOSING = (
    "Before we begin we ask for a retainer of $12,500.00, which we hold in our trust account at Otter Creek Savings Bank as Rule 1.15 of "
    "the Vermont Rules of Professional Conduct requires.",
    "Please sign and return one copy by November 22, 2024.",
    "Sincerely,",
    "Josephine Asante",
)


def made():
    manifest = (
        f'{XML}<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" manifest:version="1.2">'
        + _file("/", ODT)
        + _file("content.xml", "text/xml")
        + _file("styles.xml", "text/xml")
        + "</manifest:manifest>"
    )
    return packed(
        (
            ("mimetype", ODT),
            ("META-INF/manifest.xml", manifest),
            ("content.xml", _content()),
            ("styles.xml", _styles()),
        )
    )


def _content():
    change = (
        '<text:tracked-changes><text:changed-region text:id="c1"><text:deletion>'
        "<office:change-info><dc:creator>Lucian Weir</dc:creator><dc:date>2024-11-11T16:20:00</dc:date></office:change-info>"
        f"{_paragraph(DELETED)}</text:deletion></text:changed-region></text:tracked-changes>"
    )
    note = (
        '<text:note text:id="n1" text:note-class="footnote"><text:note-citation>1</text:note-citation>'
        f"<text:note-body>{_paragraph(NOTE)}</text:note-body></text:note>"
    )
    opening = "".join(_paragraph(text) for text in OPENING)
    middle = f'<text:p>{_escaped(MIDDLE)}<text:change text:change-id="c1"/></text:p>'
    closing = "".join(_paragraph(text) for text in CLOSING)
    body = change + opening + middle + _table(note) + closing
    names = f'{NAMES} xmlns:dc="http://purl.org/dc/elements/1.1/"'
    return (
        f'{XML}<office:document-content {names} office:version="1.2"><office:body><office:text>{body}'
        "</office:text></office:body></office:document-content>"
    )


def _table(note):
    rows = ""
    for row in RATES:
        cells = ""
        for text in row:
            content = _escaped(text) + (note if text == "Paralegals" else "")
            cells += f"<table:table-cell><text:p>{content}</text:p></table:table-cell>"
        rows += f"<table:table-row>{cells}</table:table-row>"
    return f'<table:table table:name="Rates"><table:table-column table:number-columns-repeated="3"/>{rows}</table:table>'


def _styles():
    head = "".join(_paragraph(text) for text in HEAD)
    page = (
        '<style:master-page style:name="Standard" style:page-layout-name="Page">'
        f"<style:header>{head}</style:header><style:footer>{_paragraph(FOOT)}</style:footer></style:master-page>"
    )
    return (
        f'{XML}<office:document-styles {NAMES} office:version="1.2"><office:automatic-styles><style:page-layout style:name="Page"/>'
        f"</office:automatic-styles><office:master-styles>{page}</office:master-styles></office:document-styles>"
    )


def _file(path, media_type):
    return f'<manifest:file-entry manifest:full-path="{path}" manifest:media-type="{media_type}"/>'


def _paragraph(text):
    return f"<text:p>{_escaped(text)}</text:p>"


def _escaped(text):
    return text.replace("&", "&amp;").replace("<", "&lt;")
