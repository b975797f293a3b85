"""A contract of three pages in one column, with a running head, a foot, numbers of pages, a note and a schedule of fees."""

from . import pdf

LEFT, RIGHT = 90, 522
TOP, BOTTOM = 690, 110
SIZE, PITCH = 12, 17
NOTE_SIZE = 8.5

TITLE = "MASTER SERVICES AGREEMENT"
HEAD = "Master Services Agreement – Larkspur Tidewater Logistics, Inc."
FOOT = "Contract No. LTL-2024-0317 – Confidential"
NOTE = (
    "1 The memorandum of understanding between the parties, signed at Savannah on December 14, 2023, was never binding and is "
    "attached to nothing."
)

PARAGRAPHS = (
    "This Master Services Agreement (this “Agreement”) is made as of April 2, 2024 (the “Effective Date”) between Larkspur Tidewater "
    "Logistics, Inc., a Georgia corporation with its principal office at 41 Cotton Exchange Way, Savannah, Georgia 31401 (the "
    "“Customer”), and Odalys & Brandt Cartography LLC, a Delaware limited liability company with its principal office at 2208 Meridian "
    "Terrace, Suite 900, Baltimore, Maryland 21202 (the “Provider”). It replaces the memorandum of understanding of the parties.1",
    "1. Services. The Provider shall chart the Customer’s berths at the Port of Brunswick and the Port of Savannah, keep the charts "
    "current, and deliver each new edition to the Customer’s harbor master, Captain Ignatius Mbeki-Lowell, within ten (10) business "
    "days after a survey. Each survey is ordered by a written statement of work that both parties sign. Statement of Work No. 1, dated "
    "April 9, 2024, covers Berths 4 through 11.",
    "2. Term. This Agreement begins on the Effective Date and ends on April 1, 2027. Either party may end it earlier on ninety (90) "
    "days’ written notice. Sections 5, 6 and 8 stay in force after it ends.",
    "3. Fees. The Customer shall pay the fees of Schedule A within thirty (30) days after it receives a correct invoice. Late amounts "
    "bear interest at one percent (1%) a month, or the highest rate that O.C.G.A. § 7-4-2 allows if that is lower. The fees of the "
    "first year may not exceed $418,500.00 without the written consent of the Customer’s chief financial officer, Philippa Brånemark.",
    "4. Standard of Care. The Provider shall perform the Services with the skill of a hydrographic surveyor certified by the "
    "International Hydrographic Organization, and in accordance with the published specifications of the National Oceanic and "
    "Atmospheric Administration. The Provider’s chief surveyor, Dr. Teodora Vasquez-Lind, shall direct every survey in person. If she "
    "is not available, the Provider shall propose a substitute, whom the Customer may refuse for any reason.",
    "5. Confidentiality. Soundings, charts and traffic data are the Customer’s confidential information. The Provider shall not "
    "disclose them except to the United States Coast Guard, where 33 C.F.R. Part 160 requires it, and to the Georgia Ports Authority. "
    "The Provider shall tell the Customer of every request for them within two (2) business days.",
    "6. Ownership. Charts made under this Agreement belong to the Customer from the moment they are made. The Provider keeps its "
    "software, known as FathomLine, and grants the Customer a license to use it without charge for as long as the Customer uses the "
    "charts.",
    "7. Insurance. The Provider shall keep commercial general liability insurance of at least $2,000,000 for each occurrence and "
    "professional liability insurance of at least $5,000,000, with Saltmarsh Mutual Assurance Company or another insurer of like "
    "standing, and shall name the Customer as an additional insured. The Provider shall send certificates by May 15, 2024, and again "
    "each year.",
    "8. Liability. Neither party is liable for lost profits. The liability of each party is limited to $3,000,000, save for breach of "
    "Section 5, for willful misconduct, and for what a vessel suffers by an error in a chart that the Provider knew of and did not "
    "correct. Claims under the Longshore and Harbor Workers’ Compensation Act, 33 U.S.C. § 901 et seq., are not limited.",
    "9. Governing Law. The laws of the State of Georgia govern this Agreement. The parties submit to the Superior Court of Chatham "
    "County, Georgia and, where it has jurisdiction, to the United States District Court for the Southern District of Georgia. The "
    "decision in Pelican Sound Towage v. Marrow Creek Terminal, No. 4:19-cv-00733, does not change the meaning of Section 8.",
    "10. Notices. Notices are sent by courier to the addresses above, for the Customer to the attention of Philippa Brånemark, and "
    "for the Provider to the attention of its managing member, Anselm Brandt.",
)

