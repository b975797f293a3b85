//! Who is asking: a client, or an operator. Either comes from a verified bearer token and from nowhere else, and no token is
//! both.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use docket_shared::config::{ConfigError, Env, Setting};
use docket_shared::ids::{Bucket, ClientId};
use docket_shared::sharding;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde_json::{Map, Value};

use super::AppState;
use super::error::{ApiError, Kind};
use crate::operate::Operations;

/// Shared secret.
pub const SECRET: Setting = Setting::optional(
    "DOCKET_JWT_SECRET",
    "secret of at least 32 bytes that HS256 tokens are signed with; the role `api` needs either this or \
     `DOCKET_JWT_PUBLIC_KEY_FILE`, no other role needs one",
);
/// The secret before.
pub const SECRET_OLD: Setting = Setting::optional(
    "DOCKET_JWT_SECRET_OLD",
    "another secret whose tokens are good too: the earlier one, or the next one, while a secret is replaced",
);
/// Public key.
pub const PUBLIC_KEY_FILE: Setting = Setting::optional(
    "DOCKET_JWT_PUBLIC_KEY_FILE",
    "PEM file of the public key of RS256 (RSA) or ES256 (P-256) tokens; of several, while a key is replaced",
);
/// Issuer.
pub const ISSUER: Setting = Setting::with_default("DOCKET_JWT_ISSUER", "docket", "`iss` that a token must have");
/// Audience.
pub const AUDIENCE: Setting = Setting::with_default(
    "DOCKET_JWT_AUDIENCE",
    "docket",
    "one of the values of `aud` that a token must have",
);
/// Client claim.
pub const CLIENT_CLAIM: Setting = Setting::with_default(
    "DOCKET_JWT_CLIENT_CLAIM",
    "client_id",
    "the claim of a token that names the client",
);

/// Every setting of this file.
pub const SETTINGS: &[&Setting] = &[
    &SECRET,
    &SECRET_OLD,
    &PUBLIC_KEY_FILE,
    &ISSUER,
    &AUDIENCE,
    &CLIENT_CLAIM,
];

/// Shortest secret, in bytes: RFC 7518 wants a key of the size of the hash.
const SECRET_BYTES_MIN: usize = 32;
/// Size of an uncompressed point of P-256, in bytes: the key of ES256.
const P256_POINT_BYTES: usize = 65;
/// What the claim `scope` of an operator's token has among its words (RFC 8693, section 4.2). A client's token has it not.
const OPERATOR_SCOPE: &str = "docket:operator";
/// Longest name of an operator, in bytes: room for an address or a URL, and short enough for every line of the audit.
const OPERATOR_NAME_BYTES_MAX: usize = 200;
/// How far the clocks of issuer and verifier may differ.
const LEEWAY: Duration = Duration::from_secs(30);

/// Which tokens are good.
#[derive(Clone)]
pub struct AuthConfig {
    /// Those that tokens may be signed with; at least one. With the first of them they are made here.
    keys: Vec<Key>,
    issuer: String,
    audience: String,
    client_claim: String,
}

#[derive(Clone)]
enum Key {
    Secret(String),
    Public(Algorithm, Box<DecodingKey>),
}

impl fmt::Debug for AuthConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (issuer, audience) = (&self.issuer, &self.audience);
        let claim = &self.client_claim;
        write!(
            f,
            "AuthConfig {{ issuer: {issuer:?}, audience: {audience:?}, client_claim: {claim:?}, .. }}"
        )
    }
}

impl AuthConfig {
    /// The settings of this file where a key is set: a process that does not serve the API should have none.
    pub fn if_set(env: &Env) -> Result<Option<Self>, ConfigError> {
        let is_set = env.text(&SECRET)?.is_some() || env.text(&PUBLIC_KEY_FILE)?.is_some();
        is_set.then(|| Self::from_env(env)).transpose()
    }

    /// Reads and checks the settings of this file, and the key file.
    pub fn from_env(env: &Env) -> Result<Self, ConfigError> {
        let keys = match (
            env.optional::<String>(&SECRET)?,
            env.optional::<String>(&PUBLIC_KEY_FILE)?,
        ) {
            (Some(secret), None) => secrets(secret, env.optional(&SECRET_OLD)?)?,
            (None, Some(path)) => {
                let pem = std::fs::read_to_string(&path);
                public_keys(&pem.map_err(|error| PUBLIC_KEY_FILE.invalid(format!("cannot read {path}: {error}")))?)?
            }
            (None, None) => return Err(SECRET.invalid("neither it nor DOCKET_JWT_PUBLIC_KEY_FILE is set")),
            (Some(_), Some(_)) => return Err(SECRET.invalid("DOCKET_JWT_PUBLIC_KEY_FILE is set too; only one may be")),
        };
        let (issuer, audience) = (env.get(&ISSUER)?, env.get(&AUDIENCE)?);
        Ok(Self {
            keys,
            issuer,
            audience,
            client_claim: env.get(&CLIENT_CLAIM)?,
        })
    }
}

