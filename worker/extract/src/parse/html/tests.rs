use docket_contract::place::{Place, Region};

use super::*;
use crate::limits::Limits;
use crate::writer::Block;

const LIMITS: Limits = Limits {
    pages: 1,
    text_bytes: 1 << 20,
    inflated_bytes: 1,
};

fn blocks(html: &str) -> (String, Vec<Block>) {
    let mut writer = Writer::new(&LIMITS);
    read(html, &mut writer).expect("the page is within all limits");
    writer.finish()
}

fn text(html: &str) -> String {
    blocks(html).0
}

/// The texts of the cells, with their table, row and column.
fn cells(html: &str) -> Vec<(String, [u32; 3])> {
    let (text, blocks) = blocks(html);
    let cell = |block: &Block| match block.place {
        Place::Cell { table, row, column } => Some((text[block.start..block.end].to_owned(), [table, row, column])),
        Place::Line { .. } | Place::Paragraph { .. } => None,
    };
    blocks.iter().filter_map(cell).collect()
}

#[test]
fn white_space_collapses_as_in_browsers() {
    for (html, seen) in [
        ("  a \n\t b  ", "a b"),
        ("a<b> b </b> c", "a b c"),
        ("<p> a </p> <p> b </p>", "a\n\nb"),
        ("a<br>b<br><br> c", "a\nb\n\nc"),
        ("a <br> b", "a\nb"),
        ("a&nbsp; b", "a\u{a0} b"),
        ("<p>&nbsp;</p><p>a</p>", "a"),
        ("<pre>\n a\n   b\t c\r\n\r\nd</pre>e", "a\n   b\t c\n\nd\n\ne"),
        ("a<wbr>b", "ab"),
        ("a<img alt=x>b<hr>c", "a b\n\nc"),
        ("a\0b", "ab"),
    ] {
        assert_eq!(text(html), seen, "{html}");
    }
}

#[test]
fn entities_are_decoded() {
    assert_eq!(
        text("M&uuml;ller &amp; S&#246;hne &lt;b&gt; &#x20AC;5 &euro;6 AT&T &notit; &"),
        "Müller & Söhne <b> €5 €6 AT&T ¬it; &"
    );
    assert_eq!(text("&am<!-- -->p;"), "&amp;", "a comment separates");
    assert_eq!(text("a < b <> c </> d <3"), "a < b <> c d <3");
}

#[test]
fn what_is_not_seen_is_left_out() {
    for html in [
        "<script>x</script>",
        "<script><!-- '<script>x</script>' --></script>",
        "<style>x</style>",
        "<noscript><p>x</noscript>",
        "<template><table><tr><td>x</table></template>",
        "<p hidden>x</p>",
        "<p hidden>x",
        "<div style='color: red; display : none'><p>x</p>x</div>",
        "<span style=visibility:hidden>x</span>",
        "<del>x</del>",
        "<del><p>x</p></del>",
        "<svg><title>x</title><text>x</text><style>x</style></svg>",
        "<svg><style/><script/><text>x</svg>",
        "<iframe><p>x</iframe>",
        "<video>x</video>",
        "<math><annotation>x</annotation></math>",
        "<datalist><option selected>x</datalist>",
        "<select><option>x<option>x</select>",
        "<dialog>x</dialog>",
        "<input type=hidden value=x><input type=checkbox value=x><input type=password value=x>",
        "<!-- x --><?x?><!x>",
        "<table hidden><tr><td>x</table>",
        "<img alt=x title=x>",
        "<textarea hidden>x</textarea>",
    ] {
        assert_eq!(text(&format!("<p>a</p>{html}<p>b</p>")), "a\n\nb", "{html}");
    }
}

#[test]
fn what_is_seen_is_kept() {
    for (html, seen) in [
        ("<ins>a</ins> <s>b</s> <strike>c</strike>", "a b c"),
        ("<p>Name:<input value='Dana  Whitfield'>.</p>", "Name: Dana Whitfield ."),
        (
            "Notes:<textarea>\n<b>a</b>\n  b &amp; c</textarea>d",
            "Notes: \n<b>a</b>\n  b & c d",
        ),
        ("<select><option>a<option selected>b<option>c</select>", "b"),
        ("<dialog open>a</dialog>", "a"),
        ("<math><mi>x</mi><mo>=</mo><mn>5</mn></math>", "x=5"),
        ("<svg><foreignObject><p>a</p></foreignObject></svg>b", "b"),
        ("<p hidden>a<p>b", "b"),
        ("<ul><li hidden>a<li>b</ul>c", "b\n\nc"),
        ("<div><p hidden>a</div>b", "b"),
        ("<table><tr><td hidden>a<td>b</table>", "b"),
        ("<svg>a<p>b", "b"),
        ("<ul><li><del>a<li>b</ul>", "b"),
        ("a</p>b", "a\n\nb"),
        ("a</br>b", "a\nb"),
        ("<x-a>a</x-b>b</x-a>", "ab"),
        ("<H1>a</H2>b", "a\n\nb"),
    ] {
        let seen = seen.replace(": \n", ":\n");
        assert_eq!(text(html), seen, "{html}");
    }
}

