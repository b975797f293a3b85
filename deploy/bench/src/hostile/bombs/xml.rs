//! DOCX and ODT whose XML hurts.

use std::fmt::Write as _;

use super::Bomb;
use crate::files::office::{self, DOCX, ODT};
use crate::files::zip::{self, Entry, Part};

pub const ALL: &[Bomb] = &[
    Bomb {
        name: "entities.docx",
        media_type: DOCX,
        make: || docx(&entities("w:document")),
    },
    Bomb {
        name: "entities.odt",
        media_type: ODT,
        make: || odt(&entities("office:document-content")),
    },
    Bomb {
        name: "entities-from-files.docx",
        media_type: DOCX,
        make: entities_from_files,
    },
    Bomb {
        name: "deep.docx",
        media_type: DOCX,
        make: || docx_body(&nested("w:sdt", 200_000)),
    },
    Bomb {
        name: "deep-tables.docx",
        media_type: DOCX,
        make: deep_tables,
    },
    Bomb {
        name: "deep.odt",
        media_type: ODT,
        make: || odt_body(&nested("text:section", 200_000)),
    },
    Bomb {
        name: "attributes.docx",
        media_type: DOCX,
        make: || docx_body(&format!("<w:p {}/>", attributes())),
    },
    Bomb {
        name: "attributes.odt",
        media_type: ODT,
        make: || odt_body(&format!("<text:p {}/>", attributes())),
    },
    Bomb {
        name: "namespaces.docx",
        media_type: DOCX,
        make: namespaces,
    },
    Bomb {
        name: "zeros.docx",
        media_type: DOCX,
        make: zeros,
    },
    Bomb {
        name: "spaces.docx",
        media_type: DOCX,
        make: || docx_body(&" ".repeat(64 << 20)),
    },
    Bomb {
        name: "two-texts.docx",
        media_type: DOCX,
        make: two_texts,
    },
    Bomb {
        name: "styles-in-a-circle.docx",
        media_type: DOCX,
        make: styles_in_a_circle,
    },
    Bomb {
        name: "many-styles.docx",
        media_type: DOCX,
        make: many_styles,
    },
    Bomb {
        name: "million-paragraphs.docx",
        media_type: DOCX,
        make: || docx_body(&"<w:p/>".repeat(1_000_000)),
    },
    Bomb {
        name: "wide-table.docx",
        media_type: DOCX,
        make: wide_table,
    },
    Bomb {
        name: "repeated-cells.odt",
        media_type: ODT,
        make: repeated_cells,
    },
    Bomb {
        name: "counted-spaces.odt",
        media_type: ODT,
        make: counted_spaces,
    },
    Bomb {
        name: "strange-characters.docx",
        media_type: DOCX,
        make: strange_characters,
    },
    Bomb {
        name: "broken-references.docx",
        media_type: DOCX,
        make: broken_references,
    },
    Bomb {
        name: "no-text.odt",
        media_type: ODT,
        make: || zip::package(&office::odt_of("<a/>")),
    },
];

fn docx(document: &str) -> Vec<u8> {
    zip::package(&office::docx_of(document))
}

fn docx_body(body: &str) -> Vec<u8> {
    docx(&office::docx_text(body))
}

fn odt(content: &str) -> Vec<u8> {
    zip::package(&office::odt_of(content))
}

fn odt_body(body: &str) -> Vec<u8> {
    odt(&office::odt_text(body))
}

/// Ten entities, each ten times the one before ("billion laughs").
fn entities(root: &str) -> String {
    let mut text = format!("<?xml version=\"1.0\"?><!DOCTYPE {root} [<!ENTITY e0 \"lol\">");
    for number in 1..10 {
        let inner = format!("&e{};", number - 1).repeat(10);
        let _ = write!(text, "<!ENTITY e{number} \"{inner}\">");
    }
    let _ = write!(text, "]><{root}>&e9;</{root}>");
    text
}

fn entities_from_files() -> Vec<u8> {
    docx(
        "<?xml version=\"1.0\"?><!DOCTYPE d [<!ENTITY a SYSTEM \"file:///etc/passwd\"><!ENTITY b SYSTEM \
         \"http://127.0.0.1:9/\">]><w:document xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:body><w:p>\
         <w:r><w:t>&a;&b;</w:t></w:r></w:p></w:body></w:document>",
    )
}

fn nested(element: &str, depth: usize) -> String {
    format!("<{element}>").repeat(depth) + &format!("</{element}>").repeat(depth)
}

fn deep_tables() -> Vec<u8> {
    let (open, close) = ("<w:tbl><w:tr><w:tc>", "</w:tc></w:tr></w:tbl>");
    docx_body(&(open.repeat(60) + "<w:p><w:r><w:t>Deep</w:t></w:r></w:p>" + &close.repeat(60)))
}

fn attributes() -> String {
    (0..100_000).map(|number| format!("a{number}=\"1\" ")).collect()
}

