//! Facts about names, over whole texts.

use super::*;
use crate::marked;

/// A text with its mentions, each written as `«LABEL|words»`, and everything that is carried in it, with the words it comes from.
fn carried(marked: &str) -> Vec<(String, String)> {
    let (text, mentions) = read(marked);
    let mut carrying = Carrying::of(&text, &mentions);
    carrying.read(&text, 0..text.len());
    let (carried, _) = carrying.finish();
    let words = |bytes: &Range<usize>| text[bytes.clone()].to_owned();
    carried
        .iter()
        .map(|one| (words(&one.bytes), words(&mentions[one.from].bytes)))
        .collect()
}

fn read(marked: &str) -> (String, Vec<Mention<'_>>) {
    let (text, marks) = marked::read(marked);
    let mentions = marks.into_iter().map(|(label, bytes)| Mention {
        label,
        bytes,
        score: 0.95,
        value: None,
    });
    (text, mentions.collect())
}

/// The things of such a text: name, aliases, roles.
fn told(marked: &str) -> Vec<(String, Vec<String>, Vec<String>)> {
    let (text, mentions) = read(marked);
    let mut carrying = Carrying::of(&text, &mentions);
    carrying.read(&text, 0..text.len());
    let (carried, of) = carrying.finish();
    let mut all: Vec<(Mention<'_>, Option<u32>, bool)> = Vec::new();
    for (mention, of) in mentions.iter().zip(&of) {
        all.push((mention.clone(), *of, false));
    }
    for one in carried {
        let from = &mentions[one.from];
        all.push((
            Mention {
                bytes: one.bytes,
                ..from.clone()
            },
            of[one.from],
            true,
        ));
    }
    all.sort_by_key(|(mention, _, _)| mention.bytes.start);
    let of: Vec<Option<u32>> = all.iter().map(|(_, of, _)| *of).collect();
    let is_carried: Vec<bool> = all.iter().map(|(_, _, carried)| *carried).collect();
    let mentions: Vec<Mention<'_>> = all.into_iter().map(|(mention, _, _)| mention).collect();
    let things = things(&text, &mentions, &of, |at| is_carried[at]).into_iter();
    things
        .map(|one| (one.thing.name, one.thing.aliases, one.thing.roles))
        .collect()
}

fn words(found: &[(String, String)]) -> Vec<&str> {
    found.iter().map(|(words, _)| words.as_str()).collect()
}

#[test]
fn a_sure_name_is_found_wherever_it_stands() {
    let text =
        "«ORG|Acme Corporation» agrees. Later Acme\nCorporation's goods, ACME CORPORATION and (Acme Corporation).";
    let found = carried(text);
    assert_eq!(
        words(&found),
        ["Acme\nCorporation", "ACME CORPORATION", "Acme Corporation"]
    );
    assert!(found.iter().all(|(_, from)| from == "Acme Corporation"));
}

#[test]
fn a_defined_term_means_its_party_from_its_definition_on() {
    let text = "The Company signs. «ORG|Acme Corp.», a Delaware corporation with its office in Dover (the \"Company\"), and \
                «PERSON|Jane Roe» (\"Executive\") agree. The Company pays Executive. A holding company, Holding Company and \
                Company Products.";
    let found: Vec<(String, String)> = carried(text);
    let expected = [
        ("Company", "Acme Corp."),
        ("Executive", "Jane Roe"),
        ("Company", "Acme Corp."),
        ("Executive", "Jane Roe"),
        ("Company", "Acme Corp."),
    ];
    assert_eq!(found, expected.map(|(words, from)| (words.to_owned(), from.to_owned())));
}

#[test]
fn a_short_form_is_found_and_a_longer_name_is_not_divided() {
    let text = "«ORG|Janssen Biotech, Inc.» and «PERSON|Jane Smithson». Janssen Biotech sells. Ms. Smithson left. Smithson Street \
                is near, and Peter Smithson too; smith.";
    assert_eq!(words(&carried(text)), ["Janssen Biotech", "Smithson"]);
}

#[test]
fn a_name_that_is_also_a_word_is_not_carried() {
    assert_eq!(carried("«ORG|Target» sells. The target is met. Target it."), []);
    assert_eq!(carried("«PERSON|Jane Will» asks. He will. Will you?"), []);
    assert_eq!(carried("«ORG|AB» is small. AB is."), []);
}

#[test]
fn two_persons_of_one_surname_have_no_short_form() {
    assert_eq!(carried("«PERSON|Jane Smith» and «PERSON|John Smith». Smith said."), []);
}

#[test]
fn addresses_of_the_internet_hold_no_names() {
    assert_eq!(
        carried("«ORG|Acme Group» at www.Acme Group.com or @Acme Group, mail.Acme Group"),
        []
    );
}

#[test]
fn names_do_not_go_beyond_blank_lines() {
    assert_eq!(carried("«PERSON|Jane Roe» signs.\n\nJane\n\nRoe"), []);
}

#[test]
fn what_names_one_thing_is_one_thing() {
    let text = "«ORG|ACME CORPORATION», a Delaware corporation (\"Acme\" or the \"Seller\"), and «ORG|Beta LLC» (\"Buyer\"). \
                «ORG|Acme Corp.» sells to «ORG|Beta»; Seller pays. «PERSON|Dr. Jane Roe», as Trustee, and «PERSON|J. Roe».";
    let strings = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let expected = [
        (
            "Acme Corp.",
            &["Seller", "ACME CORPORATION", "Acme"][..],
            &["Seller"][..],
        ),
        ("Beta LLC", &["Buyer", "Beta"], &["Buyer"]),
        ("Dr. Jane Roe", &["J. Roe"], &["Trustee"]),
    ];
    let expected = expected.map(|(name, aliases, roles)| (name.to_owned(), strings(aliases), strings(roles)));
    assert_eq!(told(text), expected);
}

#[test]
fn a_place_before_a_definition_is_not_the_party() {
    let text = "between «ORG|Janssen Biotech, Inc.», a corporation organized under the laws of «LOCATION|Pennsylvania» (\"Janssen\") and \
                «ORG|Immunomedics, Inc.», a corporation organized under the laws of «LOCATION|Delaware» (\"Company\"). Company pays.";
    let found = carried(text);
    let expected = [
        ("Janssen", "Janssen Biotech, Inc."),
        ("Company", "Immunomedics, Inc."),
        ("Company", "Immunomedics, Inc."),
    ];
    assert_eq!(found, expected.map(|(words, from)| (words.to_owned(), from.to_owned())));
}
