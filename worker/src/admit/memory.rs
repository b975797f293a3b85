//! Memory for the documents in a worker's hands: which documents get room, and which are too large for any.
//!
//! Small documents have a part of the memory to themselves, so that a letter never waits until a book has been read. Within each
//! part the first to ask is the first served.

use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

/// Memory for each byte of a document, in bytes, at worst: a text in which each byte is a token, such as the dots of a table of
/// contents. Counts the document, its text, 16 bytes of the token, 12 of its label, and some reserve.
const BYTES_A_BYTE: u64 = 32;
/// Memory for each byte of a file that a process of its own parses, in bytes: the file, and its copy for that process.
const BYTES_A_FILE_BYTE: u64 = 2;
/// Memory for each token until the entities are known, in bytes: 16 of the token and 12 of its label.
const BYTES_A_TOKEN: u64 = 28;
/// Memory for each token once the entities are known, in bytes.
const BYTES_A_READ_TOKEN: u64 = 16;
/// Memory for each byte of text, in bytes: the text, and its copy on the way to the bucket.
const BYTES_A_TEXT_BYTE: u64 = 2;
/// Memory for each entity until it is written, in bytes. Fields, label, words and word positions take 200, for an entity of up to
/// twenty letters. The allocator keeps as much again for about a second, from steps that are done.
const BYTES_AN_ENTITY: u64 = 400;
/// The same for what a recogniser found. Its value takes 120 bytes more, once as the recogniser's and once as the entity's.
const BYTES_A_RECOGNISED: u64 = 640;
/// Memory for each mention, in bytes, if it is the only one of its thing: the name as it is compared and as it is told.
const BYTES_A_THING: u64 = 350;
/// Small documents get one in this many bytes of the memory: 64 MiB by default, or sixteen contracts of 20,000 words.
const SMALL_PART: u64 = 8;
/// A document is small if this many of it fit into the small part: the default number of deliveries in a worker's hands.
const SMALL_AT_ONCE: u64 = 16;
/// How long a document waits for room. Then its job is put off.
const ROOM_MAX: Duration = Duration::from_secs(60);

/// Memory for documents. A semaphore permit stands for one KiB.
#[derive(Debug)]
pub struct Memory {
    small: Part,
    large: Part,
}

/// Why a document gets no memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MemoryError {
    /// Other documents held the memory for 60 s.
    #[error("no memory was free for it within {ROOM_MAX:?}")]
    NoRoom,
    /// The document alone needs more than there is.
    #[error(
        "a text of {tokens} tokens with {entities} entities needs {needed} bytes of memory; the worker has {all} (DOCKET_MEMORY_BYTES)"
    )]
    TooLarge {
        /// Tokens of the document's text.
        tokens: usize,
        /// Entities found in the text so far.
        entities: usize,
        /// Memory that text, tokens and entities need, in bytes.
        needed: u64,
        /// Memory for documents of its size, in bytes.
        all: u64,
    },
}

/// A document's room in memory, given back when this value is dropped.
#[derive(Debug)]
pub struct Room<'a> {
    memory: &'a Memory,
    part: &'a Part,
    kib: u32,
    permit: SemaphorePermit<'a>,
}

/// What is known so far of a document that is being read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Contents {
    /// Size of the document's text.
    pub text_bytes: usize,
    /// Size of the text's map.
    pub map_bytes: usize,
    /// Tokens of the text.
    pub tokens: usize,
    /// Entities found in the text; 0 until the text is decoded.
    pub entities: usize,
    /// What recognisers found, and names that were carried.
    pub recognised: usize,
    /// The things that these may be mentions of.
    pub things: usize,
}

#[derive(Debug)]
struct Part {
    permits: Semaphore,
    all: u32,
}

impl Memory {
    /// Memory of this size, for all documents together.
    pub fn new(bytes: u64) -> Self {
        let small = bytes / SMALL_PART;
        Self {
            small: Part::new(small),
            large: Part::new(bytes - small),
        }
    }

    /// Bytes that are taken, and bytes in all.
    pub fn taken(&self) -> (u64, u64) {
        let (small, large) = (self.small.taken(), self.large.taken());
        (small.0 + large.0, small.1 + large.1)
    }

