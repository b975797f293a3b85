"""A letter of which only a scan is left."""

from . import pdf, scan

LINES = (
    "HALVORSEN BRIGHT PROPERTIES, LP",
    "1116 Quarry Lane",
    "Duluth, Minnesota 55802",
    "",
    "May 6, 2024",
    "",
    "Mr. Cornelius Abernathy-Sato",
    "Lakeside Bindery & Press, Inc.",
    "318 Canal Street, Unit 4",
    "Duluth, Minnesota 55802",
    "",
    "NOTICE OF TERMINATION OF LEASE",
    "",
    "Dear Mr. Abernathy-Sato:",
    "",
    "Under Section 14 of the lease dated August 1, 2019 between Halvorsen",
    "Bright Properties, LP and Lakeside Bindery & Press, Inc., we end the",
    "lease as of July 31, 2024. Rent of $7,425.00 for March and April 2024 is",
    "unpaid, although we asked for it on April 12, 2024.",
    "",
    "Please leave the premises in good order and return all keys to our agent,",
    "Wilhelmina Okoro, by noon on that day. The deposit of $14,000.00 will be",
    "settled as Minn. Stat. § 504B.178 requires.",
    "",
    "If the premises are not returned, we will file an action in the District",
    "Court for Saint Louis County, Minnesota.",
    "",
    "Sincerely,",
    "",
    "Ingrid Halvorsen",
    "General Partner",
)


def made(pdfium):
    page = pdf.Page()
    for at, text in enumerate(LINES):
        page.text(90, 700 - 18 * at, text, "TB" if text.isupper() else "T", 13)
    return scan.scanned(page, pdfium, "Scan 0012")
