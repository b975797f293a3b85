use super::*;
use encoding_rs::*;

const ENGLISH: &str = "Dana Whitfield\u{2019}s lease \u{2013} signed \u{201c}as is\u{201d} \u{2013} ends on 3 May; the rent is \u{a3}950.";
const GERMAN: &str =
    "Die Mieterin trägt die Kosten für Schönheitsreparaturen gemäß § 5 des Vertrages; größere Schäden meldet sie früh.";
const FRENCH: &str = "Le présent bail est conclu à Orléans entre Hélène Gérard, née à Besançon, et la société représentée par son gérant.";
const POLISH: &str = "Niniejsza umowa została zawarta w Łodzi między Małgorzatą Wiśniewską a spółką, zwaną dalej „Najemcą”, dnia trzeciego września.";
const RUSSIAN: &str =
    "Настоящий договор заключён в городе Москве между Анной Петровой и обществом с ограниченной ответственностью.";
const GREEK: &str = "Η παρούσα σύμβαση συνάπτεται στην Αθήνα μεταξύ της Ελένης Παπαδοπούλου και της εταιρείας που εδρεύει στον Πειραιά.";
const JAPANESE: &str =
    "本契約は、東京都において田中花子と株式会社との間で締結される。賃料は毎月末日までに支払うものとする。";
const SIMPLIFIED: &str = "本合同由王小明与北京某某有限公司于二〇二四年五月三日在北京签订，租金应当在每月月底之前支付。";
const TRADITIONAL: &str =
    "本合約由王小明與臺北某某有限公司於二〇二四年五月三日在臺北簽訂，租金應當在每月月底之前支付。";

const ROUND_TRIPS: [(&str, &Encoding); 19] = [
    (ENGLISH, WINDOWS_1252),
    (GERMAN, WINDOWS_1252),
    (FRENCH, WINDOWS_1252),
    (POLISH, WINDOWS_1250),
    (RUSSIAN, WINDOWS_1251),
    (RUSSIAN, KOI8_R),
    (RUSSIAN, IBM866),
    (RUSSIAN, ISO_8859_5),
    (GREEK, WINDOWS_1253),
    (GREEK, ISO_8859_7),
    (JAPANESE, SHIFT_JIS),
    (JAPANESE, EUC_JP),
    (JAPANESE, ISO_2022_JP),
    (SIMPLIFIED, GBK),
    (TRADITIONAL, BIG5),
    (GERMAN, UTF_8),
    (RUSSIAN, UTF_8),
    (JAPANESE, UTF_8),
    (TRADITIONAL, UTF_8),
];

const SENTENCES: [&str; 9] = [
    ENGLISH,
    GERMAN,
    FRENCH,
    POLISH,
    RUSSIAN,
    GREEK,
    JAPANESE,
    SIMPLIFIED,
    TRADITIONAL,
];

fn encoded(text: &str, encoding: &'static Encoding) -> Vec<u8> {
    let (bytes, _, lost) = encoding.encode(text);
    assert!(!lost, "{} holds the sentence", encoding.name());
    bytes.into_owned()
}

fn utf_16(text: &str, of: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(of).collect()
}

fn utf_32(text: &str, of: fn(u32) -> [u8; 4]) -> Vec<u8> {
    text.chars().flat_map(|c| of(u32::from(c))).collect()
}

fn read<'a>(bytes: &'a [u8], said: Option<&str>) -> Decoded<'a> {
    decode(bytes, said, false).expect("it is text")
}

#[test]
fn legacy_text_is_detected() {
    for (text, encoding) in ROUND_TRIPS {
        let bytes = encoded(text, encoding);
        let decoded = read(&bytes, None);
        assert_eq!(decoded.text, text, "{} as {}", encoding.name(), decoded.encoding);
        assert_eq!(decoded.lost, 0);
    }
}

#[test]
fn what_the_caller_says_is_believed() {
    for (text, encoding) in ROUND_TRIPS {
        let bytes = encoded(text, encoding);
        let decoded = read(&bytes, Some(encoding.name()));
        assert_eq!(
            (&*decoded.text, decoded.encoding, decoded.found),
            (text, encoding.name(), Found::Said)
        );
    }
    let euro = read(b"5 \xa4", Some("iso-8859-15"));
    assert_eq!((&*euro.text, euro.encoding), ("5 \u{20ac}", "ISO-8859-15"));
}

#[test]
fn a_page_declares_its_character_set() {
    for (text, encoding) in ROUND_TRIPS.into_iter().filter(|(_, encoding)| *encoding != UTF_8) {
        let page = format!("<meta charset={}><p>{text}", encoding.name());
        let bytes = encoded(&page, encoding);
        let decoded = decode(&bytes, None, true).expect("it is text");
        assert_eq!(decoded.text, page);
    }
}

