//! Optical character recognition: Tesseract reads the pictures that children send, one picture a process.

use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use docket_contract::outcome::PictureEnd;
use futures::{StreamExt as _, stream};
use rustix::fs::MemfdFlags;
use serde::de::DeserializeOwned;
use tokio::io::AsyncReadExt as _;
use tokio::net::UnixStream;
use tokio::net::unix::{ReadHalf, WriteHalf};
use tokio::process::{Child, Command};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{Instant, timeout, timeout_at};

use super::answer::{self, First};
use super::error::{Broken, OcrStartError, ProtocolError};
use super::jail::{self, Failure};
use super::pictures::{self, PictureHead, WORDS_BYTES_MAX, Words};

/// The subcommand of this program that makes a process Tesseract.
pub const JAIL_COMMAND: &str = "read-one-picture";
/// Time for one picture. CPU time has a limit of its own, and a busy machine needs patience.
const PICTURE_MAX: Duration = Duration::from_secs(4 * jail::CPU_SECONDS);
/// Time for Tesseract to list its languages, which takes milliseconds.
const START_MAX: Duration = Duration::from_secs(20);
/// Time for a child to send a picture that it has drawn, which takes milliseconds. Meanwhile nobody else uses the picture's place.
const PIXELS_MAX_TIME: Duration = Duration::from_secs(10);
/// How a page is cut: into columns and blocks, without asking how the page is turned.
const PAGE_SEGMENTATION: &str = "3";

/// How pictures are read.
#[derive(Debug, Clone)]
pub struct OcrSettings {
    /// Path of Tesseract's program.
    pub tesseract: PathBuf,
    /// The languages of the documents, as Tesseract names them.
    pub languages: Vec<String>,
    /// Pictures that are read at a time.
    pub processes: usize,
    /// Time for the pictures of one document.
    pub document_max: Duration,
}

/// Reads pictures by Tesseract.
#[derive(Debug)]
pub struct Ocr {
    settings: OcrSettings,
    program: PathBuf,
    required: bool,
    processes: Arc<Semaphore>,
    ended: [AtomicU64; PictureEnd::ALL.len()],
}

/// A picture in a file in memory, and the places that it takes.
struct Taken {
    /// Nothing, if the document's time was over before.
    picture: Option<(File, PictureHead)>,
    /// When the document's time is over.
    end: Instant,
    /// One of the places of all documents, given back when the picture was read.
    place: Option<OwnedSemaphorePermit>,
    /// One of the document's own places, given back when the child has taken the words.
    unanswered: OwnedSemaphorePermit,
}

/// What was read of a picture, until the child has taken it.
struct Answer {
    words: Words,
    _unanswered: OwnedSemaphorePermit,
}

impl Ocr {
    /// Checks that Tesseract can be started in its sandbox, and knows the languages. `program` is this program.
    pub async fn start(settings: OcrSettings, program: PathBuf, required: bool) -> Result<Self, OcrStartError> {
        let permits = settings.processes.clamp(1, Semaphore::MAX_PERMITS);
        let ocr = Self {
            settings,
            program,
            required,
            processes: Arc::new(Semaphore::new(permits)),
            ended: Default::default(),
        };
        let list = ["--list-langs".to_owned()];
        let listing = timeout(START_MAX, ocr.run(Stdio::null(), &list));
        let (known, status) = listing
            .await
            .map_err(|_| std::io::Error::from(std::io::ErrorKind::TimedOut))??;
        if !status.success() {
            return Err(OcrStartError::Program(status));
        }
        let known = String::from_utf8_lossy(&known);
        let is_known = |language: &String| known.lines().any(|line| line.trim() == language);
        match ocr.settings.languages.iter().find(|language| !is_known(language)) {
            Some(language) => Err(OcrStartError::Language(language.clone())),
            None => Ok(ocr),
        }
    }

    /// Pictures that are read at a time.
    pub fn processes(&self) -> usize {
        self.settings.processes.max(1)
    }

    /// Pictures that ended so.
    pub fn ended(&self, how: PictureEnd) -> u64 {
        self.ended[how as usize].load(Ordering::Relaxed)
    }

    /// Time for the pictures of one document.
    pub(super) fn document_max(&self) -> Duration {
        self.settings.document_max
    }

