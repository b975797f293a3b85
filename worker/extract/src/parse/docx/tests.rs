use docket_contract::place::{Place, Region};

use super::read;
use crate::limits::{DEPTH_MAX, Limits};
use crate::parse::package::testing::{LIMITS, damage, outcome, package};
use crate::refusal::{Format, Problem, Refusal};
use crate::writer::Writer;

const WORD: &str = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";
const STRICT: &str = "http://purl.oclc.org/ooxml/wordprocessingml/main";
const RELATIONSHIPS: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
const TYPES: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

/// The root of a part with all namespaces that the samples use.
fn part(root: &str, content: &str) -> String {
    format!(
        "<w:{root} xmlns:w='{WORD}' xmlns:r='{TYPES}' \
         xmlns:mc='http://schemas.openxmlformats.org/markup-compatibility/2006' \
         xmlns:m='http://schemas.openxmlformats.org/officeDocument/2006/math' \
         xmlns:a='http://schemas.openxmlformats.org/drawingml/2006/main'>{content}</w:{root}>"
    )
}

/// A document with a body and further parts: each with a kind, which is its identifier too, a name and a content.
fn document(body: &str, parts: &[(&str, &str, String)]) -> Vec<u8> {
    let relations = |relations: String| format!("<Relationships xmlns='{RELATIONSHIPS}'>{relations}</Relationships>");
    let relation = |id: &str, kind: &str, target: &str| {
        format!("<Relationship Id='{id}' Type='{TYPES}/{kind}' Target='{target}'/>")
    };
    let of_package = relations(relation("r1", "officeDocument", "word/document.xml"));
    let of_document = parts
        .iter()
        .map(|(kind, name, _)| relation(name, kind, &format!("{name}.xml")));
    let of_document = relations(of_document.collect());
    let main = part("document", &format!("<w:body>{body}</w:body>"));
    let names: Vec<String> = parts.iter().map(|(_, name, _)| format!("word/{name}.xml")).collect();
    let mut all: Vec<(&str, &[u8])> = vec![
        ("_rels/.rels", of_package.as_bytes()),
        ("word/_rels/document.xml.rels", of_document.as_bytes()),
        ("word/document.xml", main.as_bytes()),
    ];
    all.extend(
        names
            .iter()
            .zip(parts)
            .map(|(name, (_, _, content))| (name.as_str(), content.as_bytes())),
    );
    package(&all)
}

/// The text of a body.
fn text(body: &str) -> String {
    outcome(read, &document(body, &[])).unwrap().0
}

/// The blocks of a document.
fn blocks(file: &[u8]) -> Vec<(Region, Place, String)> {
    let (text, blocks) = outcome(read, file).unwrap();
    let blocks = blocks.iter();
    blocks
        .map(|block| (block.region, block.place, text[block.start..block.end].to_owned()))
        .collect()
}

/// The regions and texts of a document.
fn regions(file: &[u8]) -> Vec<(Region, String)> {
    blocks(file)
        .into_iter()
        .map(|(region, _, text)| (region, text))
        .collect()
}

fn paragraph(text: &str) -> String {
    format!("<w:p>{}</w:p>", run(text))
}

fn run(text: &str) -> String {
    format!("<w:r><w:t xml:space='preserve'>{text}</w:t></w:r>")
}

fn cell(properties: &str, content: &str) -> String {
    format!("<w:tc><w:tcPr>{properties}</w:tcPr>{content}</w:tc>")
}

#[test]
fn paragraphs_are_blocks() {
    let file = document(
        &(paragraph("one") + &paragraph("  ") + &paragraph("two &amp; three")),
        &[],
    );
    let place = |paragraph| Place::Paragraph { paragraph };
    let expected = [
        (Region::Body, place(1), "one".to_owned()),
        (Region::Body, place(2), "two & three".to_owned()),
    ];
    assert_eq!(blocks(&file), expected);
}

