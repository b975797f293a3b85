//! The tables of a run, for people.

use crate::quality::citations::Found;
use crate::quality::entities::{self, Judged, MODEL_ALONE, WHOLE};
use crate::quality::labels::{PEERS, Peer};
use crate::quality::scores::{Counts, Table};
use crate::quality::spacing::Spacing;

/// Prints what all found by labels, in the spacing that counts, and then by each peer's own labels.
pub fn print_entities(judged: &[Judged]) {
    let peers = PEERS.map(Peer::name);
    for name in [WHOLE, MODEL_ALONE].into_iter().chain(peers) {
        let Some(one) = entities::counting(judged, name) else {
            continue;
        };
        println!("\n{name}, words separated as in {}", spacing(one));
        print_table(&one.all);
    }
    println!("\nmicro F1                      as the data is  as in prose");
    for one in judged.iter().filter(|one| one.spacing == Spacing::Data) {
        let prose = judged
            .iter()
            .find(|other| other.name == one.name && other.spacing != one.spacing);
        print_line(
            &format!("{}, all labels", one.name),
            one.all.micro(),
            prose.map(|prose| prose.all.micro()),
        );
        for (peer, table) in &one.views {
            let prose = prose.and_then(|prose| prose.views.get(peer)).map(Table::micro);
            print_line(
                &format!("{}, labels of {}", one.name, peer.name()),
                table.micro(),
                prose,
            );
        }
    }
}

/// Prints how many citations a contestant found.
pub fn print_citations(name: &str, all: &Found, us: &Found) {
    for (which, found) in [("all passages", all), ("United States", us)] {
        let Found {
            expected,
            answers,
            right,
            exact,
            ..
        } = found;
        println!(
            "{name:8}  {which:13}  recall {:.3}  precision {:.3}  ({right} right of {expected} marks and {answers} answers; {exact} exact)",
            found.recall(),
            found.precision(),
        );
    }
    let missed = all
        .missed_by_form
        .iter()
        .map(|(form, (there, missed))| format!("{form} {missed} of {there}"));
    println!("{name:8}  missed: {}", missed.collect::<Vec<_>>().join(", "));
}

fn spacing(judged: &Judged) -> &'static str {
    match judged.spacing {
        Spacing::Data => "the data",
        Spacing::Prose => "prose",
    }
}

fn print_line(name: &str, data: Counts, prose: Option<Counts>) {
    let prose = prose.map_or_else(|| "-".to_owned(), |prose| format!("{:.3}", prose.f1()));
    println!("{name:30}  {:>12.3}  {prose:>11}", data.f1());
}

fn print_table(table: &Table) {
    println!(
        "{:12}  precision  recall     f1  expected  found  right | wrong: boundary  label  both  unlabelled  (recognisers) | missed",
        "label"
    );
    let rows = table.0.iter().map(|(label, counts)| (label.as_str(), *counts));
    for (label, counts) in rows.chain([("micro", table.micro())]) {
        let Counts {
            expected,
            found,
            right,
            boundary,
            label: labels,
            label_and_boundary: both,
            unlabelled,
            wrong_of_recognisers,
            missed,
        } = counts;
        println!(
            "{label:12}  {:9.3}  {:6.3}  {:5.3}  {expected:8}  {found:5}  {right:5} | {boundary:15}  {labels:5}  {both:4}  {unlabelled:10}  {wrong_of_recognisers:13} | {missed:6}",
            counts.precision(),
            counts.recall(),
            counts.f1(),
        );
    }
}
