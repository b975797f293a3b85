//! Frames as a parser that was taken over may send them.
#![no_main]

use docket_extract::fuzzing;

/// Bytes that the parts of an answer may have together.
const PARTS_BYTES_MAX: usize = 1 << 20;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    if let Some(parts) = fuzzing::answer(input, PARTS_BYTES_MAX) {
        let bytes: usize = parts.iter().map(Vec::len).sum();
        assert!(
            bytes <= PARTS_BYTES_MAX && bytes <= input.len(),
            "the parts have {bytes} bytes"
        );
    }
});
