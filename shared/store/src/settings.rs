//! Where the databases are.

use docket_contract::ids::ShardName;
use docket_process::settings::{ConfigError, Env, Setting};
use docket_process::tls::Roots;
use sqlx::postgres::{PgConnectOptions, PgSslMode};

/// Where the catalog is.
pub const CATALOG_URL: Setting = Setting::required("DOCKET_CATALOG_URL", "`postgres://` URL of the catalog database");
/// Where the shards are.
pub const SHARD_URLS: Setting = Setting::required(
    "DOCKET_SHARD_URLS",
    "name and URL of each shard's database, as `name=postgres://...`, separated by commas",
);
/// Whether a transaction pooler is in front of the databases.
pub const POOLER: Setting = Setting::with_default(
    "DOCKET_PG_POOLER",
    "false",
    "`true` when a transaction pooler (PgBouncer) is in front of the databases",
);
/// Size of the pool of each database.
pub const CONNECTIONS_MAX: Setting = Setting::with_default(
    "DOCKET_PG_CONNECTIONS_MAX",
    "8",
    "most connections of this process to one database; a worker opens 1 more to each shard, for heartbeats",
);

/// Every setting of this file.
pub const SETTINGS: &[&Setting] = &[&CATALOG_URL, &SHARD_URLS, &POOLER, &CONNECTIONS_MAX];

/// Where the databases are.
#[derive(Debug, Clone)]
pub struct StoreConfig {
    /// URL of the catalog.
    pub catalog_url: String,
    /// Name and URL of each shard.
    pub shards: Vec<(String, String)>,
    /// Whether a transaction pooler is in front.
    pub pooler: bool,
    /// Connections of this process to one database.
    pub connections_max: u32,
    /// Certificates that are trusted beside the public ones, where a URL's `sslmode` asks for trust.
    pub roots: Option<Roots>,
}

impl StoreConfig {
    /// Reads and checks the settings of this file.
    pub fn from_env(env: &Env) -> Result<Self, ConfigError> {
        let urls: String = env.get(&SHARD_URLS)?;
        let shards = urls
            .split(',')
            .map(str::trim)
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (name, url) = pair
                    .split_once('=')
                    .ok_or_else(|| SHARD_URLS.invalid("each entry is name=url"))?;
                name.parse::<ShardName>().map_err(|error| SHARD_URLS.invalid(error))?;
                parse_url(url)
                    .map_err(|_| SHARD_URLS.invalid(format!("the URL of {name} is not a postgres:// URL")))?;
                Ok((name.to_owned(), url.to_owned()))
            });
        let shards = shards.collect::<Result<Vec<_>, ConfigError>>()?;
        let names: std::collections::HashSet<_> = shards.iter().map(|(name, _)| name).collect();
        if shards.is_empty() || names.len() < shards.len() {
            return Err(SHARD_URLS.invalid("it must name at least one shard, and each only once"));
        }
        let catalog_url: String = env.get(&CATALOG_URL)?;
        parse_url(&catalog_url).map_err(|_| CATALOG_URL.invalid("it is not a postgres:// URL"))?;
        let connections_max = env.within(&CONNECTIONS_MAX, 2..=1000)?;
        Ok(Self {
            catalog_url,
            shards,
            pooler: env.get(&POOLER)?,
            connections_max,
            roots: Roots::from_env(env)?,
        })
    }

    /// How to connect to the database of a URL. With roots of our own, `sslmode=require` verifies the certificate but
    /// not the host's name, as in libpq.
    pub(crate) fn options(&self, url: &str) -> Result<PgConnectOptions, sqlx::Error> {
        let options = parse_url(url)?;
        let Some(roots) = &self.roots else { return Ok(options) };
        let options = options.ssl_root_cert_from_pem(roots.pem().into());
        Ok(match options.get_ssl_mode() {
            PgSslMode::Require => options.ssl_mode(PgSslMode::VerifyCa),
            _ => options,
        })
    }
}

fn parse_url(url: &str) -> Result<PgConnectOptions, sqlx::Error> {
    url.parse::<PgConnectOptions>()
}
