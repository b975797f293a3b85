use docket_contract::place::{Place, Region};

use super::read;
use crate::limits::DEPTH_MAX;
use crate::parse::package::testing::{damage, outcome, package};
use crate::refusal::{Format, Problem, Refusal};

const NAMESPACES: &str = "xmlns:office='urn:oasis:names:tc:opendocument:xmlns:office:1.0' \
    xmlns:text='urn:oasis:names:tc:opendocument:xmlns:text:1.0' \
    xmlns:table='urn:oasis:names:tc:opendocument:xmlns:table:1.0' \
    xmlns:style='urn:oasis:names:tc:opendocument:xmlns:style:1.0' \
    xmlns:draw='urn:oasis:names:tc:opendocument:xmlns:drawing:1.0' \
    xmlns:svg='urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0' \
    xmlns:dc='http://purl.org/dc/elements/1.1/'";

fn content(styles: &str, body: &str) -> String {
    format!(
        "<office:document-content {NAMESPACES}><office:automatic-styles>{styles}</office:automatic-styles><office:body>\
         <office:text>{body}</office:text></office:body></office:document-content>"
    )
}

fn masters(masters: &str) -> String {
    format!(
        "<office:document-styles {NAMESPACES}><office:master-styles>{masters}</office:master-styles></office:document-styles>"
    )
}

/// The text of a body.
fn text(body: &str) -> String {
    styled("", body)
}

fn styled(styles: &str, body: &str) -> String {
    outcome(read, &package(&[("content.xml", content(styles, body).as_bytes())]))
        .unwrap()
        .0
}

fn blocks(file: &[u8]) -> Vec<(Region, Place, String)> {
    let (text, blocks) = outcome(read, file).unwrap();
    let blocks = blocks.iter();
    blocks
        .map(|block| (block.region, block.place, text[block.start..block.end].to_owned()))
        .collect()
}

#[test]
fn paragraphs_and_headings_are_blocks() {
    let body = "<text:h>one</text:h><text:list><text:list-item><text:p>two</text:p></text:list-item></text:list><text:p/>\
                <text:section><text:p>three</text:p></text:section>";
    assert_eq!(text(body), "one\n\ntwo\n\nthree");
}

#[test]
fn blanks_of_the_file_count_as_one_and_elements_count_as_they_say() {
    let body = "<text:p>\n  a  \n b<text:s/> c<text:s text:c='3'/>d<text:tab/>e<text:line-break/>f <text:span> g</text:span></text:p>";
    assert_eq!(text(body), "a b  c   d\te\nf g");
}

#[test]
fn blanks_that_one_element_stands_for_are_bounded() {
    assert_eq!(text("<text:p>a<text:s text:c='4294967296'/>b</text:p>").len(), 1_002);
}

#[test]
fn deleted_text_is_left_out_and_inserted_text_is_in() {
    let body = "<text:tracked-changes><text:changed-region><text:deletion><text:p>no</text:p></text:deletion>\
                </text:changed-region></text:tracked-changes><text:p>a<text:change/><text:change-start/>b<text:change-end/></text:p>";
    assert_eq!(text(body), "ab");
}

#[test]
fn hidden_text_is_left_out() {
    let body = "<text:section text:display='none'><text:p>no</text:p></text:section>\
                <text:section text:display='condition' text:is-hidden='true'><text:p>no</text:p></text:section>\
                <text:p>a<text:hidden-text text:is-hidden='true'>no</text:hidden-text>\
                <text:hidden-text text:is-hidden='false'>b</text:hidden-text></text:p>\
                <text:p>no<text:hidden-paragraph text:is-hidden='true'/>no</text:p><text:p>c</text:p>";
    assert_eq!(text(body), "ab\n\nc");
    let styles = "<style:style style:name='P1' style:family='paragraph'><style:text-properties text:display='none'/></style:style>\
                  <style:style style:name='P2' style:family='paragraph' style:parent-style-name='P1'/>\
                  <style:style style:name='T1' style:family='text'><style:text-properties text:display='none'/></style:style>\
                  <style:style style:name='T2' style:family='text' style:parent-style-name='T2'/>";
    let body = "<text:p text:style-name='P1'>no</text:p><text:p text:style-name='P2'>no</text:p>\
                <text:p text:style-name='T1'>a<text:span text:style-name='T1'>no</text:span><text:span text:style-name='T2'>b</text:span></text:p>";
    assert_eq!(styled(styles, body), "ab");
}

