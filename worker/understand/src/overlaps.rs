//! What a model found and what recognisers found, together. Within each of the two nothing overlaps.
//!
//! One rule: a mention of the model and one of a recogniser stand side by side where one lies within the other. Three cases are
//! different:
//! - Both have the same range. They are one mention: the model's label, with what the recogniser knows.
//! - Both have the same label. The longer one stands, with what the recogniser knows. Where several of the recognisers' lie within
//!   one of the model's, such as two dates, the recognisers' stand.
//! - Each has a part of the other. The longer one stands.

use std::cmp::Reverse;

use docket_contract::entity::Entity;

/// What stands of a pair that overlaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stands {
    Both,
    Joined,
    Model,
    Recogniser,
}

/// Joins the mentions of a model and those of recognisers, each in the order of the text and without overlap, into one list in the
/// order of the text. Of two that begin together the longer comes first.
pub fn together(mut model: Vec<Entity>, mut recognised: Vec<Entity>) -> Vec<Entity> {
    let (mut of_model, mut of_recognisers) = (vec![true; model.len()], vec![true; recognised.len()]);
    let pairs = overlapping(&model, &recognised);
    let mut alike = vec![0_u32; model.len()];
    for &(m, r) in &pairs {
        alike[m] += u32::from(model[m].label == recognised[r].label);
    }
    for (m, r) in pairs {
        match stands(&model[m], &recognised[r], alike[m]) {
            Stands::Both => {}
            Stands::Joined => {
                let known = &mut recognised[r];
                (model[m].recogniser, model[m].value) = (known.recogniser.take(), known.value.take());
                of_recognisers[r] = false;
            }
            Stands::Model => of_recognisers[r] = false,
            Stands::Recogniser => of_model[m] = false,
        }
    }
    let mut all = kept(model, &of_model);
    all.extend(kept(recognised, &of_recognisers));
    all.sort_by_key(|entity| (entity.span.start_byte, Reverse(entity.span.end_byte)));
    all
}

fn kept(entities: Vec<Entity>, kept: &[bool]) -> Vec<Entity> {
    let pairs = entities.into_iter().zip(kept);
    pairs.filter_map(|(entity, &kept)| kept.then_some(entity)).collect()
}

/// The pairs that share a byte, as places in both lists. There are at most as many as both lists have mentions.
fn overlapping(model: &[Entity], recognised: &[Entity]) -> Vec<(usize, usize)> {
    let (mut m, mut r, mut pairs) = (0, 0, Vec::new());
    while let (Some(one), Some(other)) = (model.get(m), recognised.get(r)) {
        let (one, other) = (one.span.bytes(), other.span.bytes());
        if one.start < other.end && other.start < one.end {
            pairs.push((m, r));
        }
        if one.end <= other.end {
            m += 1;
        } else {
            r += 1;
        }
    }
    pairs
}

/// What stands of a pair, when so many of the recognisers' mentions have the label of the model's and overlap with it.
fn stands(model: &Entity, recognised: &Entity, alike: u32) -> Stands {
    let (of_model, of_recogniser) = (model.span.bytes(), recognised.span.bytes());
    let within = |inner: &std::ops::Range<usize>, outer: &std::ops::Range<usize>| {
        outer.start <= inner.start && inner.end <= outer.end
    };
    if of_model == of_recogniser {
        Stands::Joined
    } else if model.label == recognised.label {
        if alike == 1 && of_model.len() >= of_recogniser.len() {
            Stands::Joined
        } else {
            Stands::Recogniser
        }
    } else if within(&of_model, &of_recogniser) || within(&of_recogniser, &of_model) {
        Stands::Both
    } else if of_model.len() >= of_recogniser.len() {
        Stands::Model
    } else {
        Stands::Recogniser
    }
}

#[cfg(test)]
mod tests {
    use docket_contract::entity::{Source, Span};
    use docket_contract::place::Region;
    use proptest::prelude::*;

    use super::*;

    fn entity((label, start, end): (&str, u32, u32), source: Source) -> Entity {
        let recognised = source == Source::Recogniser;
        Entity {
            label: label.to_owned(),
            text: String::new(),
            span: Span {
                start,
                end,
                start_byte: start,
                end_byte: end,
                start_utf16: Some(start),
            },
            page: None,
            region: Region::Body,
            place: None,
            boxes: Vec::new(),
            score: 1.0,
            source,
            recogniser: recognised.then_some("rule".into()),
            value: recognised.then_some("{}".into()),
            canonical: None,
            carried_from: None,
            thing: None,
        }
    }

