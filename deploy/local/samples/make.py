#!/usr/bin/env python3
"""Makes the sample documents that are no plain text: `make.py`. `make.py --check` says whether the files here are what it makes.

The same bytes come out wherever it runs. The environment variable DOCKET_PDFIUM_LIB names pdfium's library, which draws the scan.
"""

import argparse
import os
import pathlib
import platform
import sys

sys.dont_write_bytecode = True

from making import agreement, amendment, consent, letter, mail, notice, terms

FOLDER = pathlib.Path(__file__).resolve().parent
# A repository is no place for large files.
BYTES_MAX = 60_000
# Another processor's arithmetic may draw another pixel, so these files are made and compared on x86-64 only.
DRAWN = {"termination-notice-scan.pdf": notice, "consent-scan.tiff": consent}


def made(pdfium):
    """The samples by their names."""
    return {
        "services-agreement.pdf": agreement.made(),
        "standard-terms.pdf": terms.made(),
        "supply-amendment.docx": amendment.made(),
        "engagement-letter.odt": letter.made(),
        "settlement-offer.eml": mail.made(),
        **{name: sample.made(pdfium) for name, sample in DRAWN.items()},
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file differs")
    check = parser.parse_args().check
    pdfium = os.environ.get("DOCKET_PDFIUM_LIB")
    if not pdfium:
        sys.exit("DOCKET_PDFIUM_LIB does not name libpdfium.so")
    wrong = []
    for name, content in made(pdfium).items():
        path = FOLDER / name
        if check and name in DRAWN and platform.machine() != "x86_64":
            continue
        if len(content) > BYTES_MAX:
            wrong.append(f"{name} has {len(content)} bytes; at most {BYTES_MAX}")
        if not check:
            path.write_bytes(content)
        elif not path.is_file() or path.read_bytes() != content:
            wrong.append(f"{name} is not what make.py makes")
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
