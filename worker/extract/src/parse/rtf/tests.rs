use docket_contract::place::Place;

use super::*;
use crate::limits::Limits;
use crate::writer::Block;

const LIMITS: Limits = Limits {
    pages: 1,
    text_bytes: 1 << 20,
    inflated_bytes: 1,
};

fn blocks(document: &[u8]) -> (String, Vec<Block>) {
    let mut writer = Writer::new(&LIMITS);
    read(document, &mut writer).expect("the document is within all limits");
    writer.finish()
}

/// The text of a document with this body.
fn text(body: &str) -> String {
    blocks(format!("{{\\rtf1\\ansi {body}}}").as_bytes()).0
}

/// The blocks of a document with this body: their text and place.
fn places(body: &str) -> Vec<(String, Region, Place)> {
    let (text, blocks) = blocks(format!("{{\\rtf1\\ansi {body}}}").as_bytes());
    let placed = |block: &Block| (text[block.start..block.end].to_owned(), block.region, block.place);
    blocks.iter().map(placed).collect()
}

/// The cells of a document with this body: their text, table, row and column.
fn cells(body: &str) -> Vec<(String, [u32; 3])> {
    let cell = |(text, _, place)| match place {
        Place::Cell { table, row, column } => Some((text, [table, row, column])),
        Place::Line { .. } | Place::Paragraph { .. } => None,
    };
    places(body).into_iter().filter_map(cell).collect()
}

fn owned<const N: usize>(cells: [(&str, [u32; 3]); N]) -> Vec<(String, [u32; 3])> {
    cells.map(|(text, place)| (text.to_owned(), place)).into()
}

#[test]
fn words_and_symbols_become_characters() {
    for (body, seen) in [
        ("a\\par b\\line c\\tab d", "a\n\nb\nc\td"),
        ("a\\\nb\\\r\nc", "a\n\nb\n\nc"),
        ("a\r\nb", "ab"),
        (
            "\\lquote a\\rquote\\ldblquote b\\rdblquote\\emdash\\endash\\bullet c",
            "‘a’“b”—–•c",
        ),
        ("a\\~b\\_c\\-d\\{\\}\\\\", "a\u{a0}b\u{2011}cd{}\\"),
        ("{\\b a}{\\i b}c", "abc"),
        ("a\\par\\par\\sect b", "a\n\nb"),
        ("a\\page b", "a\nb"),
    ] {
        assert_eq!(text(body), seen, "{body}");
    }
}

#[test]
fn unicode_replaces_its_substitutes() {
    for (body, seen) in [
        ("\\u8216\\'93hi\\u8217\\'94", "‘hi’"),
        ("\\u945a\\u-3913?", "α•"),
        ("{\\uc2\\u228\\'E8a}\\u228?b", "ääb"),
        ("\\uc0\\u228b{\\uc1\\u228?}b", "äbäb"),
        ("\\u-10179?\\u-8704?\\u55357?\\u56832?", "😀😀"),
        ("\\u-10179?a\\u228?\\u-8704?", "aä\u{fffd}"),
        ("\\u128512?", "😀"),
        ("\\u8212\\emdash a", "—a"),
        ("\\u8217\\par a", "’\n\na"),
        ("{\\u228}a", "äa"),
        ("\\u-99999?\\u?", "\u{fffd}"),
    ] {
        assert_eq!(text(body), seen, "{body}");
    }
}

#[test]
fn bytes_are_in_the_code_page_of_their_font() {
    let fonts = "{\\fonttbl{\\f0\\fnil\\fcharset0 Arial;}{\\f1\\fcharset204 Arial Cyr{\\*\\falt x};}{\\f2\\fcharset128 MS;}\
                 {\\f3\\fcharset2 Symbol;}{\\f4\\fcharset1\\cpg1253 G;}{\\f5\\fcharset1 D;}{\\f6\\fcharset238 P;}}";
    for (body, seen) in [
        ("\\f0 \\'e9\\'80", "é€"),
        ("\\f1 \\'cf\\'f0{\\f0 \\'e9}\\'e0", "Прéа"),
        ("\\f2 \\'83\\'41\\'83B\\'93\\'fa\\'96{\\f0 x}", "アィ日\u{fffd}x"),
        ("\\f3 \\'b7\\'b0a", "•\u{f0b0}a"),
        ("\\f4 \\'e1", "α"),
        ("\\f5 \\'f0\\plain \\'b9", "šą"),
        ("\\f6 \\'b9", "ą"),
        ("\\f99 \\'f0", "š"),
        ("\\'b9", "ą"),
    ] {
        assert_eq!(text(&format!("\\ansicpg1257\\deff6{fonts}{body}")), seen, "{body}");
    }
    assert_eq!(text("\\ansicpg1251 \\'cf\\'f0"), "Пр");
    assert_eq!(text("\\mac \\'8a"), "ä");
    assert_eq!(text("\\ansicpg65001 é\\'c3\\'a9"), "éé");
    assert_eq!(text("\\ansicpg932 \\'93\\'fa\\'96\\'7b"), "日本");
    assert_eq!(text("\\ansicpg99999 \\'e9"), "é");
}