fn secrets(newest: String, old: Option<String>) -> Result<Vec<Key>, ConfigError> {
    let checked = |setting: &Setting, secret: String| {
        if secret.len() < SECRET_BYTES_MIN {
            return Err(setting.invalid(format!("it must have at least {SECRET_BYTES_MIN} bytes")));
        }
        Ok(Key::Secret(secret))
    };
    let mut keys = vec![checked(&SECRET, newest)?];
    if let Some(old) = old {
        keys.push(checked(&SECRET_OLD, old)?);
    }
    Ok(keys)
}

/// What each key of a PEM file begins with.
const PEM_BEGIN: &str = "-----BEGIN ";

fn public_keys(pem: &str) -> Result<Vec<Key>, ConfigError> {
    let begins = pem.match_indices(PEM_BEGIN).map(|(at, _)| at);
    let ends = begins.clone().skip(1).chain([pem.len()]);
    let keys: Vec<Key> = begins
        .zip(ends)
        .map(|(begin, end)| public_key(&pem[begin..end]))
        .collect::<Result<_, _>>()?;
    if keys.is_empty() {
        return Err(not_a_key());
    }
    Ok(keys)
}

fn public_key(pem: &str) -> Result<Key, ConfigError> {
    if pem.contains("PRIVATE KEY") {
        return Err(PUBLIC_KEY_FILE.invalid("it holds a private key, which only the issuer of tokens may have"));
    }
    let pem = pem.as_bytes();
    if let Ok(key) = DecodingKey::from_rsa_pem(pem) {
        return Ok(Key::Public(Algorithm::RS256, Box::new(key)));
    }
    let is_p256 = |key: &DecodingKey| {
        key.try_get_as_bytes()
            .is_ok_and(|point| point.len() == P256_POINT_BYTES)
    };
    match DecodingKey::from_ec_pem(pem) {
        Ok(key) if is_p256(&key) => Ok(Key::Public(Algorithm::ES256, Box::new(key))),
        Ok(_) | Err(_) => Err(not_a_key()),
    }
}

fn not_a_key() -> ConfigError {
    PUBLIC_KEY_FILE.invalid("it must hold an RSA or a P-256 public key in PEM")
}

/// Checks tokens. Clones share the keys. The default has none, and takes no token.
#[derive(Clone, Default)]
pub struct Verifier(Arc<Inner>);

#[derive(Default)]
struct Inner {
    /// The keys, each with what holds for its tokens.
    keys: Vec<(DecodingKey, Validation)>,
    client_claim: String,
}

impl Verifier {
    /// A verifier that takes, by each key, tokens of exactly one algorithm, the key's.
    pub fn new(config: &AuthConfig) -> Self {
        let with_validation = |key: &Key| {
            let (algorithm, key) = match key {
                Key::Secret(secret) => (Algorithm::HS256, DecodingKey::from_secret(secret.as_bytes())),
                Key::Public(algorithm, key) => (*algorithm, (**key).clone()),
            };
            let mut validation = Validation::new(algorithm);
            validation.leeway = LEEWAY.as_secs();
            validation.validate_nbf = true;
            validation.set_issuer(&[&config.issuer]);
            validation.set_audience(&[&config.audience]);
            validation.set_required_spec_claims(&["exp", "iss", "aud"]);
            (key, validation)
        };
        Self(Arc::new(Inner {
            keys: config.keys.iter().map(with_validation).collect(),
            client_claim: config.client_claim.clone(),
        }))
    }

    /// The client that a token was issued to.
    pub fn verify(&self, token: &str) -> Result<ClientId, ApiError> {
        let claims = self.claims(token)?;
        if is_operator(&claims) {
            let detail = "The token is an operator's, which gives no access to documents.";
            return Err(ApiError::new(Kind::NoClient, detail));
        }
        let claim = &self.0.client_claim;
        let client = claims.get(claim).and_then(Value::as_str);
        let client = client.and_then(|client| client.parse().ok());
        client.ok_or_else(|| {
            ApiError::new(
                Kind::NoClient,
                format!("The token is valid, but its claim {claim} is not a client's id."),
            )
        })
    }

    /// The operator that a token was issued to.
    pub fn verify_operator(&self, token: &str) -> Result<String, ApiError> {
        let claims = self.claims(token)?;
        let refused = |detail: String| ApiError::new(Kind::NotOperator, detail);
        if !is_operator(&claims) {
            return Err(refused(format!(
                "The token is valid, but its claim scope has no {OPERATOR_SCOPE}."
            )));
        }
        let name = claims.get("sub").and_then(Value::as_str).unwrap_or_default();
        if (1..=OPERATOR_NAME_BYTES_MAX).contains(&name.len()) && !name.contains(char::is_control) {
            Ok(name.to_owned())
        } else {
            Err(refused(format!(
                "The token's claim sub must name the operator, in at most {OPERATOR_NAME_BYTES_MAX} bytes and without control \
                 characters."
            )))
        }
    }

