//! Documents that are more than plain text, from upload to entities with their places.

use std::io::{Cursor, Read};
use std::time::Duration;

use docket_e2e::api::{Accepted, Caller};
use docket_e2e::system::System;
use serde_json::{Value, json};

use crate::LETTER;

const PDF: (&str, &str) = ("application/pdf", "agreement.pdf");
const MAIL: (&str, &str) = ("message/rfc822", "agreement.eml");

/// A PDF whose pages show these lines, 20 points apart, from 72 points below the top left of a page of 612 x 792.
fn pdf(pages: &[&[&str]]) -> Vec<u8> {
    let kids: Vec<String> = (0..pages.len()).map(|page| format!("{} 0 R", 4 + 2 * page)).collect();
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!("<< /Type /Pages /Count {} /Kids [{}] >>", pages.len(), kids.join(" ")),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    for (number, lines) in pages.iter().enumerate() {
        let shown: Vec<String> = lines.iter().map(|line| format!("({line}) Tj 0 -20 Td")).collect();
        let content = format!("BT /F1 12 Tf 72 708 Td {} ET", shown.join(" "));
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >> /Contents {} 0 R >>",
            5 + 2 * number
        ));
        objects.push(format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()));
    }
    let mut file = b"%PDF-1.4\n".to_vec();
    let mut places = Vec::new();
    for (number, object) in objects.iter().enumerate() {
        places.push(file.len());
        file.extend(format!("{} 0 obj\n{object}\nendobj\n", number + 1).into_bytes());
    }
    let table = file.len();
    let rows: String = places.iter().map(|place| format!("{place:010} 00000 n \n")).collect();
    let size = objects.len() + 1;
    file.extend(
        format!("xref\n0 {size}\n0000000000 65535 f \n{rows}trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n")
            .into_bytes(),
    );
    file
}

/// A mail with a note as its text and these files attached.
fn mail(note: &str, files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut mail = format!(
        "From: Maria Gonzalez <maria@acme.example>\r\nTo: legal@acme.example\r\nSubject: Agreement of January 5, 2024\r\n\
         MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=part\r\n\r\n--part\r\nContent-Type: text/plain\r\n\r\n\
         {note}\r\n"
    )
    .into_bytes();
    for (name, bytes) in files {
        mail.extend(
            format!(
                "--part\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename={name}\r\n\
                 Content-Transfer-Encoding: binary\r\n\r\n"
            )
            .into_bytes(),
        );
        mail.extend_from_slice(bytes);
        mail.extend_from_slice(b"\r\n");
    }
    mail.extend_from_slice(b"--part--\r\n");
    mail
}

fn found<'a>(entities: &'a [Value], text: &str) -> &'a Value {
    let named = entities.iter().find(|entity| entity["text"] == text);
    named.unwrap_or_else(|| panic!("{text} is found among {entities:#?}"))
}

async fn failed(caller: &Caller, accepted: &Accepted) -> (String, String) {
    let job = caller.until(accepted, "failed").await;
    let word = |name: &str| job["error"][name].as_str().unwrap().to_owned();
    (word("kind"), word("detail"))
}

