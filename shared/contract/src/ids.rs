//! Names and ids. Each is checked once, where it enters, and has its own type from there on.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Why a name was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{what} must be 1 to {length_max} characters of letters, digits, '.', '_' and '-', and start with a letter or digit"
)]
pub struct InvalidName {
    what: &'static str,
    length_max: usize,
}

/// Longest name, 64 characters: fits into an S3 key and a routing key with room to spare.
const NAME_LENGTH_MAX: usize = 64;

fn check_name(what: &'static str, raw: &str) -> Result<(), InvalidName> {
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    let valid = (1..=NAME_LENGTH_MAX).contains(&raw.len())
        && raw.bytes().all(legal)
        && raw.as_bytes()[0].is_ascii_alphanumeric();
    if valid {
        Ok(())
    } else {
        Err(InvalidName {
            what,
            length_max: NAME_LENGTH_MAX,
        })
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(String);

        impl $type {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl FromStr for $type {
            type Err = InvalidName;
            fn from_str(raw: &str) -> Result<Self, InvalidName> {
                check_name($what, raw)?;
                Ok(Self(raw.to_owned()))
            }
        }
        impl TryFrom<String> for $type {
            type Error = InvalidName;
            fn try_from(raw: String) -> Result<Self, InvalidName> {
                check_name($what, &raw)?;
                Ok(Self(raw))
            }
        }
        impl From<$type> for String {
            fn from(name: $type) -> String {
                name.0
            }
        }
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(
    /// A tenant's id, and the shard key. It comes from a verified token only.
    ClientId,
    "a client id"
);
name!(
    /// A model's name, without its version.
    ModelName,
    "a model name"
);
name!(
    /// A model's version. The files published under a version never change.
    ModelVersion,
    "a model version"
);
name!(
    /// A shard's name, as in `DOCKET_SHARD_URLS`.
    ShardName,
    "a shard name"
);

/// A model as callers name it: `name@version`, or `name` for the version that is current when the document is read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ModelRef {
    /// The model's name.
    pub name: ModelName,
    /// The version that the caller insists on; `None` for the current version.
    pub version: Option<ModelVersion>,
}

impl FromStr for ModelRef {
    type Err = InvalidName;
    fn from_str(raw: &str) -> Result<Self, InvalidName> {
        let (name, version) = match raw.split_once('@') {
            Some((name, version)) => (name, Some(version.parse()?)),
            None => (raw, None),
        };
        Ok(Self {
            name: name.parse()?,
            version,
        })
    }
}

impl fmt::Display for ModelRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.version {
            Some(version) => write!(f, "{}@{version}", self.name),
            None => self.name.fmt(f),
        }
    }
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $type(pub Uuid);

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

uuid_id!(
    /// Id of one uploaded document. A UUIDv7, so ids sort by age.
    DocumentId
);
uuid_id!(
    /// Id of one analysis of one document. A UUIDv7, so ids sort by age.
    JobId
);
uuid_id!(
    /// One worker's right to finish a job, made anew for each claim.
    ClaimToken
);

/// Bit at which the 48-bit timestamp of a UUIDv7 begins: milliseconds since 1970 (RFC 9562, section 5.7).
const UUID_V7_MILLIS_SHIFT: u32 = 80;

impl DocumentId {
    /// A new id, stamped with the current time.
    pub fn generate() -> Self {
        Self(Uuid::now_v7())
    }

    /// The id of a document that is within this one: the same whenever it is made of the same digest. It has this id's time.
    pub fn of_child(self, digest: &[u8; 32]) -> Self {
        Self(derived(self.0, digest))
    }
}
impl JobId {
    /// The id of the first job of a document that is within another one: the same whenever it is made of the same digest. It has
    /// the time of the other document's id.
    pub fn of_child(parent: DocumentId, digest: &[u8; 32]) -> Self {
        Self(derived(parent.0, digest))
    }

    /// A new id, stamped with the current time.
    pub fn generate() -> Self {
        Self(Uuid::now_v7())
    }

    /// This id if it is younger than the other, else a new id stamped one millisecond after the other.
    pub fn or_after(self, other: Self) -> Self {
        if self > other {
            return self;
        }
        let millis = (other.0.as_u128() >> UUID_V7_MILLIS_SHIFT) as u64 + 1;
        let (_, random) = Uuid::new_v4().as_u64_pair();
        let mut bytes = [0; 10];
        bytes[2..].copy_from_slice(&random.to_be_bytes());
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid())
    }
}

/// A UUIDv7 with the time of another one, and a digest in place of chance.
fn derived(from: Uuid, digest: &[u8; 32]) -> Uuid {
    let millis = (from.as_u128() >> UUID_V7_MILLIS_SHIFT) as u64;
    let mut bytes = [0; 10];
    bytes.copy_from_slice(&digest[..10]);
    uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid()
}

impl ClaimToken {
    /// A new, unguessable token.
    pub fn generate() -> Self {
        Self(Uuid::new_v4())
    }
}

/// A fixed slice of all clients. Its number is below [`crate::sharding::BUCKETS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bucket(pub(crate) i16);

impl Bucket {
    /// The bucket's number, as the databases hold it.
    pub fn number(self) -> i16 {
        self.0
    }
}

/// What finds a job's row on its shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobKey {
    /// The bucket of the job's client.
    pub bucket: Bucket,
    /// The job's id.
    pub job: JobId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_at_their_limits() {
        assert!("a".parse::<ClientId>().is_ok());
        assert!("a".repeat(64).parse::<ClientId>().is_ok());
        for bad in ["", "-a", "a b", "a/b", "ä", &"a".repeat(65)] {
            assert!(bad.parse::<ClientId>().is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn a_job_can_be_made_younger_than_another_one() {
        let earlier = JobId::generate();
        let later = JobId::generate();
        assert_eq!(later.or_after(earlier), later);
        let mut newest = later;
        for _ in 0..1_000 {
            let next = earlier.or_after(newest);
            assert!(next > newest && next.0.get_version_num() == 7, "{next} after {newest}");
            newest = next;
        }
    }

    #[test]
    fn the_ids_of_children_are_the_same_each_time() {
        let parent = DocumentId::generate();
        let (one, other) = (parent.of_child(&[1; 32]), parent.of_child(&[2; 32]));
        assert_eq!(one, parent.of_child(&[1; 32]));
        assert_ne!(one, other);
        assert_eq!(one.0.get_version_num(), 7);
        assert_eq!(
            one.0.as_u128() >> UUID_V7_MILLIS_SHIFT,
            parent.0.as_u128() >> UUID_V7_MILLIS_SHIFT
        );
        assert_eq!(JobId::of_child(parent, &[1; 32]).0.get_version_num(), 7);
    }

    #[test]
    fn a_model_is_named_with_its_version_or_without() {
        for (named, name, version) in [
            ("ner", "ner", None),
            ("ner@2", "ner", Some("2")),
            ("a.b@1.0-rc", "a.b", Some("1.0-rc")),
        ] {
            let model: ModelRef = named.parse().unwrap();
            assert_eq!(
                (model.name.as_str(), model.version.as_ref().map(ModelVersion::as_str)),
                (name, version)
            );
            assert_eq!(model.to_string(), named);
        }
        for bad in ["", "@", "@2", "ner@", "ner@2@3", "ner@../x", "ner@-2"] {
            assert!(bad.parse::<ModelRef>().is_err(), "{bad:?} was taken");
        }
    }
}
