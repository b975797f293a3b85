//! The pool of children that parse documents, in the parent.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use docket_contract::outcome::ParserEnd;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::timeout;

use super::answer::{self, First, Parsed, Summary};
use super::counts::{Counts, Visit};
use super::error::{Broken, ParseError, ProtocolError, StartError, TimeLimit, Unavailable, end_of};
use super::frames::{self, JSON_BYTES_MAX, Kind};
use super::handover;
use super::lockdown::Enforced;
use super::ocr::Ocr;
use super::process::{self, Allowance, Process, Recipe, Started};
use crate::refusal::Refusal;

/// How long a child may take until it is ready. It takes a few milliseconds; a machine without a free processor needs patience.
const READY_MAX: Duration = Duration::from_secs(20);

/// A document that takes longer gives way to others. A page takes some milliseconds, and a book seconds.
const STEP_BACK_AFTER: Duration = Duration::from_millis(100);

/// How a pool works.
#[derive(Debug, Clone)]
pub struct Options {
    /// The program of the children: `/proc/self/exe` is this program, even if its file was replaced.
    pub program: PathBuf,
    /// Arguments of the program, up to the two that the pool adds.
    pub arguments: Vec<OsString>,
    /// Most children at work, those included that are about to end.
    pub at_work_max: usize,
    /// Children that are kept ready, at least 1; sometimes there is one more. A child is started for each that is taken.
    pub warm: usize,
    /// What each child may use.
    pub allowance: Allowance,
    /// Most bytes of an answer's parts.
    pub answer_bytes_max: usize,
    /// Whether children must be confined wholly (`DOCKET_SANDBOX_REQUIRED`).
    pub required: bool,
}

/// Children that parse documents. Dropping the pool kills those that wait.
#[derive(Debug)]
pub struct Pool {
    warm: Mutex<mpsc::Receiver<io::Result<Started>>>,
    ocr: Option<Ocr>,
    at_work: Arc<Semaphore>,
    enforced: Enforced,
    counts: Arc<Counts>,
    options: Options,
}

/// A child that is ready for a document.
struct Ready {
    process: Process,
    stream: UnixStream,
    enforced: Enforced,
}

/// Why a child at work gave no answer.
enum Failure<E> {
    Late,
    Broken(Broken),
    Refused(Refusal),
    Refusing(E),
}

/// A document, and what to do with it.
#[derive(Debug)]
pub struct Task {
    /// What the child is asked, as JSON.
    pub request: Vec<u8>,
    /// The document.
    pub document: Bytes,
    /// Time from the request to the end of the answer, without the time in which the caller makes room. Pictures to read add a
    /// time of their own.
    pub wall: Duration,
}

impl Pool {
    /// Starts a pool, and waits for its first child to say what it enforces. Without `ocr`, children must send no pictures.
    pub async fn start(options: Options, ocr: Option<Ocr>) -> Result<Self, StartError> {
        let recipe = Recipe {
            program: options.program.clone(),
            arguments: options.arguments.clone(),
            allowance: options.allowance,
        };
        let counts = Arc::new(Counts::default());
        let warm = process::keep_warm(recipe, options.warm.max(1), counts.clone()).map_err(StartError::Thread)?;
        let warm = Mutex::new(warm);
        let first = take(&warm, &options, &counts).await.map_err(|error| match error {
            Unavailable::NotConfined(missing) => StartError::NotConfined(missing),
            error => StartError::Unavailable(error),
        })?;
        Ok(Self {
            warm,
            ocr,
            at_work: Arc::new(Semaphore::new(options.at_work_max.clamp(1, Semaphore::MAX_PERMITS))),
            enforced: first.enforced,
            counts,
            options,
        })
    }

    /// What the first child enforced. All children run on the same kernel.
    pub fn enforced(&self) -> Enforced {
        self.enforced
    }

    /// What reads the children's pictures.
    pub fn ocr(&self) -> Option<&Ocr> {
        self.ocr.as_ref()
    }

