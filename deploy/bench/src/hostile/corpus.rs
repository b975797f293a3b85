//! Which hostile files there are, and in which order they come: always the same for a seed.

use super::bombs;
use super::mutations::Mutation;
use crate::corpus::Random;
use crate::files::{self, File, Kind};

/// Of this many files that are no bombs, one is valid: the pipeline's usual work goes on between the others.
const ONE_VALID_OF: usize = 10;
/// Content types that callers declare wrongly.
const WRONG_TYPES: [&str; 6] = [
    "application/pdf",
    "text/html",
    "text/plain",
    "message/rfc822",
    "application/zip",
    "application/rtf",
];
/// Streams of random numbers beside those of the files.
const ORDER: u64 = u64::MAX;

/// A corpus of a seed.
#[derive(Debug)]
pub struct Corpus {
    seed: u64,
    order: Vec<usize>,
    bombs: Vec<bombs::Bomb>,
}

impl Corpus {
    /// A corpus of this many files: every bomb once if there is room, and valid and changed files. The bombs come between the others.
    pub fn new(files: usize, seed: u64) -> Self {
        let mut order: Vec<usize> = (0..files).collect();
        Random::of(seed, ORDER).shuffle(&mut order);
        Self {
            seed,
            order,
            bombs: bombs::all(),
        }
    }

    /// Number of files.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there is no file.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// The name of the file at a place.
    pub fn name(&self, place: usize) -> String {
        let number = self.order[place];
        match self.bombs.get(number) {
            Some(bomb) => numbered(number, bomb.name), // Making some bombs takes seconds.
            None => self.file(place).name,
        }
    }

    /// The file at a place, made anew. Its name says its place in the catalogue and what was done to it.
    pub fn file(&self, place: usize) -> File {
        let number = self.order[place];
        let mut random = Random::of(self.seed, number as u64);
        let mut file = match self.bombs.get(number) {
            Some(bomb) => bomb.file(),
            None => small(&mut random),
        };
        file.name = numbered(number, &file.name);
        // Half of the callers know the type, and most others say that they do not. Some are wrong, but not about bombs: as plain
        // texts most of them would be long and harmless.
        match random.below(20) {
            0..10 => {}
            18.. if number >= self.bombs.len() => file.media_type = random.pick(&WRONG_TYPES).to_owned(),
            _ => file.media_type = "application/octet-stream".to_owned(),
        }
        file
    }
}

fn numbered(number: usize, name: &str) -> String {
    format!("{number:05}-{name}")
}

/// A valid file, or more often a changed one.
fn small(random: &mut Random) -> File {
    let kind = Kind::ALL[random.below(Kind::ALL.len())];
    if random.below(ONE_VALID_OF) == 0 {
        return files::sample(kind, random);
    }
    Mutation::ALL[random.below(Mutation::ALL.len())].of(kind, random)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_always_gives_the_same_files() {
        let (one, same, other) = (Corpus::new(300, 1), Corpus::new(300, 1), Corpus::new(300, 2));
        let small = |corpus: &Corpus| {
            let places = (0..corpus.len()).filter(|&place| corpus.order[place] >= corpus.bombs.len());
            places.map(|place| corpus.file(place)).collect::<Vec<_>>()
        };
        assert_eq!(small(&one), small(&same));
        assert_ne!(small(&one), small(&other));
    }

    #[test]
    fn every_bomb_comes_once() {
        let corpus = Corpus::new(400, 1);
        let numbers = corpus.order.iter().filter(|&&number| number < corpus.bombs.len());
        assert_eq!(numbers.count(), corpus.bombs.len());
    }
}
