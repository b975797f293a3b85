//! The parsers of a worker: how documents ended in them, and what keeps them in.

use docket_contract::coverage::Coverage;
use docket_contract::language::{self, TextLanguage};
use docket_contract::media_type::MediaType;
use docket_contract::outcome::{ImageEnd, ParserEnd, PictureEnd, SandboxPart};
use docket_contract::text_map::Reading;

use super::{By, Kind, Label, Metric};

const DOCUMENTS: Metric = Metric::new(
    "docket_parser_documents_total",
    Kind::Counter,
    By::Worker,
    "documents that a parser process was given, by how that ended; `not_ready` counts processes that ended before they had a \
     document",
)
.labels(&[Label::words("outcome", ParserEnd::WORDS)]);
const STARTED: Metric = Metric::new(
    "docket_parser_starts_total",
    Kind::Counter,
    By::Worker,
    "parser processes that were started: one for each document, and a few that wait",
);
const ENFORCED: Metric = Metric::new(
    "docket_parser_sandbox_enforced",
    Kind::Gauge,
    By::Worker,
    "1 for each part of the parsers' sandbox that the kernel enforces, else 0",
)
.labels(&[Label::words("part", SandboxPart::WORDS)]);
const PICTURES: Metric = Metric::new(
    "docket_ocr_pictures_total",
    Kind::Counter,
    By::Worker,
    "pictures of pages that OCR was given, by how that ended; a page that reads badly is turned and given again, up to three times",
)
.labels(&[Label::words("outcome", PictureEnd::WORDS)]);
const IMAGES: Metric = Metric::new(
    "docket_page_images_total",
    Kind::Counter,
    By::Worker,
    "images of pages that somebody wanted to look at, by how their drawing ended",
)
.labels(&[Label::words("outcome", ImageEnd::WORDS)]);
const PAGES: Metric = Metric::new(
    "docket_pages_total",
    Kind::Counter,
    By::Worker,
    "pages of documents that were read, by how their text was had or why there is none",
)
.labels(&[Label::words("reading", Reading::WORDS)]);

const READ: Metric = Metric::new(
    "docket_documents_total",
    Kind::Counter,
    By::Worker,
    "documents that were read, by what they are by their content",
)
.labels(&[Label::words("media_type", MediaType::NAMES)]);

const LANGUAGES: Metric = Metric::new(
    "docket_document_languages_total",
    Kind::Counter,
    By::Worker,
    "documents that were read, by the language of their text as BCP 47 code; `und` is a text whose language is not known",
)
.labels(&[Label::words("language", language::TOLD)]);
const IN_OTHER_LANGUAGE: Metric = Metric::new(
    "docket_documents_in_other_language_total",
    Kind::Counter,
    By::Worker,
    "documents that were read although their text is in another language than their model reads",
);

pub(super) const ALL: &[&Metric] = &[
    &DOCUMENTS,
    &STARTED,
    &ENFORCED,
    &PICTURES,
    &IMAGES,
    &PAGES,
    &READ,
    &LANGUAGES,
    &IN_OTHER_LANGUAGE,
];

/// Sets how many documents ended so.
pub fn parser_ended(how: ParserEnd, documents: u64) {
    DOCUMENTS.counter(&[how.as_str()]).absolute(documents);
}

/// Sets how many parsers were started.
pub fn parsers_started(parsers: u64) {
    STARTED.counter(&[]).absolute(parsers);
}

/// Sets how many pictures of pages ended so.
pub fn picture_ended(how: PictureEnd, pictures: u64) {
    PICTURES.counter(&[how.as_str()]).absolute(pictures);
}

/// A page's image was drawn, or not.
pub fn image_ended(how: ImageEnd) {
    IMAGES.counter(&[how.as_str()]).increment(1);
}

/// Sets whether a part of the sandbox is enforced.
pub fn sandbox(part: SandboxPart, enforced: bool) {
    ENFORCED.gauge(&[part.as_str()]).set(f64::from(u8::from(enforced)));
}

/// A document was read, and its result stored.
pub fn document_read(coverage: &Coverage) {
    // A parser said some of these words, so only known ones become labels.
    let known = |words: &[&'static str], word: &str| words.iter().copied().find(|known| *known == word);
    if let Some(media_type) = known(MediaType::NAMES, &coverage.media_type) {
        READ.counter(&[media_type]).increment(1);
    }
    let code = coverage.language.as_ref().map(|language| language.code.as_str());
    if let Some(code) = code.and_then(|code| known(language::TOLD, code)) {
        LANGUAGES.counter(&[code]).increment(1);
    }
    if coverage.language.as_ref().is_some_and(TextLanguage::is_other) {
        IN_OTHER_LANGUAGE.counter(&[]).increment(1);
    }
    let Some(pages) = &coverage.pages else { return };
    let without = pages
        .without_text
        .iter()
        .map(|without| (without.why.as_str(), without.count));
    let with = [
        (Reading::Text.as_str(), pages.read),
        (Reading::Ocr.as_str(), pages.by_ocr),
    ];
    for (word, count) in with.into_iter().chain(without) {
        if let Some(reading) = known(Reading::WORDS, word) {
            PAGES.counter(&[reading]).increment(u64::from(count));
        }
    }
}
