//! The elements of HTML, by what they do to the text.

/// What an element does to the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Stands within a line.
    Inline,
    /// Deleted text, within a line.
    Deleted,
    /// Within a line, and set off by blanks: buttons, lists to choose from.
    SetOff,
    /// Without content, and not seen.
    Void,
    /// Without content, and seen as a picture.
    Replaced,
    /// A field of a form.
    Input,
    /// Ends a line.
    Break,
    /// Ends a paragraph, and has no content.
    Rule,
    /// A block that holds text or other blocks.
    Block,
    /// A paragraph, which ends where a block begins.
    Paragraph,
    /// A heading: any end tag of a heading ends any heading.
    Heading,
    /// An item of a list, which ends where the next begins.
    Item,
    /// A term or its description.
    Term,
    /// A list.
    List,
    /// A block that keeps white space.
    Preformatted,
    /// A table.
    Table,
    /// The caption of a table.
    Caption,
    /// A group of rows.
    Section,
    /// A row.
    Row,
    /// A cell.
    Cell,
    /// Never seen, with all that it holds.
    Unseen,
    /// A drawing, never read.
    Picture,
    /// HTML within a drawing.
    PictureContent,
    /// Content that is no markup and not seen.
    Raw,
    /// The page's title.
    Title,
    /// A field of several lines.
    TextArea,
    /// What can be chosen from a list.
    Choice,
    /// Seen only when it is open.
    Dialog,
    /// The page, its head and its body: there whether or not their tags are.
    Document,
}

/// An element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Element {
    /// Place of the name among all names; the number of names for an element that is not listed.
    pub(super) number: u8,
    pub(super) class: Class,
}

/// Declares the elements of each class.
macro_rules! elements {
    ($($class:ident: $($name:literal)*,)*) => {
        const NAMES: &[(&str, Class)] = &[$($(($name, Class::$class),)*)*];
    };
}

elements! {
    Inline: "a" "abbr" "b" "bdi" "bdo" "big" "cite" "code" "em" "font" "i" "ins" "label" "math" "q" "s" "small" "span" "strike"
        "strong" "sub" "sup" "tt" "u",
    Deleted: "del",
    SetOff: "button" "select",
    Void: "area" "base" "basefont" "bgsound" "col" "frame" "link" "meta" "param" "source" "track" "wbr",
    Replaced: "embed" "image" "img",
    Input: "input",
    Break: "br",
    Rule: "hr",
    Block: "address" "article" "aside" "blockquote" "center" "details" "div" "dl" "fieldset" "figcaption" "figure" "footer" "form"
        "header" "hgroup" "legend" "main" "nav" "optgroup" "search" "section" "summary",
    Paragraph: "p",
    Heading: "h1" "h2" "h3" "h4" "h5" "h6",
    Item: "li",
    Term: "dd" "dt",
    List: "dir" "menu" "ol" "ul",
    Preformatted: "listing" "pre" "xmp",
    Table: "table",
    Caption: "caption",
    Section: "tbody" "tfoot" "thead",
    Row: "tr",
    Cell: "td" "th",
    Unseen: "annotation" "annotation-xml" "audio" "canvas" "datalist" "template" "video",
    Picture: "svg",
    PictureContent: "foreignobject",
    Raw: "iframe" "noembed" "noframes" "noscript" "script" "style",
    Title: "title",
    TextArea: "textarea",
    Choice: "option",
    Dialog: "dialog",
    Document: "body" "head" "html",
}

/// How many numbers elements have.
pub(super) const NUMBERS: usize = NAMES.len() + 1;
const _: () = assert!(NUMBERS <= u8::MAX as usize);
/// How many classes there are.
pub(super) const CLASSES: usize = Class::Document as usize + 1;

/// The element of a name in lower case.
pub(super) fn find(name: &str) -> Element {
    let found = NAMES.iter().enumerate().find(|(_, (listed, _))| *listed == name);
    let (number, class) = found.map_or((NAMES.len(), Class::Inline), |(number, &(_, class))| (number, class));
    Element {
        number: u8::try_from(number).unwrap_or(u8::MAX),
        class,
    }
}

impl Element {
    /// The element's name; empty for an element that is not listed.
    pub(super) fn name(self) -> &'static str {
        NAMES.get(usize::from(self.number)).map_or("", |(name, _)| name)
    }
}

impl Class {
    /// Whether the element begins and ends a paragraph.
    pub(super) fn is_block(self) -> bool {
        match self {
            Self::Block
            | Self::Paragraph
            | Self::Heading
            | Self::Item
            | Self::Term
            | Self::List
            | Self::Preformatted
            | Self::Table
            | Self::Caption
            | Self::Section
            | Self::Row
            | Self::Cell
            | Self::Dialog
            | Self::Rule => true,
            Self::Inline
            | Self::Deleted
            | Self::SetOff
            | Self::Void
            | Self::Replaced
            | Self::Input
            | Self::Break
            | Self::Unseen
            | Self::Picture
            | Self::PictureContent
            | Self::Raw
            | Self::Title
            | Self::TextArea
            | Self::Choice
            | Self::Document => false,
        }
    }

    /// Whether the element stands within a line, so that its end tag reaches across no other element.
    pub(super) fn is_inline(self) -> bool {
        matches!(self, Self::Inline | Self::Deleted)
    }

    /// Whether the element ends what stands before it in the same paragraph.
    pub(super) fn ends_paragraph(self) -> bool {
        self.is_block() && !matches!(self, Self::Caption | Self::Section | Self::Row | Self::Cell)
    }
}