#[test]
fn strict_documents_are_read() {
    let file = |namespace: &str, kind: &str| {
        let main = format!(
            "<d:document xmlns:d='{namespace}'><d:body><d:p><d:r><d:t>text</d:t></d:r></d:p></d:body></d:document>"
        );
        let rels = format!(
            "<Relationships xmlns='{RELATIONSHIPS}'><Relationship Id='a' Type='{kind}' Target='/any/Name.xml'/></Relationships>"
        );
        package(&[("_rels/.rels", rels.as_bytes()), ("any/name.xml", main.as_bytes())])
    };
    let strict = file(
        STRICT,
        "http://purl.oclc.org/ooxml/officeDocument/relationships/officeDocument",
    );
    assert_eq!(outcome(read, &strict).unwrap().0, "text");
    let other = file("urn:other", &format!("{TYPES}/officeDocument"));
    assert_eq!(
        outcome(read, &other),
        Err(Refusal::malformed(Format::Docx, Problem::Structure))
    );
}

#[test]
fn a_main_part_in_utf_16_is_read() {
    let main = part("document", &format!("<w:body>{}</w:body>", paragraph("Müller")));
    let main: Vec<u8> = format!("\u{feff}{main}")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let file = package(&[("word/document.xml", &main)]);
    assert_eq!(outcome(read, &file).unwrap().0, "Müller");
}

#[test]
fn a_package_without_a_main_part_is_refused() {
    let file = package(&[("a.xml", b"<a/>")]);
    assert_eq!(
        outcome(read, &file),
        Err(Refusal::malformed(Format::Docx, Problem::MissingPart))
    );
}

#[test]
fn marks_of_a_run_become_characters() {
    let body = "<w:p><w:pPr><w:tabs><w:tab w:val='left'/></w:tabs></w:pPr><w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t>\
                <w:noBreakHyphen/><w:t>d</w:t><w:softHyphen/><w:t>e</w:t><w:cr/><w:sym w:font='Arial' w:char='F0A7'/>\
                <w:sym w:font='Symbol' w:char='F061'/><w:sym w:font='Webdings' w:char='F061'/><w:t>\u{f0b7}\u{f0e1}f</w:t></w:r></w:p>";
    assert_eq!(text(body), "a\tb\nc-de\n§α•f");
}

#[test]
fn blanks_of_the_file_within_text_are_blanks() {
    assert_eq!(
        text("<w:p>\n<w:r>\n<w:t>a\n\tb</w:t>\n</w:r>\n<w:r><w:t> c</w:t></w:r></w:p>"),
        "a  b c"
    );
}

#[test]
fn deleted_text_is_left_out_and_inserted_text_is_in() {
    let body = format!(
        "<w:p>{}<w:ins w:id='1'>{}<w:del w:id='2'>{}</w:del></w:ins><w:del w:id='3'><w:r><w:delText>no</w:delText>\
         <w:t>no</w:t></w:r></w:del><w:moveFrom w:id='4'>{}</w:moveFrom><w:moveTo w:id='5'>{}</w:moveTo></w:p>",
        run("a"),
        run("b"),
        run("no"),
        run("no"),
        run("c"),
    );
    assert_eq!(text(&body), "abc");
}

#[test]
fn paragraphs_join_where_the_mark_between_them_is_deleted_or_hidden() {
    let marked = |mark: &str, text: &str| format!("<w:p><w:pPr><w:rPr><w:{mark}/></w:rPr></w:pPr>{}</w:p>", run(text));
    let body =
        marked("del", "a") + &marked("vanish", "b") + &marked("moveFrom", "c") + &paragraph("d") + &paragraph("e");
    assert_eq!(text(&body), "abcd\n\ne");
    assert_eq!(text(&marked("del", "a")), "a");
    let unmarked = "<w:p><w:pPr><w:rPr><w:vanish w:val='0'/><w:rPrChange><w:rPr><w:del/></w:rPr></w:rPrChange></w:rPr></w:pPr></w:p>";
    assert_eq!(text(&(paragraph("a") + unmarked + &paragraph("b"))), "a\n\nb");
}

#[test]
fn a_large_first_letter_belongs_to_its_word() {
    let capital = format!("<w:p><w:pPr><w:framePr w:dropCap='drop'/></w:pPr>{}</w:p>", run("W"));
    assert_eq!(text(&(capital + &paragraph("hereas"))), "Whereas");
}

