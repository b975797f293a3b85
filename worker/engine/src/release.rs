//! A version of a model, as operators and this worker name it.

use std::fmt;
use std::str::FromStr;

use docket_contract::ids::{InvalidName, ModelName, ModelRef, ModelVersion};

/// A version of a model: `NAME@VERSION`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Release {
    /// Name of the model.
    pub name: ModelName,
    /// Version of the model.
    pub version: ModelVersion,
}

impl FromStr for Release {
    type Err = String;
    fn from_str(raw: &str) -> Result<Self, String> {
        let ModelRef { name, version } = raw.parse().map_err(|error: InvalidName| error.to_string())?;
        let version = version.ok_or("name the version too, as NAME@VERSION")?;
        Ok(Self { name, version })
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_has_a_name_and_a_version() {
        let release: Release = "ner-legal@2.1".parse().expect("it is one");
        assert_eq!(release.to_string(), "ner-legal@2.1");
        let error = "ner-legal".parse::<Release>().expect_err("the version is missing");
        assert!(error.contains("NAME@VERSION"), "{error}");
        for bad in ["m@a/b", "m@..", "m@../../x", "../m@1"] {
            assert!(bad.parse::<Release>().is_err(), "{bad} was taken");
        }
    }
}
