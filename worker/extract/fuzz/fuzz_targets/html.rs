//! Any bytes as HTML, in whatever encoding.
#![no_main]

use docket_contract::media_type::MediaType;

libfuzzer_sys::fuzz_target!(|input: &[u8]| docket_fuzz::read(MediaType::Html, input));