/// Each element of a deep nest declares a prefix of its own.
fn namespaces() -> Vec<u8> {
    let open: String = (0..200)
        .map(|number| format!("<w:sdt xmlns:n{number}=\"urn:{number}\">"))
        .collect();
    let declared: String = (0..900)
        .map(|number| format!("xmlns:m{number}=\"urn:{number}\" "))
        .collect();
    docx_body(&format!(
        "{open}{}{}",
        format!("<w:p {declared}/>").repeat(200),
        "</w:sdt>".repeat(200)
    ))
}

fn zeros() -> Vec<u8> {
    let mut parts = office::docx_of("");
    parts[office::TEXT_PART].1 = vec![0; 100 << 20];
    zip::package(&parts)
}

/// Two main parts of one name, of which two programs would read two.
fn two_texts() -> Vec<u8> {
    let text = |said: &str| office::docx_text(&format!("<w:p><w:r><w:t>{said}</w:t></w:r></w:p>"));
    let mut parts = office::docx_of(&text("The fee is $1,000."));
    parts.push(("word/document.xml".to_owned(), text("The fee is $9,000.").into_bytes()));
    zip::package(&parts)
}

/// A DOCX with a part of styles that the main part refers to.
fn with_styles(styles: &str, body: &str) -> Vec<u8> {
    let w = "xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"";
    let relationships = "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"s\" \
        Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles\" Target=\"styles.xml\"/></Relationships>";
    let more: [Part; 2] = [
        (
            "word/_rels/document.xml.rels".to_owned(),
            relationships.as_bytes().to_vec(),
        ),
        (
            "word/styles.xml".to_owned(),
            format!("<w:styles {w}>{styles}</w:styles>").into_bytes(),
        ),
    ];
    zip::package(&[office::docx_of(&office::docx_text(body)), more.into()].concat())
}

fn style(number: usize, based_on: usize) -> String {
    format!("<w:style w:type=\"paragraph\" w:styleId=\"s{number}\"><w:basedOn w:val=\"s{based_on}\"/></w:style>")
}

fn styled(number: usize) -> String {
    format!("<w:p><w:pPr><w:pStyle w:val=\"s{number}\"/></w:pPr><w:r><w:t>Ada King</w:t></w:r></w:p>")
}

fn styles_in_a_circle() -> Vec<u8> {
    with_styles(
        &(style(1, 2) + &style(2, 1) + &style(3, 3)),
        &(styled(1) + &styled(2) + &styled(3)),
    )
}

/// A long chain of styles, and paragraphs that each begin at its end.
fn many_styles() -> Vec<u8> {
    let styles: String = (1..15_000).map(|number| style(number, number - 1)).collect();
    with_styles(&styles, &styled(14_999).repeat(2_000))
}

fn wide_table() -> Vec<u8> {
    let cells = "<w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc>".repeat(100_000);
    docx_body(&format!("<w:tbl><w:tr>{cells}</w:tr></w:tbl>"))
}

fn repeated_cells() -> Vec<u8> {
    let cell =
        "<table:table-cell table:number-columns-repeated=\"1000000000\"><text:p>Ada King</text:p></table:table-cell>";
    odt_body(&format!(
        "<table:table><table:table-row table:number-rows-repeated=\"1000000000\">{}</table:table-row></table:table>",
        cell.repeat(10)
    ))
}

fn counted_spaces() -> Vec<u8> {
    odt_body(&format!(
        "<text:p>{}Ada</text:p>",
        "<text:s text:c=\"4294967295\"/>".repeat(10_000)
    ))
}

fn strange_characters() -> Vec<u8> {
    docx_body(
        "<w:p><w:r><w:t>\u{202e}gniK adA\u{202c} \u{200b}\u{200d}\u{feff} &#0; &#x1; &#xD800; &#x110000; &#xFFFE; \
         \u{2028}\u{10ffff}</w:t></w:r></w:p>",
    )
}

/// Relationships that lead out of the package, to themselves and nowhere.
fn broken_references() -> Vec<u8> {
    let mut parts = office::docx("The lease of Ada King.");
    let kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let mut relationships =
        "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">".to_owned();
    let targets = [
        "../../../etc/passwd",
        "document.xml",
        "file:///etc/passwd",
        "",
        "%00",
        "nothing.xml",
    ];
    for (at, target) in targets.iter().enumerate() {
        for part in ["styles", "numbering", "footnotes", "header", "comments"] {
            let _ = write!(
                relationships,
                "<Relationship Id=\"{part}{at}\" Type=\"{kind}/{part}\" Target=\"{target}\"/>"
            );
        }
    }
    relationships.push_str("</Relationships>");
    parts.push(("word/_rels/document.xml.rels".to_owned(), relationships.into_bytes()));
    let entries = parts.iter().map(|(name, content)| Entry::stored(name, content));
    zip::archive(&entries.collect::<Vec<_>>())
}
