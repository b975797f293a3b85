//! Certificates of a test's own: an authority that nobody else trusts, and what it vouches for.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose};

use crate::state::write_private;

/// A certificate authority.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A server's certificate and its key, both as PEM.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The certificate.
    pub certificate: String,
    /// Its private key.
    pub key: String,
}

impl Authority {
    /// A new one.
    pub fn new() -> Result<Self> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?);
        Ok(Self(issuer.context("make a certificate authority")?))
    }

    /// Its own certificate, as PEM.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for this host, and for no other name or address of it.
    pub fn identity(&self, host: &str) -> Result<Identity> {
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new([host.to_owned()])?.signed_by(&key, &self.0);
        Ok(Identity {
            certificate: certificate.context("make a certificate")?.pem(),
            key: key.serialize_pem(),
        })
    }
}

impl Identity {
    /// Writes both into a folder, for its owner alone, and answers where the certificate and the key are.
    pub fn write(&self, folder: &Path) -> Result<(PathBuf, PathBuf)> {
        let (certificate, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
        write_private(&certificate, self.certificate.as_bytes())?;
        write_private(&key, self.key.as_bytes())?;
        Ok((certificate, key))
    }
}
