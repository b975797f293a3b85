//! Settings, read from the environment once at start into plain structs. Each setting is declared once, with its default and its
//! meaning. A test compares the tables in `deploy/docs/SETTINGS.md` with these declarations.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::str::FromStr;

/// One setting: an environment variable.
#[derive(Debug)]
pub struct Setting {
    /// Name of the environment variable.
    pub name: &'static str,
    /// What holds when the variable is absent or empty.
    pub default: Default,
    /// What the setting does, in one line for the table of settings.
    pub meaning: &'static str,
}

/// What holds when a setting is absent or empty.
#[derive(Debug)]
pub enum Default {
    /// The process refuses to start.
    Required,
    /// The feature behind the setting is off, or finds its value in another way.
    Unset,
    /// The setting has this value.
    Value(&'static str),
}

/// A setting that keeps the process from starting. The error's text never holds the value, which may be a secret.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The setting is absent and has no default.
    #[error("{0} is not set: {1}")]
    Missing(&'static str, &'static str),
    /// The setting's value cannot be used.
    #[error("{name} is not usable: {reason}")]
    Invalid {
        /// Name of the environment variable.
        name: &'static str,
        /// What is wrong with the value.
        reason: String,
    },
}

impl Setting {
    /// A setting without which the process refuses to start.
    pub const fn required(name: &'static str, meaning: &'static str) -> Self {
        Self {
            name,
            default: Default::Required,
            meaning,
        }
    }
    /// A setting that may be absent.
    pub const fn optional(name: &'static str, meaning: &'static str) -> Self {
        Self {
            name,
            default: Default::Unset,
            meaning,
        }
    }
    /// A setting with a default.
    pub const fn with_default(name: &'static str, default: &'static str, meaning: &'static str) -> Self {
        Self {
            name,
            default: Default::Value(default),
            meaning,
        }
    }
    /// The error for a value that is there but cannot be used.
    pub fn invalid(&self, reason: impl ToString) -> ConfigError {
        ConfigError::Invalid {
            name: self.name,
            reason: reason.to_string(),
        }
    }
}

/// The environment, as it was when the process started.
#[derive(Debug, Clone)]
pub struct Env(HashMap<String, String>);

impl Env {
    /// The environment of this process.
    pub fn of_process() -> Self {
        Self(std::env::vars().collect())
    }

    /// An environment that a test or a launcher makes up.
    pub fn from_map(values: HashMap<String, String>) -> Self {
        Self(values)
    }

    /// The value or the default, as text; `None` only for an optional setting that is absent.
    pub fn text(&self, setting: &Setting) -> Result<Option<&str>, ConfigError> {
        match (
            self.0
                .get(setting.name)
                .map(String::as_str)
                .filter(|value| !value.is_empty()),
            &setting.default,
        ) {
            (Some(value), _) => Ok(Some(value)),
            (None, Default::Value(default)) => Ok(Some(default)),
            (None, Default::Unset) => Ok(None),
            (None, Default::Required) => Err(ConfigError::Missing(setting.name, setting.meaning)),
        }
    }

    /// An optional setting, parsed.
    pub fn optional<T: FromStr<Err: ToString>>(&self, setting: &Setting) -> Result<Option<T>, ConfigError> {
        self.text(setting)?
            .map(|text| text.parse().map_err(|error: T::Err| setting.invalid(error.to_string())))
            .transpose()
    }

    /// A setting that is required or has a default, parsed.
    pub fn get<T: FromStr<Err: ToString>>(&self, setting: &Setting) -> Result<T, ConfigError> {
        self.optional(setting)?
            .ok_or(ConfigError::Missing(setting.name, setting.meaning))
    }

    /// A number that must lie within bounds.
    pub fn within<T: FromStr<Err: ToString> + PartialOrd + ToString>(
        &self,
        setting: &Setting,
        bounds: std::ops::RangeInclusive<T>,
    ) -> Result<T, ConfigError> {
        let value = self.optional_within(setting, bounds)?;
        value.ok_or(ConfigError::Missing(setting.name, setting.meaning))
    }

    /// A number that must lie within bounds; `None` for an optional setting that is absent.
    pub fn optional_within<T: FromStr<Err: ToString> + PartialOrd + ToString>(
        &self,
        setting: &Setting,
        bounds: std::ops::RangeInclusive<T>,
    ) -> Result<Option<T>, ConfigError> {
        let value = self.optional(setting)?;
        if value.as_ref().is_none_or(|value| bounds.contains(value)) {
            return Ok(value);
        }
        Err(setting.invalid(format!(
            "it must be from {} to {}",
            bounds.start().to_string(),
            bounds.end().to_string()
        )))
    }
}

/// The settings as a Markdown table.
pub fn table(settings: &[&Setting]) -> String {
    let mut table = String::from("| variable | default | meaning |\n|---|---|---|\n");
    for setting in settings {
        let default = match setting.default {
            Default::Required => "required".to_owned(),
            Default::Unset => String::new(),
            Default::Value(value) => format!("`{value}`"),
        };
        writeln!(table, "| `{}` | {default} | {} |", setting.name, setting.meaning).expect("a String takes all");
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    const PORT: Setting = Setting::with_default("PORT", "80", "a port");
    const SECRET: Setting = Setting::required("SECRET", "a secret");

    fn env(pairs: &[(&str, &str)]) -> Env {
        Env::from_map(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect())
    }

    #[test]
    fn errors_name_the_setting_and_never_its_value() {
        assert_eq!(env(&[]).get::<u16>(&PORT).unwrap(), 80);
        assert_eq!(env(&[("PORT", "")]).get::<u16>(&PORT).unwrap(), 80);
        let error = env(&[("PORT", "hunter2")]).get::<u16>(&PORT).unwrap_err().to_string();
        assert!(error.contains("PORT") && !error.contains("hunter2"), "{error}");
        let error = env(&[("PORT", "70")])
            .within::<u16>(&PORT, 1..=69)
            .unwrap_err()
            .to_string();
        assert_eq!(error, "PORT is not usable: it must be from 1 to 69");
        assert_eq!(
            env(&[]).get::<String>(&SECRET).unwrap_err().to_string(),
            "SECRET is not set: a secret"
        );
    }
}
