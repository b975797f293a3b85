//! Writes contracts and letters from sentences with gaps. Names recur within a document, as in real ones.

use super::random::Random;
use super::words as w;

/// A writer of one document.
#[derive(Debug)]
pub struct Prose {
    random: Random,
    parties: [Party; 2],
    court: &'static str,
    state: &'static str,
    statute: &'static str,
}

/// One side of a document's agreement.
#[derive(Debug)]
struct Party {
    firm: String,
    role: &'static str,
    person: String,
    street: String,
    city: &'static str,
}

/// A text that grows word by word.
#[derive(Debug, Default)]
struct Page {
    text: String,
    words: usize,
}

impl Prose {
    /// A writer that makes its choices by `random`.
    pub fn new(mut random: Random) -> Self {
        let roles = w::ROLES[random.below(w::ROLES.len())];
        let parties = [Party::new(&mut random, roles.0), Party::new(&mut random, roles.1)];
        let court = random.pick(w::COURTS);
        let state = random.pick(w::STATES);
        let statute = random.pick(w::STATUTES);
        Self {
            random,
            parties,
            court,
            state,
            statute,
        }
    }

    /// A contract of at least this many words: title, parties, numbered sections.
    pub fn contract(&mut self, words: usize) -> String {
        let mut page = Page::default();
        let title = self.random.pick(w::TITLES);
        page.add(&format!("{}\n\n", title.to_uppercase()));
        let opening = self.fill(w::OPENING);
        page.add(&format!("{opening}\n\n"));
        let mut section = 0;
        while page.words < words {
            section += 1;
            let heading = self.random.pick(w::HEADINGS);
            page.add(&format!("{section}. {heading}\n\n"));
            let clauses = self.random.within(1, 5);
            for clause in 1..=clauses {
                page.add(&format!("{section}.{clause} "));
                self.sentences(&mut page, w::CLAUSES, words);
                page.add("\n\n");
                if page.words >= words {
                    break;
                }
            }
        }
        page.text
    }

    /// A letter of at least this many words.
    pub fn letter(&mut self, words: usize) -> String {
        let mut page = Page::default();
        let head = self.fill(w::LETTER_HEAD);
        page.add(&head);
        while page.words < words {
            self.sentences(&mut page, w::LETTER, words);
            page.add("\n\n");
        }
        let end = self.fill(w::LETTER_END);
        page.add(&end);
        page.text
    }

    /// Adds a paragraph of a few sentences, which ends early once the text is long enough.
    fn sentences(&mut self, page: &mut Page, from: &[&str], words: usize) {
        let count = self.random.within(1, 4);
        for number in 0..count {
            let sentence = self.random.pick(from);
            let sentence = self.fill(sentence);
            page.add(if number == 0 { "" } else { " " });
            page.add(&sentence);
            if page.words >= words {
                return;
            }
        }
    }

    /// A sentence whose gaps are filled.
    fn fill(&mut self, sentence: &str) -> String {
        let mut filled = String::with_capacity(2 * sentence.len());
        let mut rest = sentence;
        while let Some((before, after)) = rest.split_once('{') {
            let (gap, behind) = after.split_once('}').unwrap_or((after, ""));
            filled.push_str(before);
            let word = self.word(gap);
            filled.push_str(&word);
            rest = behind;
        }
        filled + rest
    }

    fn word(&mut self, gap: &str) -> String {
        match gap {
            "firm" => self.parties[0].firm.clone(),
            "firm2" => self.parties[1].firm.clone(),
            "role" => self.parties[0].role.to_owned(),
            "role2" => self.parties[1].role.to_owned(),
            "person" => self.parties[0].person.clone(),
            "person2" => self.parties[1].person.clone(),
            "street" => self.parties[0].street.clone(),
            "city" => self.parties[0].city.to_owned(),
            "city2" => self.parties[1].city.to_owned(),
            "court" => self.court.to_owned(),
            "state" => self.state.to_owned(),
            "statute" => self.statute.to_owned(),
            "other_firm" => firm(&mut self.random),
            "other_statute" => self.random.pick(w::STATUTES).to_owned(),
            "agency" => self.random.pick(w::AGENCIES).to_owned(),
            "thing" => self.random.pick(w::THINGS).to_owned(),
            "things" => self.random.pick(w::PLURALS).to_owned(),
            "manner" => self.random.pick(w::MANNERS).to_owned(),
            "date" => date(&mut self.random),
            "money" => money(&mut self.random),
            "days" => (5 * self.random.within(1, 24)).to_string(),
            "percent" => self.random.within(1, 40).to_string(),
            "section" => format!("{}.{}", self.random.within(1, 18), self.random.within(1, 6)),
            other => unreachable!("no word fills the gap {other}"),
        }
    }
}

impl Party {
    fn new(random: &mut Random, role: &'static str) -> Self {
        Self {
            firm: firm(random),
            role,
            person: format!("{} {}", random.pick(w::GIVEN), random.pick(w::FAMILY)),
            street: format!(
                "{} {} {}",
                random.within(1, 2_400),
                random.pick(w::FAMILY),
                random.pick(w::WAYS)
            ),
            city: random.pick(w::CITIES),
        }
    }
}

impl Page {
    fn add(&mut self, text: &str) {
        self.words += super::word_count(text);
        self.text.push_str(text);
    }
}

fn firm(random: &mut Random) -> String {
    let (name, trade, form) = (random.pick(w::FIRMS), random.pick(w::TRADES), random.pick(w::FORMS));
    format!("{name} {trade} {form}")
}

fn date(random: &mut Random) -> String {
    let (month, day, year) = (random.pick(w::MONTHS), random.within(1, 28), random.within(1998, 2026));
    format!("{month} {day}, {year}")
}

fn money(random: &mut Random) -> String {
    match random.below(3) {
        0 => format!("${},{:03}.00", random.within(1, 950), 25 * random.below(40)),
        1 => format!(
            "${},{:03},{:03}",
            random.within(1, 90),
            random.below(1_000),
            100 * random.below(10)
        ),
        _ => format!("US ${}.{} million", random.within(1, 80), random.below(10)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_gap_of_every_sentence_can_be_filled() {
        let mut prose = Prose::new(Random::new(1));
        let all = [w::CLAUSES, w::LETTER, &[w::OPENING, w::LETTER_HEAD, w::LETTER_END]].concat();
        for sentence in all {
            let filled = prose.fill(sentence);
            assert!(!filled.contains(['{', '}']), "{filled}");
        }
    }

    #[test]
    fn a_contract_names_its_parties_and_counts_its_sections() {
        let text = Prose::new(Random::new(2)).contract(900);
        let prose = Prose::new(Random::new(2));
        assert!(text.contains(&prose.parties[0].firm) && text.contains(&prose.parties[1].firm));
        assert!(
            text.contains("\n\n1. ") && text.contains("\n\n2. ") && text.contains("\n\n1.1 "),
            "{text}"
        );
    }
}
