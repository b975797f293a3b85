//! What the default model finds in texts of more than letters: whole entities, none longer than a name.

use crate::fixture::{entities, model, text};

async fn surfaces(given: &str) -> Vec<String> {
    let found = entities(model().await, &text(given)).await;
    found.into_iter().map(|entity| entity.text).collect()
}

#[tokio::test]
async fn a_record_separator_ends_an_entity() {
    // Holds for every answer of the model, which differs between kinds of processor.
    for separator in '\u{1c}'..='\u{1f}' {
        let given = format!("Dana Whitfield{separator}Brightwater Holdings, Inc.");
        assert_eq!(surfaces(&given).await, ["Dana Whitfield", "Brightwater Holdings, Inc."]);
    }
}

#[tokio::test]
async fn a_decomposed_last_accent_belongs_to_its_entity() {
    let text = text("Ade\u{301}ba\u{301}yo\u{300} signed the lease on March 3, 2020.");
    let found = entities(model().await, &text).await;
    assert_eq!(found[0].text, "Ade\u{301}ba\u{301}yo\u{300}");
    assert_eq!((found[0].span.start, found[0].span.end), (0, 10));
}

#[tokio::test]
async fn a_blank_line_ends_an_entity() {
    let found = surfaces("the\n\nNorthgate Foods, Inc. is a Delaware corporation.").await;
    assert_eq!(found, ["Northgate Foods, Inc.", "Delaware"]);
}
