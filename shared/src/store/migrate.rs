//! Schemas. Forward only; one set for the catalog, one for every shard. Only `docket-producer migrate` changes a schema:
//! services check at start that theirs is there and refuse otherwise.

use anyhow::{Context, ensure};
use sqlx::migrate::Migrator;
use sqlx::{ConnectOptions, PgConnection};

use super::{Database, Shards, StoreConfig, StoreError, grants, shard_map};
use crate::ids::ShardName;
use crate::sharding::ShardMap;

static CATALOG: Migrator = sqlx::migrate!("migrations/catalog");
static SHARD: Migrator = sqlx::migrate!("migrations/shard");

/// Migrates the catalog and all shards, grants the services' roles what they need, makes the first map if there is none, and
/// introduces the shards to it.
/// Idempotent. Connects directly: advisory locks of the migrator do not pass a transaction pooler.
pub async fn all(config: &StoreConfig) -> anyhow::Result<()> {
    migrate(Schema::Catalog, config, &config.catalog_url)
        .await
        .context("migrate the catalog")?;
    for (name, url) in &config.shards {
        migrate(Schema::Shard, config, url)
            .await
            .with_context(|| format!("migrate shard {name}"))?;
    }
    let map = first_map(config).await.context("make the first shard map")?;
    for (name, url) in &config.shards {
        let shard = Database::open(name, url, config)?;
        let mut tx = shard.begin().await?;
        let known_as = shard_map::identity(&mut tx).await?;
        ensure!(
            known_as.as_ref().is_none_or(|known| known == name),
            "the database configured as shard {name} holds shard {}",
            known_as.unwrap_or_default()
        );
        shard_map::introduce(&mut tx, name, &map).await?;
        tx.commit().await?;
    }
    Ok(())
}

async fn migrate(schema: Schema, config: &StoreConfig, url: &str) -> anyhow::Result<()> {
    let mut connection: PgConnection = config.options(url)?.connect().await?;
    schema.migrator().run(&mut connection).await?;
    let granted = grants::grant(&mut connection, schema).await;
    granted.context("grant the services' roles what they need")
}

async fn first_map(config: &StoreConfig) -> anyhow::Result<ShardMap> {
    let catalog = Database::open("catalog", &config.catalog_url, config)?;
    let mut tx = catalog.begin().await?;
    tx.query("select pg_advisory_xact_lock(3340)")
        .execute(tx.connection())
        .await?;
    if let Some(map) = shard_map::newest_in(&mut tx).await? {
        return Ok(map);
    }
    let mut weighted = Vec::new();
    for (name, _) in &config.shards {
        shard_map::add_shard(&mut tx, name, 1).await?;
        weighted.push((name.parse::<ShardName>()?, 1));
    }
    let map = ShardMap::balanced(1, &weighted).context("there is no shard")?;
    shard_map::save(&mut tx, &map, "first map").await?;
    tx.commit().await?;
    Ok(map)
}

/// Why a service does not start on a database.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// The database itself.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It has another schema than this release was built for.
    #[error("{database} has schema version {found}, this release needs {needed}: run `docket-producer migrate`")]
    Outdated {
        /// Which one.
        database: String,
        /// Its version.
        found: i64,
        /// Ours.
        needed: i64,
    },
    /// A URL leads to another shard than its name says.
    #[error("the database configured as shard {configured} holds shard {found}: correct DOCKET_SHARD_URLS")]
    Mixed {
        /// By the setting.
        configured: String,
        /// By itself.
        found: String,
    },
}

/// Checks that every database that answers has at least this release's schema and is the shard it is taken for. A shard
/// that is down is left to its own errors later: the other shards' clients must not wait for it.
pub async fn check(shards: &Shards) -> Result<(), SchemaError> {
    check_one(shards.catalog(), Schema::Catalog).await?;
    for (name, shard) in shards.all() {
        match check_one(shard, Schema::Shard).await {
            Err(SchemaError::Store(StoreError::Unavailable { database, .. })) => {
                tracing::warn!(database, "a shard is away; its schema was not checked");
            }
            Err(error) => return Err(error),
            Ok(()) => {
                let found = shard_map::identity(&mut shard.begin().await?)
                    .await?
                    .unwrap_or_default();
                if found != name.as_str() {
                    return Err(SchemaError::Mixed {
                        configured: name.to_string(),
                        found,
                    });
                }
            }
        }
    }
    Ok(())
}

/// Which of the two schemas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schema {
    /// The catalog's.
    Catalog,
    /// Every shard's.
    Shard,
}

impl Schema {
    fn migrator(self) -> &'static Migrator {
        match self {
            Self::Catalog => &CATALOG,
            Self::Shard => &SHARD,
        }
    }
}

/// A schema as it is and as this release needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Versions {
    /// Of the database; 0 when it was never migrated.
    pub found: i64,
    /// Ours.
    pub needed: i64,
}

/// The version of a database's schema.
pub async fn versions(database: &Database, schema: Schema) -> Result<Versions, StoreError> {
    let needed = schema
        .migrator()
        .iter()
        .map(|migration| migration.version)
        .max()
        .unwrap_or_default();
    let mut tx = database.begin().await?;
    let query = tx.query_scalar::<bool>("select to_regclass('_sqlx_migrations') is not null");
    let migrated = query
        .fetch_one(tx.connection())
        .await
        .map_err(|error| tx.failed(error))?;
    let mut found = 0;
    if migrated {
        let query = tx.query_scalar::<i64>("select coalesce(max(version), 0) from _sqlx_migrations where success");
        found = query
            .fetch_one(tx.connection())
            .await
            .map_err(|error| tx.failed(error))?;
    }
    Ok(Versions { found, needed })
}

async fn check_one(database: &Database, schema: Schema) -> Result<(), SchemaError> {
    let Versions { found, needed } = versions(database, schema).await?;
    if found < needed {
        return Err(SchemaError::Outdated {
            database: database.name().to_owned(),
            found,
            needed,
        });
    }
    Ok(())
}
