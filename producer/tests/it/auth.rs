//! Tokens: exactly one algorithm, the right issuer and audience, and a client.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use docket_http::problem::ApiError;
use docket_identity::{AuthConfig, Bearer, MintError, Verifier};
use docket_process::settings::{ConfigError, Env};
use docket_producer::config::ProducerConfig;
use docket_producer::role::Role;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::Method;
use serde_json::{Value, json};

use crate::api::{ACME, Api, assert_problem};

const SECRET: &str = "a secret that is as long as the hash";

fn config(pairs: &[(&str, &str)]) -> Result<AuthConfig, ConfigError> {
    let env: HashMap<_, _> = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    AuthConfig::from_env(&Env::from_map(env))
}

fn key_file(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/it/keys")
        .join(name)
        .display()
        .to_string()
}

fn sign(algorithm: Algorithm, claims: &Value, secret: &[u8]) -> String {
    jsonwebtoken::encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(secret)).unwrap()
}

fn claims(change: impl Fn(&mut Value)) -> Value {
    let now = jsonwebtoken::get_current_timestamp();
    let mut claims = json!({"iss": "docket", "aud": "docket", "exp": now + 600, "client_id": "acme"});
    change(&mut claims);
    claims
}

/// The status of the refusal of a token; 0 when the token is accepted.
fn status_of(verifier: &Verifier, token: &str) -> u16 {
    verifier
        .verify(token)
        .map_or_else(|error| ApiError::from(error).status().as_u16(), |_| 0)
}

#[test]
fn a_token_is_good_only_in_every_respect() {
    let verifier = Verifier::new(&config(&[("DOCKET_JWT_SECRET", SECRET)]).unwrap());
    let now = jsonwebtoken::get_current_timestamp();
    let judged = |claims: Value| status_of(&verifier, &sign(Algorithm::HS256, &claims, SECRET.as_bytes()));
    assert_eq!(judged(claims(|_| ())), 0);
    assert_eq!(judged(claims(|c| c["aud"] = json!(["other", "docket"]))), 0);
    assert_eq!(
        judged(claims(|c| c["exp"] = json!(now - 10))),
        0,
        "clocks may differ a little"
    );
    for (name, value) in [
        ("exp", json!(now - 60)),
        ("nbf", json!(now + 60)),
        ("iss", json!("other")),
        ("aud", json!("other")),
        ("exp", Value::Null),
        ("iss", Value::Null),
        ("aud", Value::Null),
    ] {
        let without = value.is_null();
        let changed = claims(|c| {
            c[name] = value.clone();
            if without {
                c.as_object_mut().unwrap().remove(name);
            }
        });
        assert_eq!(judged(changed), 401, "{name}: {value}");
    }
    for client in [Value::Null, json!(7), json!(""), json!("a b"), json!("../acme")] {
        assert_eq!(judged(claims(|c| c["client_id"] = client.clone())), 403, "{client}");
    }
    let good = sign(Algorithm::HS256, &claims(|_| ()), SECRET.as_bytes());
    let (head, signature) = good.rsplit_once('.').unwrap();
    let flipped = if signature.starts_with('A') { "B" } else { "A" };
    for bad in [
        sign(Algorithm::HS384, &claims(|_| ()), SECRET.as_bytes()),
        sign(
            Algorithm::HS256,
            &claims(|_| ()),
            b"another secret that is as long as one",
        ),
        format!("{head}.{flipped}{}", &signature[1..]),
        format!("{head}."),
        // The beginning decodes to {"alg":"none"}
        format!("eyJhbGciOiJub25lIn0.{}.", head.split_once('.').unwrap().1),
        String::new(),
    ] {
        assert_eq!(status_of(&verifier, &bad), 401, "{bad}");
    }
}

#[test]
fn a_token_with_an_extension_that_must_be_known_is_refused() {
    let verifier = Verifier::new(&config(&[("DOCKET_JWT_SECRET", SECRET)]).unwrap());
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    for (crit, status) in [
        (None, 0),
        (Some(vec![]), 401),
        (Some(vec!["exp".to_owned()]), 401),
        (Some(vec!["b64".to_owned(), "https://example.com/ext".to_owned()]), 401),
    ] {
        let header = Header {
            crit: crit.clone(),
            ..Header::new(Algorithm::HS256)
        };
        let token = jsonwebtoken::encode(&header, &claims(|_| ()), &key).unwrap();
        assert_eq!(status_of(&verifier, &token), status, "{crit:?}");
    }
}

