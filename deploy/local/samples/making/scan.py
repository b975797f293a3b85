"""Makes pictures of pages as a scanner makes them, a little askew and with specks: in a PDF without a text layer, and in a TIFF.

pdfium draws the page: the library that the workers read PDFs with, in the version that the project pins.
"""

import ctypes
import math
import struct

from . import pdf

DOTS_AN_INCH = 200
# How far the paper lay askew, in degrees.
ASKEW = 0.4
SPECKS = 160
GREY_MAX = 150


class _Settings(ctypes.Structure):
    _fields_ = [
        ("version", ctypes.c_int),
        ("font_paths", ctypes.POINTER(ctypes.c_char_p)),
        ("isolate", ctypes.c_void_p),
        ("embedder_slot", ctypes.c_uint),
    ]


def scanned(page, library, title):
    """A PDF with a picture of a page."""
    width, height, rows = _picture(page, library)
    picture = pdf.stream(
        b"/Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/DeviceGray/BitsPerComponent 1/Filter/LZWDecode"
        % (width, height),
        lzw(bytes(rows)),
    )
    content = b"q %d 0 0 %d 0 0 cm /Scan Do Q" % pdf.LETTER
    return pdf.of_streams([(b"<</XObject<</Scan 4 0 R>>>>", content)], [picture], title)


def filed(pages, library, upside_down=()):
    """A TIFF (version 6.0) with a black and white picture for each page; some pages lie upside down."""
    file, places = bytearray(b"II*\0" + bytes(4)), [4]
    for number, page in enumerate(pages):
        width, height, rows = _picture(page, library)
        if number in upside_down:
            rows = _upside_down(rows, width)
        data = lzw(bytes(rows))
        resolution = len(file)
        file += struct.pack("<II", DOTS_AN_INCH, 1)
        strip = len(file)
        file += data + bytes(len(data) % 2)
        struct.pack_into("<I", file, places[-1], len(file))
        whole, fraction = 4, 5
        lzw_compression, black_is_zero, inch = 5, 1, 2
        fields = (
            (254, whole, 2),  # One of several pages.
            (256, whole, width),
            (257, whole, height),
            (258, whole, 1),
            (259, whole, lzw_compression),
            (262, whole, black_is_zero),
            (273, whole, strip),
            (277, whole, 1),
            (278, whole, height),
            (279, whole, len(data)),
            (282, fraction, resolution),
            (283, fraction, resolution),
            (296, whole, inch),
        )
        file += struct.pack("<H", len(fields))
        for tag, kind, value in fields:
            file += struct.pack("<HHII", tag, kind, 1, value)
        places.append(len(file))
        file += bytes(4)
    return bytes(file)


def _picture(page, library):
    """Width, height and the bits of a scanned page."""
    width, height = (side * DOTS_AN_INCH // 72 for side in pdf.LETTER)
    drawn = _drawn(_askew(page), library, width, height)
    return width, height, _with_specks(_black_and_white(drawn, width, height), width, height)


def _upside_down(rows, width):
    """The same bits from the last to the first. Bits of padding are white, and go back to the end of their row."""
    stride = (width + 7) // 8
    turned = bytearray()
    for start in reversed(range(0, len(rows), stride)):
        bits = "".join(f"{value:08b}" for value in rows[start : start + stride])[:width]
        turned += int(bits[::-1].ljust(stride * 8, "1"), 2).to_bytes(stride, "big")
    return turned


def _askew(page):
    sine, cosine = math.sin(math.radians(ASKEW)), math.cos(math.radians(ASKEW))
    turned = pdf.Page()
    turned.content = [f"{cosine:.6f} {sine:.6f} {-sine:.6f} {cosine:.6f} 2 -3 cm", *page.content]
    return pdf.of_pages([turned], "")


def _drawn(document, path, width, height):
    """A page's pixels in grey, one byte each."""
    library = ctypes.CDLL(path)
    for name in ("FPDF_LoadMemDocument", "FPDF_LoadPage", "FPDFBitmap_CreateEx"):
        getattr(library, name).restype = ctypes.c_void_p
    # No font of this machine: pdfium has the standard fonts itself.
    no_fonts = (ctypes.c_char_p * 2)(b"/nonexistent", None)
    library.FPDF_InitLibraryWithConfig(ctypes.byref(_Settings(2, no_fonts, None, 0)))
    opened = ctypes.c_void_p(library.FPDF_LoadMemDocument(document, len(document), None))
    page = ctypes.c_void_p(library.FPDF_LoadPage(opened, 0))
    pixels = ctypes.create_string_buffer(b"\xff" * (width * height), width * height)
    grey = 1
    bitmap = ctypes.c_void_p(library.FPDFBitmap_CreateEx(width, height, grey, pixels, width))
    for_grey = 0x08
    library.FPDF_RenderPageBitmap(bitmap, page, 0, 0, width, height, 0, for_grey)
    drawn = pixels.raw
    library.FPDFBitmap_Destroy(bitmap)
    library.FPDF_ClosePage(page)
    library.FPDF_CloseDocument(opened)
    library.FPDF_DestroyLibrary()
    return drawn


def _black_and_white(grey, width, height):
    """A bit for each pixel, rows padded to whole bytes; white is 1."""
    rows = bytearray()
    padded = (width + 7) // 8 * 8
    for top in range(0, width * height, width):
        bits = "".join("1" if value > GREY_MAX else "0" for value in grey[top : top + width])
        rows += int(bits.ljust(padded, "1"), 2).to_bytes(padded // 8, "big")
    return rows


def _with_specks(rows, width, height):
    """Turns some pixels black, always the same: the numbers of a small generator say which."""
    state, stride = 20240411, (width + 7) // 8
    for _ in range(SPECKS):
        state = (state * 1103515245 + 12345) % 2**31
        x, y = (state >> 8) % width, (state >> 4) % height
        rows[y * stride + x // 8] &= 0xFF ^ (0x80 >> x % 8)
    return rows


def lzw(data):
    """Compresses as PDF's filter LZWDecode expects it. Unlike zlib, it gives the same bytes whoever built Python."""
    clear, end = 256, 257
    bits, count, out = 0, 0, bytearray()

    def put(code, size):
        nonlocal bits, count
        bits, count = bits << size | code, count + size
        while count >= 8:
            count -= 8
            out.append(bits >> count & 0xFF)
        bits &= (1 << count) - 1

    table = {bytes([value]): value for value in range(256)}
    following, size, known = 258, 9, b""
    put(clear, size)
    for value in data:
        longer = known + bytes([value])
        if longer in table:
            known = longer
            continue
        put(table[known], size)
        table[longer] = following
        following += 1
        # The reader of the file is one entry behind, and changes early.
        size = max(9, following.bit_length())
        if following == 4095:
            put(clear, size)
            table = {bytes([value]): value for value in range(256)}
            following, size = 258, 9
        known = bytes([value])
    put(table[known], size)
    following += 1
    put(end, max(9, following.bit_length()))
    put(0, -count % 8)
    return bytes(out)
