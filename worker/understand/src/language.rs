//! The language of a text, told from pieces spread over it. Nothing is guessed: a text that is too short, or in no language for
//! most of its length, has none.

use whatlang::Lang;

/// Most pieces that are looked at. A cover page, an annex or a page of signatures in another language is in one or two of them, and
/// the rest decides. Each piece takes 0.2 ms of one core, most of it for comparing with every language that is known.
const PIECES_MAX: usize = 8;
/// Length of a piece, in bytes. From 120 letters on, no piece of the tests' texts in eight languages is told wrongly; six times that
/// also bears names and numbers between the words.
const PIECE_BYTES: usize = 768;
/// Fewest letters of a piece that counts: a table of numbers says nothing about the language.
const PIECE_LETTERS_MIN: usize = 60;
/// Least part of the counted pieces that must be in one language, in percent. Below it the text is in two languages, or in none
/// that is known.
const SHARE_PERCENT_MIN: usize = 60;

/// The language of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// The language as a BCP 47 code: one of [`docket_contract::language::TOLD`].
    pub code: &'static str,
    /// How much of the text that was looked at is in this language, in percent.
    pub percent: u8,
}

/// The language of a text; `None` if it is not known. Takes the same time for every long text, whatever the text holds.
pub fn language(text: &str) -> Option<Told> {
    let judged: Vec<Option<Lang>> = pieces(text).filter(|piece| has_letters(piece)).map(of_piece).collect();
    let votes = |lang: &Lang| judged.iter().filter(|judged| **judged == Some(*lang)).count();
    let winner = judged.iter().flatten().copied().max_by_key(votes)?;
    let percent = votes(&winner) * 100 / judged.len();
    (percent >= SHARE_PERCENT_MIN).then_some(Told {
        code: code(winner)?,
        percent: u8::try_from(percent).unwrap_or(100),
    })
}

/// The pieces of a text that are looked at, from its start to its end: all of a short text, and of a long one an even choice.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let count = text.len().div_ceil(PIECE_BYTES).clamp(1, PIECES_MAX);
    let room = text.len().saturating_sub(PIECE_BYTES);
    (0..count).map(move |number| {
        let start = room * number / (count - 1).max(1);
        let end = (start + PIECE_BYTES).min(text.len());
        &text[text.ceil_char_boundary(start)..text.floor_char_boundary(end)]
    })
}

fn has_letters(piece: &str) -> bool {
    piece.chars().filter(|char| char.is_alphabetic()).count() >= PIECE_LETTERS_MIN
}

/// The language of a piece; `None` when another one is nearly as likely.
fn of_piece(piece: &str) -> Option<Lang> {
    let info = whatlang::detect(piece)?;
    info.is_reliable().then_some(info.lang())
}

fn code(lang: Lang) -> Option<&'static str> {
    CODES.iter().find(|(known, _)| *known == lang).map(|(_, code)| *code)
}

/// The BCP 47 code of each language that is known.
const CODES: &[(Lang, &str)] = &[
    (Lang::Afr, "af"),
    (Lang::Aka, "ak"),
    (Lang::Amh, "am"),
    (Lang::Ara, "ar"),
    (Lang::Aze, "az"),
    (Lang::Bel, "be"),
    (Lang::Bul, "bg"),
    (Lang::Ben, "bn"),
    (Lang::Cat, "ca"),
    (Lang::Ces, "cs"),
    (Lang::Cym, "cy"),
    (Lang::Dan, "da"),
    (Lang::Deu, "de"),
    (Lang::Ell, "el"),
    (Lang::Eng, "en"),
    (Lang::Epo, "eo"),
    (Lang::Spa, "es"),
    (Lang::Est, "et"),
    (Lang::Pes, "fa"),
    (Lang::Fin, "fi"),
    (Lang::Fra, "fr"),
    (Lang::Guj, "gu"),
    (Lang::Heb, "he"),
    (Lang::Hin, "hi"),
    (Lang::Hrv, "hr"),
    (Lang::Hun, "hu"),
    (Lang::Hye, "hy"),
    (Lang::Ind, "id"),
    (Lang::Ita, "it"),
    (Lang::Jpn, "ja"),
    (Lang::Jav, "jv"),
    (Lang::Kat, "ka"),
    (Lang::Khm, "km"),
    (Lang::Kan, "kn"),
    (Lang::Kor, "ko"),
    (Lang::Lat, "la"),
    (Lang::Lit, "lt"),
    (Lang::Lav, "lv"),
    (Lang::Mkd, "mk"),
    (Lang::Mal, "ml"),
    (Lang::Mar, "mr"),
    (Lang::Mya, "my"),
    (Lang::Nep, "ne"),
    (Lang::Nld, "nl"),
    (Lang::Nob, "no"),
    (Lang::Ori, "or"),
    (Lang::Pan, "pa"),
    (Lang::Pol, "pl"),
    (Lang::Por, "pt"),
    (Lang::Ron, "ro"),
    (Lang::Rus, "ru"),
    (Lang::Sin, "si"),
    (Lang::Slk, "sk"),
    (Lang::Slv, "sl"),
    (Lang::Sna, "sn"),
    (Lang::Srp, "sr"),
    (Lang::Swe, "sv"),
    (Lang::Tam, "ta"),
    (Lang::Tel, "te"),
    (Lang::Tha, "th"),
    (Lang::Tuk, "tk"),
    (Lang::Tgl, "tl"),
    (Lang::Tur, "tr"),
    (Lang::Ukr, "uk"),
    (Lang::Urd, "ur"),
    (Lang::Uzb, "uz"),
    (Lang::Vie, "vi"),
    (Lang::Yid, "yi"),
    (Lang::Cmn, "zh"),
    (Lang::Zul, "zu"),
];

#[cfg(test)]
mod tests;