    /// Reads the pictures that a child sends, the first of which has this head, until the child's answer begins.
    pub(super) async fn serve<S: DeserializeOwned>(
        &self,
        stream: &mut UnixStream,
        first: PictureHead,
        answer_bytes_max: usize,
    ) -> Result<First<S>, Broken> {
        let (from, to) = stream.split();
        let (queue, queued) = mpsc::channel(1);
        // A place for every picture: reading goes on, and gives places back, while a child takes no words.
        let (done, answers) = mpsc::channel(self.processes());
        tokio::select! {
            biased;
            answer = self.take(from, first, queue, answer_bytes_max) => answer,
            broken = self.read_all(queued, done) => Err(broken),
            broken = give(to, answers) => Err(broken),
        }
    }

    /// Takes pictures until the answer begins.
    async fn take<S: DeserializeOwned>(
        &self,
        mut from: ReadHalf<'_>,
        mut head: PictureHead,
        queue: mpsc::Sender<Taken>,
        answer_bytes_max: usize,
    ) -> Result<First<S>, Broken> {
        let end = Instant::now() + self.settings.document_max;
        let unanswered = Arc::new(Semaphore::new(self.processes()));
        loop {
            let place = unanswered.clone().acquire_owned().await.map_err(|_| Broken::Gone)?;
            let taken = self.take_picture(&mut from, head, (end, place)).await?;
            queue.send(taken).await.map_err(|_| Broken::Gone)?;
            head = match answer::read_first(&mut from, answer_bytes_max).await? {
                First::Picture(head) => head,
                answer => return Ok(answer),
            };
        }
    }

    /// Takes one picture, once there is a place for it. After the end of the document's time, the picture is not kept.
    async fn take_picture(
        &self,
        from: &mut ReadHalf<'_>,
        head: PictureHead,
        (end, unanswered): (Instant, OwnedSemaphorePermit),
    ) -> Result<Taken, Broken> {
        let bytes = head.bytes().ok_or(ProtocolError::PictureSize)?;
        let is_late = Instant::now() >= end;
        let waiting = timeout_at(end, self.processes.clone().acquire_owned());
        let place = waiting.await.ok().and_then(Result::ok).filter(|_| !is_late);
        let picture = if place.is_some() {
            let mut file = pgm(head).map_err(|_| Broken::NoMemory)?;
            pixels(from, bytes, &mut file).await?;
            file.rewind().map_err(|_| Broken::NoMemory)?;
            Some((file, head))
        } else {
            pixels(from, bytes, std::io::sink()).await?;
            None
        };
        Ok(Taken {
            picture,
            end,
            place,
            unanswered,
        })
    }

    /// Reads the pictures, several at a time, and passes their words on in order. Returns only why that cannot go on.
    async fn read_all(&self, mut queued: mpsc::Receiver<Taken>, done: mpsc::Sender<Answer>) -> Broken {
        let pictures = stream::poll_fn(|context| queued.poll_recv(context));
        let mut read = pictures.map(|taken| self.read(taken)).buffered(self.processes());
        while let Some(answer) = read.next().await {
            let passed_on = match answer {
                Ok(answer) => done.send(answer).await.map_err(|_| Broken::Gone),
                Err(broken) => Err(broken),
            };
            if let Err(broken) = passed_on {
                return broken;
            }
        }
        std::future::pending().await
    }

    async fn read(&self, taken: Taken) -> Result<Answer, Broken> {
        let Taken {
            picture,
            end,
            place,
            unanswered,
        } = taken;
        let (how, words) = match picture {
            Some((file, head)) => self.read_until(file, head, end).await?,
            None => (PictureEnd::Late, Words::Late),
        };
        drop(place);
        self.count(how);
        Ok(Answer {
            words,
            _unanswered: unanswered,
        })
    }

    async fn read_until(&self, file: File, head: PictureHead, end: Instant) -> Result<(PictureEnd, Words), Broken> {
        let arguments = self.arguments(head);
        let until = end.min(Instant::now() + PICTURE_MAX);
        let Ok(ran) = timeout_at(until, self.run(file.into(), &arguments)).await else {
            let is_late = until == end;
            return Ok(if is_late {
                (PictureEnd::Late, Words::Late)
            } else {
                (PictureEnd::TimedOut, Words::Failed)
            });
        };
        let (words, status) = ran.map_err(|_| Broken::NoOcr)?;
        let how = end_of(status, words.len())?;
        Ok(match how {
            PictureEnd::Read => (how, Words::Read(words)),
            PictureEnd::Failed | PictureEnd::TimedOut | PictureEnd::Late => (how, Words::Failed),
        })
    }

