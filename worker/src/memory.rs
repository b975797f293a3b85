//! Memory for the documents that a worker has in its hands: who gets room, and who is too large for it.
//!
//! Small documents have a part of their own, so that a letter never waits until a book has been read. In both parts whoever
//! comes first is served first.

use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

/// Bytes that a byte of a document takes at worst, in a text where each is a token (dots of a table of contents): the
/// document and its text, the token's sixteen bytes, its label's twelve, and some.
const BYTES_A_BYTE: u64 = 32;
/// Bytes that a token takes until its entities are known, and those that are left of it then; those of a byte of text, and
/// those of an entity until it is written: its fields, its label and its words, and which words they are. (An entity has
/// seldom more than twenty letters.)
const BYTES_A_TOKEN: u64 = 28;
const BYTES_A_READ_TOKEN: u64 = 16;
const BYTES_A_TEXT_BYTE: u64 = 2;
const BYTES_AN_ENTITY: u64 = 160;
/// The part for small documents is an eighth of the memory: 64 MiB by default, a contract of 20,000 words sixteen times.
const SMALL_PART: u64 = 8;
/// A document is small if so many fit into their part: as many as a worker takes at a time unless it is told otherwise.
const SMALL_AT_ONCE: u64 = 16;
/// How long a document waits for room; then another worker, or this one, gets it later.
const ROOM_MAX: Duration = Duration::from_secs(60);

/// Permits, one a KiB.
#[derive(Debug)]
pub struct Memory {
    small: Part,
    large: Part,
}

/// Why a document is not worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MemoryError {
    /// Others hold all of it.
    #[error("no memory was free for it within {ROOM_MAX:?}")]
    NoRoom,
    /// Nobody else's fault.
    #[error(
        "a text of {tokens} tokens with {entities} entities needs {needed} bytes of memory; the worker has {all} (DOCKET_MEMORY_BYTES)"
    )]
    TooLarge {
        /// Tokens of its text.
        tokens: usize,
        /// Entities of it that are known.
        entities: usize,
        /// What they take.
        needed: u64,
        /// What there is.
        all: u64,
    },
}

/// The room that a document has, until it is dropped.
#[derive(Debug)]
pub struct Room<'a> {
    part: &'a Part,
    kib: u32,
    permit: SemaphorePermit<'a>,
}

/// What is known of a document that is being read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Contents {
    /// Bytes of its text.
    pub text_bytes: usize,
    /// Tokens of its text.
    pub tokens: usize,
    /// Entities in it.
    pub entities: usize,
}

#[derive(Debug)]
struct Part {
    permits: Semaphore,
    all: u32,
}

impl Memory {
    /// So much for all documents together.
    pub fn new(bytes: u64) -> Self {
        let small = bytes / SMALL_PART;
        Self {
            small: Part::new(small),
            large: Part::new(bytes - small),
        }
    }

    /// Bytes that are taken, and all of them.
    pub fn taken(&self) -> (u64, u64) {
        let (small, large) = (self.small.taken(), self.large.taken());
        (small.0 + large.0, small.1 + large.1)
    }

    /// Room for a document of so many bytes. One that at worst takes more than there is runs with no other large one.
    pub async fn room(&self, document_bytes: u64) -> Result<Room<'_>, MemoryError> {
        let kib = kib(document_bytes.saturating_mul(BYTES_A_BYTE)).max(1);
        let part = if u64::from(kib) * SMALL_AT_ONCE <= u64::from(self.small.all) {
            &self.small
        } else {
            &self.large
        };
        let kib = kib.min(part.all);
        let permit = part.acquire(kib).await?;
        Ok(Room { part, kib, permit })
    }
}