#[test]
fn notes_and_comments_follow_the_body() {
    let note = |class: &str, text: &str| {
        format!(
            "<text:note text:note-class='{class}'><text:note-citation>1</text:note-citation><text:note-body><text:p>{text}</text:p>\
             </text:note-body></text:note>"
        )
    };
    let comment = "<office:annotation><dc:creator>Ada</dc:creator><dc:date>2024</dc:date><text:p>Why?</text:p><text:p>So.</text:p>\
                   </office:annotation>";
    let body = format!(
        "<text:p>a{}b{comment}{}c</text:p>",
        note("endnote", "end"),
        note("footnote", &format!("foot{comment}"))
    );
    let file = package(&[("content.xml", content("", &body).as_bytes())]);
    let seen: Vec<_> = blocks(&file)
        .into_iter()
        .map(|(region, _, text)| (region, text))
        .collect();
    let expected = [
        (Region::Body, "abc"),
        (Region::Footnote, "foot"),
        (Region::Endnote, "end"),
        (Region::Comment, "Ada: Why?"),
        (Region::Comment, "So."),
        (Region::Comment, "Ada: Why?"),
        (Region::Comment, "So."),
    ];
    assert_eq!(seen, expected.map(|(region, text)| (region, text.to_owned())));
}

#[test]
fn headers_stand_before_and_footers_after_the_body() {
    let styles = masters(
        "<style:master-page><style:header><text:p>h<text:page-number>1</text:page-number></text:p></style:header>\
         <style:header-left style:display='false'><text:p>no</text:p></style:header-left>\
         <style:header-first><text:p>first</text:p></style:header-first><style:footer><text:p>f</text:p></style:footer>\
         </style:master-page>",
    );
    let content = content("", "<text:p>body</text:p>");
    let file = package(&[("content.xml", content.as_bytes()), ("styles.xml", styles.as_bytes())]);
    let seen: Vec<_> = blocks(&file)
        .into_iter()
        .map(|(region, _, text)| (region, text))
        .collect();
    let expected = [
        (Region::Header, "h1"),
        (Region::Header, "first"),
        (Region::Body, "body"),
        (Region::Footer, "f"),
    ];
    assert_eq!(seen, expected.map(|(region, text)| (region, text.to_owned())));
}

#[test]
fn cells_have_rows_and_columns() {
    let body = "<table:table><table:table-column/><table:table-header-rows><table:table-row>\
                <table:table-cell table:number-columns-spanned='2'><text:p>a</text:p><text:p>b</text:p></table:table-cell>\
                <table:covered-table-cell><text:p>no</text:p></table:covered-table-cell><table:table-cell><text:p>c</text:p></table:table-cell>\
                </table:table-row></table:table-header-rows><table:table-row table:number-rows-repeated='1000000000'>\
                <table:table-cell table:number-columns-repeated='4294967295'><text:p>d</text:p></table:table-cell>\
                <table:table-cell table:number-columns-repeated='4294967295'><text:p>e</text:p></table:table-cell></table:table-row>\
                <table:table-row><table:table-cell><table:table table:is-sub-table='true'><table:table-row><table:table-cell>\
                <text:p>f</text:p></table:table-cell></table:table-row></table:table></table:table-cell></table:table-row></table:table>";
    let place = |table, row, column| Place::Cell { table, row, column };
    let expected = [
        (place(1, 1, 1), "a\nb"),
        (place(1, 1, 3), "c"),
        (place(1, 2, 1), "d"),
        (place(1, 2, u32::MAX), "e"),
        (place(2, 1, 1), "f"),
    ];
    let expected: Vec<_> = expected
        .map(|(place, text)| (Region::Body, place, text.to_owned()))
        .into();
    assert_eq!(
        blocks(&package(&[("content.xml", content("", body).as_bytes())])),
        expected
    );
}

