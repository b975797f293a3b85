//! The samples are what their program makes.

use std::process::Command;

use crate::reading;

pub const FACTS: &[(&str, fn())] = &[("the_samples_are_what_their_program_makes", the_samples_are_as_made)];

fn the_samples_are_as_made() {
    let mut check = Command::new("python3");
    let check = check.arg(reading::sample("make.py")).arg("--check");
    let check = check.env("DOCKET_PDFIUM_LIB", reading::pdfium()).output().unwrap();
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stderr));
}
