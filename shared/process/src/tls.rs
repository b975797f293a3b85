//! Certificates that TLS to RabbitMQ, PostgreSQL, S3 and the collector of traces is verified against, beside the system's own.

use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::settings::{ConfigError, Env, Setting};

/// File of further root certificates.
pub const CA_FILE: Setting = Setting::optional(
    "DOCKET_CA_FILE",
    "PEM file of certificates that TLS trusts beside the system's, for RabbitMQ, PostgreSQL, S3 and the collector of \
     traces",
);

/// Every setting of this file.
pub const SETTINGS: &[&Setting] = &[&CA_FILE];

/// Root certificates that are trusted beside the system's: at least one, each checked to be usable.
#[derive(Debug, Clone)]
pub struct Roots(Arc<str>);

impl Roots {
    /// Reads and checks the file, if one is configured.
    pub fn from_env(env: &Env) -> Result<Option<Self>, ConfigError> {
        let file = env.text(&CA_FILE)?;
        file.map(|path| {
            let pem = std::fs::read_to_string(path).map_err(|error| format!("it cannot be read: {error}"));
            pem.and_then(Self::parse).map_err(|reason| CA_FILE.invalid(reason))
        })
        .transpose()
    }

    /// Checks here what the drivers would find out at their first connection, some of them by a panic.
    fn parse(pem: String) -> Result<Self, String> {
        let mut store = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            let certificate = certificate.map_err(|error| format!("it is not valid PEM: {error}"))?;
            let added = store.add(certificate);
            added.map_err(|error| format!("certificate {} in it is not usable: {error}", store.len() + 1))?;
        }
        if store.is_empty() {
            return Err("it holds no certificate".to_owned());
        }
        Ok(Self(pem.into()))
    }

    /// The certificates, as they stand in the file.
    pub fn pem(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::io::Write as _;

    use super::*;

    const GARBLED: &str = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";

    fn env(path: &str) -> Env {
        Env::from_map(HashMap::from([(CA_FILE.name.to_owned(), path.to_owned())]))
    }

    fn refusal(content: &str) -> String {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(content.as_bytes()).unwrap();
        Roots::from_env(&env(file.path().to_str().unwrap()))
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn a_file_without_usable_certificates_is_refused_in_one_line_that_names_the_setting() {
        assert!(Roots::from_env(&env("")).unwrap().is_none());
        let absent = Roots::from_env(&env("/nowhere/ca.pem")).unwrap_err().to_string();
        assert!(
            absent.starts_with("DOCKET_CA_FILE is not usable: it cannot be read: "),
            "{absent}"
        );
        assert_eq!(refusal(""), "DOCKET_CA_FILE is not usable: it holds no certificate");
        assert_eq!(
            refusal("hello"),
            "DOCKET_CA_FILE is not usable: it holds no certificate"
        );
        let garbled = refusal(GARBLED);
        assert!(
            garbled.starts_with("DOCKET_CA_FILE is not usable: certificate 1 in it is not usable: "),
            "{garbled}"
        );
        let cut = refusal("-----BEGIN CERTIFICATE-----\nMIIB");
        assert!(
            cut.starts_with("DOCKET_CA_FILE is not usable: it is not valid PEM: "),
            "{cut}"
        );
        for line in [absent, garbled, cut] {
            assert_eq!(line.lines().count(), 1, "{line}");
        }
    }
}
