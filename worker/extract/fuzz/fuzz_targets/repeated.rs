//! One piece of a document, repeated until it has a quarter of a megabyte: what takes time or memory beyond the document's size shows here.
//! An input is a letter for the kind of document, then what stands before the piece, the piece, and what stands behind it.
#![no_main]

use docket_contract::media_type::MediaType;
use docket_extract::limits::Limits;

/// Bytes of the repeated pieces.
const REPEATED_BYTES: usize = 256 << 10;
/// Limits that a document of this size does not meet by its size alone.
const LIMITS: Limits = Limits {
    pages: 100,
    text_bytes: 8 << 20,
    inflated_bytes: 16 << 20,
};

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Some((kind, rest)) = input.split_first() else {
        return;
    };
    let [("before", before), ("piece", piece), ("behind", behind)] =
        docket_fuzz::parts(&["before", "piece", "behind"], rest)[..]
    else {
        return;
    };
    if piece.is_empty() {
        return;
    }
    let document = [before, &piece.repeat(REPEATED_BYTES / piece.len()), behind].concat();
    let (media_type, document) = match kind {
        b'd' => (MediaType::Docx, docket_fuzz::docx(&document)),
        b'o' => (MediaType::Odt, docket_fuzz::odt(&document)),
        b'r' => (MediaType::Rtf, document),
        b'h' => (MediaType::Html, document),
        b'm' => (MediaType::Mail, document),
        b'z' => (MediaType::Zip, document),
        b'p' => (MediaType::Docx, document),
        _ => return,
    };
    docket_fuzz::read_within(media_type, &document, &LIMITS);
});