    /// The claims of a token that is good.
    fn claims(&self, token: &str) -> Result<Map<String, Value>, ApiError> {
        let mut refused = ErrorKind::InvalidSignature;
        for (key, validation) in &self.0.keys {
            match jsonwebtoken::decode::<Map<String, Value>>(token, key, validation) {
                Ok(token) if token.header.crit.is_some() => {
                    let detail =
                        "The token's header has extensions that must be known (crit), and none are known here.";
                    return Err(ApiError::new(Kind::InvalidToken, detail));
                }
                Ok(token) => return Ok(token.claims),
                // What is wrong with a token only the key tells that it is signed with.
                Err(error) if !matches!(error.kind(), ErrorKind::InvalidSignature) => refused = error.into_kind(),
                Err(_) => {}
            }
        }
        let reason = match refused {
            ErrorKind::ExpiredSignature => "The token has expired.",
            ErrorKind::ImmatureSignature => "The token is not valid yet.",
            ErrorKind::InvalidIssuer => "The token is of another issuer.",
            ErrorKind::InvalidAudience => "The token is for another audience.",
            ErrorKind::InvalidAlgorithm => "The token is signed with another algorithm.",
            _ => "The token cannot be verified.",
        };
        Err(ApiError::new(Kind::InvalidToken, reason))
    }
}

fn is_operator(claims: &Map<String, Value>) -> bool {
    let scope = claims.get("scope").and_then(Value::as_str).unwrap_or_default();
    scope.split(' ').any(|word| word == OPERATOR_SCOPE)
}

/// Why no token was made.
#[derive(Debug, thiserror::Error)]
pub enum MintError {
    /// Only the issuer has the key.
    #[error("tokens are verified with a public key here: only their issuer can make them")]
    NoSecret,
    /// The library refused.
    #[error("sign the token")]
    Sign(#[source] jsonwebtoken::errors::Error),
}

/// Whom a token is for.
#[derive(Debug, Clone, Copy)]
pub enum Bearer<'a> {
    /// A client.
    Client(&'a ClientId),
    /// An operator of this name.
    Operator(&'a str),
}

/// Makes a token, for development. Only with the secret that both sides share.
pub fn mint(config: &AuthConfig, bearer: Bearer<'_>, lifetime: Duration) -> Result<String, MintError> {
    let Some(Key::Secret(secret)) = config.keys.first() else {
        return Err(MintError::NoSecret);
    };
    let now = jsonwebtoken::get_current_timestamp();
    let mut claims = Map::from_iter([
        ("iss".to_owned(), config.issuer.clone().into()),
        ("aud".to_owned(), config.audience.clone().into()),
        ("iat".to_owned(), now.into()),
        ("nbf".to_owned(), now.into()),
        ("exp".to_owned(), now.saturating_add(lifetime.as_secs()).into()),
    ]);
    match bearer {
        Bearer::Client(client) => {
            claims.insert(config.client_claim.clone(), client.as_str().into());
        }
        Bearer::Operator(name) => {
            claims.insert("scope".to_owned(), OPERATOR_SCOPE.into());
            claims.insert("sub".to_owned(), name.into());
        }
    }
    let key = EncodingKey::from_secret(secret.as_bytes());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key).map_err(MintError::Sign)
}

/// The token of a request.
fn token(parts: &Parts) -> Result<&str, ApiError> {
    let header = parts.headers.get(AUTHORIZATION).and_then(|header| header.to_str().ok());
    let token = header
        .and_then(|header| header.split_once(' '))
        .and_then(|(scheme, token)| {
            scheme
                .eq_ignore_ascii_case("bearer")
                .then_some(token.trim())
                .filter(|token| !token.is_empty())
        });
    token.ok_or_else(|| ApiError::new(Kind::Unauthenticated, "Send a token as \"Authorization: Bearer ...\"."))
}

/// The client that a request is of, and where its rows are.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The client.
    pub client: ClientId,
    /// Its bucket.
    pub bucket: Bucket,
}

impl FromRequestParts<AppState> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        if let Some(verified) = parts.extensions.get::<Self>() {
            return Ok(verified.clone()); // By `reads.rs`, before the route.
        }
        let client = state.auth.verify(token(parts)?)?;
        Ok(Self {
            bucket: sharding::bucket_of(&client),
            client,
        })
    }
}

impl FromRequestParts<AppState> for Operations {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let actor = state.auth.verify_operator(token(parts)?)?;
        Ok(Self::new(state.shards.clone(), state.models.clone(), actor))
    }
}
