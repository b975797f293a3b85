//! Where HTTP is served.

use std::net::SocketAddr;
use std::time::Duration;

use docket_process::settings::{ConfigError, Env, Setting};

/// Address and port of HTTP.
pub const ADDR: Setting = Setting::with_default(
    "DOCKET_HTTP_ADDR",
    "0.0.0.0:8080",
    "address and port on which the producer serves HTTP",
);
/// Seconds between "not ready" and refusing connections.
pub const STOP_NOTICE: Setting = Setting::with_default(
    "DOCKET_STOP_NOTICE_SECONDS",
    "5",
    "seconds for which a stopping process says \"not ready\" before the process refuses connections; load balancers \
     must notice within this time",
);

/// Every setting of this file.
pub const SETTINGS: &[&Setting] = &[&ADDR, &STOP_NOTICE];

/// The settings of HTTP.
#[derive(Debug, Clone)]
pub struct HttpConfig {
    /// Address and port to listen on.
    pub addr: SocketAddr,
    /// Time from "not ready" until connections are refused, once the process is told to stop.
    pub stop_notice: Duration,
}

impl HttpConfig {
    /// Reads and checks the settings of this file.
    pub fn from_env(env: &Env) -> Result<Self, ConfigError> {
        Ok(Self {
            addr: env.get(&ADDR)?,
            stop_notice: Duration::from_secs(env.within(&STOP_NOTICE, 0..=60)?),
        })
    }
}
