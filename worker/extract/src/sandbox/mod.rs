//! Strangers' documents are parsed in child processes that can reach nothing: no file, no network, no other process.
//!
//! A child is the worker's own program, started with a hidden subcommand. It parses one document and ends, so that no document
//! can leave anything behind for the next. A pool starts children ahead of the documents.
//!
//! | question | file |
//! |---|---|
//! | how a document is given to a child, and what each way of failing means | `pool.rs`, `error.rs` |
//! | what a child does from its start to its end | `child.rs` |
//! | what a child can no longer do | `lockdown.rs`, `syscalls.rs` |
//! | how children are started, killed and reaped | `process.rs` |
//! | what parent and child write to one another | `frames.rs`, `answer.rs` |
//! | how a child gets the document's bytes | `handover.rs` |
//! | how a child has pictures read, and by what | `pictures.rs`, `ocr.rs`, `jail.rs` |
//! | what a pool counts | `counts.rs` |
//!
//! The parent trusts nothing that a child writes: sizes are known and bounded before bytes are taken. The bytes themselves are the
//! caller's to check: a child that was taken over can send any text, and any map of it.

mod answer;
pub mod child;
mod counts;
mod error;
mod frames;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod handover;
pub mod jail;
mod lockdown;
mod ocr;
mod pictures;
mod pool;
mod process;
mod syscalls;

pub use answer::{Answer, Parsed, Summary};
pub use counts::Counts;
pub use error::{End, OcrStartError, ParseError, ProtocolError, StartError, TimeLimit, Unavailable};
pub use lockdown::{Enforced, Landlock, Missing};
pub use ocr::{JAIL_COMMAND, Ocr, OcrSettings};
pub use pictures::{PIXELS_MAX, Picture, PictureHead, PictureReader, Words};
pub use pool::{Options, Pool, Task};
pub use process::Allowance;
