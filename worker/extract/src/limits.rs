//! What one document may cost to read. Each limit has a name, the number that holds, and the setting that changes the number.

use serde::{Deserialize, Serialize};

/// Deepest nesting of elements, groups or parts. Word nests a table in a table some ten times; real files stay below 60.
pub const DEPTH_MAX: usize = 256;
/// Files within a package (DOCX, ODT, ZIP): a Word file has some 20 and one more for each picture.
pub const ENTRIES_MAX: usize = 10_000;
/// Most bytes that one byte of a package may become: the text of real packages grows 20 times at most, and bombs 1,000 times.
pub const RATIO_MAX: u64 = 200;
/// A package may always become this many bytes, whatever its size: small files are compressed best.
pub const INFLATED_FREE: u64 = 4 << 20;

/// Largest share of control characters, in percent. Half of UTF-16 in English is NULs, and two thirds or more of most binary data
/// is controls. A control that ends a record every ten characters still passes. So do the quotes and dashes of Windows text
/// decoded as Latin-1 (two in a hundred).
pub const CONTROLS_PERCENT_MAX: usize = 10;

/// The limits of one document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Pages of a document (`DOCKET_PAGES_MAX`).
    pub pages: u32,
    /// Bytes of the extracted text in UTF-8 (`DOCKET_TEXT_BYTES_MAX`).
    pub text_bytes: usize,
    /// Bytes that everything compressed in the document may become, summed (`DOCKET_INFLATED_BYTES_MAX`).
    pub inflated_bytes: u64,
}