#[test]
fn hidden_text_is_left_out() {
    let hidden = |property: &str| {
        format!(
            "<w:p><w:r><w:rPr>{property}</w:rPr><w:t>b</w:t></w:r>{}</w:p>",
            run("c")
        )
    };
    let styles = part(
        "styles",
        "<w:style w:styleId='Base'><w:rPr><w:vanish/></w:rPr></w:style>\
         <w:style w:styleId='Derived'><w:basedOn w:val='Base'/></w:style>\
         <w:style w:styleId='Shown'><w:basedOn w:val='Base'/><w:rPr><w:vanish w:val='false'/></w:rPr></w:style>\
         <w:style w:styleId='Turns'><w:basedOn w:val='Turns'/></w:style>",
    );
    let text = |body: &str| {
        outcome(read, &document(body, &[("styles", "s", styles.clone())]))
            .unwrap()
            .0
    };
    assert_eq!(text(&hidden("<w:vanish/>")), "c");
    assert_eq!(text(&hidden("<w:vanish w:val='off'/>")), "bc");
    assert_eq!(text(&hidden("<w:webHidden/>")), "bc");
    assert_eq!(text(&hidden("<w:rStyle w:val='Derived'/>")), "c");
    assert_eq!(text(&hidden("<w:rStyle w:val='Derived'/><w:vanish w:val='0'/>")), "bc");
    assert_eq!(text(&hidden("<w:rStyle w:val='Shown'/>")), "bc");
    assert_eq!(text(&hidden("<w:rStyle w:val='Turns'/>")), "bc");
    assert_eq!(
        text(&format!(
            "<w:p><w:pPr><w:pStyle w:val='Base'/></w:pPr>{}</w:p>",
            run("a")
        )),
        ""
    );
}

#[test]
fn results_of_fields_are_in_and_instructions_are_out() {
    let mark = |kind: &str| format!("<w:r><w:fldChar w:fldCharType='{kind}'/></w:r>");
    let instruction = "<w:r><w:instrText> IF </w:instrText></w:r>";
    let inner = [&mark("begin"), instruction, &mark("separate"), &run("no"), &mark("end")].concat();
    let field = [
        &mark("begin"),
        instruction,
        &inner,
        &mark("separate"),
        &run("yes"),
        &mark("end"),
    ]
    .concat();
    assert_eq!(
        text(&format!("<w:p>{}{field}{}</w:p>", run("a "), run(" b"))),
        "a yes b"
    );
    let open = format!("<w:p>{}{}</w:p>", mark("begin"), run("no"));
    assert_eq!(text(&(open + &paragraph("a"))), "a");
    assert_eq!(
        text(&format!(
            "<w:p><w:fldSimple w:instr=' DATE '>{}</w:fldSimple></w:p>",
            run("3 May")
        )),
        "3 May"
    );
}

#[test]
fn choices_and_ticks_of_forms_are_read() {
    let field = |data: &str| {
        format!(
            "<w:r><w:fldChar w:fldCharType='begin'><w:ffData><w:name w:val='x'/>{data}</w:ffData></w:fldChar></w:r>\
             <w:r><w:fldChar w:fldCharType='end'/></w:r>"
        )
    };
    let list = |chosen: &str| {
        field(&format!(
            "<w:ddList>{chosen}<w:listEntry w:val='buyer'/><w:listEntry w:val='seller'/></w:ddList>"
        ))
    };
    let tick = |ticked: &str| {
        field(&format!(
            "<w:checkBox><w:sizeAuto/><w:default w:val='0'/>{ticked}</w:checkBox>"
        ))
    };
    let body = [
        list(""),
        list("<w:result w:val='1'/>"),
        tick(""),
        tick("<w:checked/>"),
        tick("<w:checked w:val='0'/>"),
    ]
    .concat();
    assert_eq!(text(&format!("<w:p>{body}</w:p>")), "buyerseller☐☒☐");
}

#[test]
fn wrappers_are_transparent_and_their_properties_are_not_text() {
    let body = format!(
        "<w:sdt><w:sdtPr><w:rPr><w:vanish/></w:rPr><w:alias w:val='no'/></w:sdtPr><w:sdtContent><w:p>\
         <w:hyperlink r:id='x'>{}</w:hyperlink><w:smartTag>{}</w:smartTag><w:sdt><w:sdtContent>{}</w:sdtContent></w:sdt>\
         <w:ruby><w:rt>{}</w:rt><w:rubyBase>{}</w:rubyBase></w:ruby></w:p></w:sdtContent></w:sdt>",
        run("a"),
        run("b"),
        run("c"),
        run("no"),
        run("d"),
    );
    assert_eq!(text(&body), "abcd");
}

