//! PDFs that unpack, turn in circles, and lie about pages, sizes and offsets.

use std::fmt::Write as _;

use super::Bomb;
use crate::files::pdf::{self, Pdf, Streams};

const PDF: &str = "application/pdf";

pub const ALL: &[Bomb] = &[
    Bomb {
        name: "stream-of-zeros.pdf",
        media_type: PDF,
        make: || of_content(&vec![0; 300 << 20], 1),
    },
    Bomb {
        name: "nested-streams.pdf",
        media_type: PDF,
        make: || of_content(&vec![0; 300 << 20], 2),
    },
    Bomb {
        name: "streams-nested-20-deep.pdf",
        media_type: PDF,
        make: || of_content(&vec![b' '; 64 << 20], 20),
    },
    Bomb {
        name: "pages-in-a-circle.pdf",
        media_type: PDF,
        make: || of_tree("[2 0 R]", 1),
    },
    Bomb {
        name: "pages-in-a-wide-circle.pdf",
        media_type: PDF,
        make: || of_tree(&format!("[{}]", "2 0 R ".repeat(10_000)), 1 << 30),
    },
    Bomb {
        name: "one-page-100000-times.pdf",
        media_type: PDF,
        make: || of_tree(&format!("[{}]", "3 0 R ".repeat(100_000)), 100_000),
    },
    Bomb {
        name: "one-page-9000-times.pdf",
        media_type: PDF,
        make: || of_tree(&format!("[{}]", "3 0 R ".repeat(9_000)), 9_000),
    },
    Bomb {
        name: "a-billion-pages-said.pdf",
        media_type: PDF,
        make: || of_tree("[3 0 R]", 1_000_000_000),
    },
    Bomb {
        name: "pages-below-zero.pdf",
        media_type: PDF,
        make: || of_tree("[3 0 R]", -7),
    },
    Bomb {
        name: "100000-pages.pdf",
        media_type: PDF,
        make: many_pages,
    },
    Bomb {
        name: "deep-tree-of-pages.pdf",
        media_type: PDF,
        make: deep_tree,
    },
    Bomb {
        name: "huge-page.pdf",
        media_type: PDF,
        make: || of_box("[0 0 99999999999 99999999999]"),
    },
    Bomb {
        name: "page-without-a-size.pdf",
        media_type: PDF,
        make: || of_box("[0 0 0 0]"),
    },
    Bomb {
        name: "page-inside-out.pdf",
        media_type: PDF,
        make: || of_box("[1e38 -1e38 -1e38 1e38]"),
    },
    Bomb {
        name: "lying-lengths.pdf",
        media_type: PDF,
        make: lying_lengths,
    },
    Bomb {
        name: "lying-offsets.pdf",
        media_type: PDF,
        make: lying_offsets,
    },
    Bomb {
        name: "huge-picture.pdf",
        media_type: PDF,
        make: huge_picture,
    },
    Bomb {
        name: "thousand-huge-pictures.pdf",
        media_type: PDF,
        make: thousand_pictures,
    },
    Bomb {
        name: "deep-arrays.pdf",
        media_type: PDF,
        make: deep_arrays,
    },
    Bomb {
        name: "form-in-itself.pdf",
        media_type: PDF,
        make: form_in_itself,
    },
    Bomb {
        name: "forms-tenfold-ten-deep.pdf",
        media_type: PDF,
        make: forms_tenfold,
    },
    Bomb {
        name: "million-glyphs-in-one-place.pdf",
        media_type: PDF,
        make: || of_content(&glyphs(1_000_000, false), 1),
    },
    Bomb {
        name: "200000-glyphs-all-over.pdf",
        media_type: PDF,
        make: || of_content(&glyphs(200_000, true), 1),
    },
    Bomb {
        name: "million-rectangles.pdf",
        media_type: PDF,
        make: || of_content(&"0 0 9 9 re f ".repeat(1_000_000).into_bytes(), 1),
    },
    Bomb {
        name: "graphics-saved-a-million-times.pdf",
        media_type: PDF,
        make: || of_content(&"q ".repeat(1_000_000).into_bytes(), 1),
    },
    Bomb {
        name: "font-map-of-everything.pdf",
        media_type: PDF,
        make: font_map,
    },
    Bomb {
        name: "lengths-in-a-circle.pdf",
        media_type: PDF,
        make: lengths_in_a_circle,
    },
    Bomb {
        name: "tables-in-a-circle.pdf",
        media_type: PDF,
        make: tables_in_a_circle,
    },
    Bomb {
        name: "100000-annotations.pdf",
        media_type: PDF,
        make: annotations,
    },
    Bomb {
        name: "script-and-launch.pdf",
        media_type: PDF,
        make: script_and_launch,
    },
    Bomb {
        name: "only-a-header.pdf",
        media_type: PDF,
        make: || b"%PDF-1.7\n".to_vec(),
    },
];