    /// Room for a plain text of this size. A text that at worst needs more than there is takes the whole large part.
    pub async fn room(&self, text_bytes: u64) -> Result<Room<'_>, MemoryError> {
        self.room_of(kib(text_bytes.saturating_mul(BYTES_A_BYTE))).await
    }

    /// Room for a file of this size that a process of its own parses, until its text is known.
    pub async fn room_of_file(&self, file_bytes: u64) -> Result<Room<'_>, MemoryError> {
        self.room_of(kib(file_bytes.saturating_mul(BYTES_A_FILE_BYTE))).await
    }

    async fn room_of(&self, kib: u32) -> Result<Room<'_>, MemoryError> {
        let kib = kib.max(1);
        let part = if u64::from(kib) * SMALL_AT_ONCE <= u64::from(self.small.all) {
            &self.small
        } else {
            &self.large
        };
        let kib = kib.min(part.all);
        let permit = part.acquire(kib).await?;
        Ok(Room {
            memory: self,
            part,
            kib,
            permit,
        })
    }
}

impl Room<'_> {
    /// Makes the room large enough for a text of this size and its map, at worst, before the text is there. A text that at worst
    /// needs more than there is takes the whole large part.
    pub async fn for_text(&mut self, text_bytes: usize, map_bytes: usize) -> Result<(), MemoryError> {
        let worst = (text_bytes as u64)
            .saturating_mul(BYTES_A_BYTE)
            .saturating_add(map_bytes as u64);
        self.grow(kib(worst).min(self.memory.large.all)).await
    }

    /// Makes the room large enough for what is known of the document now. Two documents that grow at the same time may wait for
    /// each other: after 60 s the first is refused, and the other gets the room.
    pub async fn fit(&mut self, contents: Contents) -> Result<(), MemoryError> {
        let needed = contents.bytes();
        let all = u64::from(self.memory.large.all) * 1024;
        if needed > all {
            let Contents { tokens, entities, .. } = contents;
            return Err(MemoryError::TooLarge {
                tokens,
                entities,
                needed,
                all,
            });
        }
        self.grow(kib(needed)).await
    }

    /// Makes the room at least so large. What outgrows the small part moves to the large one.
    async fn grow(&mut self, kib: u32) -> Result<(), MemoryError> {
        if kib > self.part.all {
            let large = &self.memory.large;
            self.permit = large.acquire(kib).await?;
            (self.part, self.kib) = (large, kib);
        }
        let more = kib.saturating_sub(self.kib);
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
        let found = tokens * BYTES_A_READ_TOKEN
            + entities * BYTES_AN_ENTITY
            + self.recognised as u64 * BYTES_A_RECOGNISED
            + self.things as u64 * BYTES_A_THING;
        self.text_bytes as u64 * BYTES_A_TEXT_BYTE + self.map_bytes as u64 + reading.max(found)
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
            ..Contents::default()
        };
        assert_eq!(room.fit(ordinary).await, Ok(()), "contracts have 4.3 bytes a token");
        let understood = Contents {
            tokens: 0,
            recognised: text_bytes / 580,
            things: text_bytes / 200 + text_bytes / 580,
            ..ordinary
        };
        assert_eq!(room.fit(understood).await, Ok(()), "the tokens are gone by then");
        let dots = Contents {
            tokens: text_bytes,
            ..ordinary
        };
        assert!(matches!(room.fit(dots).await, Err(MemoryError::TooLarge { .. })));
    }

    #[tokio::test(start_paused = true)]
    async fn a_small_file_with_a_large_text_moves_to_the_large_part() {
        let memory = Memory::new(512 * MIB);
        let mut room = memory.room_of_file(MIB).await.expect("there is room");
        assert_eq!(memory.taken().0, 2 * MIB, "in the small part");
        assert_eq!(room.for_text(10 << 20, 1 << 20).await, Ok(()));
        assert_eq!(memory.taken().0, 321 * MIB);
        let _letter = memory.room(128 * 1024).await.expect("a letter has room");
        assert_eq!(room.for_text(100 << 20, 0).await, Ok(()), "it takes all that there is");
        drop(room);
        assert_eq!(memory.taken().0, 4 * MIB);
    }

    #[tokio::test(start_paused = true)]
    async fn a_document_of_nothing_but_names_takes_more_room_when_they_are_known() {
        let memory = Memory::new(8 * MIB);
        let mut names = memory.room(MIB / 8).await.expect("there is room");
        let taken = memory.taken().0;
        let found = Contents {
            text_bytes: 1 << 17,
            tokens: 1 << 15,
            entities: 12_000,
            ..Contents::default()
        };
        names.fit(found).await.expect("there is room for them");
        assert!(memory.taken().0 >= taken + MIB, "{taken}");
        let _other = memory.room(MIB / 32).await.expect("there is room for another one");
        let more = Contents {
            entities: 16_000,
            ..found
        };
        assert_eq!(names.fit(more).await, Err(MemoryError::NoRoom), "the other one has it");
        drop(names);
        assert_eq!(memory.taken().0, MIB, "all of it is given back");
    }
}
