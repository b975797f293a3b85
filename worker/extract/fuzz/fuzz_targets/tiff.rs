//! Any bytes as a TIFF: its directories, and its first two pages as images.
#![no_main]

use docket_contract::media_type::MediaType;
use docket_extract::fuzzing;
use docket_extract::limits::Limits;

/// A page in 300 dpi has some 8 MB.
const LIMITS: Limits = Limits {
    inflated_bytes: 16 << 20,
    ..docket_fuzz::LIMITS
};

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    docket_fuzz::read_within(MediaType::Tiff, input, &LIMITS);
    for page in 1..=2 {
        let _ = fuzzing::image(input, page, &LIMITS);
    }
});