const TEXT: &[u8] = b"BT /F 12 Tf 72 700 Td (The lease of Ada King.) Tj ET";

/// A PDF whose objects 1 and 2 are the catalog and the root of the pages, and 3 is a page with a content in object 4.
fn started(content: Vec<u8>) -> Pdf {
    let mut pdf = Pdf::default();
    pdf.add("<</Type/Catalog/Pages 2 0 R>>");
    pdf.add("<</Type/Pages/Kids[3 0 R]/Count 1>>");
    pdf.add(page("[0 0 612 792]", ""));
    pdf.add(content);
    pdf
}

fn page(media_box: &str, entries: &str) -> String {
    format!(
        "<</Type/Page/Parent 2 0 R/MediaBox{media_box}/Contents 4 0 R/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont\
         /Helvetica>>>>>>{entries}>>"
    )
}

fn plain() -> Vec<u8> {
    pdf::stream("", TEXT, TEXT.len())
}

/// A page whose content was compressed so many times.
fn of_content(content: &[u8], times: usize) -> Vec<u8> {
    let packed = (0..times).fold(content.to_vec(), |bytes, _| pdf::deflated(&bytes));
    let filters = "/FlateDecode ".repeat(times);
    started(pdf::stream(&format!("/Filter[{filters}]"), &packed, packed.len())).bytes(1)
}

fn of_tree(kids: &str, count: i64) -> Vec<u8> {
    let mut pdf = started(plain());
    pdf.set(2, format!("<</Type/Pages/Kids{kids}/Count {count}>>"));
    pdf.bytes(1)
}

fn of_box(media_box: &str) -> Vec<u8> {
    let mut pdf = started(plain());
    pdf.set(3, page(media_box, ""));
    pdf.bytes(1)
}

fn many_pages() -> Vec<u8> {
    let mut pdf = started(plain());
    let mut kids = String::new();
    for _ in 0..100_000 {
        let number = pdf.add(page("[0 0 612 792]", ""));
        let _ = write!(kids, "{number} 0 R ");
    }
    pdf.set(2, format!("<</Type/Pages/Kids[{kids}]/Count 100000>>"));
    pdf.bytes(1)
}

/// A tree of pages in which each node has one child.
fn deep_tree() -> Vec<u8> {
    let mut pdf = started(plain());
    for _ in 0..50_000 {
        let next = pdf.add("") + 1;
        pdf.set(next - 1, format!("<</Type/Pages/Kids[{next} 0 R]/Count 1>>"));
    }
    pdf.add(page("[0 0 612 792]", ""));
    pdf.set(2, "<</Type/Pages/Kids[5 0 R]/Count 1>>");
    pdf.bytes(1)
}

fn lying_lengths() -> Vec<u8> {
    let mut pdf = started(pdf::stream("", TEXT, 4_294_967_295));
    let short = pdf.add(pdf::stream("", TEXT, 1));
    pdf.set(3, page("[0 0 612 792]", &format!("/Contents[4 0 R {short} 0 R]")));
    pdf.bytes(1)
}

/// A good file whose table leads everywhere else.
fn lying_offsets() -> Vec<u8> {
    let text = String::from_utf8_lossy(&pdf::of_text("The lease of Ada King.", Streams::Plain)).into_owned();
    let wrong = text.replace(" 00000 n ", " 00009 n ").replace("\n00000", "\n99999");
    wrong.replace("startxref\n", "startxref\n9").into_bytes()
}

fn picture(pdf: &mut Pdf) -> usize {
    let zeros = pdf::deflated(&vec![0; 30_000 * 1_000]);
    let zeros = pdf::deflated(&zeros);
    pdf.stream(
        "/Type/XObject/Subtype/Image/Width 30000/Height 30000/ColorSpace/DeviceGray/BitsPerComponent 8/Filter[/FlateDecode/FlateDecode]",
        &zeros,
    )
}

fn of_pictures(shown: usize) -> Vec<u8> {
    let draw = "q 612 0 0 792 0 0 cm /I Do Q\n".repeat(shown);
    let mut pdf = started(pdf::stream("", draw.as_bytes(), draw.len()));
    let number = picture(&mut pdf);
    pdf.set(
        3,
        page("[0 0 612 792]", "").replace("/Font<<", &format!("/XObject<</I {number} 0 R>>/Font<<")),
    );
    pdf.bytes(1)
}

fn huge_picture() -> Vec<u8> {
    of_pictures(1)
}

fn thousand_pictures() -> Vec<u8> {
    of_pictures(1_000)
}

fn deep_arrays() -> Vec<u8> {
    let mut pdf = started(plain());
    let deep = "[".repeat(500_000) + &"]".repeat(500_000);
    pdf.set(3, page("[0 0 612 792]", &format!("/Deep{deep}")));
    pdf.bytes(1)
}

