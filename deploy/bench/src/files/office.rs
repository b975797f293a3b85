//! DOCX and ODT: the parts of a package, which `zip::package` packs.

use super::markup::escaped;
use super::zip::Part;

/// The content type of DOCX.
pub const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
/// The content type of ODT.
pub const ODT: &str = "application/vnd.oasis.opendocument.text";
/// The place in the list of parts of the part that holds the text, for both formats.
pub const TEXT_PART: usize = 2;

const WORD: &str = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";
const OFFICE: &str = "urn:oasis:names:tc:opendocument:xmlns";

/// The parts of a DOCX with this text.
pub fn docx(text: &str) -> Vec<Part> {
    let paragraph = |line: &str| {
        format!(
            "<w:p><w:r><w:t xml:space=\"preserve\">{}</w:t></w:r></w:p>",
            escaped(line)
        )
    };
    let paragraphs: String = text.lines().map(paragraph).collect();
    let table = "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>Fee</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>$1,000</w:t></w:r></w:p></w:tc>\
        </w:tr></w:tbl>";
    docx_of(&docx_text(&format!("{paragraphs}{table}")))
}

/// The main part of a DOCX with this body.
pub fn docx_text(body: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><w:document xmlns:w=\"{WORD}\"><w:body>{body}</w:body></w:document>"
    )
}

/// The parts of a DOCX with this main part.
pub fn docx_of(document: &str) -> Vec<Part> {
    let types = format!(
        "<?xml version=\"1.0\"?><Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">\
         <Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>\
         <Override PartName=\"/word/document.xml\" ContentType=\"{DOCX}.main+xml\"/></Types>"
    );
    let relationships = "<?xml version=\"1.0\"?><Relationships \
         xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"r1\" \
         Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\" \
         Target=\"word/document.xml\"/></Relationships>";
    parts(&[
        ("[Content_Types].xml", &types),
        ("_rels/.rels", relationships),
        ("word/document.xml", document),
    ])
}

/// The parts of an ODT with this text.
pub fn odt(text: &str) -> Vec<Part> {
    let paragraphs: String = text
        .lines()
        .map(|line| format!("<text:p>{}</text:p>", escaped(line)))
        .collect();
    odt_of(&odt_text(&paragraphs))
}

/// The content of an ODT with this body.
pub fn odt_text(body: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><office:document-content xmlns:office=\"{OFFICE}:office:1.0\" \
         xmlns:text=\"{OFFICE}:text:1.0\" xmlns:table=\"{OFFICE}:table:1.0\" office:version=\"1.3\"><office:body><office:text>{body}\
         </office:text></office:body></office:document-content>"
    )
}

/// The parts of an ODT with this content.
pub fn odt_of(content: &str) -> Vec<Part> {
    let manifest = format!(
        "<?xml version=\"1.0\"?><manifest:manifest xmlns:manifest=\"{OFFICE}:manifest:1.0\"><manifest:file-entry \
         manifest:full-path=\"/\" manifest:media-type=\"{ODT}\"/></manifest:manifest>"
    );
    parts(&[
        ("mimetype", ODT),
        ("META-INF/manifest.xml", &manifest),
        ("content.xml", content),
    ])
}

fn parts(parts: &[(&str, &str)]) -> Vec<Part> {
    let owned = parts
        .iter()
        .map(|(name, content)| ((*name).to_owned(), content.as_bytes().to_vec()));
    owned.collect()
}