    /// What the pool has counted.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Parses a document in a child of its own. `admit` gives a place to a document with pictures to read, or refuses;
    /// `reserve` sees the summary before any other byte of the answer is taken, and may wait for room or refuse.
    ///
    /// Waits for a child while as many are at work as may be. Dropping the future kills the child.
    pub async fn parse<S: DeserializeOwned, E>(
        &self,
        task: Task,
        admit: impl FnOnce() -> Result<OwnedSemaphorePermit, E>,
        reserve: impl AsyncFnOnce(&Summary<S>) -> Result<(), E>,
    ) -> Result<Parsed<S>, ParseError<E>> {
        let mut visit = Visit {
            counts: &self.counts,
            ended: ParserEnd::Abandoned,
        };
        let outcome = self.visit(task, admit, reserve).await;
        visit.ended = end_of(&outcome);
        outcome
    }

    async fn visit<S: DeserializeOwned, E>(
        &self,
        task: Task,
        admit: impl FnOnce() -> Result<OwnedSemaphorePermit, E>,
        reserve: impl AsyncFnOnce(&Summary<S>) -> Result<(), E>,
    ) -> Result<Parsed<S>, ParseError<E>> {
        let Task {
            request,
            document,
            wall,
        } = task;
        if request.len() > JSON_BYTES_MAX {
            return Err(ParseError::Request);
        }
        let mut child = self.child().await.map_err(ParseError::Unavailable)?;
        let sealed = handover::seal(document).await;
        let sealed = sealed.map_err(|error| ParseError::Unavailable(Unavailable::Document(error)))?;
        let answered = child.answer((self, wall), (&request, sealed), admit, reserve).await;
        match answered {
            Ok(parsed) => Ok(parsed),
            Err(failure) => Err(child.blame(failure, wall, &self.options.allowance).await),
        }
    }

    /// A child that may work.
    async fn child(&self) -> Result<Ready, Unavailable> {
        let permit = self.at_work.clone().acquire_owned().await;
        let permit: OwnedSemaphorePermit = permit.map_err(|_| Unavailable::Stopped)?;
        let mut child = take(&self.warm, &self.options, &self.counts).await?;
        child.process.hold(permit);
        Ok(child)
    }
}

/// The next child that is ready. Children, and errors of starting them, may have waited for long: the reason why there is none
/// counts only once all that waited were seen.
async fn take(
    warm: &Mutex<mpsc::Receiver<io::Result<Started>>>,
    options: &Options,
    counts: &Counts,
) -> Result<Ready, Unavailable> {
    let waiting_max = options.warm.max(1) + 1; // One waits for its place.
    let mut reason = Unavailable::NotReady;
    for _ in 0..=waiting_max {
        let started = warm.lock().await.recv().await.ok_or(Unavailable::Stopped)?;
        let ready = match started {
            Ok(started) => Ready::of(started, options.required).await,
            Err(error) => Err(Unavailable::Spawn(error)),
        };
        match ready {
            Ok(ready) => return Ok(ready),
            Err(error) => reason = error,
        }
        counts.count_end(ParserEnd::NotReady);
    }
    Err(reason)
}

impl Ready {
    async fn of(started: Started, required: bool) -> Result<Self, Unavailable> {
        let Started { process, socket } = started;
        let stream = socket.set_nonblocking(true).and_then(|()| UnixStream::from_std(socket));
        let mut stream = stream.map_err(Unavailable::Spawn)?;
        let said = timeout(READY_MAX, said_ready(&mut stream)).await;
        let Ok(Ok(enforced)) = said else {
            return Err(Unavailable::NotReady);
        };
        // A child may have been killed after it was ready: the kernel ends waiting ones first if memory runs out.
        if !handover::is_open(stream.as_fd()) {
            return Err(Unavailable::NotReady);
        }
        match enforced.missing().filter(|_| required) {
            Some(missing) => Err(Unavailable::NotConfined(missing)),
            None => Ok(Self {
                process,
                stream,
                enforced,
            }),
        }
    }