#[test]
fn the_title_is_a_header() {
    let (text, blocks) = blocks(
        "<html><head><title>A &amp; B\n v. C</title></head><body><p>Text<title>second</title></p><svg><title>x</svg>",
    );
    assert_eq!(text, "A & B v. C\n\nText");
    let regions: Vec<_> = blocks.iter().map(|block| (block.region, block.place)).collect();
    let first = Place::Paragraph { paragraph: 1 };
    assert_eq!(regions, [(Region::Header, first), (Region::Body, first)]);
}

#[test]
fn paragraphs_are_counted() {
    let (_, blocks) = blocks("a<div><div>b</div> </div><p></p><ul><li>c</ul>");
    let places: Vec<_> = blocks.iter().map(|block| block.place).collect();
    assert_eq!(places, [1, 2, 3].map(|paragraph| Place::Paragraph { paragraph }));
}

#[test]
fn cells_have_their_row_and_column() {
    let html = "<table><caption>t</caption><thead><tr><th>a<th colspan=2>b<th>c<tbody><tr><td>d<td>e</table>f";
    let places = [
        ("a", [1, 1, 1]),
        ("b", [1, 1, 2]),
        ("c", [1, 1, 4]),
        ("d", [1, 2, 1]),
        ("e", [1, 2, 2]),
    ];
    assert_eq!(cells(html), places.map(|(text, place)| (text.to_owned(), place)));
    assert_eq!(text(html), "t\n\na\tb\tc\nd\te\n\nf");
}

#[test]
fn a_cell_that_spans_rows_moves_the_cells_below() {
    let html = "<table><tr><td rowspan=2>a<td>b<tr><td>c<tr><td>d<td rowspan=0 colspan=9999999999>e</table>";
    let places = [
        ("a", [1, 1, 1]),
        ("b", [1, 1, 2]),
        ("c", [1, 2, 2]),
        ("d", [1, 3, 1]),
        ("e", [1, 3, 2]),
    ];
    assert_eq!(cells(html), places.map(|(text, place)| (text.to_owned(), place)));
    let wide = cells("<table><tr><td colspan=5000 rowspan=70000>a<td>b<tr><td>c</table>");
    assert_eq!(wide[1].1, [1, 1, 1_001]);
    assert_eq!(wide[2].1, [1, 2, 65]);
}

#[test]
fn nested_tables_are_counted_as_they_appear() {
    let html = "<table><tr><td>a<table><tr><td>b</table>c<td><table><tr><td>d</table></table><table><td>e</table>";
    let places = [
        ("a", [1, 1, 1]),
        ("b", [2, 1, 1]),
        ("c", [1, 1, 1]),
        ("d", [3, 1, 1]),
        ("e", [4, 1, 1]),
    ];
    assert_eq!(cells(html), places.map(|(text, place)| (text.to_owned(), place)));
}

#[test]
fn paragraphs_of_a_cell_are_lines_of_one_block() {
    let html = "<table><tr><td><p>a</p><p>b</p><ul><li>c</ul><td>d<br>e</table>";
    let places = [("a\nb\nc", [1, 1, 1]), ("d\ne", [1, 1, 2])];
    assert_eq!(cells(html), places.map(|(text, place)| (text.to_owned(), place)));
}

#[test]
fn parts_of_tables_outside_of_tables_are_paragraphs() {
    assert_eq!(text("<td>a</td><tr>b</tr><tbody>c"), "a\n\nb\n\nc");
    assert_eq!(text("<table>a<tr>b<td>c</td>d</tr></table>"), "a\n\nb\n\nc\n\nd");
}

