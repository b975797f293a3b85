//! Random numbers that never change, so that a seed is a plan.

/// `SplitMix64` of Steele, Lea and Flood, Fast Splittable Pseudorandom Number Generators (OOPSLA 2014).
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// A stream of a seed.
    pub fn new(seed: u64, stream: u64) -> Self {
        let start = Self(seed).number();
        Self(start ^ stream.wrapping_mul(0xd129_0b2d_8b8f_4d6d))
    }

    /// A number below `bound`; 0 when `bound` is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.number() % bound.max(1) as u64) as usize
    }

    /// Whether a chance of this many in a hundred comes up.
    pub fn percent(&mut self, chances: usize) -> bool {
        self.below(100) < chances
    }

    /// Shuffles the items (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }

    fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
