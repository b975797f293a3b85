"""A mail, written as plain text and as HTML, with a contract attached as a PDF."""

import base64
import quopri

from . import pdf

SUBJECT = "Settlement of Ravenscourt v. Pale Orchard Cinemas – draft for signature"
TEXT = """\
Dear Tobias,

I attach the draft settlement agreement between Ms. Ravenscourt and Pale Orchard Cinemas LLC. My client accepts $96,500.00 in full \
settlement of No. 2:23-cv-04418 in the United States District Court for the Central District of California, if it is paid by \
August 30, 2024.

Judge Okonkwo-Reyes has set the mediation for August 14, 2024. If your client signs before that day, I will tell the mediator, \
Beatrix Lindholm of Cypress Mediation Group, that it is not needed.

Kind regards,
Genevieve Sørensen
Sørensen Achebe LLP
"""
PDF_NAME = "settlement-agreement.pdf"
PDF_LINES = (
    "SETTLEMENT AGREEMENT",
    "",
    "Daphne Ravenscourt and Pale Orchard Cinemas LLC settle the action No. 2:23-cv-04418",
    "in the United States District Court for the Central District of California.",
    "",
    "1. Pale Orchard Cinemas LLC pays $96,500.00 by August 30, 2024.",
    "2. Ms. Ravenscourt releases all claims under 42 U.S.C. § 12182 and the Unruh Civil",
    "Rights Act, Cal. Civ. Code § 51.",
    "3. Each party bears its own costs.",
)

MAIL = """\
From: Genevieve =?utf-8?q?S=C3=B8rensen?= <gsorensen@sorensenachebe.example>
To: Tobias Marchetti-Vale <tmv@valeandholt.example>
Cc: "Ravenscourt, Daphne" <daphne@ravenscourt.example>
Date: Fri, 26 Jul 2024 16:41:00 -0700
Subject: {subject}
Message-ID: <20240726164100.1@sorensenachebe.example>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="outer"

--outer
Content-Type: multipart/alternative; boundary="inner"

--inner
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

{text}
--inner
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: quoted-printable

{html}
--inner--
--outer
Content-Type: application/pdf; name="{name}"
Content-Disposition: attachment; filename="{name}"
Content-Transfer-Encoding: base64

{pdf}
--outer--
"""


def made():
    html = "".join(f"<p>{paragraph}</p>\n" for paragraph in TEXT.strip().split("\n\n"))
    mail = MAIL.format(
        subject=f"=?utf-8?b?{base64.b64encode(SUBJECT.encode()).decode()}?=",
        text=quopri.encodestring(TEXT.encode()).decode(),
        html=quopri.encodestring(html.encode()).decode(),
        name=PDF_NAME,
        pdf=base64.encodebytes(attached()).decode().strip(),
    )
    return mail.replace("\n", "\r\n").encode("ascii")


def attached():
    """The attached contract."""
    page = pdf.Page()
    for at, text in enumerate(PDF_LINES):
        page.text(80, 700 - 18 * at, text, "TB" if at == 0 else "T")
    return pdf.of_pages([page], "Settlement Agreement")
