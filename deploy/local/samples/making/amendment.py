"""An amendment in Word's format, still under review: a table, a footnote, head and foot, insertions and deletions by a reviewer."""

from .package import packed

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
RELATIONSHIPS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
OF_PACKAGES = "http://schemas.openxmlformats.org/package/2006"
WORD_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml"
XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
REVIEWER = 'w:author="Marisol Etxeberria" w:date="2024-06-18T10:05:00Z"'

HEAD = "Ferrous Lantern Foods, Inc. / Amendment No. 2 / Draft of June 18, 2024"
NOTE = " The Supply Agreement was amended once before, by Amendment No. 1 dated February 27, 2023."

OPENING = (
    "This Amendment No. 2 is made as of June 24, 2024 between Ferrous Lantern Foods, Inc., an Illinois corporation (the “Buyer”), and "
    "Cooperativa Hortícola del Zurrón, S.A. de C.V., a company of Mexico (the “Supplier”). It amends the Supply Agreement of the "
    "parties dated October 3, 2021 (the “Supply Agreement”)."
)
PRICES = (
    ("Product", "Price per metric ton", "Tons per year"),
    ("Dried chilies, ancho", "$5,150.00", "120"),
    ("Dried chilies, guajillo", "$4,875.00", "85"),
    ("Sesame, hulled", "$2,310.00", "240"),
)
CLOSING = (
    "4. Food Safety. The Supplier shall keep the records that the Food and Drug Administration requires under 21 C.F.R. Part 1, "
    "Subpart L, and shall name Dr. Amparo Villaseñor as its responsible person.",
    "5. Governing Law. The laws of the State of Illinois govern this Amendment, as they govern the Supply Agreement. The parties submit "
    "to the United States District Court for the Northern District of Illinois.",
)
SIGNERS = (("Ferrous Lantern Foods, Inc.", "Cooperativa Hortícola del Zurrón, S.A. de C.V."), ("Booker Thistlewood", "Ofelia Zurita"))


def made():
    return packed(
        (
            ("[Content_Types].xml", _content_types()),
            ("_rels/.rels", _relationships(("officeDocument", "word/document.xml"))),
            (
                "word/_rels/document.xml.rels",
                _relationships(("header", "header1.xml"), ("footer", "footer1.xml"), ("footnotes", "footnotes.xml")),
            ),
            ("word/document.xml", _part("document", f"<w:body>{_body()}</w:body>")),
            ("word/header1.xml", _part("hdr", _paragraph(_run(HEAD)))),
            ("word/footer1.xml", _part("ftr", _paragraph(_run("Page ") + _page_number()))),
            ("word/footnotes.xml", _part("footnotes", _footnotes())),
        )
    )


def _body():
    return "".join(
        (
            _paragraph(_run("AMENDMENT NO. 2 TO SUPPLY AGREEMENT")),
            _paragraph(_run(OPENING) + '<w:r><w:footnoteReference w:id="1"/></w:r>'),
            _paragraph(
                _run("1. Term. Section 3.1 of the Supply Agreement is amended so that the term ends on ")
                + _deleted(1, "September 30, 2025")
                + _inserted(2, "March 31, 2027")
                + _run(".")
            ),
            _paragraph(
                _run("2. Prices. From July 1, 2024 the prices and quantities of this table replace those of Exhibit B")
                + _inserted(3, ", and no price may rise by more than four percent (4%) in a calendar year")
                + _run(":")
            ),
            _table(PRICES),
            _paragraph(
                _run("3. Notices. Copies of notices to the Buyer are sent to ")
                + _deleted(4, "Percival Stroud")
                + _inserted(5, "Xiomara Delacroix-Penn")
                + _run(" at Hollis, Umber & Crane LLP, Chicago.")
            ),
            _deleted_paragraph(6, "3A. Exclusivity. The Supplier shall sell to nobody else in Cook County, Illinois."),
            *(_paragraph(_run(text)) for text in CLOSING),
            _table(SIGNERS),
            '<w:sectPr><w:headerReference w:type="default" r:id="rId1"/><w:footerReference w:type="default" r:id="rId2"/></w:sectPr>',
        )
    )


def _escaped(text):
    return text.replace("&", "&amp;").replace("<", "&lt;")


def _run(text, element="t"):
    return f'<w:r><w:{element} xml:space="preserve">{_escaped(text)}</w:{element}></w:r>'


def _paragraph(content):
    return f"<w:p>{content}</w:p>"


def _inserted(number, text):
    return f'<w:ins w:id="{number}" {REVIEWER}>{_run(text)}</w:ins>'


def _deleted(number, text):
    return f'<w:del w:id="{number}" {REVIEWER}>{_run(text, "delText")}</w:del>'


def _deleted_paragraph(number, text):
    mark = f'<w:pPr><w:rPr><w:del w:id="{number}" {REVIEWER}/></w:rPr></w:pPr>'
    return _paragraph(mark + _deleted(number + 1, text))


def _table(rows):
    grid = '<w:gridCol w:w="3000"/>' * len(rows[0])
    cells = ("".join(f"<w:tc>{_paragraph(_run(text))}</w:tc>" for text in row) for row in rows)
    return f"<w:tbl><w:tblPr/><w:tblGrid>{grid}</w:tblGrid>{''.join(f'<w:tr>{row}</w:tr>' for row in cells)}</w:tbl>"


def _page_number():
    return f'<w:fldSimple w:instr=" PAGE ">{_run("1")}</w:fldSimple>'


def _footnotes():
    separator = '<w:footnote w:type="separator" w:id="-1"><w:p><w:r><w:separator/></w:r></w:p></w:footnote>'
    note = _paragraph("<w:r><w:footnoteRef/></w:r>" + _run(NOTE))
    return f'{separator}<w:footnote w:id="1">{note}</w:footnote>'


def _part(root, content):
    return f'{XML}<w:{root} xmlns:w="{WORD}" xmlns:r="{RELATIONSHIPS}">{content}</w:{root}>'


def _relationships(*targets):
    each = "".join(
        f'<Relationship Id="rId{at}" Type="{RELATIONSHIPS}/{kind}" Target="{target}"/>'
        for at, (kind, target) in enumerate(targets, start=1)
    )
    return f'{XML}<Relationships xmlns="{OF_PACKAGES}/relationships">{each}</Relationships>'


def _content_types():
    parts = (("document", "document.main"), ("header1", "header"), ("footer1", "footer"), ("footnotes", "footnotes"))
    each = "".join(
        f'<Override PartName="/word/{name}.xml" ContentType="{WORD_TYPE}.{kind}+xml"/>' for name, kind in parts
    )
    return (
        f'{XML}<Types xmlns="{OF_PACKAGES}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{each}</Types>'
    )