#[test]
fn a_wrong_declaration_is_not_believed() {
    let bytes = encoded(&format!("<meta charset=euc-jp><p>{JAPANESE}"), SHIFT_JIS);
    let decoded = decode(&bytes, None, true).expect("it is text");
    assert_eq!(
        (decoded.encoding, decoded.found, decoded.lost),
        ("Shift_JIS", Found::Detected, 0)
    );
}

#[test]
fn utf_16_and_utf_32_need_no_mark() {
    for text in SENTENCES {
        for (bytes, name) in [
            (utf_16(text, u16::to_le_bytes), "UTF-16LE"),
            (utf_16(text, u16::to_be_bytes), "UTF-16BE"),
            (utf_32(text, u32::to_le_bytes), "UTF-32LE"),
            (utf_32(text, u32::to_be_bytes), "UTF-32BE"),
        ] {
            let decoded = read(&bytes, None);
            assert_eq!(
                (&*decoded.text, decoded.encoding, decoded.found),
                (text, name, Found::Detected)
            );
        }
    }
}

#[test]
fn a_mark_is_dropped_and_beats_what_the_caller_says() {
    let marked = format!("\u{feff}{GERMAN}");
    for (bytes, name) in [
        (marked.clone().into_bytes(), "UTF-8"),
        (utf_16(&marked, u16::to_le_bytes), "UTF-16LE"),
        (utf_16(&marked, u16::to_be_bytes), "UTF-16BE"),
        (utf_32(&marked, u32::to_le_bytes), "UTF-32LE"),
        (utf_32(&marked, u32::to_be_bytes), "UTF-32BE"),
    ] {
        for said in [None, Some("iso-8859-1")] {
            let decoded = read(&bytes, said);
            assert_eq!(
                (&*decoded.text, decoded.encoding, decoded.found),
                (GERMAN, name, Found::ByteOrderMark)
            );
        }
    }
}

#[test]
fn a_caller_who_is_wrong_is_corrected() {
    let german = read(GERMAN.as_bytes(), Some("us-ascii"));
    assert_eq!((&*german.text, german.found), (GERMAN, Found::Utf8));
    let bytes = encoded(GERMAN, WINDOWS_1252);
    assert_eq!(read(&bytes, Some("utf-8")).text, GERMAN);
    let bytes = encoded(JAPANESE, EUC_JP);
    assert_eq!(read(&bytes, Some("\"Shift_JIS\"")).text, JAPANESE);
}

#[test]
fn an_unknown_character_set_is_told() {
    for label in ["klingon", "utf-7", "hz-gb-2312", ""] {
        assert_eq!(decode(b"text", Some(label), false), Err(Refusal::UnknownCharset));
    }
}

#[test]
fn utf_8_is_not_copied() {
    let decoded = read("Café".as_bytes(), None);
    assert!(matches!(decoded.text, Cow::Borrowed("Café")));
    assert!(matches!(read(b"", None).text, Cow::Borrowed("")));
    assert!(matches!(
        read("\u{feff}Café".as_bytes(), Some("utf-8")).text,
        Cow::Borrowed("Café")
    ));
}

#[test]
fn all_characters_stay() {
    let given = "Caf\u{e9} \u{1f600}\r\n\tA\u{301}\0\u{c}\u{feff}\u{fffd}";
    let decoded = read(given.as_bytes(), None);
    assert_eq!((&*decoded.text, decoded.lost), (given, 0));
}

#[test]
fn damaged_utf_8_stays_utf_8_and_its_losses_are_counted() {
    let text = GERMAN.repeat(4);
    let mut bytes = text.clone().into_bytes();
    bytes.extend_from_slice(b" \xff and \xe2\x82");
    let decoded = read(&bytes, None);
    assert_eq!((decoded.encoding, decoded.lost), ("UTF-8", 2));
    assert_eq!(decoded.text, format!("{text} \u{fffd} and \u{fffd}"));
}

#[test]
fn binary_data_is_refused() {
    let binary: Vec<u8> = (0..=127).collect();
    let sentence = "Dana Whitfield signed the lease.";
    let half = [sentence.as_bytes(), &utf_16(sentence, u16::to_le_bytes)].concat();
    let picture: Vec<u8> = (0..4096_u32)
        .map(|at| (at.wrapping_mul(at).wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    for bytes in [binary, half, vec![0; 64], picture] {
        let error = decode(&bytes, None, false).expect_err("it is no text");
        assert!(matches!(error, Refusal::NoText { .. }), "{error}");
    }
}

#[test]
fn no_bytes_panic() {
    let mut state = 1_u64;
    let samples: Vec<Vec<u8>> = ROUND_TRIPS.map(|(text, encoding)| encoded(text, encoding)).into();
    for round in 0..20_000_usize {
        let mut bytes = samples[round % samples.len()].clone();
        for _ in 0..4 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let at = (state >> 33) as usize % bytes.len();
            bytes[at] = (state >> 16) as u8;
        }
        bytes.truncate(round % 97 + 1);
        let _ = decode(&bytes, None, round % 2 == 0);
    }
}