#[tokio::test]
async fn an_entity_of_a_pdf_has_its_page_and_its_box() {
    let system = System::start().await;
    let _worker = system.worker().await;
    let caller = system.caller("acme").await;
    let lines: Vec<&str> = LETTER.split(". ").collect();
    let accepted = caller.upload_file(PDF, "", pdf(&[&["Preface."], &lines])).await;
    let entities = caller.checked_entities(&accepted).await;
    let date = found(&entities, "January 5, 2024");
    assert_eq!(
        (&date["page"], &date["region"], &date["place"]),
        (&json!(2), &json!("body"), &Value::Null)
    );
    let boxes = date["boxes"].as_array().unwrap();
    let edge = |name: &str| boxes[0][name].as_f64().unwrap();
    assert_eq!(boxes.len(), 1, "{date}");
    // The first line's base stands 84 points below the top: 792 less 708.
    assert!(edge("left") > 72.0 && edge("right") > edge("left") + 50.0, "{date}");
    assert!(
        edge("top") > 68.0 && edge("top") < 84.0 && edge("bottom") >= 84.0 && edge("bottom") < 92.0,
        "{date}"
    );

    let (status, page) = caller
        .get(&format!("/v1/documents/{}/pages/2", accepted.document))
        .await;
    assert_eq!(status, 200, "{page}");
    assert_eq!(
        (&page["width"], &page["height"], &page["reading"]),
        (&json!(612.0), &json!(792.0), &json!("text"))
    );
    let text = page["text"].as_str().unwrap();
    assert!(text.starts_with("This Agreement is made on January 5, 2024"), "{text}");
    let start = usize::try_from(page["start_byte"].as_u64().unwrap()).unwrap();
    assert_eq!(&caller.text(&accepted).await[start..][..text.len()], text);
    assert_eq!(page["blocks"][0]["start"], page["start"]);
    for missing in ["0", "3", "x"] {
        let path = format!("/v1/documents/{}/pages/{missing}", accepted.document);
        assert_eq!(caller.get(&path).await.0, 404, "{missing}");
    }
    let job = caller.job(&accepted).await;
    assert_eq!(job["coverage"]["media_type"], "application/pdf");
    assert_eq!(job["coverage"]["pages"], json!({"total": 2, "read": 2, "by_ocr": 0}));
}

#[tokio::test]
async fn a_scan_is_read_by_ocr_and_its_entities_have_their_boxes() {
    let system = System::start().await;
    let _worker = system.worker().await;
    let caller = system.caller("acme").await;
    let scan = include_bytes!("../../../local/samples/consent-scan.tiff");
    let accepted = caller
        .upload_file(("image/tiff", "consent.tiff"), "", scan.to_vec())
        .await;
    let entities = caller.checked_entities(&accepted).await;
    let on_page = |page: u64| entities.iter().filter(move |entity| entity["page"] == page);
    assert!(on_page(1).count() > 0 && on_page(2).count() > 0, "{entities:#?}");
    assert!(
        entities
            .iter()
            .all(|entity| entity["boxes"][0]["right"].as_f64() > Some(0.0))
    );
    let pages = &caller.job(&accepted).await["coverage"]["pages"];
    assert_eq!((&pages["total"], &pages["by_ocr"]), (&json!(2), &json!(2)), "{pages}");
    assert!(pages["ocr_confidence"].as_u64() > Some(80), "{pages}");
    let path = format!("/v1/documents/{}/pages/2", accepted.document);
    let (_, page) = caller.get(&path).await;
    assert_eq!((&page["reading"], &page["width"]), (&json!("ocr"), &json!(612.0)));
    assert!(page["ocr_confidence"].as_u64() > Some(80), "{page}");
}

#[tokio::test]
async fn one_clients_scan_is_next_beside_anothers_many() {
    let system = System::start().await;
    let _worker = system.worker_with(&[("DOCKET_OCR_PROCESSES", "1")]).await;
    let (noisy, quiet) = (system.caller("noisy").await, system.caller("quiet").await);
    let scan = include_bytes!("../../../local/samples/termination-notice-scan.pdf");
    let mut many = Vec::new();
    for _ in 0..8 {
        many.push(noisy.upload_file(PDF, "", scan.to_vec()).await);
    }
    let one = quiet.upload_file(PDF, "", scan.to_vec()).await;
    let time = |job: &Value, what: &str| job[what].as_str().expect("it has ended").to_owned();
    let job = quiet.until(&one, "succeeded").await;
    let waited = time(&job, "created_at")..time(&job, "ended_at");
    let mut meanwhile = 0;
    for accepted in &many {
        let job = noisy.until(accepted, "succeeded").await;
        assert_eq!(job["attempts"], 1, "waiting for a turn is no attempt: {job}");
        meanwhile += usize::from(waited.contains(&time(&job, "ended_at")));
    }
    // One that was in work, and what the worker took before it knew of the quiet client's scan.
    assert!(meanwhile <= 3, "{meanwhile} scans were read before the quiet client's");
}

