"""Standard terms in two columns, in small type, with words divided at the ends of lines."""

from . import pdf

COLUMNS = (60, 318)
ROOM = 234
TOP, BOTTOM = 680, 70
SIZE, PITCH = 9, 11.5
HEADING_SIZE = 9.5

TITLE = "Standard Terms of Sale"
UNDER_TITLE = "Cobalt Heron Instruments, Inc. – Edition of January 15, 2025"

# Headings and paragraphs. `|` marks where a word may be divided.
TERMS = (
    (
        "1. Application",
        "These Standard Terms apply to every sale of goods by Cobalt Heron Instruments, Inc., an Oregon cor|poration (“Seller”), to the "
        "buyer that is named in an order con|firmation (“Buyer”). Terms on a form of Buyer are re|jected, even if Seller does not "
        "object to them again.",
    ),
    (
        "2. Orders",
        "An order binds Seller when Seller’s office in Corvallis, Oregon has con|firmed it in writing. An order for goods that are made "
        "to measure may not be can|celled after fourteen days. Catalogs and price lists are no offers.",
    ),
    (
        "3. Prices",
        "Prices are in dollars of the United States, ex works Corvallis (Incoterms 2020). They do not include taxes, customs duties or "
        "insurance. If the cost of raw ma|terials rises by more than eight percent between con|firmation and delivery, Seller may raise "
        "the price by the same amount, and Buyer may then withdraw within ten days.",
    ),
    (
        "4. Payment",
        "Invoices are due within thirty days. A first order, and each order of more than $75,000, is paid in advance to Seller’s account "
        "at Willamette Foundry Credit Union. Buyer may not set off a claim that is dis|puted.",
    ),
    (
        "5. Delivery",
        "Delivery dates are es|timates. Risk passes when the goods are handed to the carrier, Tamsin & Oakhurst Freight Company unless "
        "Buyer names another one. Seller may deliver in parts, and invoice each part.",
    ),
    (
        "6. Inspection",
        "Buyer shall inspect the goods within seven days after they ar|rive, and shall tell Seller of every defect that can be seen. "
        "Samples are kept at Seller’s lab|oratory, which Dr. Eirwen Castellanos directs, until De|cember 31 of the third year after "
        "delivery.",
    ),
    (
        "7. Warranty",
        "Seller warrants for twenty-four months that the goods conform to their data sheet. Seller shall re|pair or replace what does "
        "not. THERE IS NO OTHER WARRANTY, AND NONE OF MERCHANTABILITY OR FITNESS FOR A PAR|TICULAR PURPOSE. Nothing here limits what "
        "the Magnuson-Moss Warranty Act, 15 U.S.C. § 2301 et seq., gives a consumer.",
    ),
    (
        "8. Liability",
        "Seller’s liability is limited to the price of the goods con|cerned. Seller is not liable for lost profits or for damage that "
        "fol|lows from the use of goods in aircraft, in nuclear in|stallations or in the human body. Liability for gross neg|ligence "
        "and willful mis|conduct is not limited.",
    ),
    (
        "9. Export",
        "Some goods are controlled under the Export Ad|ministration Regulations, 15 C.F.R. Parts 730 through 774. Buyer shall not ship "
        "them on without a license from the Bureau of Industry and Security, and shall keep records for five years.",
    ),
    (
        "10. Title",
        "Goods remain Seller’s property until they are paid for, to the extent that Article 9 of the Uniform Commercial Code, as "
        "enacted at ORS chapter 79, allows. Buyer authorizes Seller to file a fin|ancing state|ment with the Oregon Sec|retary of State.",
    ),
    (
        "11. Force Majeure",
        "Neither party is liable for delay by fire, flood, strike, war, a ruling of a government, or the failure of a sup|plier that "
        "could not be replaced, such as Nakamura Ferrite Works of Osaka, Japan. If the delay lasts more than ninety days, either party "
        "may withdraw.",
    ),
    (
        "12. Disputes",
        "The laws of the State of Oregon govern these terms. The United Nations Con|vention on Contracts for the International Sale of "
        "Goods does not apply. Disputes are decided by the Circuit Court of Benton County, Oregon or, where it has juris|diction, the "
        "United States District Court for the District of Oregon.",
    ),
    (
        "13. Changes",
        "Seller’s general counsel, Rosalind Achebe-Quist, may publish a new edition of these terms. It applies to orders that are "
        "con|firmed after its date. The edition of March 1, 2022 is withdrawn.",
    ),
)


class _Columns:
    """Columns that are filled from top to bottom, one after the other."""

    def __init__(self):
        self.pages = [pdf.Page()]
        self.column, self.y = 0, TOP

    def line(self):
        """The page and the point where the next line begins."""
        if self.y < BOTTOM:
            self.column, self.y = self.column + 1, TOP
        if self.column == len(COLUMNS):
            self.pages.append(pdf.Page())
            self.column = 0
        at = self.pages[-1], COLUMNS[self.column], self.y
        self.y -= PITCH
        return at


def made():
    columns = _Columns()
    columns.pages[0].middle(728, TITLE, "HB", 16)
    columns.pages[0].middle(710, UNDER_TITLE, "H", 9)
    for heading, paragraph in TERMS:
        lines = pdf.wrapped(paragraph.replace("|", pdf.SOFT_HYPHEN), "H", SIZE, ROOM)
        page, x, y = columns.line()
        page.text(x, y, heading, "HB", HEADING_SIZE)
        for text in lines[:-1]:
            page, x, y = columns.line()
            page.justified(x, y, text, ROOM, "H", SIZE)
        page, x, y = columns.line()
        page.text(x, y, lines[-1], "H", SIZE)
        columns.y -= PITCH / 2
    return pdf.of_pages(columns.pages, TITLE)