#[test]
fn nesting_costs_nothing_and_loses_nothing() {
    for name in ["div", "b", "table><tr><td", "ul><li", "x-a", "svg><foreignObject"] {
        let deep = format!(
            "a{}b{}c",
            format!("<{name}>").repeat(50_000),
            format!("</{}>", &name[..1]).repeat(50_000)
        );
        let text = text(&deep);
        assert!(
            text.starts_with('a') && (text.contains('b') || name.starts_with("svg")),
            "{name}"
        );
    }
    let (open, close) = ("<div>".repeat(5_000), "</div>".repeat(5_000));
    let html = format!("{open}a<div hidden>b<p>c</p></div>d{close}<p>e</p><div hidden>f</div>g");
    assert_eq!(text(&html), "ad\n\ne\n\ng", "what is hidden does not separate");
}

#[test]
fn attributes_have_a_limit() {
    let mut writer = Writer::new(&LIMITS);
    let refused = read(&format!("a<p {}>b", "c ".repeat(257)), &mut writer);
    let names = (0..100_000).map(|number| format!(" a{number}")).collect::<String>();
    assert!(matches!(refused, Err(Refusal::TooMany { .. })));
    assert!(read(&format!("<p{names}>"), &mut writer).is_err());
    assert_eq!(
        text(&format!("<script>a <p {}>b</script>c", "d ".repeat(257))),
        "c",
        "a script has none"
    );
}

#[test]
fn a_text_has_a_largest_size() {
    let mut writer = Writer::new(&Limits {
        text_bytes: 10,
        ..LIMITS
    });
    assert_eq!(
        read("<p>12345678901", &mut writer),
        Err(Refusal::TextTooLarge { max: 10 })
    );
    let mut writer = Writer::new(&Limits {
        text_bytes: 10,
        ..LIMITS
    });
    assert_eq!(
        read("<p>a&amp;45678901234<p>b", &mut writer),
        Err(Refusal::TextTooLarge { max: 10 })
    );
    let mut writer = Writer::new(&Limits {
        text_bytes: 10,
        ..LIMITS
    });
    let breaks = format!("a{}b", "<br>".repeat(100));
    assert_eq!(read(&breaks, &mut writer), Err(Refusal::TextTooLarge { max: 10 }));
}

const SAMPLE: &str = "<!DOCTYPE html><html><head><title>a&amp;b</title><style>p{}</style></head><body class='x' hidden=\"\"><!-- c --><p \
    style=\"display:none\">d<p>é &euro; &#8217;<table><tr><td colspan=2>f<td rowspan='3'>g</table><script>'</p>'</script><svg><p>h</svg>\
    <textarea>i</textarea><select><option selected>j</select><pre>\r\nk</pre><del>l</del><input value=m>";

#[test]
fn a_page_cut_anywhere_does_not_panic() {
    for (at, _) in SAMPLE.char_indices() {
        text(&SAMPLE[..at]);
    }
}

#[test]
fn mutations_do_not_panic() {
    let bytes = SAMPLE.as_bytes();
    let mut state = 1_u64;
    for _ in 0..30_000 {
        let mut mutated = bytes.to_vec();
        for _ in 0..6 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let (at, from) = (
                (state >> 33) as usize % bytes.len(),
                (state >> 13) as usize % bytes.len(),
            );
            mutated[at] = bytes[from];
        }
        text(&String::from_utf8_lossy(&mutated));
    }
}

/// What the tokenizer makes of a page that it is given whole: as many tags as the scanner cut.
struct Tags(std::cell::Cell<usize>);

impl TokenSink for Tags {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        self.0
            .set(self.0.get() + usize::from(matches!(token, Token::TagToken(_))));
        TokenSinkResult::Continue
    }
}

#[test]
fn the_scanner_and_the_tokenizer_see_the_same_tags() {
    const LETTERS: &[u8] = b"<<<>>/a=\"'!- \n?b&;";
    let mut state = 7_u64;
    for _ in 0..200_000 {
        let html: String = (0..24)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                char::from(LETTERS[(state >> 33) as usize % LETTERS.len()])
            })
            .collect();
        let whole = Tokenizer::new(Tags(0.into()), TokenizerOpts::default());
        let queue = BufferQueue::default();
        queue.push_back(StrTendril::from_slice(&html));
        let _ = whole.feed(&queue);
        whole.end();
        let mut scanner = Scanner::new(&html);
        let mut tags = 0;
        while let Some(piece) = scanner.next_piece().expect("there are few attributes") {
            tags += usize::from(matches!(piece, Piece::Tag(_)));
        }
        assert_eq!(tags, whole.sink.0.get(), "{html:?}");
    }
}
