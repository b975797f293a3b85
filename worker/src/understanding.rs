//! What the whole of a text tells, beside what the model found.

use std::cmp::Reverse;
use std::sync::Arc;

use docket_contract::entity::{Entity, Source, Span};
use docket_contract::outcome::Stage;
use docket_engine::place::Places;
use docket_extract::ExtractedText;
use docket_understand::boundaries::{self, Mark};
use docket_understand::names::{Carried, Carrying, Mention, things};
use docket_understand::overlaps;
use docket_understand::pieces::pieces;
use docket_understand::recognise::{Recognised, Recognition};

use crate::admit::memory::{Contents, Room};
use crate::context::Context;
use crate::cut;
use crate::disposition::JobError;

/// The entities of a text: the model's, what recognisers find, and names carried through the text. The text is read a piece at a
/// time: other jobs compute between, and memory is taken for what was found so far.
pub(crate) async fn understood(
    ctx: &Context,
    text: &Arc<ExtractedText>,
    of_model: Vec<Entity>,
    room: &mut Room<'_>,
) -> Result<Vec<Entity>, JobError> {
    let mut recognition = Recognition::default();
    let ranges: Vec<_> = pieces(&text.text).collect();
    for piece in ranges.iter().cloned() {
        let read = text.clone();
        let reading = move || {
            recognition.read(&read.text, piece);
            recognition
        };
        recognition = ctx.cpu.run(Stage::Understand, reading).await?;
        fit(ctx, text, of_model.len(), recognition.len(), room).await?;
    }
    let (read, score_min) = (text.clone(), ctx.score_min);
    let joining = move || {
        let entities = together(&read, of_model, score_min, recognition.finish());
        let carrying = Carrying::of(&read.text, &mentions(&entities));
        (entities, carrying)
    };
    let (entities, mut carrying) = ctx.cpu.run(Stage::Understand, joining).await?;
    for piece in ranges {
        let read = text.clone();
        let reading = move || {
            carrying.read(&read.text, piece);
            carrying
        };
        carrying = ctx.cpu.run(Stage::Understand, reading).await?;
        fit(ctx, text, entities.len(), carrying.len(), room).await?;
    }
    let read = text.clone();
    let naming = move || with_things(&read, entities, carrying);
    Ok(ctx.cpu.run(Stage::Understand, naming).await?)
}

/// Makes room for what was found so far; an error if a job may not have so many entities.
async fn fit(
    ctx: &Context,
    text: &ExtractedText,
    before: usize,
    more: usize,
    room: &mut Room<'_>,
) -> Result<(), JobError> {
    let (found, max) = (before + more, ctx.entities_max);
    if found > max {
        return Err(JobError::TooManyEntities { found, max });
    }
    let contents = Contents {
        entities: before,
        recognised: more,
        things: found,
        ..cut::contents(text)
    };
    Ok(room.fit(contents).await?)
}

/// The entities of a text as a worker finds them, when the model found these.
pub(crate) fn of_text(text: &ExtractedText, of_model: Vec<Entity>, score_min: f32) -> Vec<Entity> {
    let mut recognition = Recognition::default();
    for piece in pieces(&text.text) {
        recognition.read(&text.text, piece);
    }
    let entities = together(text, of_model, score_min, recognition.finish());
    let mut carrying = Carrying::of(&text.text, &mentions(&entities));
    for piece in pieces(&text.text) {
        carrying.read(&text.text, piece);
    }
    with_things(text, entities, carrying)
}

/// The model's entities and what recognisers found, in the order of the text.
fn together(text: &ExtractedText, of_model: Vec<Entity>, score_min: f32, recognised: Vec<Recognised>) -> Vec<Entity> {
    let of_model = settled(text, of_model, score_min);
    let mut places = Places::new(text);
    let placed = recognised
        .into_iter()
        .filter_map(|one| recognised_entity(text, &mut places, one));
    overlaps::together(of_model, placed.collect())
}

/// The model's entities of at least this score, between their settled boundaries.
fn settled(text: &ExtractedText, mut of_model: Vec<Entity>, score_min: f32) -> Vec<Entity> {
    of_model.retain(|entity| entity.score >= score_min);
    let marks = of_model.iter().map(|entity| Mark {
        label: &entity.label,
        bytes: entity.span.bytes(),
    });
    let marks: Vec<Mark<'_>> = marks.collect();
    let ranges = boundaries::settled(&text.text, &marks);
    let mut places = Places::new(text);
    let settled = of_model.into_iter().zip(ranges).filter_map(|(entity, range)| {
        let range = range?;
        if range == entity.span.bytes() {
            return Some(entity);
        }
        let placed = places.next(range)?;
        Some(placed.entity(text, entity.label, entity.score))
    });
    settled.collect()
}

