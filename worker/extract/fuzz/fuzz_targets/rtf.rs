//! Any bytes as RTF, behind its first word.
#![no_main]

use docket_contract::media_type::MediaType;

libfuzzer_sys::fuzz_target!(|input: &[u8]| docket_fuzz::read(MediaType::Rtf, &[&b"{\\rtf1 "[..], input].concat()));