#[test]
fn frames_and_shapes_are_paragraphs_of_their_own() {
    let body = "<text:p>sen<draw:frame>\n<draw:text-box>\n<text:p>box</text:p></draw:text-box><svg:title>no</svg:title></draw:frame>\
                <draw:custom-shape><text:p>shape</text:p></draw:custom-shape><draw:frame><draw:object><text:p>no</text:p></draw:object>\
                </draw:frame>tence<text:ruby><text:ruby-base>s</text:ruby-base><text:ruby-text>no</text:ruby-text></text:ruby></text:p>";
    assert_eq!(text(body), "box\n\nshape\n\nsentences");
}

#[test]
fn flat_files_are_read() {
    let flat = format!(
        "\u{feff}<?xml version='1.0'?><office:document {NAMESPACES}><office:master-styles><style:master-page><style:header>\
         <text:p>header</text:p></style:header></style:master-page></office:master-styles><office:body><office:text>\
         <text:p>body</text:p></office:text></office:body></office:document>"
    );
    assert_eq!(outcome(read, flat.as_bytes()).unwrap().0, "header\n\nbody");
}

#[test]
fn encrypted_packages_are_told() {
    let manifest = "<!DOCTYPE manifest:manifest PUBLIC 'a' 'Manifest.dtd'>\
                    <manifest:manifest xmlns:manifest='urn:oasis:names:tc:opendocument:xmlns:manifest:1.0'>\
                    <manifest:file-entry><manifest:encryption-data/></manifest:file-entry></manifest:manifest>";
    let file = |manifest: &str| {
        package(&[
            ("META-INF/manifest.xml", manifest.as_bytes()),
            ("content.xml", content("", "").as_bytes()),
        ])
    };
    assert_eq!(outcome(read, &file(manifest)), Err(Refusal::Encrypted));
    assert!(outcome(read, &file(&manifest.replace("encryption-data", "algorithm"))).is_ok());
}

#[test]
fn what_is_no_text_is_refused() {
    let table = content("", "").replace("office:text", "office:spreadsheet");
    let malformed = |problem| Err(Refusal::malformed(Format::Odt, problem));
    assert_eq!(
        outcome(read, &package(&[("content.xml", table.as_bytes())])),
        malformed(Problem::Structure)
    );
    assert_eq!(outcome(read, &package(&[("a", b"b")])), malformed(Problem::MissingPart));
    assert_eq!(outcome(read, b"<!DOCTYPE a><a/>"), malformed(Problem::DocType));
    assert_eq!(outcome(read, b"PK"), malformed(Problem::Structure));
}

#[test]
fn nesting_has_a_limit() {
    let nested = |depth: usize| {
        content(
            "",
            &("<text:section>".repeat(depth) + "<text:p>a</text:p>" + &"</text:section>".repeat(depth)),
        )
    };
    assert!(outcome(read, nested(DEPTH_MAX - 4).as_bytes()).is_ok());
    assert_eq!(
        outcome(read, nested(DEPTH_MAX).as_bytes()),
        Err(Refusal::TooDeep { max: DEPTH_MAX })
    );
}

#[test]
fn damaged_documents_never_panic() {
    let body = "<text:p>a<text:note text:note-class='footnote'><text:note-body><text:p>b</text:p></text:note-body></text:note>\
                <text:s text:c='2'/><office:annotation><dc:creator>c</dc:creator></office:annotation></text:p><table:table>\
                <table:table-row><table:table-cell><text:p>d</text:p></table:table-cell></table:table-row></table:table>";
    let content = content("<style:style style:name='P1' style:family='paragraph'/>", body);
    let damaged = |bytes: &[u8]| {
        let _ = outcome(read, bytes);
    };
    damage(content.as_bytes(), damaged);
    damage(&package(&[("content.xml", content.as_bytes())]), damaged);
}
