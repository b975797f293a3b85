//! The XML parts of a DOCX, in a package that is whole.
#![no_main]

use docket_contract::media_type::MediaType;

libfuzzer_sys::fuzz_target!(|input: &[u8]| docket_fuzz::read(MediaType::Docx, &docket_fuzz::docx(input)));
