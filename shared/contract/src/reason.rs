//! Why jobs fail: one word each, for filters, metrics and people, and the sentence that callers read. An error text of a driver
//! or library is for operators only, since it names hosts, paths and keys.

use crate::words;

words!(
    /// Why a job failed. Another release may know reasons that are missing here.
    Reason {
        /// The job was cancelled, or its document was deleted.
        Cancelled = "cancelled",
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
        /// The text is in a language that the model does not read, and this deployment refuses such documents.
        OtherLanguage = "other_language",
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
        /// What is compressed in the document becomes too large.
        DecompressedTooLarge = "decompressed_too_large",
        /// The document is encrypted, and its password is missing or wrong.
        Encrypted = "encrypted",
        /// The document breaks the rules of its format.
        Malformed = "malformed",
        /// The process that reads the document crashed.
        ParserCrashed = "parser_crashed",
        /// The process that reads the document needed more memory than it may have.
        ParserOutOfMemory = "parser_out_of_memory",
        /// The process that reads the document took longer than it may.
        ParserTimeout = "parser_timeout",
        /// No process that reads documents could be started.
        ParserUnavailable = "parser_unavailable",
        /// The document's text is larger than a text may be.
        TextTooLarge = "text_too_large",
        /// The document nests its parts deeper than it may.
        TooDeep = "too_deep",
        /// The text has more entities than a job may have.
        TooManyEntities = "too_many_entities",
        /// The document has more pages than it may have.
        TooManyPages = "too_many_pages",
        /// The document has more parts than it may have.
        TooManyParts = "too_many_parts",
        /// The document is of a kind that is not read.
        UnsupportedType = "unsupported_type",
        /// The document is not what its type says, or holds no text.
        UnreadableDocument = "unreadable_document",
        /// A worker had no room for the document.
        WorkerBusy = "worker_busy",
        /// A worker had no place for a document whose pages need OCR.
        OcrBusy = "ocr_busy",
    }
);

impl Reason {
    /// The sentence that a caller reads; `None` where the job's detail says what is wrong with the document.
    fn sentence(self) -> Option<&'static str> {
        Some(match self {
            Self::Cancelled => "The analysis was cancelled.",
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
            Self::OcrBusy => "Other scans had their turn.",
            Self::ParserUnavailable => "No process that reads documents could be started, for as long as was tried.",
            Self::DecompressedTooLarge
            | Self::DocumentTooLarge
            | Self::Encrypted
            | Self::Malformed
            | Self::OtherLanguage
            | Self::ParserCrashed
            | Self::ParserOutOfMemory
            | Self::ParserTimeout
            | Self::TextTooLarge
            | Self::TooDeep
            | Self::TooManyEntities
            | Self::TooManyPages
            | Self::TooManyParts
            | Self::UnreadableDocument
            | Self::UnsupportedType => return None,
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
