//! HTML and Rich Text that nest and repeat.

use super::Bomb;
use crate::files::markup::{page, rich_text};

const HTML: &str = "text/html";
const RTF: &str = "application/rtf";

pub const ALL: &[Bomb] = &[
    Bomb {
        name: "200000-divs.html",
        media_type: HTML,
        make: || nested("<div>", "</div>", 200_000),
    },
    Bomb {
        name: "divs-that-stay-open.html",
        media_type: HTML,
        make: || nested("<div><b><i>", "", 200_000),
    },
    Bomb {
        name: "deep-tables.html",
        media_type: HTML,
        make: || nested("<table><tr><td>", "</td></tr></table>", 50_000),
    },
    Bomb {
        name: "deep-lists.html",
        media_type: HTML,
        make: || nested("<ul><li>", "", 100_000),
    },
    Bomb {
        name: "100000-attributes.html",
        media_type: HTML,
        make: attributes,
    },
    Bomb {
        name: "one-long-attribute.html",
        media_type: HTML,
        make: || page(&format!("<p class=\"{}\">Ada King</p>", "a".repeat(20 << 20))),
    },
    Bomb {
        name: "tag-without-end.html",
        media_type: HTML,
        make: || page(&format!("<p>Ada King</p><p {}", "a ".repeat(5 << 20))),
    },
    Bomb {
        name: "comments-without-end.html",
        media_type: HTML,
        make: || page(&"<!-- <p> -- ".repeat(1 << 20)),
    },
    Bomb {
        name: "scripts-without-end.html",
        media_type: HTML,
        make: || page(&"<script><style></scrip".repeat(1 << 18)),
    },
    Bomb {
        name: "less-than-signs.html",
        media_type: HTML,
        make: || page(&"<".repeat(50_000)),
    },
    Bomb {
        name: "ampersands.html",
        media_type: HTML,
        make: || page(&"&".repeat(50_000)),
    },
    Bomb {
        name: "entities.html",
        media_type: HTML,
        make: || page(&"&CounterClockwiseContourIntegral;&#1114112;&#0;&notit;".repeat(10_000)),
    },
    Bomb {
        name: "wide-cells.html",
        media_type: HTML,
        make: wide_cells,
    },
    Bomb {
        name: "end-tags-of-nothing.html",
        media_type: HTML,
        make: || page(&"</p></div></table></b>".repeat(200_000)),
    },
    Bomb {
        name: "misnested.html",
        media_type: HTML,
        make: || page(&"<b><p></b><i></p><a><table></a></i>".repeat(60_000)),
    },
    Bomb {
        name: "million-groups.rtf",
        media_type: RTF,
        make: || rich_text(&("{".repeat(1_000_000) + &"}".repeat(1_000_000))),
    },
    Bomb {
        name: "million-groups-in-a-row.rtf",
        media_type: RTF,
        make: || rich_text(&"{\\b}".repeat(1_000_000)),
    },
    Bomb {
        name: "closed-too-often.rtf",
        media_type: RTF,
        make: || rich_text(&"}".repeat(1_000_000)),
    },
    Bomb {
        name: "deep-tables.rtf",
        media_type: RTF,
        make: || rich_text(&"\\intbl\\itap200 a\\nestcell ".repeat(100_000)),
    },
    Bomb {
        name: "million-footnotes.rtf",
        media_type: RTF,
        make: || rich_text(&"{\\footnote}".repeat(1_000_000)),
    },
    Bomb {
        name: "nested-footnotes.rtf",
        media_type: RTF,
        make: || rich_text(&("{\\footnote a".repeat(900) + &"}".repeat(900))),
    },
    Bomb {
        name: "binary-without-end.rtf",
        media_type: RTF,
        make: || rich_text("Ada King \\bin2147483647 abc"),
    },
    Bomb {
        name: "lying-substitutes.rtf",
        media_type: RTF,
        make: || rich_text(&"\\uc2147483647\\u8364 abc ".repeat(1_000)),
    },
    Bomb {
        name: "numbers-too-long.rtf",
        media_type: RTF,
        make: || rich_text(&format!("\\fs{} Ada King", "9".repeat(1 << 20))),
    },
    Bomb {
        name: "many-fonts.rtf",
        media_type: RTF,
        make: many_fonts,
    },
    Bomb {
        name: "picture-of-zeros.rtf",
        media_type: RTF,
        make: || rich_text(&format!("{{\\pict\\pngblip {}}}Ada King", "00".repeat(8 << 20))),
    },
];

fn nested(open: &str, close: &str, depth: usize) -> Vec<u8> {
    page(&format!("{}Ada King{}", open.repeat(depth), close.repeat(depth)))
}

fn attributes() -> Vec<u8> {
    let attributes: String = (0..100_000).map(|number| format!("a{number}=1 ")).collect();
    page(&format!("<p {attributes}>Ada King</p>"))
}

fn wide_cells() -> Vec<u8> {
    page(&format!(
        "<table>{}</table>",
        "<tr><td colspan=1000 rowspan=65534>a</td><td colspan=999999999>b</td></tr>".repeat(10_000)
    ))
}

fn many_fonts() -> Vec<u8> {
    let fonts: String = (0..100_000)
        .map(|number| format!("{{\\f{number}\\fcharset128 F{number};}}"))
        .collect();
    rich_text(&format!("{{\\fonttbl{fonts}}}\\f99999 Ada King"))
}
