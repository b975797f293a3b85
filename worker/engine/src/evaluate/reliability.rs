//! Whether a score says how often entities of that score are right: the reliability diagram and the expected calibration
//! error of Guo et al., "On Calibration of Modern Neural Networks" (ICML 2017), over whole entities.

use serde::Serialize;

/// Bins of equal width from 0 to 1.
pub const BINS: usize = 10;

/// Entities found, in bins by score.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reliability {
    /// The bins, ascending.
    pub bins: Vec<Bin>,
    /// Mean distance between a bin's mean score and its precision, each bin weighed by its entities. 0 is perfect.
    pub expected_calibration_error: f64,
}

/// The entities whose scores lie in one bin.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bin {
    /// Lowest score of the bin.
    pub from: f64,
    /// Score at which the next bin begins. A score of 1 is in the last bin.
    pub to: f64,
    /// Number of entities in the bin.
    pub count: usize,
    /// Mean score of the entities; 0 without entities.
    pub mean_score: f64,
    /// Share of the entities that are right; 0 without entities.
    pub precision: f64,
}

impl Reliability {
    /// Builds the bins from each found entity's score and whether the entity is right.
    pub fn of(answers: &[(f32, bool)]) -> Self {
        let bins: Vec<Bin> = (0..BINS).map(|number| Bin::of(number, answers)).collect();
        let distances = bins
            .iter()
            .map(|bin| bin.count as f64 * (bin.mean_score - bin.precision).abs());
        Self {
            expected_calibration_error: distances.sum::<f64>() / answers.len().max(1) as f64,
            bins,
        }
    }
}

impl Bin {
    fn of(number: usize, answers: &[(f32, bool)]) -> Self {
        let inside = |score: f32| ((f64::from(score) * BINS as f64) as usize).min(BINS - 1) == number;
        let (mut count, mut scores, mut correct) = (0, 0.0, 0);
        for &(score, is_correct) in answers.iter().filter(|(score, _)| inside(*score)) {
            count += 1;
            scores += f64::from(score);
            correct += usize::from(is_correct);
        }
        let entities = count.max(1) as f64;
        Self {
            from: number as f64 / BINS as f64,
            to: (number + 1) as f64 / BINS as f64,
            count,
            mean_score: scores / entities,
            precision: correct as f64 / entities,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_have_their_means_and_the_error_weighs_them() {
        let answers = [(0.95, true), (0.85, true), (0.81, false), (1.0, true), (0.0, false)];
        let reliability = Reliability::of(&answers);
        let filled: Vec<(usize, usize)> = reliability
            .bins
            .iter()
            .enumerate()
            .filter(|(_, bin)| bin.count > 0)
            .map(|(number, bin)| (number, bin.count))
            .collect();
        assert_eq!(filled, [(0, 1), (8, 2), (9, 2)]);
        assert!((reliability.bins[8].mean_score - 0.83).abs() < 1e-6);
        assert!((reliability.bins[8].precision - 0.5).abs() < 1e-9);
        // (1 x |0 - 0| + 2 x |0.83 - 0.5| + 2 x |0.975 - 1|) / 5.
        assert!((reliability.expected_calibration_error - 0.142).abs() < 1e-6);
    }

    #[test]
    fn nothing_found_is_no_error() {
        assert!(Reliability::of(&[]).expected_calibration_error.abs() < 1e-9);
    }
}
