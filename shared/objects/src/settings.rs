//! Where the bucket is, and with which credentials.

use docket_process::settings::{ConfigError, Env, Setting};
use docket_process::tls::Roots;

/// Name of the bucket.
pub const BUCKET: Setting = Setting::required("DOCKET_S3_BUCKET", "bucket for documents, their texts and models");
/// URL of an S3 service other than AWS's.
pub const ENDPOINT: Setting = Setting::optional("DOCKET_S3_ENDPOINT", "URL of an S3 service other than AWS's");
/// Region of the bucket.
pub const REGION: Setting = Setting::optional(
    "DOCKET_S3_REGION",
    "region of the bucket; without this setting, AWS's own variables and profile name the region",
);
/// Whether the bucket's name is part of the path instead of the host name.
pub const PATH_STYLE: Setting = Setting::with_default(
    "DOCKET_S3_PATH_STYLE",
    "false",
    "`true` for an S3 service that expects the bucket's name in the path (`/bucket/key`)",
);
/// Access key; without one AWS's own chain finds credentials.
pub const ACCESS_KEY: Setting = Setting::optional(
    "DOCKET_S3_ACCESS_KEY",
    "static access key; without this setting, AWS's own chain (variables, web identity, instance) finds credentials",
);
/// Secret of the access key.
pub const SECRET_KEY: Setting = Setting::optional(
    "DOCKET_S3_SECRET_KEY",
    "secret key that belongs to `DOCKET_S3_ACCESS_KEY`",
);

/// Every setting of this file.
pub const SETTINGS: &[&Setting] = &[&BUCKET, &ENDPOINT, &REGION, &PATH_STYLE, &ACCESS_KEY, &SECRET_KEY];

/// Where the bucket is, and with which credentials.
#[derive(Debug, Clone)]
pub struct BlobConfig {
    /// Name of the bucket.
    pub bucket: String,
    /// URL of the service; `None` for AWS.
    pub endpoint: Option<String>,
    /// Region; `None` lets AWS's own chain find one.
    pub region: Option<String>,
    /// `/bucket/key` instead of `bucket.host/key`.
    pub path_style: bool,
    /// Access key and its secret; `None` lets AWS's own chain find credentials.
    pub credentials: Option<(String, String)>,
    /// Root certificates trusted beside the system's.
    pub roots: Option<Roots>,
}

impl BlobConfig {
    /// Reads and checks the settings of this file.
    pub fn from_env(env: &Env) -> Result<Self, ConfigError> {
        let keys = (env.optional(&ACCESS_KEY)?, env.optional(&SECRET_KEY)?);
        let credentials = match keys {
            (Some(access), Some(secret)) => Some((access, secret)),
            (None, None) => None,
            (Some(_), None) => return Err(SECRET_KEY.invalid("the access key is set, this is not")),
            (None, Some(_)) => return Err(ACCESS_KEY.invalid("the secret key is set, this is not")),
        };
        Ok(Self {
            bucket: env.get(&BUCKET)?,
            endpoint: env.optional(&ENDPOINT)?,
            region: env.optional(&REGION)?,
            path_style: env.get(&PATH_STYLE)?,
            credentials,
            roots: Roots::from_env(env)?,
        })
    }
}
