//! An entity as formats get it, and what they tell of it beside its label, text and place.

use docket_contract::entity::Entity;
use docket_contract::place::Place;
use docket_contract::text_map::Rectangle;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::document::Document;

/// An entity with its number in its analysis.
#[derive(Debug, Clone)]
pub struct Found {
    /// The entity's number, from 1, in the order of the text.
    pub ordinal: i32,
    /// The entity.
    pub entity: Entity,
}

/// What formats tell of an entity beside its label, text and offsets: the other fields of the API's entities, by the same names.
#[derive(Debug, Serialize)]
pub(crate) struct Details<'a> {
    pub page: Option<u32>,
    pub region: &'static str,
    pub place: Option<Place>,
    pub boxes: &'a [Rectangle],
    pub score: f32,
    pub source: &'static str,
    pub recogniser: Option<&'a str>,
    pub value: Option<&'a RawValue>,
    pub canonical: Option<u32>,
    pub carried_from: Option<u32>,
    pub model: &'a str,
}

impl<'a> Details<'a> {
    pub fn of(entity: &'a Entity, document: &'a Document) -> Self {
        Self {
            page: entity.page,
            region: entity.region.as_str(),
            place: entity.place,
            boxes: &entity.boxes,
            score: entity.score,
            source: entity.source.as_str(),
            recogniser: entity.recogniser.as_deref(),
            value: entity
                .value
                .as_deref()
                .and_then(|value| serde_json::from_str(value).ok()),
            canonical: entity.canonical,
            carried_from: entity.carried_from,
            model: &document.model,
        }
    }
}
