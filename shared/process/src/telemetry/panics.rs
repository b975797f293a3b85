//! Panics as log lines. A message that was formatted at run time is left out: it may hold a document's text.

use std::any::Any;
use std::panic;

/// Logs a line for each panic, in place of the standard library's output.
pub(super) fn log() {
    panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(ToString::to_string);
        let said = literal(panic.payload());
        tracing::error!(at, said, "a thread panicked");
    }));
}

/// A panic's message, if it stands literally in the code.
pub fn literal(payload: &(dyn Any + Send)) -> Option<&'static str> {
    payload.downcast_ref::<&'static str>().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(panics: impl FnOnce() + panic::UnwindSafe) -> Option<&'static str> {
        literal(&*panic::catch_unwind(panics).unwrap_err())
    }

    #[test]
    fn a_panic_is_told_by_words_of_the_code_and_not_of_a_document() {
        let text = "Ada Lovelace".to_owned();
        assert_eq!(said(|| panic!("a bug")), Some("a bug"));
        assert_eq!(said(|| panic!("not expected: {text}")), None);
        let text = "Ada Lovelace".to_owned();
        let parses = || {
            text.parse::<u32>().unwrap();
        };
        assert_eq!(said(parses), None);
        let text = "Ada Lovelace".to_owned();
        assert_eq!(said(|| std::panic::panic_any(text)), None);
    }
}
