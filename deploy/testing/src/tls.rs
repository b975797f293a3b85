//! TLS for tests: certificates that nobody else trusts, and TLS in front of a server that speaks plain text.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::{or_panic, stack};
use docket_local::certificates::{Authority, Identity};

/// An authority with its certificate in a file, and a server's identity that the authority signed. The file is removed when this
/// is dropped.
pub struct TestCertificates {
    /// File of the authority's certificate, as PEM.
    pub ca_file: PathBuf,
    /// Valid for the host `localhost` only, not for `127.0.0.1`.
    pub localhost: Identity,
}

impl TestCertificates {
    /// Makes the authority and the identity.
    pub async fn make() -> Self {
        let folder = stack().await.state.join("certificates");
        or_panic("make certificates", Self::try_make(folder))
    }

    fn try_make(folder: PathBuf) -> Result<Self> {
        let authority = Authority::new()?;
        std::fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
        let ca_file = folder.join(format!("{}.pem", uuid::Uuid::new_v4().simple()));
        std::fs::write(&ca_file, authority.pem()).with_context(|| format!("write {}", ca_file.display()))?;
        Ok(Self {
            ca_file,
            localhost: authority.identity("localhost")?,
        })
    }
}

impl Drop for TestCertificates {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.ca_file); // The next start of the stack removes the rest.
    }
}

/// Ends TLS and forwards the connections, as a load balancer does in front of an S3 service. Stops when dropped.
#[derive(Debug)]
pub struct TlsFront {
    port: u16,
    accepting: AbortHandle,
}

impl TlsFront {
    /// Listens on a port of its own, in front of the server at this port of the loopback interface.
    pub async fn start(identity: &Identity, server: u16) -> Self {
        or_panic("put TLS in front of a server", Self::try_start(identity, server).await)
    }

    async fn try_start(identity: &Identity, server: u16) -> Result<Self> {
        let certificate = CertificateDer::from_pem_slice(identity.certificate.as_bytes())?;
        let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes())?;
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let accepting = tokio::spawn(accept(listener, acceptor, server)).abort_handle();
        Ok(Self { port, accepting })
    }

    /// Port of the TLS side.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for TlsFront {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, server: u16) {
    while let Ok((client, _)) = listener.accept().await {
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            // A client that distrusts the certificate leaves here; the ends of other connections concern only their clients.
            let mut client = acceptor.accept(client).await?;
            let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, server)).await?;
            tokio::io::copy_bidirectional(&mut client, &mut server).await
        });
    }
}
