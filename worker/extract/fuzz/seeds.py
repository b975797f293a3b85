#!/usr/bin/env python3
"""Makes the first inputs of the targets, of the samples in deploy/local/samples and of the pieces below."""

import pathlib
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
SAMPLES = HERE.parents[2] / "deploy/local/samples"
SEPARATOR = b"\x01"
WORD = b'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>'
TEXT = (
    b'<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    b'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
    b'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"><office:body><office:text>'
)
DOCX_PARTS = ["document", "styles", "numbering", "header1", "footer1", "footnotes", "endnotes", "comments"]
ODT_PARTS = ["content.xml", "styles.xml", "META-INF/manifest.xml"]
RTF = [
    rb"\ansi\ansicpg1252{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset204 Arial;}}\f1 \'c0\u1040?\par A{\footnote B}\par",
    rb"\trowd\intbl A\cell B\cell\row\pard {\header H}{\*\unknown x}{\field{\*\fldinst PAGE}{\fldrslt 1}}\v x\v0\par",
    rb"\itap2 A\nestcell{\*\nesttableprops\nestrow}\cell\row{\shp{\*\shpinst{\shptxt T\par}}}\bin3 abc\par",
]
# A letter for the kind, what stands before the piece, the piece, and what stands behind it.
REPEATED = [
    (b"d", WORD, b"<w:p><w:r><w:t>a</w:t></w:r></w:p>", b"</w:body></w:document>"),
    (b"d", WORD + b"<w:tbl>", b"<w:tr><w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc></w:tr>", b"</w:tbl></w:body></w:document>"),
    (b"d", WORD, b'<w:p><w:pPr><w:rPr><w:del/></w:rPr></w:pPr><w:r><w:t>a</w:t><w:fldChar w:fldCharType="begin"/></w:r></w:p>', b"</w:body></w:document>"),
    (b"o", TEXT, b"<text:p>a<text:s text:c='9'/></text:p>", b"</office:text></office:body></office:document-content>"),
    (b"o", TEXT + b"<table:table>", b"<table:table-row><table:table-cell><text:p>a</text:p></table:table-cell></table:table-row>", b"</table:table></office:text></office:body></office:document-content>"),
    (b"r", rb"{\rtf1 ", rb"{\footnote a\par}b\cell", b"}"),
    (b"r", rb"{\rtf1{\fonttbl ", rb"{\f1\fcharset204 A;}", b"}}"),
    (b"h", b"<title>a</title>", b"<p>a<table><tr><td rowspan=3>b", b"</table>"),
    (b"h", b"<p>", b"<a b=c>&amp;</a><br><!-- -->", b""),
    (b"h", b"<svg>", b"<b><script>", b""),
    (b"m", b"From: a\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n", b"--b\r\nContent-Type: text/plain\r\n\r\na\r\n", b"--b--"),
    (b"m", b"From: a\r\nTo: ", b"=?utf-8?q?a?= \"b\" <c>, ", b"\r\n\r\na"),
    (b"m", b"From: a\r\nContent-Type: text/plain", b"; name*1=a", b"\r\n\r\na"),
]


def parts(file, names):
    package = zipfile.ZipFile(file)
    return [package.read(name) if name in package.namelist() else b"" for name in names]


def write(target, seeds):
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds):
        (folder / f"seed-{number}").write_bytes(seed)


def main():
    sample = {path.suffix[1:]: path.read_bytes() for path in sorted(SAMPLES.iterdir()) if path.is_file()}
    word = parts(SAMPLES / "supply-amendment.docx", [f"word/{name}.xml" for name in DOCX_PARTS])
    text = parts(SAMPLES / "engagement-letter.odt", ODT_PARTS)
    write("docx", [sample["docx"]])
    write("docx_parts", [SEPARATOR.join(word)])
    write("odt", [sample["odt"], text[0]])
    write("odt_parts", [SEPARATOR.join(text)])
    write("rtf", RTF)
    write("html", [sample["html"]])
    write("mail", [sample["eml"]])
    write("archive", [sample["docx"], sample["odt"]])
    texts = [path.read_bytes()[:2_000] for path in sorted(SAMPLES.glob("*.txt"))]
    write("text", [b"\0" + text for text in [*sample.values(), *texts, texts[0].decode().encode("utf-16le"), texts[0].decode().encode("utf-32be")]])
    write("answer", [frame(b"S", b'{"about":{"coverage":{"media_type":"a"},"map_memory":1},"sizes":[1]}') + frame(b"B", b"a") + frame(b"D", b"")])
    write("repeated", [kind + SEPARATOR.join(pieces) for kind, *pieces in REPEATED])
    write("tiff", [sample["tiff"]])
    write("map", [])


def frame(kind, payload):
    return len(payload).to_bytes(4, "little") + kind + payload


main()