#[test]
fn times_of_a_token_that_are_no_times_are_refused() {
    let verifier = Verifier::new(&config(&[("DOCKET_JWT_SECRET", SECRET)]).unwrap());
    for name in ["exp", "nbf"] {
        for value in [
            json!("9999999999"),
            json!(-1),
            json!("never"),
            json!([1]),
            json!({}),
            json!(true),
        ] {
            let claims = claims(|claims| claims[name] = value.clone());
            let token = sign(Algorithm::HS256, &claims, SECRET.as_bytes());
            assert_eq!(status_of(&verifier, &token), 401, "{name}: {value}");
        }
    }
}

#[test]
fn a_token_is_a_clients_or_an_operators_and_never_both() {
    let verifier = Verifier::new(&config(&[("DOCKET_JWT_SECRET", SECRET)]).unwrap());
    // The statuses of the token for a client's route and an operator's; 0 is accepted.
    let judged = |change: &dyn Fn(&mut Value)| {
        let token = sign(Algorithm::HS256, &claims(change), SECRET.as_bytes());
        let operator = verifier.verify_operator(&token);
        let operator = operator.map_or_else(|error| ApiError::from(error).status().as_u16(), |_| 0);
        (status_of(&verifier, &token), operator)
    };
    assert_eq!(judged(&|_| ()), (0, 403));
    assert_eq!(judged(&|c| c["sub"] = json!("ada")), (0, 403), "a subject is no scope");
    for scope in ["docket:operator", "openid docket:operator", "docket:operator email"] {
        let with = |c: &mut Value| {
            c["scope"] = json!(scope);
            c["sub"] = json!("ada");
        };
        assert_eq!(judged(&with), (403, 0), "{scope}");
    }
    for scope in [
        json!("docket:operators"),
        json!("xdocket:operator"),
        json!("DOCKET:OPERATOR"),
        json!(["docket:operator"]),
        json!(""),
        Value::Null,
    ] {
        let with = |c: &mut Value| {
            c["scope"] = scope.clone();
            c["sub"] = json!("ada");
        };
        assert_eq!(judged(&with), (0, 403), "{scope}");
    }
    for name in [
        Value::Null,
        json!(""),
        json!(7),
        json!("a".repeat(201)),
        json!("a\0"),
        json!("a\nb"),
    ] {
        let with = |c: &mut Value| {
            c["scope"] = json!("docket:operator");
            c["sub"] = name.clone();
        };
        assert_eq!(judged(&with), (403, 403), "{name}");
    }
}

#[test]
fn a_public_key_verifies_and_cannot_be_used_as_a_secret() {
    for (key, token) in [
        ("rsa-public.pem", include_str!("keys/rs256-token.txt")),
        ("p256-public.pem", include_str!("keys/es256-token.txt")),
    ] {
        let path = key_file(key);
        let config = config(&[("DOCKET_JWT_PUBLIC_KEY_FILE", &path)]).unwrap();
        let verifier = Verifier::new(&config);
        assert_eq!(verifier.verify(token.trim()).unwrap().as_str(), "acme", "{key}");
        let forged = sign(Algorithm::HS256, &claims(|_| ()), &std::fs::read(&path).unwrap());
        assert_eq!(status_of(&verifier, &forged), 401, "{key} was taken as a secret");
        let minted = docket_identity::mint(&config, Bearer::Operator("ada"), Duration::from_secs(60));
        assert!(matches!(minted, Err(MintError::NoSecret)));
    }
    let other = Verifier::new(&config(&[("DOCKET_JWT_PUBLIC_KEY_FILE", &key_file("rsa-public.pem"))]).unwrap());
    assert_eq!(status_of(&other, include_str!("keys/es256-token.txt").trim()), 401);
}

#[test]
fn while_a_key_is_replaced_the_tokens_of_both_are_good() {
    let next = "the next secret, as long as the hash";
    let both = config(&[("DOCKET_JWT_SECRET", next), ("DOCKET_JWT_SECRET_OLD", SECRET)]).unwrap();
    let verifier = Verifier::new(&both);
    let signed = |secret: &str| sign(Algorithm::HS256, &claims(|_| ()), secret.as_bytes());
    assert_eq!(
        (
            status_of(&verifier, &signed(SECRET)),
            status_of(&verifier, &signed(next))
        ),
        (0, 0)
    );
    assert_eq!(
        status_of(&verifier, &signed("a third secret, also as long as one")),
        401
    );
    let past = claims(|c| c["exp"] = json!(jsonwebtoken::get_current_timestamp() - 60));
    for secret in [SECRET, next] {
        let error = verifier
            .verify(&sign(Algorithm::HS256, &past, secret.as_bytes()))
            .unwrap_err();
        assert!(format!("{error:?}").contains("expired"), "{error:?}");
    }
    let minted = docket_identity::mint(&both, Bearer::Client(&ACME.parse().unwrap()), Duration::from_secs(60)).unwrap();
    let after = Verifier::new(&config(&[("DOCKET_JWT_SECRET", next)]).unwrap());
    assert_eq!(status_of(&after, &minted), 0, "new tokens are made with the new secret");
    assert_eq!(status_of(&after, &signed(SECRET)), 401, "the old secret is gone");
    let file = std::env::temp_dir().join(format!("keys-{}.pem", uuid::Uuid::new_v4().simple()));
    let keys = ["rsa-public.pem", "p256-public.pem"].map(|name| std::fs::read_to_string(key_file(name)).unwrap());
    std::fs::write(&file, keys.concat()).unwrap();
    let verifier =
        config(&[("DOCKET_JWT_PUBLIC_KEY_FILE", &file.display().to_string())]).map(|config| Verifier::new(&config));
    std::fs::remove_file(&file).unwrap();
    for token in [
        include_str!("keys/rs256-token.txt"),
        include_str!("keys/es256-token.txt"),
    ] {
        assert_eq!(
            verifier.as_ref().unwrap().verify(token.trim()).unwrap().as_str(),
            "acme"
        );
    }
}

