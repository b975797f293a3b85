//! Why jobs fail: one word each, for filters, metrics and people, and the sentence that callers read. What a driver or a library
//! said beside it is for operators: it names hosts, paths and keys.

/// What a caller reads beside the word.
#[derive(Debug, Clone, Copy)]
enum Told {
    /// This sentence.
    Fixed(&'static str),
    /// What is wrong with the document: that detail is written for callers.
    Detail,
}

use Told::{Detail, Fixed};

/// Every reason that this release writes. A job that another release failed may have another one.
const REASONS: &[(&str, Told)] = &[
    (
        "database_unavailable",
        Fixed("The database did not take the result, however often that was tried."),
    ),
    (
        "deadline_passed",
        Fixed("The deadline passed before the analysis was done."),
    ),
    ("document_missing", Fixed("The stored document is gone.")),
    ("document_too_large", Detail),
    ("internal_error", Fixed("A step of the analysis broke down.")),
    ("interrupted", Fixed("The analysis was interrupted.")),
    ("model_error", Fixed("The model failed, however often it was asked.")),
    ("model_unavailable", Fixed("The model could not be had.")),
    (
        "poison",
        Fixed("Processing this document repeatedly ended the process that did it."),
    ),
    (
        "result_not_written",
        Fixed("The database did not take so many entities in time, however often that was tried."),
    ),
    (
        "storage_unavailable",
        Fixed("The store of documents did not answer for as long as was tried."),
    ),
    ("superseded", Fixed("Another analysis took this one's place.")),
    (
        "text_not_processable",
        Fixed("The document's text cannot be cut into what the model reads."),
    ),
    ("timeout", Fixed("The analysis took longer than any may.")),
    (
        "unknown_model",
        Fixed("The model, or this version of it, is not published."),
    ),
    ("too_many_entities", Detail),
    ("unreadable_document", Detail),
    (
        "worker_busy",
        Fixed("No worker had room for the document for as long as was tried."),
    ),
];

/// Whether this release writes a reason.
pub fn is_known(reason: &str) -> bool {
    REASONS.iter().any(|(word, _)| *word == reason)
}

/// The words of all of them.
pub fn words() -> Vec<&'static str> {
    REASONS.iter().map(|(word, _)| *word).collect()
}

/// What a caller reads of a job that failed for a reason, with this detail beside it.
pub fn told(reason: &str, detail: &str) -> String {
    let found = REASONS.iter().find(|(word, _)| *word == reason);
    match found {
        Some((_, Fixed(sentence))) => (*sentence).to_owned(),
        Some((_, Detail)) => detail.to_owned(),
        None => "The analysis failed.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_reads_what_is_wrong_with_its_document_and_nothing_of_ours() {
        let detail = "read object documents/17/acme/0189: dispatch failure: http://10.0.0.7:9000";
        for (word, _) in REASONS.iter().filter(|(_, told)| matches!(told, Fixed(_))) {
            let told = told(word, detail);
            assert!(!told.contains("10.0.0.7") && told.ends_with('.'), "{word}: {told}");
        }
        assert_eq!(told("of another release", detail), "The analysis failed.");
        assert_eq!(told("unreadable_document", "byte 3 is invalid"), "byte 3 is invalid");
    }
}