fn form(pdf: &mut Pdf, inner: Option<usize>, content: &str) -> usize {
    let inner = inner.map_or_else(String::new, |number| format!("/XObject<</X {number} 0 R>>"));
    let entries = format!(
        "/Type/XObject/Subtype/Form/BBox[0 0 612 792]/Resources<<{inner}/Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>"
    );
    pdf.stream(&entries, content.as_bytes())
}

fn of_form(mut pdf: Pdf, number: usize) -> Vec<u8> {
    pdf.set(
        3,
        page("[0 0 612 792]", "").replace("/Font<<", &format!("/XObject<</X {number} 0 R>>/Font<<")),
    );
    pdf.bytes(1)
}

fn form_in_itself() -> Vec<u8> {
    let mut pdf = started(pdf::stream("", b"/X Do", 5));
    let number = form(&mut pdf, Some(5), "/X Do /X Do BT /F 12 Tf 72 700 Td (Ada) Tj ET");
    of_form(pdf, number)
}

/// Each form draws the next one ten times: ten thousand million words.
fn forms_tenfold() -> Vec<u8> {
    let mut pdf = started(pdf::stream("", b"/X Do", 5));
    let mut number = form(&mut pdf, None, "BT /F 12 Tf 72 700 Td (Ada) Tj ET");
    for _ in 0..10 {
        number = form(&mut pdf, Some(number), &"/X Do ".repeat(10));
    }
    of_form(pdf, number)
}

/// Glyphs one by one, in one place or all over the page.
fn glyphs(count: usize, spread: bool) -> Vec<u8> {
    let mut content = String::from("BT /F 1 Tf\n");
    for number in 0..count {
        let (x, y) = if spread {
            (number * 7_919 % 612, number * 104_729 % 792)
        } else {
            (72, 700)
        };
        let _ = writeln!(content, "1 0 0 1 {x} {y} Tm (a) Tj");
    }
    content.push_str("ET");
    content.into_bytes()
}

/// A map from codes to Unicode that maps one range to long texts, again and again.
fn font_map() -> Vec<u8> {
    let mut map = String::from(
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n1 begincodespacerange <0000> <ffff> endcodespacerange\n",
    );
    for _ in 0..2_000 {
        let _ = writeln!(map, "1 beginbfrange <0000> <ffff> <{}> endbfrange", "0041".repeat(250));
    }
    map.push_str("endcmap end end");
    let content = b"BT /G 12 Tf 72 700 Td <004100420043> Tj ET";
    let mut pdf = started(pdf::stream("", content, content.len()));
    let map = pdf.compressed("", map.as_bytes());
    let font = format!(
        "/G<</Type/Font/Subtype/Type0/BaseFont/A/Encoding/Identity-H/ToUnicode {map} 0 R/DescendantFonts[<</Type/Font/Subtype\
         /CIDFontType2/BaseFont/A/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>/W[0 65535 500]>>]>>"
    );
    pdf.set(
        3,
        page("[0 0 612 792]", "").replace("/Font<<", &format!("/Font<<{font}")),
    );
    pdf.bytes(1)
}

fn lengths_in_a_circle() -> Vec<u8> {
    let mut pdf = started(b"<</Length 5 0 R>>stream\nBT ET\nendstream".to_vec());
    pdf.add("6 0 R");
    pdf.add("5 0 R");
    pdf.bytes(1)
}

/// A table that names itself as the one before.
fn tables_in_a_circle() -> Vec<u8> {
    let text = String::from_utf8_lossy(&started(plain()).bytes(1)).into_owned();
    let start = text
        .rsplit_once("startxref\n")
        .map_or("0", |(_, rest)| rest.lines().next().unwrap_or("0"));
    let prev = format!("trailer\n<</Prev {start}/XRefStm {start}/Root");
    text.replace("trailer\n<</Root", &prev).into_bytes()
}

fn annotations() -> Vec<u8> {
    let mut pdf = started(plain());
    let mut numbers = String::new();
    for _ in 0..100_000 {
        let number =
            pdf.add("<</Type/Annot/Subtype/FreeText/Rect[10 10 90 20]/Contents(Ada King)/DA(/Helv 9 Tf)/F 4>>");
        let _ = write!(numbers, "{number} 0 R ");
    }
    pdf.set(3, page("[0 0 612 792]", &format!("/Annots[{numbers}]")));
    pdf.bytes(1)
}

/// What a viewer would run, fetch and open.
fn script_and_launch() -> Vec<u8> {
    let mut pdf = started(plain());
    pdf.set(
        1,
        "<</Type/Catalog/Pages 2 0 R/OpenAction<</S/JavaScript/JS(while\\(true\\){app.launchURL\\('http://127.0.0.1:9/'\\)})/Next<<\
         /S/Launch/F(/bin/sh)>>>>/AcroForm<</XFA(<xdp/>)/Fields[]>>>>",
    );
    pdf.bytes(1)
}
