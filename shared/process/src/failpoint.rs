//! Failpoints: named stages at which a process under test dies, stands still or waits. Without the feature `failpoints` no
//! failpoint is compiled. With the feature a failpoint acts only when `DOCKET_FAILPOINTS` names it:
//!
//! `worker.after_claim=kill#3,producer.after_s3_put=stop@0.05,worker.after_extract=kill~MARK,seed=7`
//!
//! Actions: `kill` (the process sends itself SIGKILL), `stop` (the process sends itself SIGSTOP, and somebody else must continue
//! it), `delay:MS` (the thread sleeps) and `panic`. `#n` acts at the n-th pass only, `#n+` from the n-th pass on, `@p` with
//! probability `p`, drawn from `seed`. `~TEXT` acts only where the document holds that text. Without any of these every pass
//! acts. `bug.NAME=on` plants a bug, to test the tools that look for bugs.
//!
//! The variable is no setting of the product. It is read here, and the tables of settings omit it.

/// A stage at which a test may stop the process, with the document's text or without.
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

/// Expands to nothing, since the feature `failpoints` is off.
#[cfg(not(feature = "failpoints"))]
#[macro_export]
macro_rules! failpoint {
    ($name:literal) => {};
    ($name:literal, $text:expr) => {};
}

/// Runs the code of a bug when a test has planted the bug of this name.
#[cfg(feature = "failpoints")]
#[macro_export]
macro_rules! planted {
    ($name:literal => $bug:expr) => {
        if $crate::failpoint::is_planted($name) {
            $bug
        }
    };
}

/// Expands to nothing, since the feature `failpoints` is off.
#[cfg(not(feature = "failpoints"))]
#[macro_export]
macro_rules! planted {
    ($name:literal => $bug:expr) => {};
}

#[cfg(feature = "failpoints")]
mod armed;

#[cfg(feature = "failpoints")]
pub use armed::{is_planted, pass};
