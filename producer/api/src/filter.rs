//! Which of an analysis's entities a caller asks for, wherever entities are read.

use docket_contract::entity::Source;
use docket_contract::place::Region;
use docket_http::problem::{ApiError, Kind};
use docket_store::read::documents::EntityPage;

/// Longest label that a caller may filter by, in bytes: models' labels are a word or two.
const LABEL_BYTES_MAX: usize = 100;

/// What a query says of the entities that it wants.
pub struct Asked {
    pub label: Option<String>,
    pub min_score: Option<f32>,
    pub region: Option<String>,
    pub source: Option<String>,
    pub canonical: Option<i32>,
}

impl Asked {
    /// The page of such entities that begins after an entity and has at most so many.
    pub fn page(self, after: i32, limit: i64) -> Result<EntityPage, ApiError> {
        let invalid = |detail| Err(ApiError::new(Kind::INVALID_REQUEST, detail));
        let is_label = |label: &String| label.len() <= LABEL_BYTES_MAX && !label.contains('\0');
        if !self.label.as_ref().is_none_or(is_label) {
            return invalid("No label is that long or holds NUL.");
        }
        if !self.min_score.is_none_or(|score| (0.0..=1.0).contains(&score)) {
            return invalid("min_score must be from 0 to 1.");
        }
        if self.canonical.is_some_and(|first| first < 1) {
            return invalid("canonical must be at least 1.");
        }
        Ok(EntityPage {
            label: self.label,
            min_score: self.min_score,
            region: self.region.as_deref().map(region).transpose()?,
            source: self.source.as_deref().map(source).transpose()?,
            canonical: self.canonical,
            after,
            limit,
        })
    }
}

fn region(word: &str) -> Result<Region, ApiError> {
    let known = Region::ALL.iter().find(|region| region.as_str() == word);
    known.copied().ok_or_else(|| {
        let known = Region::WORDS.join(", ");
        ApiError::new(Kind::INVALID_REQUEST, format!("region must be one of {known}."))
    })
}

fn source(word: &str) -> Result<Source, ApiError> {
    let known = Source::ALL.iter().find(|source| source.as_str() == word);
    known.copied().ok_or_else(|| {
        let known = Source::WORDS.join(", ");
        ApiError::new(Kind::INVALID_REQUEST, format!("source must be one of {known}."))
    })
}
