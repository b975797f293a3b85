//! What a run prints about its documents and the next steps. Every line fits a terminal of 100 columns, except file names and
//! paths.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;

use super::Site;
use docket_client::Entity;

use super::coverage;
use super::documents::Document;
use super::services::Services;

/// Columns of a line.
const WIDTH: usize = 100;
/// Columns of a label; longer ones are cut.
const LABEL_WIDTH: usize = 24;
/// Columns of a count.
const COUNT_WIDTH: usize = 6;
/// Columns of one surface form; longer ones are cut.
const SURFACE_WIDTH: usize = 36;
/// Fewest columns to which a surface form may be cut and still tell something.
const SURFACE_WIDTH_MIN: usize = 12;

/// What was read of a document, and its entities: for each label their number and the most frequent surface forms.
pub fn document(document: &Document, entities: &[Entity]) -> String {
    let name = match &document.within {
        Some(outer) => format!("{} (within {outer})", document.name),
        None => document.name.clone(),
    };
    if let Some(reason) = &document.reason {
        return format!("{name}: {}: {reason}", document.state);
    }
    let mut text = format!("{name}: {}", document.state);
    let facts = document.coverage.iter().flat_map(coverage::facts);
    for fact in facts.chain([counted_entities(entities.len())]) {
        write!(text, ", {fact}").unwrap_or_default();
    }
    let other_language = document.coverage.iter().filter_map(coverage::other_language);
    let not_read = document.coverage.iter().flat_map(coverage::not_read);
    for line in other_language.chain(not_read) {
        write!(text, "\n  {line}").unwrap_or_default();
    }
    text + &table(entities)
}

/// The lines of a table, each after a line break; empty without entities.
fn table(entities: &[Entity]) -> String {
    let mut text = String::new();
    let label_width = entities
        .iter()
        .map(|entity| width(&entity.label))
        .max()
        .unwrap_or(0)
        .clamp(5, LABEL_WIDTH);
    if !entities.is_empty() {
        write!(
            text,
            "\n  {:label_width$} {:>COUNT_WIDTH$}  found most often",
            "label", "count"
        )
        .unwrap_or_default();
    }
    for (label, surfaces) in by_label(entities) {
        let count: usize = surfaces.iter().map(|(_, count)| count).sum();
        let room = WIDTH - 2 - label_width - 1 - COUNT_WIDTH - 2;
        let label = cut(label, LABEL_WIDTH);
        let examples = examples(&surfaces, room);
        write!(text, "\n  {label:label_width$} {count:>COUNT_WIDTH$}  {examples}").unwrap_or_default();
    }
    text
}

/// `1 worker`, `2 workers`.
pub fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

fn counted_entities(number: usize) -> String {
    if number == 1 {
        "1 entity".to_owned()
    } else {
        format!("{number} entities")
    }
}

type Surfaces = Vec<(String, usize)>;

/// Labels and their surface forms, both by frequency, highest first.
fn by_label(entities: &[Entity]) -> Vec<(&str, Surfaces)> {
    let mut labels: HashMap<&str, HashMap<String, usize>> = HashMap::new();
    for entity in entities {
        let surface = entity.text.split_whitespace().collect::<Vec<_>>().join(" ");
        *labels.entry(&entity.label).or_default().entry(surface).or_default() += 1;
    }
    let sorted = labels.into_iter().map(|(label, surfaces)| {
        let mut surfaces: Surfaces = surfaces.into_iter().collect();
        surfaces.sort_by(|(a, m), (b, n)| n.cmp(m).then_with(|| a.cmp(b)));
        (label, surfaces)
    });
    let mut sorted: Vec<_> = sorted.collect();
    let count = |surfaces: &Surfaces| surfaces.iter().map(|(_, count)| count).sum::<usize>();
    sorted.sort_by(|(a, m), (b, n)| count(n).cmp(&count(m)).then_with(|| a.cmp(b)));
    sorted
}

/// As many surface forms as fit into `room`; the last is cut if that helps.
fn examples(surfaces: &Surfaces, room: usize) -> String {
    let mut line = String::new();
    for (index, (surface, count)) in surfaces.iter().enumerate() {
        let separator = if index == 0 { "" } else { "; " };
        let count = if *count > 1 {
            format!(" ({count})")
        } else {
            String::new()
        };
        let rest = if index + 1 == surfaces.len() { "" } else { "; …" };
        let taken = width(&line) + width(separator) + width(&count) + width(rest);
        let left = room.saturating_sub(taken).min(SURFACE_WIDTH);
        if width(surface) > left && left < SURFACE_WIDTH_MIN {
            line.push_str("; …");
            break;
        }
        write!(line, "{separator}{}{count}", cut(surface, left)).unwrap_or_default();
    }
    line
}

fn width(text: &str) -> usize {
    text.chars().count()
}

