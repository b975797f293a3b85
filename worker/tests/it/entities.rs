//! `docket-worker entities`: a line of answers for each text, in the order of the texts.

use serde_json::{Value, json};

use crate::evaluate::{folder, run, tiny};

/// The answers to lines of texts; an error is what the program said.
async fn answers(test: &str, lines: &str, understanding: &str) -> Result<Vec<Value>, String> {
    let folder = folder(test);
    tiny().write(&folder);
    let texts = folder.join("texts.jsonl");
    std::fs::write(&texts, lines).expect("it can be written");
    let (folder, texts) = (folder.to_str().expect("UTF-8"), texts.to_str().expect("UTF-8"));
    let arguments = [
        "entities",
        "--folder",
        folder,
        "--texts",
        texts,
        "--understanding",
        understanding,
    ];
    let (is_success, stdout, stderr) = run(&arguments).await;
    if !is_success {
        return Err(stderr);
    }
    let answers = stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("it is JSON"));
    Ok(answers.collect())
}

#[tokio::test]
async fn each_text_has_a_line_and_places_count_characters() {
    let lines = "{\"text\": \"Étienne saw alice smith on May 3, 2020.\", \"id\": 7}\n{\"text\": \"Nothing.\"}\n";
    let found = answers("entities", lines, "on").await.expect("the texts are read");
    let [first, second] = &found[..] else {
        panic!("{found:?}")
    };
    assert_eq!(second, &json!([]));
    assert_eq!(first[0]["label"], json!("PARTY"));
    assert_eq!(
        (&first[0]["text"], &first[0]["start"], &first[0]["end"]),
        (&json!("alice smith"), &json!(12), &json!(23))
    );
    assert_eq!(
        (&first[1]["label"], &first[1]["recogniser"]),
        (&json!("DATE"), &json!("date"))
    );
    let alone = answers("entities-alone", lines, "off")
        .await
        .expect("the texts are read");
    assert_eq!(alone[0].as_array().map(Vec::len), Some(1), "{alone:?}");
}

#[tokio::test]
async fn a_line_without_a_text_is_named() {
    let said = answers("entities-errors", "{\"text\": \"a\"}\n{\"texts\": \"b\"}\n", "on").await;
    let said = said.expect_err("the second line has no text");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("line 2 is no JSON with a text"), "{said}");
}
