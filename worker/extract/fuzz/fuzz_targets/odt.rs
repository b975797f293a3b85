//! Any bytes as an ODT: the package, and single files of XML.
#![no_main]

use docket_contract::media_type::MediaType;

libfuzzer_sys::fuzz_target!(|input: &[u8]| docket_fuzz::read(MediaType::Odt, input));