    fn of(source: Source, mentions: &[(&str, u32, u32)]) -> Vec<Entity> {
        mentions.iter().map(|&mention| entity(mention, source)).collect()
    }

    /// What stands, and whether a recogniser knows it.
    fn stand<'a>(model: &[(&'a str, u32, u32)], recognised: &[(&'a str, u32, u32)]) -> Vec<(String, u32, u32, bool)> {
        let all = together(of(Source::Model, model), of(Source::Recogniser, recognised));
        let said = |entity: Entity| {
            let known = entity.recogniser.is_some();
            assert_eq!(known, entity.value.is_some());
            (entity.label, entity.span.start, entity.span.end, known)
        };
        all.into_iter().map(said).collect()
    }

    fn said(label: &str, start: u32, end: u32, known: bool) -> (String, u32, u32, bool) {
        (label.to_owned(), start, end, known)
    }

    #[test]
    fn the_same_range_is_one_mention_of_the_model_that_a_recogniser_knows() {
        assert_eq!(
            stand(&[("PROVISION", 3, 9)], &[("REFERENCE", 3, 9)]),
            [said("PROVISION", 3, 9, true)]
        );
    }

    #[test]
    fn of_one_label_the_longer_stands_unless_several_lie_within() {
        let dates = [("DATE", 0, 4), ("DATE", 6, 9)];
        assert_eq!(
            stand(&[("DATE", 0, 9)], &dates),
            [said("DATE", 0, 4, true), said("DATE", 6, 9, true)]
        );
        let longer = [said("DATE", 3, 12, true)];
        assert_eq!(stand(&[("DATE", 3, 12)], &[("DATE", 0, 4)]), longer);
        assert_eq!(stand(&[("DATE", 3, 5)], &[("DATE", 3, 12)]), longer);
    }

    #[test]
    fn one_within_the_other_both_stand() {
        let within = [said("PRECEDENT", 0, 30, false), said("CASE_CITATION", 10, 30, true)];
        assert_eq!(stand(&[("PRECEDENT", 0, 30)], &[("CASE_CITATION", 10, 30)]), within);
        let around = [
            said("STATUTE_CITATION", 0, 20, true),
            said("PROVISION", 0, 5, false),
            said("STATUTE", 8, 20, false),
        ];
        assert_eq!(
            stand(
                &[("PROVISION", 0, 5), ("STATUTE", 8, 20)],
                &[("STATUTE_CITATION", 0, 20)]
            ),
            around
        );
    }

    #[test]
    fn of_two_that_cross_the_longer_stands() {
        assert_eq!(
            stand(&[("ORG", 0, 10)], &[("MONEY", 8, 12)]),
            [said("ORG", 0, 10, false)]
        );
        assert_eq!(
            stand(&[("ORG", 0, 4)], &[("MONEY", 3, 12)]),
            [said("MONEY", 3, 12, true)]
        );
    }

    proptest! {
        #[test]
        fn nothing_crosses_and_one_label_never_overlaps(
            model in prop::collection::vec((0_usize..3, 0_u32..4, 1_u32..9), 0..30),
            recognised in prop::collection::vec((0_usize..3, 0_u32..4, 1_u32..9), 0..30),
        ) {
            const LABELS: [&str; 3] = ["A", "B", "C"];
            let laid = |parts: &[(usize, u32, u32)]| {
                let mut at = 0;
                let mentions = parts.iter().map(|&(label, gap, length)| {
                    let start = at + gap;
                    at = start + length;
                    (LABELS[label], start, at)
                });
                mentions.collect::<Vec<_>>()
            };
            let all = together(of(Source::Model, &laid(&model)), of(Source::Recogniser, &laid(&recognised)));
            for (at, one) in all.iter().enumerate() {
                for other in &all[at + 1..] {
                    prop_assert!(one.span.start_byte <= other.span.start_byte, "they are in the order of the text");
                    if other.span.start_byte < one.span.end_byte {
                        prop_assert!(other.span.end_byte <= one.span.end_byte, "{one:?} {other:?}");
                        prop_assert!(one.label != other.label && one.span != other.span, "{one:?} {other:?}");
                    }
                }
            }
        }
    }
}
