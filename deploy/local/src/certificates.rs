//! Certificates of a test's own: an authority that nobody else trusts, and the certificates it signs.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose};

use crate::state::write_private;

/// A certificate authority.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A server's certificate and its private key.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Certificate, as PEM.
    pub certificate: String,
    /// Private key, as PEM.
    pub key: String,
}

impl Authority {
    /// A new authority with a key of its own.
    pub fn new() -> Result<Self> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?);
        Ok(Self(issuer.context("make a certificate authority")?))
    }

    /// The authority's certificate, as PEM.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for this host name only, and for no address of the host.
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
    /// Writes both into a folder, readable by their owner only; returns the paths of the certificate and the key.
    pub fn write(&self, folder: &Path) -> Result<(PathBuf, PathBuf)> {
        let (certificate, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
        write_private(&certificate, self.certificate.as_bytes())?;
        write_private(&key, self.key.as_bytes())?;
        Ok((certificate, key))
    }
}
