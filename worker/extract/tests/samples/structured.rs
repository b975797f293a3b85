//! Documents that are no pages: the regions and places of their words, and the files within a mail.

use docket_contract::coverage::FileCoverage;
use docket_contract::media_type::MediaType;
use docket_contract::place::{Place, Region};
use docket_extract::Reading;

use crate::reading::{blocks, read, stands};

pub const FACTS: &[(&str, fn())] = &[
    ("each_document_is_of_its_kind", each_document_is_of_its_kind),
    ("an_amendment_is_read_as_accepted", an_amendment_is_read_as_accepted),
    ("words_of_an_amendment_have_their_places", words_of_an_amendment),
    (
        "a_letter_is_read_without_what_was_deleted",
        a_letter_is_read_without_what_was_deleted,
    ),
    ("words_of_a_letter_have_their_places", words_of_a_letter),
    ("a_page_of_the_web_is_read_as_it_is_shown", a_page_of_the_web),
    ("a_mail_has_lines_at_its_head", a_mail_has_lines_at_its_head),
    (
        "a_mail_gives_its_attachment_as_it_was_sent",
        a_mail_gives_its_attachment,
    ),
];

fn paragraph(paragraph: u32) -> Option<Place> {
    Some(Place::Paragraph { paragraph })
}

fn cell(table: u32, row: u32, column: u32) -> Option<Place> {
    Some(Place::Cell { table, row, column })
}

#[track_caller]
fn assert_stand(reading: &Reading, facts: &[(&str, Region, Option<Place>)]) {
    for &(words, region, place) in facts {
        assert_eq!(stands(reading, words), (region, place), "{words}");
    }
}

fn each_document_is_of_its_kind() {
    for (name, media_type) in [
        ("engagement-letter.odt", MediaType::Odt),
        ("public-notice.html", MediaType::Html),
        ("services-agreement.pdf", MediaType::Pdf),
        ("settlement-offer.eml", MediaType::Mail),
        ("supply-amendment.docx", MediaType::Docx),
    ] {
        assert_eq!(read(name).text.coverage.media_type, media_type.as_str(), "{name}");
    }
}

fn an_amendment_is_read_as_accepted() {
    let text = read("supply-amendment.docx").text.text;
    for inserted in ["ends on March 31, 2027.", "four percent (4%)", "Xiomara Delacroix-Penn"] {
        assert!(text.contains(inserted), "{inserted}");
    }
    for deleted in ["September 30, 2025", "Percival Stroud", "Exclusivity", "Etxeberria"] {
        assert!(!text.contains(deleted), "{deleted}");
    }
}

fn words_of_an_amendment() {
    let amendment = read("supply-amendment.docx");
    assert_stand(
        &amendment,
        &[
            ("Draft of June 18, 2024", Region::Header, paragraph(1)),
            ("AMENDMENT NO. 2", Region::Body, paragraph(1)),
            ("March 31, 2027", Region::Body, paragraph(3)),
            ("Product", Region::Body, cell(1, 1, 1)),
            ("$4,875.00", Region::Body, cell(1, 3, 2)),
            ("Xiomara Delacroix-Penn", Region::Body, paragraph(5)),
            ("Dr. Amparo Villaseñor", Region::Body, paragraph(6)),
            ("Ofelia Zurita", Region::Body, cell(2, 2, 2)),
            ("Page 1", Region::Footer, paragraph(1)),
            ("February 27, 2023", Region::Footnote, paragraph(1)),
        ],
    );
}

fn a_letter_is_read_without_what_was_deleted() {
    let text = read("engagement-letter.odt").text.text;
    assert!(!text.contains("Maplewood") && !text.contains("2024-11-11"), "{text}");
}

fn words_of_a_letter() {
    assert_stand(
        &read("engagement-letter.odt"),
        &[
            ("BRAMBLE, ASANTE & WEIR PLLC", Region::Header, paragraph(1)),
            ("77 Foundry Square", Region::Header, paragraph(2)),
            ("Ms. Solveig Ashgrove-Tanaka", Region::Body, paragraph(2)),
            ("$310.00 an hour", Region::Body, cell(1, 3, 3)),
            ("$145.00 an hour", Region::Body, cell(1, 4, 3)),
            ("Otter Creek Savings Bank", Region::Body, paragraph(9)),
            ("company of Vermont", Region::Footer, paragraph(1)),
            ("law clerks", Region::Footnote, paragraph(1)),
        ],
    );
}

fn a_page_of_the_web() {
    let notice = read("public-notice.html");
    assert_eq!(blocks(&notice, Region::Header), ["Notice of Public Hearing"]);
    assert_stand(
        &notice,
        &[
            ("Verdigris Mining Company", Region::Body, paragraph(3)),
            ("Araminta Fell, Chair", Region::Body, cell(1, 2, 3)),
            ("Opal Runningwater", Region::Body, paragraph(5)),
            ("Calico Sentinel", Region::Body, paragraph(8)),
        ],
    );
    let text = notice.text.text;
    assert!(!text.contains("Hector") && !text.contains("Not text") && !text.contains("font-family"));
}

fn a_mail_has_lines_at_its_head() {
    let mail = read("settlement-offer.eml");
    assert_eq!(
        blocks(&mail, Region::MailHeader),
        [
            "From: Genevieve Sørensen <gsorensen@sorensenachebe.example>",
            "To: Tobias Marchetti-Vale <tmv@valeandholt.example>",
            "Cc: \"Ravenscourt, Daphne\" <daphne@ravenscourt.example>",
            "Date: Fri, 26 Jul 2024 16:41:00 -0700",
            "Subject: Settlement of Ravenscourt v. Pale Orchard Cinemas – draft for signature",
        ]
    );
    assert_stand(
        &mail,
        &[
            ("Tobias Marchetti-Vale", Region::MailHeader, paragraph(2)),
            ("Beatrix Lindholm", Region::Body, paragraph(3)),
            ("Kind regards", Region::Body, paragraph(4)),
        ],
    );
}

fn a_mail_gives_its_attachment() {
    let mail = read("settlement-offer.eml");
    let [file] = &mail.files[..] else {
        panic!("{:?}", mail.files);
    };
    assert_eq!(file.file_name.as_deref(), Some("settlement-agreement.pdf"));
    assert_eq!(file.declared.media_type, MediaType::Pdf);
    assert_eq!(file.bytes.len(), 1_522);
    assert!(file.bytes.starts_with(b"%PDF-1.4\n") && file.bytes.ends_with(b"%%EOF\n"));
    let counts = FileCoverage {
        documents: 1,
        ..FileCoverage::default()
    };
    assert_eq!(mail.text.coverage.files, Some(counts));
}
