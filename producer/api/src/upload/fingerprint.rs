//! The hash of all that makes two uploads the same.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::idempotent::Fingerprint;
use crate::upload::intake::Taken;

/// Hashes whether the request is a form, and each file's content and fields.
pub fn fingerprint(form: bool, files: &[Taken]) -> [u8; 32] {
    let mut hash = Fingerprint::default();
    hash.add(&[u8::from(form)]);
    for Taken { head, stored, .. } in files {
        let fields = &head.fields;
        hash.add(&stored.sha256);
        hash.add(head.media_type.to_string().as_bytes());
        let model = fields.model.as_ref().map(ToString::to_string);
        let metadata = fields.metadata.as_deref().map(canonical);
        for part in [&head.file_name, &fields.external_id, &model, &metadata] {
            hash.add_optional(part.as_deref());
        }
        hash.add_schedule(&fields.schedule);
        // Nothing is added for all pages, or for no language: so such a request is hashed as earlier releases hashed it.
        if let Some(pages) = &fields.pages {
            hash.add(pages.to_string().as_bytes());
        }
        if let Some(language) = &fields.language {
            hash.add(format!("language={language}").as_bytes());
        }
    }
    hash.finish()
}

/// JSON with its keys in order and without blanks. Numbers are written as every earlier release wrote them, so that a request
/// served by an earlier release is still the same. A number that this writing would change stays as it was sent.
fn canonical(json: &str) -> String {
    let json = json.trim_ascii();
    match json.as_bytes().first() {
        Some(b'{') => {
            let fields: BTreeMap<String, &RawValue> = serde_json::from_str(json).expect(CHECKED);
            let fields = fields
                .into_iter()
                .map(|(name, value)| format!("{}:{}", Value::from(name), canonical(value.get())));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
        }
        Some(b'[') => {
            let values: Vec<&RawValue> = serde_json::from_str(json).expect(CHECKED);
            let values: Vec<_> = values.into_iter().map(|value| canonical(value.get())).collect();
            format!("[{}]", values.join(","))
        }
        Some(_) | None => {
            let scalar = serde_json::from_str::<Value>(json).expect(CHECKED).to_string();
            let is_other = decimal(json).is_some_and(|sent| Some(sent) != decimal(&scalar));
            if is_other { json.to_owned() } else { scalar }
        }
    }
}

/// Metadata were parsed when their field was set.
const CHECKED: &str = "metadata are JSON";

/// A number's sign, its digits without zeros around them, and the power of ten of the last digit; `None` for what is no number.
fn decimal(text: &str) -> Option<(bool, String, i128)> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if !whole.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let digits = format!("{whole}{fraction}");
    let shortened = digits.trim_end_matches('0');
    let zeros = digits.len() - shortened.len();
    let digits = shortened.trim_start_matches('0');
    // Only a number that is 0 or refused has an exponent beyond this type.
    let exponent = exponent.parse::<i64>().unwrap_or(i64::MIN);
    let power = i128::from(exponent) + zeros as i128 - fraction.len() as i128;
    let power = if digits.is_empty() { 0 } else { power };
    Some((unsigned.len() < text.len(), digits.to_owned(), power))
}

#[cfg(test)]
mod tests {
    use docket_contract::ids::{DocumentId, JobId};
    use docket_contract::job::Priority;
    use docket_contract::media_type::Declared;
    use docket_contract::object_key::Stored;
    use docket_store::work::jobs::Schedule;

    use super::*;
    use crate::upload::fields::{Fields, Head};

    fn file(change: impl Fn(&mut Head, &mut Stored)) -> Taken {
        let mut stored = Stored {
            bytes: 1,
            sha256: [7; 32],
        };
        let fields = Fields {
            external_id: Some("a".into()),
            model: None,
            language: None,
            metadata: None,
            schedule: Schedule::default(),
            pages: None,
        };
        let mut head = Head {
            media_type: Declared::parse("text/plain").unwrap(),
            file_name: Some("b".into()),
            fields,
        };
        change(&mut head, &mut stored);
        Taken {
            head,
            document: DocumentId::generate(),
            job: JobId::generate(),
            stored,
        }
    }