#[test]
fn what_is_not_text_is_left_out() {
    for group in [
        "{\\fonttbl{\\f0 x;}}",
        "{\\colortbl;\\red0 x;}",
        "{\\stylesheet{\\s0 x;}}",
        "{\\info{\\title x}{\\author x}}",
        "{\\pict\\wmetafile8 78}",
        "{\\*\\shppict{\\pict 78}}{\\nonshppict{\\pict 78}}",
        "{\\*\\unknown x{x}}",
        "{\\*\\generator x;}",
        "{\\object\\objemb{\\*\\objclass x}{\\*\\objdata 78}{\\result{\\pict 78}}}",
        "{\\v x}",
        "\\v x\\v0 ",
        "\\v x\\plain ",
        "{\\deleted x}",
        "\\deleted x\\deleted0 ",
        "{\\mvf x}",
        "{\\field{\\*\\fldinst HYPERLINK \"x\"}}",
        "{\\xe{\\v x}}{\\tc x}",
        "{\\*\\bkmkstart x}{\\*\\bkmkend x}",
        "{\\pict\\bin4 x}}{}",
        "{\\shp{\\*\\shpinst{\\sp{\\sn x}{\\sv x}}}{\\shprslt x}}",
    ] {
        assert_eq!(text(&format!("a{group}b")), "ab", "{group}");
    }
}

#[test]
fn what_is_seen_is_kept() {
    for (body, seen) in [
        ("{\\revised a}{\\mvt b}", "ab"),
        ("{\\field{\\*\\fldinst x}{\\fldrslt{\\b a}}}", "a"),
        ("{\\upr{x}{\\*\\ud{\\u228?}}}a", "äa"),
        ("{\\object{\\*\\objdata 78}{\\result a}}", "a"),
        ("{\\listtext 1.\\tab}a", "1.\ta"),
        ("{\\stylesheet{\\upr{x}{\\*\\ud x}}}a", "a"),
        (
            "a{\\shp{\\*\\shpinst{\\sp{\\sn x}}{\\shptxt b\\par}}{\\shprslt x}}c",
            "ac\n\nb",
        ),
    ] {
        assert_eq!(text(body), seen, "{body}");
    }
}

#[test]
fn notes_and_headers_stand_in_their_regions() {
    let body = "{\\header h\\par}{\\footerf f}a\\par b{\\footnote n\\par m}c{\\*\\annotation{\\*\\atnid x}{\\*\\atnref 1}k}\
                {\\footnote\\ftnalt e}d\\par {\\headerl l}g";
    let paragraph = |paragraph| Place::Paragraph { paragraph };
    let expected = [
        ("h", Region::Header, 1),
        ("f", Region::Footer, 1),
        ("a", Region::Body, 1),
        ("bcd", Region::Body, 2),
        ("n", Region::Footnote, 1),
        ("m", Region::Footnote, 2),
        ("k", Region::Comment, 1),
        ("e", Region::Endnote, 1),
        ("l", Region::Header, 2),
        ("g", Region::Body, 3),
    ];
    assert_eq!(
        places(body),
        expected.map(|(text, region, number)| (text.to_owned(), region, paragraph(number)))
    );
}

#[test]
fn cells_have_their_row_and_column() {
    let row =
        |first: &str, second: &str| format!("\\trowd\\cellx1\\cellx2\\pard\\intbl {first}\\cell {second}\\cell\\row");
    let body = format!(
        "a\\par{}{}\\pard b\\par{}",
        row("c", "d\\par e"),
        row("", "f"),
        row("g", "h")
    );
    let expected = [
        ("c", [1, 1, 1]),
        ("d\ne", [1, 1, 2]),
        ("f", [1, 2, 2]),
        ("g", [2, 1, 1]),
        ("h", [2, 1, 2]),
    ];
    assert_eq!(cells(&body), owned(expected));
    assert_eq!(text(&body), "a\n\nc\td\ne\nf\n\nb\n\ng\th");
}

