//! HTML: the text that a reader of the page sees, as paragraphs and cells.
//!
//! The page is cut into tags, texts and comments by `scan`, and html5ever's tokenizer reads the tags and decodes the entities. No
//! tree is built: the tree builder's cost grows with the square of the nesting. `open` keeps the elements that are open, up to a
//! depth, and closes those that HTML lets authors leave open; `flow` makes paragraphs and cells of the text.
//!
//! In: inserted and struck text, values of fields and selected options, formulas, the caption of a table. Out: scripts, styles,
//! templates, `noscript`, deleted text (`del`), pictures and their alternative texts, options that are not selected, what `hidden`,
//! `display: none` or `visibility: hidden` hides at the element. Style sheets are not read. The title is a paragraph of the region
//! `Header`: a reader sees the title in the window's frame, and titles name parties and cases.

mod elements;
mod flow;
mod hiding;
mod open;
mod page;
mod scan;

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{BufferQueue, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};

use crate::refusal::Refusal;
use crate::writer::Writer;
use page::{Content, Page};
use scan::{Piece, Scanner};

/// Reads a page into the writer.
pub fn read(html: &str, writer: &mut Writer) -> Result<(), Refusal> {
    let page = Sink(RefCell::new(Page::new(writer)));
    let tokenizer = Tokenizer::new(page, TokenizerOpts::default());
    let mut scanner = Scanner::new(html);
    while let Some(piece) = scanner.next_piece()? {
        match piece {
            Piece::Text(text) if !text.contains('&') => tokenizer.sink.0.borrow_mut().text(text),
            Piece::Text(markup) | Piece::Tag(markup) => feed(&tokenizer, markup),
            // A comment separates: the tokenizer must not see an entity in what stands before and after.
            Piece::Comment => feed(&tokenizer, "<!---->"),
        }
        let content = tokenizer.sink.0.borrow_mut().take_content()?;
        match content {
            Content::Markup => {}
            Content::Unread(name) => drop(scanner.raw(name)),
            Content::Characters(name) => feed(&tokenizer, scanner.raw(name)),
        }
    }
    tokenizer.end();
    tokenizer.sink.0.into_inner().finish()
}

fn feed(tokenizer: &Tokenizer<Sink<'_>>, markup: &str) {
    let queue = BufferQueue::default();
    queue.push_back(StrTendril::from_slice(markup));
    // The sink asks for no stop, so the tokenizer takes the whole piece.
    let _ = tokenizer.feed(&queue);
}

/// Hands the tokenizer's tokens to the page. The tokenizer gives them to a shared reference.
struct Sink<'w>(RefCell<Page<'w>>);

impl TokenSink for Sink<'_> {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut page = self.0.borrow_mut();
        match token {
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => {
                page.start(&tag);
                if page.expects_characters() {
                    return TokenSinkResult::RawData(RawKind::Rcdata);
                }
            }
            Token::TagToken(tag) => page.end(&tag.name),
            Token::CharacterTokens(text) => page.text(&text),
            Token::DoctypeToken(_)
            | Token::CommentToken(_)
            | Token::NullCharacterToken
            | Token::EOFToken
            | Token::ParseError(_) => {}
        }
        TokenSinkResult::Continue
    }
}

#[cfg(test)]
mod tests;