#[test]
fn a_process_without_exactly_one_usable_key_refuses_to_start() {
    let rsa = key_file("rsa-public.pem");
    for pairs in [
        vec![],
        vec![("DOCKET_JWT_SECRET", "short")],
        vec![("DOCKET_JWT_SECRET", SECRET), ("DOCKET_JWT_SECRET_OLD", "short")],
        vec![("DOCKET_JWT_SECRET_OLD", SECRET)],
        vec![("DOCKET_JWT_SECRET", SECRET), ("DOCKET_JWT_PUBLIC_KEY_FILE", &rsa)],
        vec![("DOCKET_JWT_PUBLIC_KEY_FILE", "/no/such/file")],
        vec![("DOCKET_JWT_PUBLIC_KEY_FILE", &key_file("p384-public.pem"))],
        vec![("DOCKET_JWT_PUBLIC_KEY_FILE", &key_file("rs256-token.txt"))],
    ] {
        let error = config(&pairs).unwrap_err().to_string();
        assert!(error.contains("DOCKET_JWT_") && !error.contains(SECRET), "{error}");
    }
    let config = config(&[("DOCKET_JWT_SECRET", SECRET)]).unwrap();
    assert!(!format!("{config:?}").contains(SECRET), "the secret is shown by Debug");
}

#[test]
fn a_dispatcher_needs_no_key_of_tokens() {
    let world = [
        ("DOCKET_CATALOG_URL", "postgres://a:b@c/d"),
        ("DOCKET_SHARD_URLS", "s1=postgres://a:b@c/d"),
        ("DOCKET_AMQP_URL", "amqp://a:b@c/d"),
        ("DOCKET_S3_BUCKET", "docket"),
    ];
    let env = Env::from_map(world.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    ProducerConfig::of_roles(&env, &[Role::Dispatch]).unwrap();
    for roles in [&[Role::Api][..], &Role::ALL] {
        let error = ProducerConfig::of_roles(&env, roles).unwrap_err().to_string();
        assert!(error.contains("DOCKET_JWT_SECRET"), "{error}");
    }
}

#[tokio::test]
async fn every_route_of_the_api_needs_a_token_that_names_a_client() {
    let api = Api::start_with(&[("DOCKET_JWT_SECRET", SECRET), ("DOCKET_JWT_CLIENT_CLAIM", "tenant")]).await;
    let stranger = sign(Algorithm::HS256, &claims(|_| ()), SECRET.as_bytes());
    let id = "01890a5d-ac96-774b-bcce-b302099a8057";
    let document = format!("/v1/documents/{id}");
    for (method, path) in [
        (Method::POST, "/v1/documents".to_owned()),
        (Method::GET, "/v1/documents".to_owned()),
        (Method::GET, document.clone()),
        (Method::GET, format!("{document}/entities")),
        (Method::GET, format!("{document}/text")),
        (Method::GET, format!("{document}/jobs")),
        (Method::POST, format!("{document}/jobs")),
        (Method::GET, "/v1/models".to_owned()),
        (Method::GET, format!("/v1/jobs/{id}")),
    ] {
        let request = || api.anonymous(method.clone(), &path);
        assert_problem(request().send().await.unwrap(), 401, "unauthenticated").await;
        let basic = request().basic_auth("acme", Some("x")).send().await.unwrap();
        assert_problem(basic, 401, "unauthenticated").await;
        assert_problem(
            request().bearer_auth("x.y.z").send().await.unwrap(),
            401,
            "invalid-token",
        )
        .await;
        assert_problem(request().bearer_auth(&stranger).send().await.unwrap(), 403, "no-client").await;
    }
    api.upload(ACME, "A token of this process's own secret and claim is good.")
        .await;
}