#[test]
fn a_cell_needs_no_mark_of_its_table() {
    let body = "\\trowd\\cellx1 \\pard a\\cell \\pard b\\cell\\row \\trowd c\\cell\\row \\pard d\\par";
    assert_eq!(
        cells(body),
        owned([("a", [1, 1, 1]), ("b", [1, 1, 2]), ("c", [1, 2, 1])])
    );
}

#[test]
fn a_note_in_a_table_does_not_tear_the_table() {
    let body = "\\trowd\\intbl a{\\footnote n}\\cell b\\cell\\row\\pard c\\par";
    assert_eq!(text(body), "a\tb\n\nn\n\nc");
    assert_eq!(text("{\\header\\trowd\\intbl a\\cell b\\cell\\row}c"), "a\tb\n\nc");
}

#[test]
fn tables_within_tables_are_counted_as_they_appear() {
    let body = "\\trowd\\pard\\intbl a\\par\\pard\\intbl\\itap2 b\\nestcell c\\nestcell{\\*\\nesttableprops\\trowd x\\nestrow}\
                {\\nonesttables x\\par}\\pard\\intbl\\itap2 d\\nestcell{\\*\\nesttableprops\\nestrow}\\pard\\intbl e\\cell f\\cell\\row";
    let expected = [
        ("a", [1, 1, 1]),
        ("b", [2, 1, 1]),
        ("c", [2, 1, 2]),
        ("d", [2, 2, 1]),
        ("e", [1, 1, 1]),
        ("f", [1, 1, 2]),
    ];
    assert_eq!(cells(body), owned(expected));
    let inner_first = "\\pard\\intbl\\itap2 a\\nestcell\\pard\\intbl\\itap1 b\\cell\\row";
    assert_eq!(cells(inner_first), owned([("a", [2, 1, 1]), ("b", [1, 1, 1])]));
}

#[test]
fn what_is_no_rtf_is_malformed() {
    let malformed = Err(Refusal::malformed(Format::Rtf, Problem::Structure));
    for bytes in [&b""[..], b"rtf", b"{rtf1}", b"\\rtf1", b"{\\rt"] {
        assert_eq!(read(bytes, &mut Writer::new(&LIMITS)), malformed);
    }
    assert_eq!(blocks(b"\xef\xbb\xbf\r\n {\\rtf1 a}{\\rtf1 b}").0, "a");
}

#[test]
fn groups_have_a_depth() {
    let nested = |depth: usize| format!("{{\\rtf1 {}a", "{".repeat(depth - 1));
    assert_eq!(blocks(nested(GROUPS_MAX).as_bytes()).0, "a");
    let refused = read(nested(GROUPS_MAX + 1).as_bytes(), &mut Writer::new(&LIMITS));
    assert_eq!(refused, Err(Refusal::TooDeep { max: GROUPS_MAX }));
}

#[test]
fn a_text_has_a_largest_size() {
    let mut writer = Writer::new(&Limits {
        text_bytes: 5,
        ..LIMITS
    });
    assert_eq!(
        read(b"{\\rtf1 abc\\par def}", &mut writer),
        Err(Refusal::TextTooLarge { max: 5 })
    );
}

const SAMPLE: &[u8] = b"{\\rtf1\\ansi\\ansicpg1252\\deff0{\\fonttbl{\\f0\\fcharset0 A;}{\\f1\\fcharset128 B;}}{\\header h\\par}\\pard a\\'e4\\f1\\'93\\'fa\
    \\u-10179?\\u-8704?{\\footnote\\ftnalt n{\\*\\annotation k}}\\par\\trowd\\intbl b\\cell\\itap2 c\\nestcell{\\*\\nesttableprops\\nestrow}\\cell\\row\
    {\\upr{x}{\\*\\ud y}}{\\shp{\\*\\shpinst{\\shptxt t}}}{\\pict\\bin3 {{{}\\v z\\v0\\deleted w\\plain\\uc2\\u228ab\\~\\*\\par}";

#[test]
fn a_document_cut_anywhere_does_not_panic() {
    for length in 5..SAMPLE.len() {
        blocks(&SAMPLE[..length]);
    }
}

#[test]
fn mutations_do_not_panic() {
    let mut state = 1_u64;
    for _ in 0..50_000 {
        let mut mutated = SAMPLE.to_vec();
        for _ in 0..6 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let (at, from) = (
                (state >> 33) as usize % SAMPLE.len(),
                (state >> 13) as usize % SAMPLE.len(),
            );
            mutated[at] = if state & 7 == 0 {
                (state >> 24) as u8
            } else {
                SAMPLE[from]
            };
        }
        let _ = read(&mutated, &mut Writer::new(&LIMITS));
    }
}
