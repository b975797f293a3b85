//! What control words mean to a reader of the text.

use docket_contract::place::Region;

/// What a control word means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Nothing to the text, or nothing that is known.
    Other,
    /// A character.
    Character(char),
    /// The character in Unicode whose number follows.
    Unicode,
    /// How many substitutes follow such a character.
    Substitutes,
    /// Begins a group that is not read.
    Skip,
    /// Begins a group of which only parts are read.
    Container,
    /// Begins such a part.
    Reopen,
    /// Begins the text of a text box.
    TextBox,
    /// Begins the table of fonts.
    Fonts,
    /// Begins the description of a row in a table within a table.
    RowProperties,
    /// Begins text that stands elsewhere: at the head or foot of a page, or in a note.
    Aside(Region),
    /// The note stands at the end.
    AtTheEnd,
    EndOfParagraph,
    EndOfCell,
    EndOfRow,
    NestedCell,
    NestedRow,
    /// The paragraph stands in a table.
    InTable,
    /// How many tables the paragraph stands in.
    TableLevel,
    PlainParagraph,
    PlainCharacters,
    Hidden,
    Deleted,
    Font,
    FontCharset,
    FontCodePage,
    DefaultFont,
    CodePage,
    Macintosh,
}

/// What a control word means.
pub(super) fn meaning(name: &[u8]) -> Meaning {
    match name {
        b"u" => Meaning::Unicode,
        b"uc" => Meaning::Substitutes,
        b"fonttbl" => Meaning::Fonts,
        b"upr" | b"object" | b"shpinst" | b"do" => Meaning::Container,
        b"ud" | b"result" => Meaning::Reopen,
        b"shptxt" | b"dptxbxtext" => Meaning::TextBox,
        b"nesttableprops" => Meaning::RowProperties,
        b"par" | b"sect" => Meaning::EndOfParagraph,
        b"cell" => Meaning::EndOfCell,
        b"row" => Meaning::EndOfRow,
        b"nestcell" => Meaning::NestedCell,
        b"nestrow" => Meaning::NestedRow,
        b"intbl" => Meaning::InTable,
        b"itap" => Meaning::TableLevel,
        b"pard" => Meaning::PlainParagraph,
        b"plain" => Meaning::PlainCharacters,
        b"v" => Meaning::Hidden,
        // Text that was moved away is like text that was deleted.
        b"deleted" | b"mvf" => Meaning::Deleted,
        b"f" => Meaning::Font,
        b"fcharset" => Meaning::FontCharset,
        b"cpg" => Meaning::FontCodePage,
        b"deff" => Meaning::DefaultFont,
        b"ansicpg" => Meaning::CodePage,
        b"mac" => Meaning::Macintosh,
        name => aside(name)
            .or_else(|| character(name))
            .or_else(|| skipped(name))
            .unwrap_or(Meaning::Other),
    }
}

fn aside(name: &[u8]) -> Option<Meaning> {
    Some(match name {
        b"header" | b"headerl" | b"headerr" | b"headerf" => Meaning::Aside(Region::Header),
        b"footer" | b"footerl" | b"footerr" | b"footerf" => Meaning::Aside(Region::Footer),
        b"footnote" => Meaning::Aside(Region::Footnote),
        b"annotation" => Meaning::Aside(Region::Comment),
        b"ftnalt" => Meaning::AtTheEnd,
        _ => return None,
    })
}

fn character(name: &[u8]) -> Option<Meaning> {
    Some(Meaning::Character(match name {
        b"line" | b"lbr" | b"page" | b"column" => '\n',
        b"tab" => '\t',
        b"emdash" => '\u{2014}',
        b"endash" => '\u{2013}',
        b"emspace" => '\u{2003}',
        b"enspace" => '\u{2002}',
        b"qmspace" => '\u{2005}',
        b"bullet" => '\u{2022}',
        b"lquote" => '\u{2018}',
        b"rquote" => '\u{2019}',
        b"ldblquote" => '\u{201c}',
        b"rdblquote" => '\u{201d}',
        b"ltrmark" => '\u{200e}',
        b"rtlmark" => '\u{200f}',
        b"zwj" => '\u{200d}',
        b"zwnj" => '\u{200c}',
        b"zwbo" => '\u{200b}',
        b"zwnbo" => '\u{2060}',
        _ => return None,
    }))
}

/// Groups that are not read and lack the mark of those that may be skipped, in all documents or in those of old programs.
fn skipped(name: &[u8]) -> Option<Meaning> {
    const SKIPPED: [&[u8]; 36] = [
        b"colortbl",
        b"stylesheet",
        b"info",
        b"pict",
        b"filetbl",
        b"listtable",
        b"listoverridetable",
        b"revtbl",
        b"rsidtbl",
        b"generator",
        b"nonshppict",
        b"shppict",
        b"shprslt",
        b"nonesttables",
        b"fldinst",
        b"datafield",
        b"xe",
        b"tc",
        b"tcn",
        b"rxe",
        b"txe",
        b"bkmkstart",
        b"bkmkend",
        b"ftnsep",
        b"ftnsepc",
        b"ftncn",
        b"aftnsep",
        b"aftnsepc",
        b"aftncn",
        b"atnid",
        b"atnauthor",
        b"atnref",
        b"atntime",
        b"atndate",
        b"objdata",
        b"objclass",
    ];
    SKIPPED.contains(&name).then_some(Meaning::Skip)
}