    fn with_metadata(text: &str) -> Taken {
        file(|head, _| head.fields.metadata = Some(text.to_owned()))
    }

    #[test]
    fn a_fingerprint_changes_with_everything_that_was_sent() {
        let one = |file: Taken| fingerprint(false, &[file]);
        let same = one(file(|_, _| ()));
        assert_eq!(same, one(file(|_, _| ())), "new ids make no difference");
        let others = [
            fingerprint(true, &[file(|_, _| ())]),
            fingerprint(false, &[file(|_, _| ()), file(|_, _| ())]),
            one(file(|_, stored| stored.sha256[0] = 0)),
            one(file(|head, _| head.file_name = None)),
            one(file(|head, _| head.file_name = Some(String::new()))),
            one(file(|head, _| {
                (head.file_name, head.fields.external_id) = (Some("a".into()), Some("b".into()));
            })),
            one(file(|head, _| head.fields.model = Some("m".parse().unwrap()))),
            one(file(|head, _| head.fields.model = Some("m@1".parse().unwrap()))),
            one(with_metadata("{}")),
            one(file(|head, _| {
                head.media_type = Declared::parse("text/plain; charset=latin1").unwrap();
            })),
            one(file(|head, _| head.fields.pages = Some("1-2".parse().unwrap()))),
            one(file(|head, _| head.fields.language = Some("de".parse().unwrap()))),
            one(file(|head, _| head.fields.schedule.priority = Priority::Bulk)),
            one(file(|head, _| {
                head.fields.schedule.deadline = Some(jiff::Timestamp::UNIX_EPOCH);
            })),
            one(file(|head, _| {
                head.fields.schedule.not_before = Some(jiff::Timestamp::UNIX_EPOCH);
            })),
        ];
        let distinct: std::collections::HashSet<_> = others.iter().chain([&same]).collect();
        assert_eq!(distinct.len(), others.len() + 1);
    }

    #[test]
    fn the_order_and_spacing_of_metadata_make_no_difference() {
        let (a, b) = (
            r#"{"x":[1,{"p":null,"q":"\""}],"a":true}"#,
            r#"{ "a": true, "x": [1, {"q":"\u0022", "p":null}] }"#,
        );
        assert_eq!(
            fingerprint(false, &[with_metadata(a)]),
            fingerprint(false, &[with_metadata(b)])
        );
    }
    /// The writing of the release that kept numbers as 64-bit floats only.
    #[test]
    fn metadata_are_written_as_they_always_were_but_for_numbers_that_were_rounded() {
        for (sent, written) in [
            (
                r#"{ "b": [1, 2.50, {"x": null}], "a": "\u00fc\n" }"#,
                "{\"a\":\"ü\\n\",\"b\":[1,2.5,{\"x\":null}]}",
            ),
            (
                r#"[18446744073709551615,-7,0.1,1e2,100000000000000000000,-0,1E-7,{},[]]"#,
                "[18446744073709551615,-7,0.1,100.0,1e+20,-0.0,1e-7,{},[]]",
            ),
            ("12345678901234567890123", "12345678901234567890123"),
            ("0.12345678901234567890", "0.12345678901234567890"),
            ("1e-400", "1e-400"),
            (r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
        ] {
            assert_eq!(canonical(sent), written, "{sent}");
        }
    }

    #[test]
    fn numbers_that_differ_beyond_a_float_make_other_requests() {
        let of = |id: &str| fingerprint(false, &[with_metadata(&format!(r#"{{"id":{id}}}"#))]);
        assert_ne!(of("12345678901234567890123"), of("12345678901234567890124"));
        assert_eq!(of("1.0"), of("1.00"));
    }
}