#[test]
fn formulas_are_text() {
    let number = |number: &str| format!("<m:r><w:rPr/><m:t>{number}</m:t></m:r>");
    let formula = format!(
        "<m:oMath><m:f><m:num>{}</m:num><m:den>{}</m:den></m:f></m:oMath>",
        number("1"),
        number("2")
    );
    assert_eq!(text(&format!("<w:p>{}{formula}</w:p>", run("x ="))), "x =1/2");
}

#[test]
fn one_alternative_is_read() {
    let alternatives = |choice: &str, fallback: &str| {
        let box_of = |text: &str| format!("<w:txbxContent>{text}</w:txbxContent>");
        format!(
            "<w:p><w:r><mc:AlternateContent><mc:Choice Requires='wps'>{}</mc:Choice><mc:Fallback>{}</mc:Fallback>\
             </mc:AlternateContent></w:r>{}</w:p>",
            box_of(choice),
            box_of(fallback),
            run("after"),
        )
    };
    assert_eq!(text(&alternatives(&paragraph("a"), &paragraph("a"))), "a\n\nafter");
    assert_eq!(text(&alternatives(&paragraph(" "), &paragraph("b"))), "b\n\nafter");
}

#[test]
fn text_boxes_and_shapes_are_paragraphs_of_their_own() {
    let shape = "<w:drawing><a:p><a:r><a:t>shape</a:t></a:r></a:p></w:drawing>";
    let body = format!(
        "<w:p>{}<w:r><w:pict><w:txbxContent>{}</w:txbxContent></w:pict>{shape}</w:r>{}</w:p>",
        run("sen"),
        paragraph("box"),
        run("tence")
    );
    assert_eq!(text(&body), "box\n\nshape\n\nsentence");
}

#[test]
fn cells_have_rows_and_columns() {
    let empty = "<w:p/>";
    let rows = [
        cell(
            "<w:gridSpan w:val='2'/><w:vMerge w:val='restart'/>",
            &(paragraph("a") + &paragraph("b")),
        ) + &cell("", &paragraph("c")),
        cell("<w:gridSpan w:val='2'/><w:vMerge/>", &paragraph("no")) + &cell("", &paragraph("d")),
        "<w:trPr><w:del w:id='1'/></w:trPr>".to_owned() + &cell("", &paragraph("no")),
        "<w:trPr><w:ins w:id='1'/><w:gridBefore w:val='1'/></w:trPr>".to_owned()
            + &cell("", empty)
            + &cell("", &paragraph("e")),
    ];
    let rows: String = rows.iter().map(|row| format!("<w:tr>{row}</w:tr>")).collect();
    let file = document(
        &format!("<w:tbl><w:tblPr/><w:tblGrid/>{rows}</w:tbl>{}", paragraph("after")),
        &[],
    );
    let place = |row, column| Place::Cell { table: 1, row, column };
    let expected = [
        (place(1, 1), "a\nb"),
        (place(1, 3), "c"),
        (place(2, 3), "d"),
        (place(3, 3), "e"),
        (Place::Paragraph { paragraph: 1 }, "after"),
    ];
    let expected: Vec<_> = expected
        .map(|(place, text)| (Region::Body, place, text.to_owned()))
        .into();
    assert_eq!(blocks(&file), expected);
    assert_eq!(outcome(read, &file).unwrap().0, "a\nb\tc\nd\ne\n\nafter");
}

#[test]
fn nested_tables_have_numbers_of_their_own() {
    let table = |content: &str| format!("<w:tbl><w:tr>{}</w:tr></w:tbl>", cell("", content));
    let file = document(
        &(table(&(paragraph("a") + &table(&paragraph("b")) + &paragraph("c"))) + &table(&paragraph("d"))),
        &[],
    );
    let place = |table| Place::Cell {
        table,
        row: 1,
        column: 1,
    };
    let expected =
        [(1, "a"), (2, "b"), (1, "c"), (3, "d")].map(|(table, text)| (Region::Body, place(table), text.to_owned()));
    assert_eq!(blocks(&file), expected);
}

