//! The arithmetic of figures. Pure.

use std::collections::BTreeMap;

/// Figures of one contestant in one round, by name.
pub type Figures = BTreeMap<String, f64>;

/// The middle value, or the mean of the two middle values; `None` without values.
pub fn median(values: &[f64]) -> Option<f64> {
    let sorted = sorted(values);
    let (low, high) = (sorted.len().checked_sub(1)? / 2, sorted.len() / 2);
    Some(f64::midpoint(sorted[low], sorted[high]))
}

/// The smallest value that at least this share of the values do not exceed (nearest rank); `None` without values.
pub fn percentile(values: &[f64], share: f64) -> Option<f64> {
    let sorted = sorted(values);
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.clamp(1, sorted.len().max(1)) - 1).copied()
}

/// The median of the ratios of each round's two values: noise that lasts longer than a round cancels out.
pub fn ratio(rounds: &[(f64, f64)]) -> Option<f64> {
    let ratios: Vec<f64> = rounds
        .iter()
        .filter(|pair| pair.1 > 0.0)
        .map(|(of, to)| of / to)
        .collect();
    median(&ratios)
}

/// Each figure's median over the rounds that have it.
pub fn medians(rounds: &[Figures]) -> Figures {
    let names = rounds.iter().flat_map(|round| round.keys());
    let mut medians = Figures::new();
    for name in names {
        let values: Vec<f64> = rounds.iter().filter_map(|round| round.get(name).copied()).collect();
        if let Some(median) = median(&values) {
            medians.insert(name.clone(), median);
        }
    }
    medians
}

/// How much a series changed: the median of its last fifth relative to that of its second fifth, minus 1. The first fifth is
/// warm-up.
pub fn drift(series: &[f64]) -> Option<f64> {
    let fifth = series.len() / 5;
    let before = median(series.get(fifth..2 * fifth)?)?;
    let after = median(series.get(series.len() - fifth..)?)?;
    (before > 0.0).then(|| after / before - 1.0)
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_percentiles_of_known_values() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0]), Some(2.5));
        assert_eq!(median(&[]), None);
        let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(percentile(&hundred, 0.95), Some(95.0));
        assert_eq!(percentile(&[7.0], 0.95), Some(7.0));
        assert_eq!(percentile(&[], 0.95), None);
    }

    #[test]
    fn a_ratio_is_of_values_of_the_same_round() {
        // Twice as fast in each round, although the machine became ten times slower.
        assert_eq!(ratio(&[(20.0, 10.0), (2.0, 1.0), (4.0, 2.0)]), Some(2.0));
        assert_eq!(ratio(&[(1.0, 0.0)]), None);
    }

    #[test]
    fn each_figure_has_its_own_median() {
        let round = |pairs: &[(&str, f64)]| pairs.iter().map(|(n, v)| ((*n).to_owned(), *v)).collect();
        let rounds: [Figures; 3] = [
            round(&[("a", 1.0), ("b", 5.0)]),
            round(&[("a", 3.0)]),
            round(&[("a", 2.0)]),
        ];
        assert_eq!(medians(&rounds), round(&[("a", 2.0), ("b", 5.0)]));
    }

    #[test]
    fn drift_ignores_the_warm_up() {
        let series = [1.0, 1.0, 100.0, 100.0, 50.0, 90.0, 90.0, 90.0, 105.0, 105.0];
        assert!((drift(&series).unwrap() - 0.05).abs() < 1e-12);
        assert_eq!(drift(&[1.0; 4]), None, "too short to say");
    }
}
