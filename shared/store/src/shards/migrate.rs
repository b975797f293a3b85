//! Migrations: one set for the catalog, one for every shard, forward only. Only `docket-producer migrate` changes a
//! schema. A service checks the schemas when it starts, and refuses to start on an older one.

use anyhow::{Context, ensure};
use sqlx::migrate::Migrator;
use sqlx::{ConnectOptions, PgConnection};

use crate::shards::schema::Schema;
use crate::shards::{grants, shard_map};
use crate::sql::sql;
use crate::{Database, Shards, StoreConfig, StoreError};
use docket_contract::ids::ShardName;
use docket_contract::sharding::ShardMap;

static CATALOG: Migrator = sqlx::migrate!("migrations/catalog");
static SHARD: Migrator = sqlx::migrate!("migrations/shard");

/// Number of the lock under which the first map is made, so that two migrations at once make one map.
const FIRST_MAP_LOCK: i64 = 3_340;

/// Migrates the catalog and all shards, grants the services' roles what they need, makes the first map if there is
/// none, and tells it to the shards. Run again it changes nothing. It must connect past a transaction pooler, which the
/// migrator's advisory locks do not survive.
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
    migrator(schema).run(&mut connection).await?;
    let granted = grants::grant(&mut connection, schema).await;
    granted.context("grant the services' roles what they need")
}

async fn first_map(config: &StoreConfig) -> anyhow::Result<ShardMap> {
    let catalog = Database::open("catalog", &config.catalog_url, config)?;
    let mut tx = catalog.begin().await?;
    tx.execute(sql!("shards/lock").bind(FIRST_MAP_LOCK)).await?;
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
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The database has an older schema than this release needs.
    #[error("{database} has schema version {found}, this release needs {needed}: run `docket-producer migrate`")]
    Outdated {
        /// Name of the shard, or `catalog`.
        database: String,
        /// Version of the database.
        found: i64,
        /// Version that this release needs.
        needed: i64,
    },
    /// The URL of one shard leads to another one.
    #[error("the database configured as shard {configured} holds shard {found}: correct DOCKET_SHARD_URLS")]
    Mixed {
        /// Name in the setting.
        configured: String,
        /// Name that the database was told.
        found: String,
    },
}

/// Checks that every database has at least this release's schema and is the shard that it is taken for. A shard that is
/// down is passed over, since the other shards' clients must not wait for it; its own clients get errors later.
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

fn migrator(schema: Schema) -> &'static Migrator {
    match schema {
        Schema::Catalog => &CATALOG,
        Schema::Shard => &SHARD,
    }
}

/// A schema as it is and as this release needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Versions {
    /// Version of the database; 0 when it was never migrated.
    pub found: i64,
    /// Version that this release needs.
    pub needed: i64,
}

/// The version of a database's schema.
pub async fn versions(database: &Database, schema: Schema) -> Result<Versions, StoreError> {
    let needed = migrator(schema)
        .iter()
        .map(|migration| migration.version)
        .max()
        .unwrap_or_default();
    let mut tx = database.begin().await?;
    let is_migrated = tx.scalar(sql!("operate/table_exists").bind("_sqlx_migrations")).await?;
    let found = if is_migrated {
        tx.scalar(sql!("shards/schema_version")).await?
    } else {
        0
    };
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
