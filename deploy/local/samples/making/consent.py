"""A consent of two pages as a scanner files it: a TIFF, whose second page went through the feeder upside down."""

from . import pdf, scan

PAGES = (
    (
        "CONSENT TO ASSIGNMENT",
        "",
        "This Consent is given on September 16, 2024 by Halvorsen Bright",
        "Properties, LP, a Minnesota limited partnership (the \"Landlord\"),",
        "to Lakeside Bindery & Press, Inc. (the \"Tenant\").",
        "",
        "1. The Landlord consents to the assignment of the lease dated",
        "August 1, 2019 to Pinecrest Letterworks LLC, a Delaware limited",
        "liability company (the \"Assignee\").",
        "",
        "2. The Assignee pays a transfer fee of $1,850.00 within ten days.",
    ),
    (
        "3. The Tenant remains liable for rent until December 31, 2024.",
        "",
        "4. This Consent is governed by the laws of the State of Minnesota.",
        "Disputes are heard by the District Court for Saint Louis County.",
        "",
        "Signed at Duluth, Minnesota:",
        "",
        "Ingrid Halvorsen, General Partner",
        "Theodora Vance, Manager of Pinecrest Letterworks LLC",
    ),
)


def made(pdfium):
    pages = []
    for lines in PAGES:
        page = pdf.Page()
        for at, text in enumerate(lines):
            page.text(90, 700 - 18 * at, text, "TB" if text.isupper() else "T", 13)
        pages.append(page)
    return scan.filed(pages, pdfium, upside_down=(1,))
