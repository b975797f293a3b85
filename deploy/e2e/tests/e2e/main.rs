//! Docket as its users run it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod autoscale;
mod broken;
mod broker;
mod documents;
mod health;
mod jobs;
mod languages;
mod metrics;
mod models;
mod operator;
mod pinned;
mod poison;
mod prometheus;
mod restarts;
mod restore;
mod results;
mod services;
mod shards;
mod signals;
mod tls;
mod traces;
mod turns;
mod workers;

/// A short letter with entities that any version of the default model finds.
pub const LETTER: &str = "This Agreement is made on January 5, 2024 between Acme Holdings, Inc., a Delaware corporation, and Maria \
Gonzalez. It is governed by the laws of the State of New York. The purchase price is $1,250,000. Any dispute shall be brought \
before the United States District Court for the Southern District of New York under 17 U.S.C. § 107.\n";

/// Bytes that no encoding makes a text.
pub const NO_TEXT: &[u8] = &counted();

const fn counted() -> [u8; 128] {
    let mut bytes = [0; 128];
    let mut place = 0;
    while place < bytes.len() {
        bytes[place] = place as u8;
        place += 1;
    }
    bytes
}

/// A text that keeps a worker busy for about this many seconds: the default model reads some hundred letters a second.
pub fn long_text(seconds: usize) -> String {
    LETTER.repeat(100 * seconds)
}