    /// Tesseract's arguments for a picture on its standard input.
    fn arguments(&self, head: PictureHead) -> [String; 10] {
        let dpi = head.dpi.clamp(1, 2_400).to_string();
        let languages = self.settings.languages.join("+");
        [
            "stdin".to_owned(),
            "stdout".to_owned(),
            "-l".to_owned(),
            languages,
            "--dpi".to_owned(),
            dpi,
            "--psm".to_owned(),
            PAGE_SEGMENTATION.to_owned(),
            "-c".to_owned(),
            "tessedit_create_tsv=1".to_owned(),
        ]
    }

    /// Runs Tesseract. Returns what it wrote and how it ended. Dropping the future kills the process.
    async fn run(&self, input: Stdio, arguments: &[String]) -> std::io::Result<(Vec<u8>, ExitStatus)> {
        let mut process = self.spawn(input, arguments)?;
        let mut output = Vec::new();
        if let Some(stdout) = process.stdout.take() {
            let mut bounded = stdout.take(WORDS_BYTES_MAX as u64 + 1);
            bounded.read_to_end(&mut output).await?;
        }
        // What was not taken would keep the process waiting for ever.
        if output.len() > WORDS_BYTES_MAX {
            process.start_kill()?;
        }
        Ok((output, process.wait().await?))
    }

    fn spawn(&self, input: Stdio, arguments: &[String]) -> std::io::Result<Child> {
        Command::new(&self.program)
            .arg(JAIL_COMMAND)
            .arg(self.required.to_string())
            .arg(&self.settings.tesseract)
            .args(arguments)
            .env_clear()
            .envs(super::process::ENVIRONMENT)
            .current_dir("/")
            .stdin(input)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
    }

    fn count(&self, how: PictureEnd) {
        self.ended[how as usize].fetch_add(1, Ordering::Relaxed);
    }
}

/// Takes the pixels of a picture.
async fn pixels(from: &mut ReadHalf<'_>, bytes: usize, out: impl std::io::Write) -> Result<(), Broken> {
    let taking = timeout(PIXELS_MAX_TIME, pictures::take_pixels(from, bytes, out));
    taking.await.unwrap_or(Err(ProtocolError::WrongSize.into()))
}

/// Gives words to the child, in order. Returns only why that cannot go on.
async fn give(mut to: WriteHalf<'_>, mut answers: mpsc::Receiver<Answer>) -> Broken {
    while let Some(answer) = answers.recv().await {
        if let Err(broken) = pictures::give_words(&mut to, &answer.words).await {
            return broken;
        }
    }
    std::future::pending().await
}

/// How the reading of a picture ended; an error where the picture has no part in the end.
fn end_of(status: ExitStatus, words_bytes: usize) -> Result<PictureEnd, Broken> {
    const PICTURE_UNSEEN: [i32; 4] = [
        Failure::Arguments as i32,
        Failure::Lockdown as i32,
        Failure::NotConfined as i32,
        Failure::Program as i32,
    ];
    match (status.code(), status.signal()) {
        _ if words_bytes > WORDS_BYTES_MAX => Ok(PictureEnd::Failed),
        (Some(0), _) => Ok(PictureEnd::Read),
        (Some(code), _) if PICTURE_UNSEEN.contains(&code) => Err(Broken::NoOcr),
        (_, Some(libc::SIGXCPU)) => Ok(PictureEnd::TimedOut),
        // Somebody else did that: most often the kernel, when memory runs out.
        (_, Some(libc::SIGKILL)) => Err(Broken::OcrKilled),
        (Some(_), _) | (None, _) => Ok(PictureEnd::Failed),
    }
}

/// A file in memory that begins as a picture in the PGM format, up to its pixels.
fn pgm(head: PictureHead) -> std::io::Result<File> {
    let mut file = File::from(rustix::fs::memfd_create(c"picture", MemfdFlags::CLOEXEC)?);
    write!(file, "P5\n{} {}\n255\n", head.width, head.height)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_picture_that_was_seen_can_fail() {
        let code = |code: i32| end_of(ExitStatus::from_raw(code << 8), 0);
        let signal = |signal: i32| end_of(ExitStatus::from_raw(signal), 0);
        assert_eq!(code(0), Ok(PictureEnd::Read));
        assert_eq!(
            (code(1), signal(libc::SIGABRT)),
            (Ok(PictureEnd::Failed), Ok(PictureEnd::Failed))
        );
        assert_eq!(signal(libc::SIGXCPU), Ok(PictureEnd::TimedOut));
        assert_eq!(
            (code(Failure::NotConfined as i32), signal(libc::SIGKILL)),
            (Err(Broken::NoOcr), Err(Broken::OcrKilled))
        );
    }
}
