#![doc = include_str!("../README.md")]

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use docket_contract::ids::ClientId;
use docket_process::settings::{ConfigError, Env, Setting};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde_json::{Map, Value};

/// Secret that issuer and verifier share.
pub const SECRET: Setting = Setting::optional(
    "DOCKET_JWT_SECRET",
    "secret of at least 32 bytes that signs HS256 tokens; the role `api` needs either this secret or \
     `DOCKET_JWT_PUBLIC_KEY_FILE`, other roles need neither",
);
/// Second secret whose tokens are accepted, while the secret is replaced.
pub const SECRET_OLD: Setting = Setting::optional(
    "DOCKET_JWT_SECRET_OLD",
    "second secret whose tokens are accepted while the secret is replaced: the earlier secret or the next secret",
);
/// File of the public key that tokens are verified with.
pub const PUBLIC_KEY_FILE: Setting = Setting::optional(
    "DOCKET_JWT_PUBLIC_KEY_FILE",
    "PEM file of the public key of RS256 (RSA) or ES256 (P-256) tokens; the file may hold several keys while a key is \
     replaced",
);
/// Issuer that a token must name.
pub const ISSUER: Setting = Setting::with_default("DOCKET_JWT_ISSUER", "docket", "`iss` that every token must have");
/// Audience that a token must name.
pub const AUDIENCE: Setting = Setting::with_default(
    "DOCKET_JWT_AUDIENCE",
    "docket",
    "value that must be among the values of `aud` in every token",
);
/// Name of the claim that holds the client's id.
pub const CLIENT_CLAIM: Setting = Setting::with_default(
    "DOCKET_JWT_CLIENT_CLAIM",
    "client_id",
    "claim of a token that names the client",
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

/// Shortest secret, in bytes: RFC 7518 requires a key at least as long as the hash.
const SECRET_BYTES_MIN: usize = 32;
/// Size of an uncompressed point of P-256, the curve of ES256, in bytes.
const P256_POINT_BYTES: usize = 65;
/// The word in the claim `scope` of an operator's token (RFC 8693, section 4.2); a client's token does not have this word.
const OPERATOR_SCOPE: &str = "docket:operator";
/// Longest name of an operator, in bytes: room for an address or a URL, and short enough for every line of the audit.
const OPERATOR_NAME_BYTES_MAX: usize = 200;
/// How far the clocks of issuer and verifier may differ: 30 s.
const LEEWAY: Duration = Duration::from_secs(30);

/// Which tokens are good.
#[derive(Clone)]
pub struct AuthConfig {
    /// At least one key that tokens may be signed with. Tokens made here are signed with the first.
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
    /// The settings of this file, or `None` without a key: a process that does not serve the API should have no key.
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

/// The beginning of each key in a PEM file.
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

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The token is not valid.
    InvalidToken,
    /// The token is valid and names no client.
    NoClient,
    /// The token is valid and not an operator's.
    NotOperator,
}

/// The refusal of a token, with what its sender may know of the reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Refused {
    /// The kind of refusal.
    pub reason: Reason,
    /// A sentence for the sender.
    pub detail: Cow<'static, str>,
}

impl Refused {
    fn new(reason: Reason, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            reason,
            detail: detail.into(),
        }
    }
}

/// Checks tokens. Clones share the keys.
#[derive(Clone)]
pub struct Verifier(Arc<Inner>);

struct Inner {
    /// The keys, each with the validation of its tokens.
    keys: Vec<(DecodingKey, Validation)>,
    client_claim: String,
}

impl Verifier {
    /// A verifier that takes, for each key, only tokens of that key's algorithm.
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
    pub fn verify(&self, token: &str) -> Result<ClientId, Refused> {
        let claims = self.claims(token)?;
        if is_operator(&claims) {
            let detail = "The token is an operator's, which gives no access to documents.";
            return Err(Refused::new(Reason::NoClient, detail));
        }
        let claim = &self.0.client_claim;
        let client = claims.get(claim).and_then(Value::as_str);
        let client = client.and_then(|client| client.parse().ok());
        client.ok_or_else(|| {
            Refused::new(
                Reason::NoClient,
                format!("The token is valid, but its claim {claim} is not a client's id."),
            )
        })
    }

    /// The operator that a token was issued to.
    pub fn verify_operator(&self, token: &str) -> Result<String, Refused> {
        let claims = self.claims(token)?;
        let refused = |detail: String| Refused::new(Reason::NotOperator, detail);
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

    /// The claims of a token that one of the keys verifies.
    fn claims(&self, token: &str) -> Result<Map<String, Value>, Refused> {
        let mut refused = ErrorKind::InvalidSignature;
        for (key, validation) in &self.0.keys {
            match jsonwebtoken::decode::<Map<String, Value>>(token, key, validation) {
                Ok(token) if token.header.crit.is_some() => {
                    let detail =
                        "The token's header has extensions that must be known (crit), and none are known here.";
                    return Err(Refused::new(Reason::InvalidToken, detail));
                }
                Ok(token) => return Ok(token.claims),
                // Only the key that signed the token can tell what is wrong with it.
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
        Err(Refused::new(Reason::InvalidToken, reason))
    }
}

fn is_operator(claims: &Map<String, Value>) -> bool {
    let scope = claims.get("scope").and_then(Value::as_str).unwrap_or_default();
    scope.split(' ').any(|word| word == OPERATOR_SCOPE)
}

/// Why a token was not made.
#[derive(Debug, thiserror::Error)]
pub enum MintError {
    /// Only a public key is configured, so only the issuer can sign.
    #[error("tokens are verified with a public key here: only their issuer can make them")]
    NoSecret,
    /// The library failed to sign.
    #[error("sign the token")]
    Sign(#[source] jsonwebtoken::errors::Error),
}

/// The bearer of a token.
#[derive(Debug, Clone, Copy)]
pub enum Bearer<'a> {
    /// The client with this id.
    Client(&'a ClientId),
    /// The operator of this name.
    Operator(&'a str),
}

/// Makes a token for development, signed with the shared secret.
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
