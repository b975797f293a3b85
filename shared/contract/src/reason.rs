//! Why jobs fail: one word each, for filters, metrics and people, and the sentence that callers read. An error text of a driver
//! or library is for operators only, since it names hosts, paths and keys.

use crate::words;

words!(
    /// Why a job failed. Another release may know reasons that are missing here.
    Reason {
        /// A shard refused the result at every try.
        DatabaseUnavailable = "database_unavailable",
        /// The job's deadline passed.
        DeadlinePassed = "deadline_passed",
        /// The bucket no longer holds the document.
        DocumentMissing = "document_missing",
        /// The document is larger than a worker reads, or needs more memory than a worker has.
        DocumentTooLarge = "document_too_large",
        /// A step of the job broke down.
        InternalError = "internal_error",
        /// The worker stopped while the job ran.
        Interrupted = "interrupted",
        /// The model failed at every try.
        ModelError = "model_error",
        /// The model could not be fetched or loaded.
        ModelUnavailable = "model_unavailable",
        /// The job crashed workers while it ran alone.
        Poison = "poison",
        /// A shard did not take so large a result in time.
        ResultNotWritten = "result_not_written",
        /// The bucket did not answer.
        StorageUnavailable = "storage_unavailable",
        /// Another claim took the job.
        Superseded = "superseded",
        /// The text cannot be cut into windows for the model.
        TextNotProcessable = "text_not_processable",
        /// The job took longer than any job may.
        Timeout = "timeout",
        /// The model, or its version, is not published.
        UnknownModel = "unknown_model",
        /// The text has more entities than a job may have.
        TooManyEntities = "too_many_entities",
        /// The document is not what its type says, or holds no text.
        UnreadableDocument = "unreadable_document",
        /// A worker had no room for the document.
        WorkerBusy = "worker_busy",
    }
);

impl Reason {
    /// The sentence that a caller reads; `None` where the job's detail says what is wrong with the document.
    fn sentence(self) -> Option<&'static str> {
        Some(match self {
            Self::DatabaseUnavailable => "The database did not take the result, however often that was tried.",
            Self::DeadlinePassed => "The deadline passed before the analysis was done.",
            Self::DocumentMissing => "The stored document is gone.",
            Self::InternalError => "A step of the analysis broke down.",
            Self::Interrupted => "The analysis was interrupted.",
            Self::ModelError => "The model failed, however often it was asked.",
            Self::ModelUnavailable => "The model could not be had.",
            Self::Poison => "Processing this document repeatedly ended the process that did it.",
            Self::ResultNotWritten => {
                "The database did not take so many entities in time, however often that was tried."
            }
            Self::StorageUnavailable => "The store of documents did not answer for as long as was tried.",
            Self::Superseded => "Another analysis took this one's place.",
            Self::TextNotProcessable => "The document's text cannot be cut into what the model reads.",
            Self::Timeout => "The analysis took longer than any may.",
            Self::UnknownModel => "The model, or this version of it, is not published.",
            Self::WorkerBusy => "No worker had room for the document for as long as was tried.",
            Self::DocumentTooLarge | Self::TooManyEntities | Self::UnreadableDocument => return None,
        })
    }
}

/// What a caller reads about a failed job: the sentence of its reason, or its detail.
pub fn told(reason: &str, detail: &str) -> String {
    let known = Reason::ALL.iter().find(|known| known.as_str() == reason);
    match known {
        Some(known) => known.sentence().unwrap_or(detail).to_owned(),
        None => "The analysis failed.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_reads_what_is_wrong_with_its_document_and_nothing_of_ours() {
        let detail = "read object documents/17/acme/0189: dispatch failure: http://10.0.0.7:9000";
        for reason in Reason::ALL.iter().filter(|reason| reason.sentence().is_some()) {
            let word = reason.as_str();
            let told = told(word, detail);
            assert!(!told.contains("10.0.0.7") && told.ends_with('.'), "{word}: {told}");
        }
        assert_eq!(told("of another release", detail), "The analysis failed.");
        assert_eq!(told("unreadable_document", "byte 3 is invalid"), "byte 3 is invalid");
    }
}
