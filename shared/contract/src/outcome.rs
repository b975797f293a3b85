//! How jobs end on a worker, and the stages that they pass through.

use crate::words;

words!(
    /// How a claimed job ended on this worker.
    Outcome {
        /// The job's result was written.
        Succeeded = "succeeded",
        /// Another worker took the job over, or the job expired.
        Superseded = "superseded",
        /// The job was cancelled while it ran, or its document was deleted.
        Cancelled = "cancelled",
        /// The job failed for good.
        Failed = "failed",
        /// The job failed in a way that may pass. The error is counted.
        Retried = "retried",
        /// A store that the job needs is overloaded or away. Nothing is counted.
        Postponed = "postponed",
        /// Other jobs have their turn on this worker. Nothing is counted.
        PutOff = "put_off",
        /// The worker or the job's model stops. Nothing is counted.
        GivenBack = "given_back",
        /// The shard could not be told how the job ended.
        ShardUnreachable = "shard_unreachable",
    }
);

words!(
    /// Why a delivery led to no claim.
    Unclaimed {
        /// The message is no job.
        Undecodable = "undecodable",
        /// The job had ended, or never existed.
        Ended = "ended",
        /// The job is not due yet.
        NotDue = "not_due",
        /// The job's client or model is paused.
        Paused = "paused",
        /// The job's deadline had passed.
        Expired = "expired",
        /// The job crashed workers while it ran alone.
        Poison = "poison",
        /// Another worker runs the job.
        RunningElsewhere = "running_elsewhere",
        /// The job must run alone, and this worker cannot run a job alone now.
        Suspect = "suspect",
        /// The worker stopped before it looked at the job.
        Untouched = "untouched",
        /// The worker had no place for the job in time.
        Crowded = "crowded",
    }
);

/// How a delivery ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// The delivery's job was claimed.
    Claimed(Outcome),
    /// The delivery's job was not claimed.
    Unclaimed(Unclaimed),
}

impl Settled {
    /// The words of every [`Outcome`], then of every [`Unclaimed`].
    pub const WORDS: &'static [&'static str] = &joined::<{ Outcome::WORDS.len() + Unclaimed::WORDS.len() }>();

    /// The outcome's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Claimed(outcome) => outcome.as_str(),
            Self::Unclaimed(why) => why.as_str(),
        }
    }
}

const fn joined<const WORDS: usize>() -> [&'static str; WORDS] {
    let mut words = [""; WORDS];
    let claimed = Outcome::WORDS.len();
    let mut place = 0;
    while place < WORDS {
        words[place] = if place < claimed {
            Outcome::WORDS[place]
        } else {
            Unclaimed::WORDS[place - claimed]
        };
        place += 1;
    }
    words
}

words!(
    /// What follows from the error of a claimed job.
    Then {
        /// The job is tried again, and the error is counted.
        Retried = "retried",
        /// The job is put off, and nothing is counted.
        Postponed = "postponed",
        /// The job failed for good.
        Failed = "failed",
    }
);

words!(
    /// How a document's visit to a parser ended, or that a parser was of no use.
    ParserEnd {
        /// The document was read.
        Done = "done",
        /// The document cannot be read.
        Refused = "refused",
        /// The document took too long.
        TimedOut = "timed_out",
        /// The document needs more memory than a parser has.
        OutOfMemory = "out_of_memory",
        /// The parser crashed, or tried what is forbidden.
        Crashed = "crashed",
        /// The parser's answer was not valid.
        Protocol = "protocol",
        /// The parser was killed from outside.
        Killed = "killed",
        /// No parser took the document.
        Unavailable = "unavailable",
        /// The caller left: the job was cancelled, took too long, or found no room for the answer.
        Abandoned = "abandoned",
        /// A parser did not start, or ended before it had a document. Several may precede one document.
        NotReady = "not_ready",
    }
);

words!(
    /// How the reading of a page's picture by OCR ended.
    PictureEnd {
        /// The picture was read.
        Read = "read",
        /// Tesseract gave up, crashed, or tried what is forbidden.
        Failed = "failed",
        /// The picture took too long.
        TimedOut = "timed_out",
        /// The time for the document's pictures was over before.
        Late = "late",
    }
);

words!(
    /// How the drawing of a page's image ended.
    ImageEnd {
        /// The image was stored.
        Drawn = "drawn",
        /// Another worker had stored the image.
        Found = "found",
        /// The page cannot be drawn, which was stored.
        Refused = "refused",
        /// The image was not drawn, for no fault of the page. Whoever wants it asks again.
        PutOff = "put_off",
    }
);

words!(
    /// A part of the sandbox of parsers.
    SandboxPart {
        /// Landlock: no files, no network, no signals to others.
        Landlock = "landlock",
        /// Seccomp: no system calls but a few.
        Seccomp = "seccomp",
    }
);

words!(
    /// A stage of a job on a worker.
    Stage {
        /// Waits for its model.
        Model = "model",
        /// Waits for room in memory.
        Memory = "memory",
        /// Reads the document from the bucket.
        Fetch = "fetch",
        /// Extracts text from the document.
        Extract = "extract",
        /// Tells the language of the text.
        Language = "language",
        /// Cuts the text into windows.
        Window = "window",
        /// Runs the model.
        Infer = "infer",
        /// Turns the model's scores into entities.
        Decode = "decode",
        /// Finds what recognisers know, and puts it beside the model's entities.
        Understand = "understand",
        /// Writes the extracted text to the bucket.
        StoreText = "store_text",
        /// Writes the result to the shard.
        Save = "save",
    }
);

impl Stage {
    /// The words of the stages that use a CPU.
    pub const COMPUTING_WORDS: &'static [&'static str] = &[
        Self::Extract.as_str(),
        Self::Language.as_str(),
        Self::Window.as_str(),
        Self::Infer.as_str(),
        Self::Decode.as_str(),
        Self::Understand.as_str(),
        Self::StoreText.as_str(),
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_has_the_words_of_both() {
        assert_eq!(Settled::WORDS.first(), Some(&"succeeded"));
        assert_eq!(Settled::WORDS[Outcome::WORDS.len()], "undecodable");
        assert_eq!(Settled::WORDS.last(), Some(&"crowded"));
    }
}
