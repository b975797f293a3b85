//! Whether a map fits its text. A map comes out of a process that reads what strangers sent, so it is checked before it is used.

use std::ops::Range;

use super::TextMap;

/// Why a map does not fit its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MapMismatch {
    /// Pages overlap, leave the text, split a character, or count their characters wrongly.
    #[error("a page of the map does not fit the text")]
    Page,
    /// A page has another number of boxes than of characters.
    #[error("a page of the map has not one box for each character")]
    Boxes,
    /// Blocks overlap, leave the text or their page, split a character, or are empty.
    #[error("a block of the map does not fit the text")]
    Block,
}

impl TextMap {
    /// Checks that the map fits this text. Takes time linear in both.
    pub fn check(&self, text: &str) -> Result<(), MapMismatch> {
        self.check_pages(text)?;
        self.check_blocks(text)
    }

    fn check_pages(&self, text: &str) -> Result<(), MapMismatch> {
        let (mut byte, mut char) = (0, 0);
        for page in &self.pages {
            let between = slice(text, byte..page.bytes.start).ok_or(MapMismatch::Page)?;
            let inside = slice(text, page.bytes.clone()).ok_or(MapMismatch::Page)?;
            let start = char + between.chars().count();
            let end = start + inside.chars().count();
            if (start, end) != (page.chars.start as usize, page.chars.end as usize) {
                return Err(MapMismatch::Page);
            }
            if !page.boxes.is_empty() && page.boxes.len() != end - start {
                return Err(MapMismatch::Boxes);
            }
            if !(page.width.is_finite() && page.height.is_finite() && page.width >= 0.0 && page.height >= 0.0) {
                return Err(MapMismatch::Page);
            }
            (byte, char) = (page.bytes.end, end);
        }
        Ok(())
    }

    fn check_blocks(&self, text: &str) -> Result<(), MapMismatch> {
        let mut end = 0;
        for block in &self.blocks {
            let inside = slice(text, block.bytes.clone()).ok_or(MapMismatch::Block)?;
            let page_end = self.page_at(block.bytes.start).map(|page| page.bytes.end);
            let leaves_its_page = page_end.is_some_and(|page_end| block.bytes.end > page_end);
            if inside.is_empty() || block.bytes.start < end || leaves_its_page {
                return Err(MapMismatch::Block);
            }
            end = block.bytes.end;
        }
        Ok(())
    }
}

/// The text in a range; `None` when the range is reversed, leaves the text or splits a character.
fn slice(text: &str, range: Range<u32>) -> Option<&str> {
    text.get(range.start as usize..range.end as usize)
}