fn cut(text: &str, room: usize) -> String {
    if width(text) <= room {
        text.to_owned()
    } else {
        text.chars().take(room - 1).chain(['…']).collect()
    }
}

/// Addresses of the run, and three commands to try.
pub fn next_steps(services: &Services, site: &Site<'_>, documents: &[Document]) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let shorten = |path: &Path| path.strip_prefix(&here).unwrap_or(path).display().to_string();
    let (token, header, logs) = (
        shorten(&site.token_file),
        shorten(&site.header_file),
        shorten(&site.logs),
    );
    let (api, workers) = (services.api_url(), services.worker_urls());
    let ctl = shorten(&site.checkout.root().join("deploy/local/ctl"));
    let id = documents
        .iter()
        .find(|document| !document.id.is_empty())
        .map_or("DOCUMENT_ID", |document| &document.id);
    let worker_metrics: Vec<_> = workers.iter().map(|url| format!("{url}/metrics")).collect();
    format!(
        "API      {api}/v1\n\
         docs     {api}/docs\n\
         metrics  {api}/metrics\n\
         {:9}{}\n\
         token    {token}, as a header for curl {header}\n\
         logs     {logs}\n\
         pids     {}\n\
         \n\
         try next:\n  \
         curl -H @{header} {api}/v1/documents\n  \
         curl -H @{header} {api}/v1/documents/{id}/entities\n  \
         curl -H @{header} -H 'Content-Type: text/plain' \\\n    \
         --data-binary 'Ada Lovelace signed for Acme Ltd on 5 May 2024.' {api}/v1/documents\n  \
         eval \"$({ctl} env)\"; docket-producer doctor",
        "",
        worker_metrics.join(" "),
        services.pids().join(", ")
    )
}

#[cfg(test)]
mod tests {
    use docket_client::State;
    use docket_contract::coverage::{Coverage, PageCoverage, WithoutText};

    use super::*;

    fn entity(label: &str, text: &str) -> Entity {
        Entity {
            label: label.to_owned(),
            text: text.to_owned(),
            start: 0,
            end: 0,
            start_byte: 0,
            end_byte: 0,
            page: None,
            region: "body".to_owned(),
            boxes: Vec::new(),
            score: 1.0,
            source: "model".to_owned(),
            recogniser: None,
            value: None,
            model: "ner-legal@2".to_owned(),
        }
    }

    fn contract() -> Document {
        Document {
            state: State::Succeeded,
            ..Document::named("lease.txt".to_owned())
        }
    }

    #[test]
    fn a_table_counts_and_shows_the_most_frequent_first() {
        let entities = [
            entity("DATE", "1 May"),
            entity("ORG", "Beta"),
            entity("ORG", "Acme\n  Ltd"),
            entity("ORG", "Acme Ltd"),
        ];
        let expected = "lease.txt: succeeded, 4 entities\n  \
                        label  count  found most often\n  \
                        ORG        3  Acme Ltd (2); Beta\n  \
                        DATE       1  1 May";
        assert_eq!(document(&contract(), &entities), expected);
        assert_eq!(document(&contract(), &[]), "lease.txt: succeeded, 0 entities");
        let failed = Document {
            state: State::Failed,
            reason: Some("Not text.".to_owned()),
            ..contract()
        };
        assert_eq!(document(&failed, &[]), "lease.txt: failed: Not text.");
    }

    #[test]
    fn a_document_within_another_names_it_and_what_was_not_read_is_said() {
        let pages = PageCoverage {
            total: 4,
            read: 2,
            by_ocr: 0,
            ocr_confidence: None,
            without_text: vec![WithoutText {
                why: "no_text_layer".to_owned(),
                count: 2,
                pages: "3-4".to_owned(),
            }],
        };
        let coverage = Coverage {
            media_type: "application/pdf".to_owned(),
            pages: Some(pages),
            ..Coverage::default()
        };
        let attached = Document {
            within: Some("offer.eml".to_owned()),
            coverage: Some(coverage),
            ..contract()
        };
        assert_eq!(
            document(&attached, &[]),
            "lease.txt (within offer.eml): succeeded, PDF, 4 pages, 0 entities\n  pages 3-4 not read: no text layer"
        );
    }

    #[test]
    fn every_line_fits() {
        let label = "A_VERY_LONG_LABEL_OF_SOME_OTHER_MODEL";
        let mut entities: Vec<_> = (0..500).map(|n| entity(label, &format!("party number {n}"))).collect();
        entities.extend((0..200).map(|n| entity("X", &format!("{} {n}", "ü".repeat(300)))));
        let text = document(&contract(), &entities);
        assert!(text.lines().all(|line| width(line) <= WIDTH), "{text}");
        assert!(text.lines().any(|line| width(line) > WIDTH - SURFACE_WIDTH), "{text}");
    }
}