#[test]
fn headers_and_footers_stand_around_their_sections() {
    let reference = |what: &str, kind: &str, id: &str| format!("<w:{what}Reference w:type='{kind}' r:id='{id}'/>");
    let section = |references: &str| format!("<w:sectPr>{references}</w:sectPr>");
    let first = section(&(reference("header", "default", "h1") + &reference("footer", "default", "f1")));
    let last = section(
        &(reference("header", "even", "h3")
            + &reference("header", "first", "h2")
            + &reference("footer", "default", "f1")),
    );
    let body = format!(
        "<w:p><w:pPr>{first}</w:pPr>{}</w:p>{}{last}",
        run("one"),
        paragraph("two")
    );
    let margin = |what: &'static str, name: &'static str| {
        let root = if what == "header" { "hdr" } else { "ftr" };
        (what, name, part(root, &paragraph(name)))
    };
    let parts = [
        margin("header", "h1"),
        margin("header", "h2"),
        margin("header", "h3"),
        margin("header", "unused"),
        margin("footer", "f1"),
    ];
    let expected = [
        (Region::Header, "h1"),
        (Region::Body, "one"),
        (Region::Footer, "f1"),
        (Region::Header, "h2"),
        (Region::Header, "h3"),
        (Region::Body, "two"),
    ];
    assert_eq!(
        regions(&document(&body, &parts)),
        expected.map(|(region, text)| (region, text.to_owned()))
    );
}

#[test]
fn notes_and_comments_that_the_text_refers_to_follow_the_body() {
    let body = format!(
        "<w:p>{}<w:r><w:footnoteReference w:id='2'/></w:r><w:r><w:endnoteReference w:id='2'/><w:commentReference w:id='0'/>\
         <w:commentReference w:id='1'/></w:r><w:del><w:r><w:footnoteReference w:id='3'/></w:r></w:del></w:p>",
        run("text"),
    );
    let list = |root: &str, name: &str, notes: &[(u32, &str)]| {
        let note = |(id, text): &(u32, &str)| {
            format!("<w:{name} w:id='{id}' w:author='{text}'>{}</w:{name}>", paragraph(text))
        };
        part(root, &notes.iter().map(note).collect::<String>())
    };
    let notes = [(0, "separator"), (2, "note"), (3, "deleted")];
    let comments = "<w:comment w:id='0' w:author='Ada'><w:p/><w:p><w:r><w:t>Why?</w:t></w:r></w:p></w:comment>\
                    <w:comment w:id='1' w:author=''><w:p><w:r><w:t>So.</w:t></w:r></w:p></w:comment><w:comment w:id='2' w:author='B'/>";
    let parts = [
        ("comments", "c", part("comments", comments)),
        ("endnotes", "e", list("endnotes", "endnote", &notes)),
        (
            "footnotes",
            "f",
            list("footnotes", "footnote", &notes).replace("w:author", "w:other"),
        ),
    ];
    let expected = [
        (Region::Body, "text"),
        (Region::Footnote, "note"),
        (Region::Endnote, "note: note"),
        (Region::Comment, "Ada: Why?"),
        (Region::Comment, "So."),
    ];
    assert_eq!(
        regions(&document(&body, &parts)),
        expected.map(|(region, text)| (region, text.to_owned()))
    );
}

#[test]
fn numbered_paragraphs_have_their_labels() {
    let level = |level: u32, format: &str, text: &str| {
        format!(
            "<w:lvl w:ilvl='{level}'><w:start w:val='1'/><w:numFmt w:val='{format}'/><w:lvlText w:val='{text}'/></w:lvl>"
        )
    };
    let numbering = format!(
        "<w:abstractNum w:abstractNumId='0'>{}{}{}</w:abstractNum>\
         <w:abstractNum w:abstractNumId='1'><w:lvl w:ilvl='0'><w:numFmt w:val='bullet'/><w:lvlText w:val='\u{f0b7}'/></w:lvl></w:abstractNum>\
         <w:num w:numId='1'><w:abstractNumId w:val='0'/></w:num>\
         <w:num w:numId='2'><w:abstractNumId w:val='0'/><w:lvlOverride w:ilvl='0'><w:startOverride w:val='9'/></w:lvlOverride></w:num>\
         <w:num w:numId='3'><w:abstractNumId w:val='1'/></w:num>",
        level(0, "upperRoman", "Article %1."),
        level(1, "decimal", "%1.%2").replace("</w:lvl>", "<w:isLgl/><w:pStyle w:val='Section'/></w:lvl>"),
        level(2, "lowerLetter", "(%3)"),
    );
    let styles = "<w:style w:styleId='Section'><w:pPr><w:numPr><w:numId w:val='1'/></w:numPr></w:pPr></w:style>";
    let in_list = |list: u32, level: u32| {
        format!(
            "<w:p><w:pPr><w:numPr><w:ilvl w:val='{level}'/><w:numId w:val='{list}'/></w:numPr></w:pPr>{}</w:p>",
            run("x")
        )
    };
    let section = format!("<w:p><w:pPr><w:pStyle w:val='Section'/></w:pPr>{}</w:p>", run("x"));
    let unnumbered = section.replace("</w:pPr>", "<w:numPr><w:numId w:val='0'/></w:numPr></w:pPr>");
    let empty = "<w:p><w:pPr><w:numPr><w:ilvl w:val='0'/><w:numId w:val='1'/></w:numPr></w:pPr></w:p>";
    let body = [
        &in_list(1, 0),
        &section,
        &section,
        &in_list(1, 2),
        &in_list(1, 2),
        &unnumbered,
        empty,
        &in_list(1, 0),
        &section,
        &in_list(2, 0),
        &in_list(3, 0),
    ];
    let body: String = body.concat();
    let parts = [
        ("numbering", "n", part("numbering", &numbering)),
        ("styles", "s", part("styles", styles)),
    ];
    let (text, _) = outcome(read, &document(&body, &parts)).unwrap();
    let expected = [
        "Article I. x",
        "1.1 x",
        "1.2 x",
        "(a) x",
        "(b) x",
        "x",
        "Article III. x",
        "3.1 x",
        "Article IX. x",
        "• x",
    ];
    assert_eq!(text.split("\n\n").collect::<Vec<_>>(), expected);
}

