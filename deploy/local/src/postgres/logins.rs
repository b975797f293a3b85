//! The logins of a cluster beside its superuser: the databases' owner, and a login for each service.

use anyhow::{Context as _, Result};
use docket_store::shards::grants::Service;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{Admin, Endpoint};

/// The services' roles, as an operator creates them.
const ROLES: &str = include_str!("../../../postgres/roles.sql");
/// Bytes of a password: the first of a hash.
const PASSWORD_BYTES: usize = 16;

/// A user of the databases and, apart from the owner, of the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Login {
    /// Owns the tables, and migrates.
    Owner,
    /// A producer with every role, and operators' commands.
    Producer,
    /// A producer that only serves the API.
    Api,
    /// A producer that only dispatches.
    Dispatch,
    /// A worker.
    Worker,
}

impl Login {
    /// Every login.
    pub const ALL: [Self; 5] = [Self::Owner, Self::Producer, Self::Api, Self::Dispatch, Self::Worker];

    /// Name of the user and role.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Owner => "docket_owner",
            Self::Producer => "docket_producer",
            Self::Api => Service::Api.role(),
            Self::Dispatch => Service::Dispatch.role(),
            Self::Worker => Service::Worker.role(),
        }
    }

    /// A superuser's setting for this login, with the login's own user and password. `None` where the setting is not the login's
    /// business: a service that verifies no tokens does not get the tokens' key.
    pub fn setting(self, name: &str, value: &str) -> Option<String> {
        match name {
            "DOCKET_CATALOG_URL" | "DOCKET_AMQP_URL" => Some(self.url(value)),
            "DOCKET_SHARD_URLS" => Some(urls(self, value)),
            "DOCKET_JWT_SECRET" => self.verifies_tokens().then(|| value.to_owned()),
            _ => Some(value.to_owned()),
        }
    }

    const fn verifies_tokens(self) -> bool {
        match self {
            Self::Producer | Self::Api => true,
            Self::Owner | Self::Dispatch | Self::Worker => false,
        }
    }

    /// This login's password, a hash of the superuser's: nobody can derive another password from it.
    pub fn password(self, superuser: &str) -> String {
        let hash = Sha256::new()
            .chain_update(superuser)
            .chain_update(self.name())
            .finalize();
        hash.iter()
            .take(PASSWORD_BYTES)
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    /// This login's URL of a server, made from the superuser's URL.
    pub fn url(self, superuser: &str) -> String {
        let split = superuser.split_once("://").and_then(|(scheme, rest)| {
            let (user, place) = rest.split_once('@')?;
            Some((scheme, user.split_once(':')?.1, place))
        });
        let (scheme, password, place) = split.expect("a superuser's URL has a user and a password");
        format!("{scheme}://{}:{}@{place}", self.name(), self.password(password))
    }
}

/// The same for `name=URL` pairs, as in `DOCKET_SHARD_URLS`.
fn urls(login: Login, pairs: &str) -> String {
    let own = pairs.split(',').map(|pair| {
        let (name, url) = pair.split_once('=').expect("a shard's URL has its name before it");
        format!("{name}={}", login.url(url))
    });
    own.collect::<Vec<_>>().join(",")
}

/// Makes the roles and logins that a cluster lacks.
pub(super) async fn make(cluster: &Endpoint) -> Result<()> {
    let mut admin = Admin::connect(cluster, "postgres").await?;
    admin.run(ROLES).await?;
    for login in Login::ALL {
        let (name, password) = (login.name(), login.password(&cluster.password));
        let make = match login {
            Login::Owner => format!("create role {name}"),
            Login::Producer => format!(
                "create role {name} in role {}, {}",
                Login::Api.name(),
                Login::Dispatch.name()
            ),
            Login::Api | Login::Dispatch | Login::Worker => "null".to_owned(), // `roles.sql` made these roles.
        };
        let make = format!(
            "do $$ begin
                 if not exists (select from pg_roles where rolname = '{name}') then {make}; end if;
                 if not exists (select from pg_roles where rolname = '{name}' and rolcanlogin) then
                     alter role {name} login password '{password}';
                 end if;
             end $$"
        );
        admin
            .run(&make)
            .await
            .with_context(|| format!("make the login {name}"))?;
    }
    admin.disconnect().await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_docker_each_service_has_its_own_login_and_only_the_api_the_secret_of_tokens() {
        let compose = include_str!("../../../docker/compose.yaml");
        assert_eq!(compose.matches("DOCKET_JWT_SECRET").count(), 1);
        for (service, role) in [
            ("api", Login::Api),
            ("dispatch", Login::Dispatch),
            ("worker", Login::Worker),
        ] {
            let begin = compose.find(&format!("&{service}-settings\n")).expect("its settings");
            let block = &compose[begin..][..compose[begin..].find("\n\n").expect("an end")];
            let (secret, name) = (service.to_uppercase(), role.name());
            let login = format!("://{name}:${{{secret}_PASSWORD");
            assert_eq!(block.matches("://").count(), 4, "catalog, two shards, broker");
            assert_eq!(block.matches(&login).count(), 4, "{name} in\n{block}");
            assert_eq!(block.contains("DOCKET_JWT_SECRET"), service == "api");
        }
    }

    #[test]
    fn each_login_has_a_url_and_a_password_of_its_own() {
        let superuser = "postgres://docket:secret@127.0.0.1:5432/s1";
        let mut urls: Vec<String> = Login::ALL.map(|login| login.url(superuser)).to_vec();
        let worker = Login::Worker.password("secret");
        assert_eq!(urls[4], format!("postgres://docket_worker:{worker}@127.0.0.1:5432/s1"));
        assert_ne!(worker, Login::Worker.password("another"));
        urls.sort();
        urls.dedup();
        assert_eq!(urls.len(), 5);
    }
}