/// An entity of what a recogniser found; `None` if it goes beyond a paragraph, a cell or a region.
fn recognised_entity(text: &ExtractedText, places: &mut Places<'_>, one: Recognised) -> Option<Entity> {
    let placed = places.next(one.bytes)?;
    within_a_block(text, placed.span).then(|| Entity {
        source: Source::Recogniser,
        recogniser: Some(one.recogniser.into()),
        value: Some(one.value),
        ..placed.entity(text, one.label.to_owned(), 1.0)
    })
}

/// Whether a range does not go beyond a paragraph, a cell or a region.
fn within_a_block(text: &ExtractedText, span: Span) -> bool {
    let block = text.map.as_ref().and_then(|map| map.block_at(span.start_byte));
    block.is_none_or(|block| span.end_byte <= block.bytes.end)
}

fn mentions(entities: &[Entity]) -> Vec<Mention<'_>> {
    let mentions = entities.iter().map(|entity| Mention {
        label: &entity.label,
        bytes: entity.span.bytes(),
        score: entity.score,
        value: entity.value.as_deref(),
    });
    mentions.collect()
}

/// The entities and the names that were carried, in the order of the text, each with the thing that it is a mention of.
fn with_things(text: &ExtractedText, entities: Vec<Entity>, carrying: Carrying) -> Vec<Entity> {
    let (carried, of) = carrying.finish();
    let mut places = Places::new(text);
    let placed = carried.into_iter().filter_map(|one| {
        let from = one.from;
        Some((carried_entity(text, &mut places, &entities, one)?, from))
    });
    let (carried, from): (Vec<Entity>, Vec<usize>) = placed.unzip();
    // Among the carried ones each entity has a place of its own: the two never overlap.
    let before = |at: usize| carried.partition_point(|one| one.span.start_byte < entities[at].span.start_byte);
    let origins: Vec<u32> = from.iter().map(|&at| ordinal(at + before(at))).collect();
    let of = with_carried(&entities, &of, &carried, &from);
    let carried = carried.into_iter().zip(origins);
    let mut all = entities;
    all.extend(carried.map(|(entity, origin)| Entity {
        carried_from: Some(origin),
        ..entity
    }));
    all.sort_unstable_by_key(|entity| (entity.span.start_byte, Reverse(entity.span.end_byte)));
    for one in things(&text.text, &mentions(&all), &of, |at| all[at].carried_from.is_some()) {
        let first = one.mentions[0];
        for at in one.mentions {
            all[at].canonical = Some(ordinal(first));
        }
        all[first].thing = Some(Box::new(one.thing));
    }
    all
}

/// The thing of each mention, once the carried ones stand among the others: each is of the thing that it comes from.
fn with_carried(entities: &[Entity], of: &[Option<u32>], carried: &[Entity], from: &[usize]) -> Vec<Option<u32>> {
    let mut all = Vec::with_capacity(entities.len() + carried.len());
    let mut carried = carried.iter().zip(from).peekable();
    for (entity, of_entity) in entities.iter().zip(of) {
        while let Some((_, &from)) = carried.next_if(|(one, _)| one.span.start_byte < entity.span.start_byte) {
            all.push(of[from]);
        }
        all.push(*of_entity);
    }
    all.extend(carried.map(|(_, &from)| of[from]));
    all
}

/// The mention that a name was carried to; `None` if it goes beyond a paragraph, a cell or a region.
fn carried_entity(text: &ExtractedText, places: &mut Places<'_>, entities: &[Entity], one: Carried) -> Option<Entity> {
    let placed = places.next(one.bytes)?;
    let from = &entities[one.from];
    within_a_block(text, placed.span).then(|| Entity {
        source: Source::Carried,
        ..placed.entity(text, from.label.clone(), from.score)
    })
}

/// The ordinal of an entity by its place in the list.
fn ordinal(at: usize) -> u32 {
    u32::try_from(at + 1).expect("a job has at most three million entities")
}
