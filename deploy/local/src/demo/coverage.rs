//! What was read of a document, in words.

use docket_contract::coverage::{Coverage, WithoutText};
use docket_contract::media_type::{Declared, MediaType};

use super::report::counted;

/// The document's kind, its pages and the files within it.
pub fn facts(coverage: &Coverage) -> Vec<String> {
    let mut facts = vec![kind(&coverage.media_type)];
    facts.extend(coverage.pages.iter().map(|pages| counted(pages.total as usize, "page")));
    let files = coverage.files.map(|files| files.documents).filter(|count| *count > 0);
    facts.extend(files.map(|count| format!("{} within", counted(count as usize, "file"))));
    facts
}

/// A line for each reason why pages have no text: `page 2 not read: no text layer`.
pub fn not_read(coverage: &Coverage) -> Vec<String> {
    let without = coverage.pages.iter().flat_map(|pages| &pages.without_text);
    let line = |WithoutText { why, count, pages }: &WithoutText| {
        let noun = if *count == 1 { "page" } else { "pages" };
        format!("{noun} {pages} not read: {}", why.replace('_', " "))
    };
    without.map(line).collect()
}

/// A line for a text in another language than its model reads.
pub fn other_language(coverage: &Coverage) -> Option<String> {
    let language = coverage.language.as_ref().filter(|language| language.is_other())?;
    let reads = language.model_reads.join(", ");
    Some(format!(
        "in the language {}, and its model reads {reads}: entities may be wrong or missing",
        language.code
    ))
}

/// What people call a kind of document.
fn kind(media_type: &str) -> String {
    let Ok(declared) = Declared::parse(media_type) else {
        return media_type.to_owned();
    };
    let name = match declared.media_type {
        MediaType::Plain => "text",
        MediaType::Markdown => "Markdown",
        MediaType::Pdf => "PDF",
        MediaType::Docx => "Word",
        MediaType::Odt => "OpenDocument",
        MediaType::Rtf => "RTF",
        MediaType::Html => "HTML",
        MediaType::Mail => "mail",
        MediaType::Zip => "ZIP",
        MediaType::Png => "PNG",
        MediaType::Jpeg => "JPEG",
        MediaType::Tiff => "TIFF",
        MediaType::Unknown => media_type,
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use docket_contract::coverage::FileCoverage;
    use docket_contract::language::TextLanguage;

    use super::*;

    #[test]
    fn a_mail_counts_its_files_and_a_kind_that_is_new_is_named_as_it_is() {
        let of = |media_type: &str, documents| Coverage {
            media_type: media_type.to_owned(),
            files: Some(FileCoverage {
                documents,
                ..FileCoverage::default()
            }),
            ..Coverage::default()
        };
        assert_eq!(facts(&of("message/rfc822", 1)), ["mail", "1 file within"]);
        assert_eq!(facts(&of("image/gif", 0)), ["image/gif"]);
    }

    #[test]
    fn another_language_than_the_models_is_told() {
        let language = |code: &str| TextLanguage {
            code: code.to_owned(),
            confidence: Some(100),
            model_reads: vec!["en".to_owned()],
        };
        let told = |code: &str| other_language(&Coverage::default().in_language(language(code)));
        let line = "in the language de, and its model reads en: entities may be wrong or missing";
        assert_eq!(told("de").as_deref(), Some(line));
        assert_eq!((told("en"), told("und")), (None, None));
    }
}