#[tokio::test]
async fn without_ocr_a_scan_says_that_its_pages_have_no_text() {
    let system = System::start().await;
    let _worker = system.worker_with(&[("DOCKET_OCR", "false")]).await;
    let caller = system.caller("acme").await;
    let scan = include_bytes!("../../../local/samples/termination-notice-scan.pdf");
    let accepted = caller.upload_file(PDF, "", scan.to_vec()).await;
    let job = caller.until(&accepted, "succeeded").await;
    let without = json!([{"why": "no_text_layer", "count": 1, "pages": "1"}]);
    let pages = json!({"total": 1, "read": 0, "by_ocr": 0, "without_text": without});
    assert_eq!(job["coverage"]["pages"], pages);
    assert_eq!(caller.text(&accepted).await, "");
}

/// The image of a page, once a worker has drawn it.
async fn image(caller: &Caller, accepted: &Accepted, page: u32) -> reqwest::Response {
    let path = format!("/v1/documents/{}/pages/{page}/image", accepted.document);
    for _ in 0..100 {
        let answer = caller.answer(&path).await;
        if answer.status() != 202 {
            return answer;
        }
        assert_eq!(answer.headers()["retry-after"], "1");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("the image of page {page} is not drawn");
}

#[tokio::test]
async fn the_image_of_a_page_is_drawn_when_it_is_wanted() {
    let system = System::start().await;
    let _worker = system.worker().await;
    let caller = system.caller("acme").await;
    let accepted = caller.upload_file(PDF, "", pdf(&[&["Preface."], &[LETTER]])).await;
    let path = format!("/v1/documents/{}/pages/2/image", accepted.document);
    assert_eq!(
        caller
            .get("/v1/documents/0192a6d0-0000-7000-8000-000000000001/pages/1/image")
            .await
            .0,
        404
    );
    caller.until(&accepted, "succeeded").await;
    let answer = image(&caller, &accepted, 2).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "image/png");
    assert_eq!(
        answer.headers()["cache-control"],
        "private, max-age=31536000, immutable"
    );
    let png = answer.bytes().await.unwrap();
    // The header of a PNG says width and height: two pixels a point.
    assert_eq!(png[16..24], [0, 0, 4, 200, 0, 0, 6, 48]);
    assert_eq!(
        caller
            .get(&format!("/v1/documents/{}/pages/3/image", accepted.document))
            .await
            .0,
        404
    );
    let other = system.caller("other").await;
    assert_eq!(other.get(&path).await.0, 404, "it is another client's");
    let letter = caller.upload(LETTER).await;
    caller.until(&letter, "succeeded").await;
    let of_text = format!("/v1/documents/{}/pages/1/image", letter.document);
    assert_eq!(caller.get(&of_text).await.0, 409, "a text has no pages");
}

#[tokio::test]
async fn only_the_pages_that_are_asked_for_are_read() {
    let system = System::start().await;
    let _worker = system.worker().await;
    let caller = system.caller("acme").await;
    let pages = pdf(&[&["One."], &["Two."], &["Three."]]);
    let accepted = caller.upload_file(PDF, "pages=2", pages).await;
    let job = caller.until(&accepted, "succeeded").await;
    let not_asked = json!([{"why": "not_asked", "count": 2, "pages": "1,3"}]);
    assert_eq!(
        job["coverage"]["pages"],
        json!({"total": 3, "read": 1, "by_ocr": 0, "without_text": not_asked})
    );
    assert_eq!(caller.text(&accepted).await, "\u{c}Two.\u{c}");
}

#[tokio::test]
async fn offsets_are_counted_as_the_caller_counts() {
    let system = System::start().await;
    let _worker = system.worker().await;
    let caller = system.caller("acme").await;
    let text = format!("\u{1f3db} Zürich. {LETTER}");
    let accepted = caller.upload(&text).await;
    caller.until(&accepted, "succeeded").await;
    let units: Vec<u16> = text.encode_utf16().collect();
    let path = |offsets: &str| format!("/v1/documents/{}/entities?offsets={offsets}", accepted.document);
    for (offsets, ends) in [
        ("utf16", units.len()),
        ("byte", text.len()),
        ("scalar", text.chars().count()),
    ] {
        let (status, page) = caller.get(&path(offsets)).await;
        assert_eq!((status, &page["offsets"]), (200, &json!(offsets)));
        let date = found(page["entities"].as_array().unwrap(), "January 5, 2024");
        let end = |name: &str| usize::try_from(date[name].as_u64().unwrap()).unwrap();
        let (start, end) = (end("start"), end("end"));
        assert!(start < end && end <= ends);
        match offsets {
            "utf16" => assert_eq!(String::from_utf16_lossy(&units[start..end]), "January 5, 2024"),
            "byte" => assert_eq!(&text[start..end], "January 5, 2024"),
            _ => assert_eq!(
                text.chars().skip(start).take(end - start).collect::<String>(),
                "January 5, 2024"
            ),
        }
    }
    assert_eq!(caller.get(&path("words")).await.0, 400);
}

