//! What recognisers know of a text, beside what the model found.

use docket_contract::entity::{Entity, Source, Span};
use docket_contract::outcome::Stage;
use docket_engine::place::Places;
use docket_extract::ExtractedText;
use docket_understand::boundaries::{self, Mark};
use docket_understand::overlaps;
use docket_understand::pieces::pieces;
use docket_understand::recognise::{Recognised, Recognition};

use crate::admit::memory::Room;
use crate::context::Context;
use crate::cut::Cut;
use crate::disposition::JobError;

/// The entities of a text: the model's, and what recognisers find. The text is read a piece at a time: other jobs compute between,
/// and memory is taken for what was found so far.
pub(crate) async fn understood(
    ctx: &Context,
    cut: &Cut,
    of_model: Vec<Entity>,
    room: &mut Room<'_>,
) -> Result<Vec<Entity>, JobError> {
    let mut recognition = Recognition::default();
    let ranges: Vec<_> = pieces(&cut.text.text).collect();
    for piece in ranges {
        let text = cut.text.clone();
        let reading = move || {
            recognition.read(&text.text, piece);
            recognition
        };
        recognition = ctx.cpu.run(Stage::Understand, reading).await?;
        let (found, max) = (of_model.len() + recognition.len(), ctx.entities_max);
        if found > max {
            return Err(JobError::TooManyEntities { found, max });
        }
        room.fit(cut.contents(of_model.len(), recognition.len())).await?;
    }
    let text = cut.text.clone();
    let joining = move || together(&text, of_model, recognition.finish());
    Ok(ctx.cpu.run(Stage::Understand, joining).await?)
}

/// The entities of a text as a worker finds them, when the model found these.
pub(crate) fn of_text(text: &ExtractedText, of_model: Vec<Entity>) -> Vec<Entity> {
    let mut recognition = Recognition::default();
    for piece in pieces(&text.text) {
        recognition.read(&text.text, piece);
    }
    together(text, of_model, recognition.finish())
}

/// The model's entities and what recognisers found, in the order of the text.
fn together(text: &ExtractedText, of_model: Vec<Entity>, recognised: Vec<Recognised>) -> Vec<Entity> {
    let of_model = settled(text, of_model);
    let mut places = Places::new(text);
    let placed = recognised.into_iter().filter_map(|one| entity(text, &mut places, one));
    overlaps::together(of_model, placed.collect())
}

/// The model's entities between their settled boundaries.
fn settled(text: &ExtractedText, of_model: Vec<Entity>) -> Vec<Entity> {
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
fn entity(text: &ExtractedText, places: &mut Places<'_>, one: Recognised) -> Option<Entity> {
    let placed = places.next(one.bytes)?;
    let Span {
        start_byte, end_byte, ..
    } = placed.span;
    let block = text.map.as_ref().and_then(|map| map.block_at(start_byte));
    if block.is_some_and(|block| block.bytes.end < end_byte) {
        return None;
    }
    Some(Entity {
        source: Source::Recogniser,
        recogniser: Some(one.recogniser.into()),
        value: Some(one.value),
        ..placed.entity(text, one.label.to_owned(), 1.0)
    })
}