FEES_TITLE = "Schedule A – Fees"
FEES = (
    ("Service", "Unit", "Fee"),
    ("Survey of a berth", "berth", "$14,250.00"),
    ("New edition of a chart", "edition", "$6,800.00"),
    ("Emergency survey", "day", "$21,900.00"),
    ("License of FathomLine", "year", "none"),
)
FEE_COLUMNS = (LEFT, 300, 430)

SIGNATURES = (
    ("LARKSPUR TIDEWATER LOGISTICS, INC.", "By: Philippa Brånemark, Chief Financial Officer", "Date: April 2, 2024"),
    ("ODALYS & BRANDT CARTOGRAPHY LLC", "By: Anselm Brandt, Managing Member", "Date: April 3, 2024"),
)


class _Pages:
    """Pages that are filled from top to bottom."""

    def __init__(self):
        self.pages = []
        self.turn()

    def turn(self):
        self.pages.append(pdf.Page())
        self.y = TOP

    def line(self, draw, pitch=PITCH):
        """Draws a line, on the next page if this one is full."""
        bottom = BOTTOM + (40 if len(self.pages) == 1 else 0)  # The note stands on the first page.
        if self.y < bottom:
            self.turn()
        draw(self.pages[-1], self.y)
        self.y -= pitch


def made():
    pages = _Pages()
    pages.line(lambda page, y: page.middle(y, TITLE, "TB", 15), 34)
    for paragraph in PARAGRAPHS:
        _paragraph(pages, paragraph)
    _fees(pages)
    for lines in SIGNATURES:
        for text in lines:
            pages.line(lambda page, y, text=text: page.text(LEFT, y, text, "T", SIZE))
        pages.y -= 14
    _note(pages.pages[0])
    for at, page in enumerate(pages.pages, start=1):
        page.text(LEFT, 740, HEAD, "T", 9)
        page.rule(LEFT, 734, RIGHT)
        page.text(LEFT, 56, FOOT, "T", 9)
        page.middle(40, f"Page {at} of {len(pages.pages)}", "T", 9)
    return pdf.of_pages(pages.pages, "Master Services Agreement")


def _paragraph(pages, paragraph):
    room = RIGHT - LEFT
    has_note = paragraph.endswith("parties.1")
    lines = pdf.wrapped(paragraph.removesuffix("1") if has_note else paragraph, "T", SIZE, room)
    for text in lines[:-1]:
        pages.line(lambda page, y, text=text: page.justified(LEFT, y, text, room, "T", SIZE))
    pages.line(lambda page, y: page.text(LEFT, y, lines[-1], "T", SIZE))
    if has_note:
        end = LEFT + pdf.width(lines[-1], "T", SIZE)
        pages.pages[-1].text(end + 0.5, pages.y + PITCH + 4, "1", "T", 7)
    pages.y -= 10


def _fees(pages):
    pages.turn()
    pages.line(lambda page, y: page.text(LEFT, y, FEES_TITLE, "TB", 12.5), 24)
    for row in FEES:
        font = "TB" if row is FEES[0] else "T"

        def draw(page, y, row=row, font=font):
            for x, text in zip(FEE_COLUMNS, row, strict=True):
                page.text(x, y, text, font, SIZE)

        pages.line(draw)
    pages.y -= 20


def _note(page):
    page.rule(LEFT, 118, LEFT + 120)
    for at, text in enumerate(pdf.wrapped(NOTE, "T", NOTE_SIZE, RIGHT - LEFT)):
        page.text(LEFT, 106 - 11 * at, text, "T", NOTE_SIZE)
