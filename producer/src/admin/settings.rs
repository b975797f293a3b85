//! `docket-producer settings`: the table of settings, as it stands in the README.

use docket_shared::config::{Setting, table};

use crate::config;

/// Prints the producer's settings as a Markdown table.
pub fn run() {
    let settings: Vec<&Setting> = config::settings();
    print!("{}", table(&settings));
}
