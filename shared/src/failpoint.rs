//! Failpoints: named stages at which a process of a test dies, stands still or waits. Without the feature `failpoints` they
//! are not compiled at all; with it they do nothing until `DOCKET_FAILPOINTS` names them:
//!
//! `worker.after_claim=kill#3,producer.after_s3_put=stop@0.05,worker.after_extract=kill~MARK,seed=7`
//!
//! An action is `kill` (SIGKILL of itself), `stop` (SIGSTOP of itself; somebody else must let it go on), `delay:MS` (the
//! thread stands still) or `panic`. `#n` acts at the n-th pass only, `#n+` from it on, `@p` by chance with that seed, `~TEXT`
//! only where the document holds that text; without any of these every pass acts. `bug.NAME=on` plants a bug, for tests of what finds bugs.
//!
//! The variable is no setting of the product, and so is read here and stands in none of its tables.

/// A stage that a test may stop at, with the document's text or without.
#[cfg(feature = "failpoints")]
#[macro_export]
macro_rules! failpoint {
    ($name:literal) => {
        $crate::failpoint::pass($name, None)
    };
    ($name:literal, $text:expr) => {
        $crate::failpoint::pass($name, Some($text))
    };
}

/// A stage that a test may stop at: nothing, since the feature `failpoints` is off.
#[cfg(not(feature = "failpoints"))]
#[macro_export]
macro_rules! failpoint {
    ($name:literal) => {};
    ($name:literal, $text:expr) => {};
}

/// A bug that is there only when a test plants it.
#[cfg(feature = "failpoints")]
#[macro_export]
macro_rules! planted {
    ($name:literal => $bug:expr) => {
        if $crate::failpoint::is_planted($name) {
            $bug
        }
    };
}

/// A bug that is there only when a test plants it: nothing, since the feature `failpoints` is off.
#[cfg(not(feature = "failpoints"))]
#[macro_export]
macro_rules! planted {
    ($name:literal => $bug:expr) => {};
}

#[cfg(feature = "failpoints")]
mod armed;
#[cfg(feature = "failpoints")]
mod bugs;

#[cfg(feature = "failpoints")]
pub use armed::{is_planted, pass};
#[cfg(feature = "failpoints")]
pub use bugs::finish_without_the_claim;
