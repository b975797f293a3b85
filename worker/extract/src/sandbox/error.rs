//! Why there is no answer to a document, or no pool. Whether trying again can help differs from error to error.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use docket_contract::outcome::ParserEnd;

use super::lockdown::Missing;
use super::process::Allowance;
use crate::refusal::Refusal;

/// Why there is no answer to a document.
#[derive(Debug, thiserror::Error)]
pub enum ParseError<E> {
    /// The parser cannot read the document. Trying again does not help.
    #[error(transparent)]
    Refused(Refusal),
    /// The document took too long. Trying again helps if the machine was too busy, which the limit on CPU time does not see.
    #[error("reading the document took more than {0}")]
    TimedOut(TimeLimit),
    /// An allocation failed, or foreign code gave up, which most often has this reason. Trying again does not help.
    #[error("reading the document needs more than {max} bytes of memory (DOCKET_PARSE_MEMORY_BYTES)")]
    OutOfMemory {
        /// Memory of a child in bytes.
        max: u64,
    },
    /// The document crashed the parser, or made it try what is forbidden. Trying again does not help.
    #[error("reading the document ended with {0}")]
    Crashed(End),
    /// The child wrote what no parser writes. Trying again does not help.
    #[error("the parser's answer is not valid: {0}")]
    Protocol(ProtocolError),
    /// Somebody else killed the child, or Tesseract: most often the kernel, since memory ran out around it. Trying again can help.
    #[error("the process that read the document was killed from outside")]
    Killed,
    /// No child took the document. Trying again helps once its reason has passed.
    #[error("no process can read the document")]
    Unavailable(#[source] Unavailable),
    /// The request has more than 64 KiB: a mistake of the caller.
    #[error("the request cannot be sent to the parser")]
    Request,
    /// The caller has no room for the answer, or no place for a document with pictures to read.
    #[error(transparent)]
    Refusing(E),
}

/// A limit on a child's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TimeLimit {
    /// Time that the child computed.
    #[error("{0} s of CPU time (DOCKET_PARSE_CPU_SECONDS)")]
    Cpu(u64),
    /// Time that passed.
    #[error("{0:?} (DOCKET_PARSE_SECONDS)")]
    Wall(Duration),
}

/// How a crashed child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum End {
    /// The kernel ended it: 31 (SIGSYS) is a forbidden system call; 4, 5, 7, 8 and 11 are bad memory, instructions or numbers.
    #[error("signal {0}")]
    Signal(i32),
    /// The child ended itself: 101 is a panic; other codes are those of `child.rs`.
    #[error("exit code {0}")]
    Code(i32),
}

/// What is wrong with what a child wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// No frame has this kind.
    #[error("a frame has an unknown kind")]
    UnknownKind,
    /// A frame is larger than its kind may be.
    #[error("a frame is too large")]
    FrameTooLarge,
    /// A frame of another kind was due.
    #[error("a frame has the wrong kind")]
    WrongKind,
    /// A frame's JSON is not what is due.
    #[error("a frame's JSON cannot be read")]
    Json,
    /// The parts are too large together, or too many.
    #[error("it has more than {max} bytes or too many parts")]
    AnswerTooLarge {
        /// Most bytes of all parts.
        max: usize,
    },
    /// The parts do not have the sizes that the summary named.
    #[error("its parts do not have the sizes that it named")]
    WrongSize,
    /// A picture has no pixels, or more than a picture may have.
    #[error("a picture has an impossible size")]
    PictureSize,
    /// The child ended as if it was done, and was not.
    #[error("it ends too early")]
    EndedEarly,
}

