//! What makes two uploads the same.

use serde_json::Value;

use super::intake::Taken;
use crate::http::idempotent::Fingerprint;

/// Form or not, and of each file its content and all that was said about it.
pub fn fingerprint(form: bool, files: &[Taken]) -> [u8; 32] {
    let mut hash = Fingerprint::default();
    hash.add(&[u8::from(form)]);
    for Taken { head, stored, .. } in files {
        let fields = &head.fields;
        hash.add(&stored.sha256);
        hash.add(head.media_type.as_bytes());
        let model = fields.model.as_ref().map(ToString::to_string);
        let metadata = fields.metadata.as_ref().map(canonical);
        for part in [&head.file_name, &fields.external_id, &model, &metadata] {
            hash.add_optional(part.as_deref());
        }
        hash.add_schedule(&fields.schedule);
    }
    hash.finish()
}

/// JSON with its keys in order, whatever order the library keeps them in.
fn canonical(value: &Value) -> String {
    let list = |parts: Vec<String>| parts.join(",");
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| *name);
            let fields = fields
                .into_iter()
                .map(|(name, value)| format!("{}:{}", Value::from(&**name), canonical(value)));
            format!("{{{}}}", list(fields.collect()))
        }
        Value::Array(values) => format!("[{}]", list(values.iter().map(canonical).collect())),
        scalar => scalar.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use docket_shared::blob::Stored;
    use docket_shared::ids::{DocumentId, JobId};
    use docket_shared::job::Priority;
    use docket_shared::store::jobs::Schedule;

    use super::*;
    use crate::http::upload::fields::{Fields, Head};

    fn file(change: impl Fn(&mut Head, &mut Stored)) -> Taken {
        let mut stored = Stored {
            bytes: 1,
            sha256: [7; 32],
        };
        let fields = Fields {
            external_id: Some("a".into()),
            model: None,
            metadata: None,
            schedule: Schedule::default(),
        };
        let mut head = Head {
            media_type: "text/plain",
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
        file(|head, _| head.fields.metadata = Some(serde_json::from_str(text).unwrap()))
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
}
