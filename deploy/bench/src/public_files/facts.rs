//! What must be read in public files: one line a fact. The paths begin with the name of a repository's folder.

use docket_contract::place::Region;

use super::check::Check::{self, *};

/// Something that must be so of a file.
#[derive(Debug)]
pub struct Fact {
    /// The file's path, below the folder that holds the repositories.
    pub path: &'static str,
    /// What must be so.
    pub check: Check,
}

const fn fact(path: &'static str, check: Check) -> Fact {
    Fact { path, check }
}

/// What a reader of the scans of docling sees first.
const SCANNED: &str = "Docling bundles PDF document conversion";

/// The facts. `pdf.js` is mozilla/pdf.js, `sample-files` is py-pdf/sample-files, `docling` is docling-project/docling, `pandoc` is
/// jgm/pandoc, `mail-parser` is stalwartlabs/mail-parser.
#[rustfmt::skip]
pub const FACTS: &[Fact] = &[
    fact("pdf.js/test/pdfs/tracemonkey.pdf", Pages(14)),
    fact("pdf.js/test/pdfs/tracemonkey.pdf", OnPage(1, "difficult to compile")),
    fact("pdf.js/test/pdfs/freeculture.pdf", Pages(352)),
    fact("pdf.js/test/pdfs/freeculture.pdf", Contains("purchase only authorized electronic")),
    fact("sample-files/026-latex-multicolumn/multicolumn.pdf", Pages(3)),
    fact("sample-files/026-latex-multicolumn/multicolumn.pdf", OneLine(3, "Austria", "83,879")),
    fact("pdf.js/test/pdfs/issue18036.pdf", Contains("This certificate or verification of insurance")),
    fact("pdf.js/test/pdfs/freetexts.pdf", Contains("Hello World From Firefox")),
    fact("pdf.js/test/pdfs/annotation-text-widget.pdf", Contains("Nulla consectetur")),
    fact("pdf.js/test/pdfs/annotation_hidden_print.pdf", Whole("")),
    // The crop box leaves one word of the line "Design, Experimentation, Measurement, Perfor-" to be seen.
    fact("pdf.js/test/pdfs/issue16316.pdf", Whole("Experimentation,")),
    fact("pdf.js/test/pdfs/hello_world_rotated.pdf", Shown(2, 792, 612)),
    fact("pdf.js/test/pdfs/copy_paste_ligatures.pdf", NoLigatures),
    fact("pdf.js/test/pdfs/issue11656.pdf", Starts("שלום עולם")),
    fact("docling/tests/data/pdf/sources/right_to_left_01.pdf", Contains("البرمجة")),
    fact("docling/tests/data/pdf/sources/right_to_left_01.pdf", Contains("Python")),
    // What is drawn first stands outside of the page, where nobody sees it.
    fact("pdf.js/test/pdfs/issue7454.pdf", Starts("Garanties couvertes par le contrat conseillé : Assuré N°1")),
    fact("pdf.js/test/pdfs/issue7454.pdf", Lacks("Signature établissement")),
    fact("docling/tests/data/pdf/sources/redp5110_sampled.pdf", Pages(18)),
    fact("docling/tests/data/pdf/sources/redp5110_sampled.pdf", OnPage(1, "Row and Column Access Control")),
    fact("docling/tests/data/pdf/bookmark_sample.pdf", Pages(3)),
    fact("docling/tests/data/pdf/bookmark_sample.pdf", OnPage(2, "3. Payment Terms")),
    fact("docling/tests/data/pdf/invisible_text_layer.pdf", Contains("Visible heading line")),
    fact("docling/tests/data/pdf/invisible_text_layer.pdf", Contains("Invisible OCR text layer")),
    fact("docling/tests/data/ocr/sources/ocr_test.pdf", Scanned(SCANNED)),
    fact("docling/tests/data/ocr/sources/ocr_test_rotated_90.pdf", Scanned(SCANNED)),
    fact("docling/tests/data/ocr/sources/ocr_test_rotated_180.pdf", Scanned(SCANNED)),
    fact("docling/tests/data/ocr/sources/ocr_test_rotated_270.pdf", Scanned(SCANNED)),
    // The password is "abc".
    fact("pdf.js/test/pdfs/issue6010_1.pdf", Encrypted),
    fact("pdf.js/test/pdfs/xfa_filled_imm1344e.pdf", XfaForm),
    fact("docling/tests/data/docx/sources/docx_page_header_footer_first_page.docx", Within(Region::Header, "FIRST PAGE HEADER (page 1 only)")),
    fact("docling/tests/data/docx/sources/docx_comments.docx", Within(Region::Comment, "Anonymous feedback on this paragraph.")),
    fact("pandoc/test/docx/track_changes_insertion.docx", Contains("two exciting insertions")),
    fact("pandoc/test/docx/track_changes_deletion.docx", Contains("This is a text with a deletion.")),
    fact("pandoc/test/docx/track_changes_move.docx", Once("Here is the text to be moved.")),
    fact("pandoc/test/docx/sdt_in_footnote.docx", Within(Region::Footnote, "Dissonance in the food traceability")),
    fact("pandoc/test/docx/alternate_document_path.docx", Starts("Test")),
    // A character of the private use area stands between the two.
    fact("pandoc/test/rtf/unicode.rtf", Starts("“hi”‘hi’")),
    fact("pandoc/test/rtf/unicode.rtf", Contains("αä")),
    fact("pandoc/test/odt/odt/trackedChanges.odt", Contains("and inserted text.")),
    fact("pandoc/test/odt/odt/trackedChanges.odt", Lacks("deleted")),
    fact("mail-parser/resources/eml/legacy/001.eml", Contains("Die Hasen und die Frösche")),
    fact("docling/tests/data/email/sources/eml_with_attachment.eml", Attached("test.txt", 64)),
];