    /// Gives the document to the child, and takes the answer. From its first picture on, the child does not count as at work, so
    /// that scans keep no other document waiting. Scans have places of their own.
    async fn answer<S: DeserializeOwned, E>(
        &mut self,
        (pool, mut wall): (&Pool, Duration),
        (request, document): (&[u8], OwnedFd),
        admit: impl FnOnce() -> Result<OwnedSemaphorePermit, E>,
        reserve: impl AsyncFnOnce(&Summary<S>) -> Result<(), E>,
    ) -> Result<Parsed<S>, Failure<E>> {
        let asked = Instant::now();
        let mut first = self.first((pool, wall), request, document).await?;
        if let First::Picture(picture) = first {
            let ocr = pool.ocr.as_ref().ok_or(Broken::from(ProtocolError::WrongKind))?;
            self.process.hold(admit().map_err(Failure::Refusing)?);
            wall += ocr.document_max();
            let left = wall.saturating_sub(asked.elapsed());
            let scanned = ocr.serve(&mut self.stream, picture, pool.options.answer_bytes_max);
            first = timeout(left, scanned).await??;
        }
        let summary = match first {
            First::Summary(summary) => summary,
            First::Refused(refusal) => return Err(Failure::Refused(refusal)),
            First::Picture(_) => return Err(Broken::from(ProtocolError::WrongKind).into()),
        };
        let left = wall.saturating_sub(asked.elapsed());
        reserve(&summary).await.map_err(Failure::Refusing)?;
        let parts = timeout(left, answer::read_parts(&mut self.stream, &summary.sizes)).await??;
        let about = summary.about;
        Ok(Parsed { about, parts })
    }

    /// Asks, and waits for what comes first. A document that takes long gives way to others.
    async fn first<S: DeserializeOwned, E>(
        &mut self,
        (pool, wall): (&Pool, Duration),
        request: &[u8],
        document: OwnedFd,
    ) -> Result<First<S>, Failure<E>> {
        let (process, stream) = (&self.process, &mut self.stream);
        let mut asking = pin!(ask(stream, request, document, pool.options.answer_bytes_max));
        if let Ok(first) = timeout(STEP_BACK_AFTER, &mut asking).await {
            return Ok(first?);
        }
        process.step_back();
        let left = wall.saturating_sub(STEP_BACK_AFTER);
        Ok(timeout(left, asking).await??)
    }

    /// What a failure says about the document. Only a child that ended by itself has a reason to tell.
    async fn blame<E>(self, failure: Failure<E>, wall: Duration, allowance: &Allowance) -> ParseError<E> {
        match failure {
            Failure::Late => ParseError::TimedOut(TimeLimit::Wall(wall)),
            Failure::Refused(refusal) => ParseError::Refused(refusal),
            Failure::Refusing(error) => ParseError::Refusing(error),
            Failure::Broken(Broken::Protocol(error)) => ParseError::Protocol(error),
            Failure::Broken(Broken::OcrKilled) => ParseError::Killed,
            Failure::Broken(Broken::NoOcr) => ParseError::Unavailable(Unavailable::NoOcr),
            Failure::Broken(Broken::NoMemory) => ParseError::Unavailable(Unavailable::NoMemory),
            Failure::Broken(Broken::Gone) => ParseError::of_end(self.process.end().await, allowance),
        }
    }
}

async fn ask<S: DeserializeOwned>(
    stream: &mut UnixStream,
    request: &[u8],
    document: OwnedFd,
    answer_bytes_max: usize,
) -> Result<First<S>, Broken> {
    handover::send(stream, request, document.as_fd()).await?;
    drop(document); // The child has a descriptor of its own.
    answer::read_first(stream, answer_bytes_max).await
}

async fn said_ready(stream: &mut UnixStream) -> Result<Enforced, Broken> {
    let header = frames::read_header(stream).await?;
    if header.kind != Kind::Ready {
        return Err(ProtocolError::WrongKind.into());
    }
    Ok(answer::of_json(&frames::read_payload(stream, header).await?)?)
}

impl<E> From<tokio::time::error::Elapsed> for Failure<E> {
    fn from(_: tokio::time::error::Elapsed) -> Self {
        Self::Late
    }
}

impl<E> From<Broken> for Failure<E> {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}