impl Room<'_> {
    /// Makes the room large enough for what is in the document by now. Two that grow at the same time may wait for each other: then
    /// the first of them is told in the end that there is no room, and the other one has it.
    pub async fn fit(&mut self, contents: Contents) -> Result<(), MemoryError> {
        let needed = contents.bytes();
        let all = u64::from(self.part.all) * 1024;
        if needed > all {
            let Contents { tokens, entities, .. } = contents;
            return Err(MemoryError::TooLarge {
                tokens,
                entities,
                needed,
                all,
            });
        }
        let more = kib(needed).saturating_sub(self.kib);
        if more > 0 {
            self.permit.merge(self.part.acquire(more).await?);
            self.kib += more;
        }
        Ok(())
    }
}

impl Contents {
    fn bytes(self) -> u64 {
        let (tokens, entities) = (self.tokens as u64, self.entities as u64);
        let reading = tokens * BYTES_A_TOKEN;
        let found = tokens * BYTES_A_READ_TOKEN + entities * BYTES_AN_ENTITY;
        self.text_bytes as u64 * BYTES_A_TEXT_BYTE + reading.max(found)
    }
}

impl Part {
    fn new(bytes: u64) -> Self {
        let all = kib(bytes).min(Semaphore::MAX_PERMITS as u32);
        Self {
            permits: Semaphore::new(all as usize),
            all,
        }
    }

    async fn acquire(&self, kib: u32) -> Result<SemaphorePermit<'_>, MemoryError> {
        match tokio::time::timeout(ROOM_MAX, self.permits.acquire_many(kib)).await {
            Ok(permit) => Ok(permit.expect("the semaphore is never closed")),
            Err(_elapsed) => Err(MemoryError::NoRoom),
        }
    }

    fn taken(&self) -> (u64, u64) {
        let (all, free) = (u64::from(self.all), self.permits.available_permits() as u64);
        (all.saturating_sub(free) * 1024, all * 1024)
    }
}

fn kib(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[tokio::test(start_paused = true)]
    async fn letters_find_room_beside_the_largest_document() {
        let memory = Memory::new(512 * MIB);
        let _book = memory.room(50 * MIB).await.expect("there is room for one");
        assert_eq!(memory.room(MIB).await.err(), Some(MemoryError::NoRoom), "after a while");
        let mut letters = Vec::new();
        for _ in 0..SMALL_AT_ONCE {
            letters.push(memory.room(128 * 1024).await.expect("a letter has room"));
        }
        assert_eq!(memory.taken(), (512 * MIB, 512 * MIB));
        drop(letters);
        assert_eq!(memory.taken().0, 448 * MIB);
    }

    #[tokio::test(start_paused = true)]
    async fn a_text_of_ordinary_words_fits_up_to_what_producers_take_and_one_of_dots_does_not() {
        let memory = Memory::new(512 * MIB);
        let text_bytes = 50 * 1024 * 1024;
        let mut room = memory.room(text_bytes as u64).await.expect("there is room for one");
        let ordinary = Contents {
            text_bytes,
            tokens: text_bytes * 10 / 43,
            entities: text_bytes / 200,
        };
        assert_eq!(room.fit(ordinary).await, Ok(()), "contracts have 4.3 bytes a token");
        let dots = Contents {
            tokens: text_bytes,
            ..ordinary
        };
        assert!(matches!(room.fit(dots).await, Err(MemoryError::TooLarge { .. })));
    }

    #[tokio::test(start_paused = true)]
    async fn a_document_of_nothing_but_names_takes_more_room_when_they_are_known() {
        let memory = Memory::new(8 * MIB);
        let mut names = memory.room(MIB / 8).await.expect("there is room");
        let taken = memory.taken().0;
        let found = Contents {
            text_bytes: 1 << 17,
            tokens: 1 << 15,
            entities: 28_000,
        };
        names.fit(found).await.expect("there is room for them");
        assert!(memory.taken().0 >= taken + MIB, "{taken}");
        let _other = memory.room(MIB / 32).await.expect("there is room for another one");
        let more = Contents {
            entities: 40_000,
            ..found
        };
        assert_eq!(names.fit(more).await, Err(MemoryError::NoRoom), "the other one has it");
        drop(names);
        assert_eq!(memory.taken().0, MIB, "all of it is given back");
    }
}