/// A document that has a little of everything.
fn sample() -> Vec<u8> {
    let table = format!(
        "<w:tbl><w:tr>{}</w:tr></w:tbl>",
        cell("<w:gridSpan w:val='2'/>", &paragraph("a"))
    );
    let body = format!(
        "<w:p><w:pPr><w:numPr><w:numId w:val='1'/></w:numPr><w:sectPr><w:headerReference r:id='h'/></w:sectPr></w:pPr>{}\
         <w:r><w:footnoteReference w:id='1'/><w:sym w:font='Symbol' w:char='F0B7'/></w:r></w:p>{table}",
        run("text")
    );
    let parts = [
        ("header", "h", part("hdr", &paragraph("header"))),
        (
            "footnotes",
            "f",
            part(
                "footnotes",
                &format!("<w:footnote w:id='1'>{}</w:footnote>", paragraph("note")),
            ),
        ),
        (
            "numbering",
            "n",
            part("numbering", "<w:num w:numId='1'><w:abstractNumId w:val='0'/></w:num>"),
        ),
    ];
    document(&body, &parts)
}

#[test]
fn damaged_documents_never_panic() {
    damage(&sample(), |bytes| {
        let _ = outcome(read, bytes);
    });
}

#[test]
fn damaged_parts_never_panic() {
    let main = part(
        "document",
        &format!(
            "<w:body>{}<w:tbl><w:tr>{}</w:tr></w:tbl></w:body>",
            paragraph("a"),
            cell("", &paragraph("b"))
        ),
    );
    damage(main.as_bytes(), |main| {
        let _ = outcome(read, &package(&[("word/document.xml", main)]));
    });
}

#[test]
fn nesting_has_a_limit() {
    let nested = |depth: usize| {
        let open = "<w:tbl><w:tr><w:tc>".repeat(depth);
        let close = "</w:tc></w:tr></w:tbl>".repeat(depth);
        document(&format!("{open}{}{close}", paragraph("deep")), &[])
    };
    assert_eq!(outcome(read, &nested(80)).unwrap().0, "deep");
    assert_eq!(outcome(read, &nested(90)), Err(Refusal::TooDeep { max: DEPTH_MAX }));
}

#[test]
fn text_has_a_limit_before_it_is_written() {
    let limits = Limits {
        text_bytes: 10,
        ..LIMITS
    };
    let file = document(&format!("<w:p>{}</w:p>", run("12345678901")), &[]);
    assert_eq!(
        read(&file, &mut Writer::new(&limits), &limits),
        Err(Refusal::TextTooLarge { max: 10 })
    );
}

#[test]
fn a_document_type_is_refused_in_every_part() {
    let file = package(&[("word/document.xml", b"<!DOCTYPE a><w:document/>")]);
    assert_eq!(
        outcome(read, &file),
        Err(Refusal::malformed(Format::Docx, Problem::DocType))
    );
}