/// Why no child takes a document.
#[derive(Debug, thiserror::Error)]
pub enum Unavailable {
    /// The system starts no process.
    #[error("start a child process")]
    Spawn(#[source] io::Error),
    /// Several children ended before they were ready, or took too long to become ready.
    #[error("no child process became ready")]
    NotReady,
    /// A child enforces less than is required.
    #[error("a child process is not confined: {0}")]
    NotConfined(Missing),
    /// The document cannot be laid out for a child.
    #[error("lay the document out for a child process")]
    Document(#[source] io::Error),
    /// This process has no memory for the answer.
    #[error("no memory for the answer")]
    NoMemory,
    /// Tesseract does not start.
    #[error("no process reads pictures")]
    NoOcr,
    /// The thread that starts children has ended.
    #[error("no child processes are started any more")]
    Stopped,
}

/// Why a pool does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The kernel, or what the container may do, is not enough for the whole sandbox.
    #[error("documents would be parsed without their whole sandbox: {0}; DOCKET_SANDBOX_REQUIRED=false accepts that")]
    NotConfined(Missing),
    /// No child becomes ready.
    #[error(transparent)]
    Unavailable(Unavailable),
    /// The system starts no thread.
    #[error("start a thread for child processes")]
    Thread(#[source] io::Error),
    /// Pictures cannot be read.
    #[error("pages without text cannot be read; DOCKET_OCR=false accepts that")]
    Ocr(#[from] OcrStartError),
}

/// Why pictures cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum OcrStartError {
    /// The process that becomes Tesseract does not start.
    #[error("start a process for Tesseract")]
    Spawn(#[from] io::Error),
    /// Tesseract ended before it listed its languages. Codes from 122 are those of `jail.rs`.
    #[error("Tesseract (DOCKET_TESSERACT) does not start: {0}")]
    Program(ExitStatus),
    /// Tesseract has no such language.
    #[error("Tesseract knows no language {0} (DOCKET_OCR_LANGUAGES)")]
    Language(String),
}

/// Why reading from a child failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    /// The child closed its end: it has ended, or is about to.
    Gone,
    /// The child wrote something wrong.
    Protocol(ProtocolError),
    /// This process has no memory for what the child wrote.
    NoMemory,
    /// The process that reads pictures does not start.
    NoOcr,
    /// The process that read a picture was killed from outside.
    OcrKilled,
}

impl From<ProtocolError> for Broken {
    fn from(error: ProtocolError) -> Self {
        Self::Protocol(error)
    }
}

impl From<io::Error> for Broken {
    /// All errors of a socket to a child of one's own mean that the child is gone.
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

impl<E> ParseError<E> {
    /// What the end of a child means that closed its socket before its answer was complete. The parent kills such a child, which
    /// changes nothing if the child was ending already.
    pub(super) fn of_end(status: Option<ExitStatus>, allowance: &Allowance) -> Self {
        match status.map(|status| (status.signal(), status.code())) {
            Some((Some(libc::SIGXCPU), _)) => Self::TimedOut(TimeLimit::Cpu(allowance.cpu_seconds)),
            Some((Some(libc::SIGABRT), _)) => Self::OutOfMemory {
                max: allowance.memory_bytes,
            },
            Some((Some(libc::SIGKILL), _)) | None => Self::Killed,
            Some((Some(signal), _)) => Self::Crashed(End::Signal(signal)),
            Some((None, Some(0) | None)) => Self::Protocol(ProtocolError::EndedEarly),
            Some((None, Some(code))) => Self::Crashed(End::Code(code)),
        }
    }
}

/// How a document's visit to a pool ended.
pub(super) fn end_of<S, E>(outcome: &Result<S, ParseError<E>>) -> ParserEnd {
    match outcome {
        Ok(_) => ParserEnd::Done,
        Err(ParseError::Refused(_)) => ParserEnd::Refused,
        Err(ParseError::TimedOut(_)) => ParserEnd::TimedOut,
        Err(ParseError::OutOfMemory { .. }) => ParserEnd::OutOfMemory,
        Err(ParseError::Crashed(_)) => ParserEnd::Crashed,
        Err(ParseError::Protocol(_)) => ParserEnd::Protocol,
        Err(ParseError::Killed) => ParserEnd::Killed,
        Err(ParseError::Unavailable(_)) => ParserEnd::Unavailable,
        Err(ParseError::Request | ParseError::Refusing(_)) => ParserEnd::Abandoned,
    }
}