#[tokio::test]
async fn the_files_of_a_mail_are_documents_of_their_own() {
    let system = System::start().await;
    let _worker = system.worker().await;
    let caller = system.caller("acme").await;
    let lines: Vec<&str> = LETTER.split(". ").collect();
    let (attached, note) = (
        pdf(&[&lines]),
        "Please find the agreement with Acme Holdings, Inc. attached.",
    );
    let bytes = mail(
        note,
        &[("agreement.pdf", &attached), ("note.txt", b"Signed by Maria Gonzalez.")],
    );
    let accepted = caller.upload_file(MAIL, "priority=bulk", bytes.clone()).await;
    let entities = caller.checked_entities(&accepted).await;
    assert!(
        entities.iter().any(|entity| entity["region"] == "mail_header"),
        "{entities:?}"
    );
    let body = format!("/v1/documents/{}/entities?region=body", accepted.document);
    let (_, page) = caller.get(&body).await;
    let body = page["entities"].as_array().unwrap();
    assert!(!body.is_empty() && body.len() < entities.len(), "{page}");
    assert_eq!(body[0]["place"], json!({"kind": "paragraph", "paragraph": 1}));
    let job = caller.job(&accepted).await;
    assert_eq!(job["coverage"]["files"]["documents"], 2, "{job}");

    let of_mail = format!("/v1/documents?parent_id={}", accepted.document);
    let (_, children) = caller.get(&of_mail).await;
    let children = children["documents"].as_array().unwrap().clone();
    assert_eq!(children.len(), 2);
    for child in &children {
        assert_eq!(child["parent_id"], json!(accepted.document));
        assert_eq!(child["job"]["priority"], "bulk", "as the mail");
        let child = Accepted {
            document: child["document_id"].as_str().unwrap().to_owned(),
            job: child["job"]["job_id"].as_str().unwrap().to_owned(),
        };
        caller.checked_entities(&child).await;
    }
    let named = children
        .iter()
        .find(|child| child["file_name"] == "agreement.pdf")
        .unwrap();
    let original = format!("/v1/documents/{}/original", named["document_id"].as_str().unwrap());
    assert_eq!(caller.get_bytes(&original).await, (200, attached));

    // Another analysis of the mail accepts no file again.
    let again = caller.analyse_again(&accepted, "ner-legal").await;
    caller.until(&again, "succeeded").await;
    assert_eq!(caller.get(&of_mail).await.1["documents"].as_array().unwrap().len(), 2);
    let (_, all) = caller.get("/v1/documents").await;
    assert_eq!(all["documents"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn the_content_says_what_a_document_is() {
    let system = System::start().await;
    let _worker = system.worker().await;
    let caller = system.caller("acme").await;
    let page = pdf(&[&["Signed by Maria Gonzalez."]]);
    let accepted = caller.upload_file(("text/plain", "letter.txt"), "", page).await;
    let job = caller.until(&accepted, "succeeded").await;
    assert_eq!(job["coverage"]["media_type"], "application/pdf");
    assert_eq!(job["coverage"]["declared"], "text/plain");
    assert_eq!(caller.text(&accepted).await, "Signed by Maria Gonzalez.");

    let html = b"<html><body><h1>Lease</h1><p>Signed by <b>Maria Gonzalez</b>.</body></html>".to_vec();
    let accepted = caller
        .upload_file(("application/octet-stream", "lease"), "", html)
        .await;
    caller.until(&accepted, "succeeded").await;
    assert_eq!(caller.text(&accepted).await, "Lease\n\nSigned by Maria Gonzalez.");
}

#[tokio::test]
async fn a_file_that_cannot_be_read_says_why_and_hurts_no_other() {
    let system = System::start().await;
    let settings = [("DOCKET_PAGES_MAX", "2"), ("DOCKET_PARSERS", "1")];
    let _worker = system.worker_with(&settings).await;
    let caller = system.caller("acme").await;
    let three = caller
        .upload_file(PDF, "", pdf(&[&["One."], &["Two."], &["Three."]]))
        .await;
    let broken = caller
        .upload_file(PDF, "", b"%PDF-1.7 and nothing that it needs".to_vec())
        .await;
    let picture = caller.upload_file(PDF, "", b"GIF89a and a picture".to_vec()).await;
    let old = [&b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"[..], &[0; 600]].concat();
    let old = caller
        .upload_file(("application/octet-stream", "old.doc"), "", old)
        .await;
    let good = caller
        .upload_file(PDF, "", pdf(&[&["Signed by Maria Gonzalez."]]))
        .await;
    let told = "the document has 3 pages, and may have 2 (DOCKET_PAGES_MAX)";
    assert_eq!(failed(&caller, &three).await, ("too_many_pages".into(), told.into()));
    assert_eq!(failed(&caller, &broken).await.0, "malformed");
    let told = "the document is a GIF picture, which is not read";
    assert_eq!(
        failed(&caller, &picture).await,
        ("unsupported_type".into(), told.into())
    );
    assert_eq!(failed(&caller, &old).await.0, "unsupported_type");
    caller.checked_entities(&good).await;
}

/// A file of a ZIP, by the end of its name.
fn unpacked(archive: &[u8], end: &str) -> Vec<u8> {
    let mut archive = zip::ZipArchive::new(Cursor::new(archive)).unwrap();
    let mut names = archive.file_names().map(|name| name.unwrap().into_owned());
    let name = names.find(|name| name.ends_with(end)).unwrap();
    drop(names);
    let mut bytes = Vec::new();
    archive.by_name(&name).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

#[tokio::test]
async fn entities_of_a_pdf_are_exported_with_the_words_they_stand_on() {
    let system = System::start().await;
    let _worker = system.worker().await;
    let caller = system.caller("acme").await;
    let lines: Vec<&str> = LETTER.split(". ").collect();
    let file = pdf(&[&["Preface."], &lines]);
    let accepted = caller.upload_file(PDF, "", file.clone()).await;
    let entities = caller.checked_entities(&accepted).await;
    let path = format!("/v1/documents/{}/export?format=opencontracts", accepted.document);
    let (status, archive) = caller.get_bytes(&path).await;
    assert_eq!(status, 200);
    assert_eq!(unpacked(&archive, ".pdf"), file, "the upload is within");
    let export: Value = serde_json::from_slice(&unpacked(&archive, &format!("{}.json", accepted.document))).unwrap();
    assert_eq!(
        (&export["title"], &export["page_count"]),
        (&json!("agreement.pdf"), &json!(2))
    );
    assert_eq!(export["content"].as_str().unwrap(), caller.text(&accepted).await);
    let pages = export["pawls_file_content"].as_array().unwrap();
    assert_eq!(pages[0]["tokens"][0]["text"], "Preface.");
    let annotations = export["labelled_text"].as_array().unwrap();
    assert_eq!(annotations.len(), entities.len());
    for (annotation, entity) in annotations.iter().zip(&entities) {
        assert_eq!(annotation["rawText"], entity["text"]);
        let words = annotation["annotation_json"]["1"]["tokensJsons"].as_array().unwrap();
        let word = |word: &Value| {
            let token = usize::try_from(word["tokenIndex"].as_u64().unwrap()).unwrap();
            pages[1]["tokens"][token]["text"].as_str().unwrap().to_owned()
        };
        let words: Vec<String> = words.iter().map(word).collect();
        let text: Vec<&str> = entity["text"].as_str().unwrap().split_whitespace().collect();
        // A word has the comma behind it.
        assert!(words.join(" ").contains(&text.join(" ")), "{words:?} are not {text:?}");
    }
    let labels: Value = serde_json::from_slice(&unpacked(&archive, "labels.json")).unwrap();
    let label = entities[0]["label"].as_str().unwrap();
    assert_eq!(labels["text_labels"][label]["label_type"], "TOKEN_LABEL");
}
