//! A PostgreSQL database: the catalog, or a shard.

use docket_process::telemetry::chain;
use docket_store::operate::inspect::{self, Server};
use docket_store::shards::migrate;
use docket_store::shards::schema::Schema;
use docket_store::{Database, StoreConfig, StoreError};

use crate::doctor::clock;
use crate::doctor::report::Finding;

/// Oldest server that has all we rely on (`origin = none` of subscriptions), as `server_version_num`.
const VERSION_MIN: i32 = 160_000;
/// Longest transaction of ours, in milliseconds: a shorter limit of the server would end some of them.
const TRANSACTION_MS: i64 = 30_000;
/// Fraction of a server's connections whose use is worth a warning.
const CONNECTIONS_BUSY: f64 = 0.8;
/// Tables of the catalog and of shards that services only read; `migrate` and resharding write them.
const ONLY_READ: [&str; 4] = ["shards", "shard_maps", "shard_identity", "bucket_owners"];

/// Examines the catalog.
pub async fn catalog(config: &StoreConfig) -> Vec<Finding> {
    examine(config, ("catalog", "catalog", &config.catalog_url), Schema::Catalog).await
}

/// Examines a shard.
pub async fn shard(config: &StoreConfig, (name, url): (&str, &str)) -> Vec<Finding> {
    examine(config, (&format!("shard {name}"), name, url), Schema::Shard).await
}

/// Opens a database without prepared statements: a pooler may be in front, whatever the setting says.
pub fn open(config: &StoreConfig, (name, url): (&str, &str)) -> Result<Database, StoreError> {
    let careful = StoreConfig {
        pooler: true,
        ..config.clone()
    };
    Database::open(name, url, &careful)
}

async fn examine(config: &StoreConfig, (part, name, url): (&str, &str, &str), schema: Schema) -> Vec<Finding> {
    let looked = async {
        inspect::knock(name, url).await?;
        let database = open(config, (name, url))?;
        let mut findings = server(part, &database).await?;
        findings.push(rights(part, &database, schema).await?);
        findings.push(schema_of(part, &database, schema).await?);
        findings.extend(connections(part, &database, config).await?);
        Ok(findings)
    };
    looked.await.unwrap_or_else(|error| vec![away(part, &error)])
}

/// Why a database cannot be examined, in an operator's words.
pub fn away(part: &str, error: &StoreError) -> Finding {
    let what = chain(error);
    let setting = if part == "catalog" {
        "DOCKET_CATALOG_URL"
    } else {
        "DOCKET_SHARD_URLS"
    };
    let remedy = match error.sqlstate().as_deref() {
        Some("28P01" | "28000") => format!("correct user and password in {setting}, or its pg_hba.conf"),
        // PgBouncer's own code, for any refusal of a client.
        Some("08P01") => {
            format!("correct user, password and database in {setting}, or the pooler's lists of them, and RELOAD it")
        }
        Some("3D000") => format!("create the database, or correct its name in {setting}"),
        Some("53300") => "raise max_connections, or put PgBouncer in front (DOCKET_PG_POOLER=true)".to_owned(),
        Some("42501") => "grant the role of the URL what it lacks, or make it the owner of the schema".to_owned(),
        Some("55000") => "let it take connections again: alter database ... allow_connections true".to_owned(),
        _ => format!("start it, let this network reach it, or correct host and port in {setting}"),
    };
    let means = if part == "catalog" {
        "services that run go on with the map that they have; none starts, and operators' commands do nothing"
    } else {
        "uploads and reads of its clients are answered 503; no other client is touched"
    };
    Finding::fail(part, what).means(means).remedy(remedy)
}

async fn server(part: &str, database: &Database) -> Result<Vec<Finding>, StoreError> {
    let server = inspect::server(database).await?;
    let clock = inspect::clock(database).await?;
    let latency = clock.latency.as_secs_f64() * 1e3;
    let answers = format!(
        "answers in {latency:.1} ms: PostgreSQL {}, as role {}",
        server.version, server.role
    );
    let mut findings = vec![Finding::ok(part, answers)];
    findings.extend(clock::database(part, clock.ahead));
    findings.extend(broken(part, &server));
    findings.extend(doubtful(part, &server));
    Ok(findings)
}

/// Whether the role may do what its services need: the services whose role it is, or every service where there is only this role.
async fn rights(part: &str, database: &Database, schema: Schema) -> Result<Finding, StoreError> {
    let services = inspect::services(database).await?;
    let lacking = if services.is_empty() {
        inspect::lacking(database, &ONLY_READ).await?
    } else {
        inspect::lacking_of(database, schema, &services).await?
    };
    if lacking.is_empty() {
        return Ok(Finding::ok(part, "the role may do what it must"));
    }
    let role = inspect::server(database).await?.role;
    let names: Vec<String> = lacking.iter().map(|(table, may)| format!("{may} on {table}")).collect();
    let finding = Finding::fail(part, format!("role {role} lacks {}", names.join(", ")));
    let finding = finding.means("statements of the services are refused, and so uploads and results are");
    Ok(finding.remedy(if services.is_empty() {
        format!(
            "as the owner: grant usage on schema public to {role}; grant select, insert, update, delete on all tables in schema public \
             to {role}; grant execute on all functions in schema public to {role}; and, for tables of later releases, alter default \
             privileges in schema public grant select, insert, update, delete on tables to {role}"
        )
    } else {
        "docket-producer migrate, as the owner, which grants the services' roles what they need".to_owned()
    }))
}

/// Findings of what keeps Docket from working.
fn broken(part: &str, server: &Server) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut add = |what: String, means: &str, remedy: &str| {
        findings.push(Finding::fail(part, what).means(means).remedy(remedy));
    };
    if server.version_number < VERSION_MIN {
        let means = "rows cannot be moved between shards, and nothing is tested there";
        add(
            format!("PostgreSQL {} is too old", server.version),
            means,
            "upgrade it to 16 or later",
        );
    }
    if server.standby {
        let means = "it is a copy of the database, and takes no writes";
        add(
            "is a standby".into(),
            means,
            "let the URL name the primary, or promote this one",
        );
    } else if server.read_only {
        let means = "nothing can be accepted, dispatched or finished there";
        let remedy = "take default_transaction_read_only off the role, the database or the server";
        add("transactions are read-only".into(), means, remedy);
    }
    if server.encoding != "UTF8" {
        let means = "entities and names in other alphabets cannot be stored";
        let remedy = "create the database anew with encoding 'UTF8', and restore into it";
        add(format!("its encoding is {}", server.encoding), means, remedy);
    }
    if server.isolation != "read committed" {
        let means = "the fence relies on seeing, in each statement, what is committed by then: a bucket could be written after it moved";
        let remedy = "set default_transaction_isolation to 'read committed' for the role and the database";
        add(
            format!("transactions are {} by default", server.isolation),
            means,
            remedy,
        );
    }
    findings
}

/// Findings of what still works.
fn doubtful(part: &str, server: &Server) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut add = |what: String, means: &str, remedy: &str| {
        findings.push(Finding::warn(part, what).means(means).remedy(remedy));
    };
    if server.wal_level != "logical" && part != "catalog" {
        let means = "clients cannot be moved to another shard: that is done by logical replication";
        let remedy = "set wal_level = logical; it takes a restart, so do it before it is needed";
        add(format!("wal_level is {}", server.wal_level), means, remedy);
    }
    if !server.not_durable.is_empty() {
        let means = "documents that were accepted are lost when the server or its machine crashes";
        add(server.not_durable.join(", "), means, "switch them on, except for tests");
    }
    for (name, limit) in [
        ("statement_timeout", server.statement_timeout),
        ("transaction_timeout", server.transaction_timeout),
    ] {
        if (1..TRANSACTION_MS).contains(&limit) {
            let means = "long documents' results and sweeps are cut off and tried again, in vain";
            let remedy =
                format!("set {name} for the role to 0 or at least 30 s; Docket bounds its transactions itself");
            add(format!("{name} is {limit} ms"), means, &remedy);
        }
    }
    findings
}

async fn schema_of(part: &str, database: &Database, schema: Schema) -> Result<Finding, StoreError> {
    let versions = migrate::versions(database, schema).await?;
    let (found, needed) = (versions.found, versions.needed);
    let (own, other) = match schema {
        Schema::Catalog => ("shard_maps", "a shard, not the catalog"),
        Schema::Shard => ("bucket_owners", "the catalog, not a shard"),
    };
    if found > 0 && !inspect::has_table(database, own).await? {
        let finding = Finding::fail(part, format!("the database is {other}"));
        let finding = finding.means("nothing that is looked for is there");
        return Ok(finding.remedy("correct DOCKET_CATALOG_URL or DOCKET_SHARD_URLS: one leads to the other's database"));
    }
    Ok(if found < needed {
        let what = match found {
            0 => "it has no schema of Docket's".to_owned(),
            found => format!("its schema is version {found}, this release needs {needed}"),
        };
        let finding = Finding::fail(part, what).means("services of this release refuse to start on it");
        finding.remedy("docket-producer migrate, which may run while the earlier release serves")
    } else if found > needed {
        let what = format!("its schema is version {found}, and this release knows only {needed}");
        let finding =
            Finding::warn(part, what).means("a later release has migrated it; this one goes on working meanwhile");
        finding.remedy("end the roll-out of the later release, and use its docket-producer")
    } else {
        Finding::ok(part, format!("schema version {found}, as this release needs it"))
    })
}

/// Whether there are enough connections, and whether a pooler is present as the setting says.
async fn connections(part: &str, database: &Database, config: &StoreConfig) -> Result<Vec<Finding>, StoreError> {
    let pooled = inspect::is_pooled(database).await?;
    let pooler = match (pooled, config.pooler) {
        (true, false) => Finding::fail(part, "a transaction pooler is in front, and DOCKET_PG_POOLER is false")
            .means("statements that one client prepared meet another client: 'prepared statement already exists'")
            .remedy("set DOCKET_PG_POOLER=true for producers and workers"),
        (false, true) => Finding::warn(
            part,
            "no transaction pooler is to be seen, and DOCKET_PG_POOLER is true",
        )
        .means("every statement is planned anew, which costs about half of the speed")
        .remedy("set DOCKET_PG_POOLER=false where the URL leads to the server itself"),
        (true, true) => Finding::ok(part, "a transaction pooler is in front, as DOCKET_PG_POOLER says"),
        (false, false) => Finding::ok(part, "no pooler in front, as DOCKET_PG_POOLER says"),
    };
    let mut findings = vec![pooler];
    if !pooled {
        let server = inspect::server(database).await?;
        findings.push(room(part, &server, config.connections_max));
    }
    Ok(findings)
}

fn room(part: &str, server: &Server, each: u32) -> Finding {
    let (most, open) = (i64::from(server.connections_max), server.connections);
    let processes = most / i64::from(each);
    let remedy =
        "raise max_connections, lower DOCKET_PG_CONNECTIONS_MAX, or put PgBouncer in front (DOCKET_PG_POOLER=true)";
    if processes < 1 {
        let what = format!("{most} connections, and one process may open {each} (DOCKET_PG_CONNECTIONS_MAX)");
        return Finding::fail(part, what)
            .means("a busy process is refused connections")
            .remedy(remedy);
    }
    if open as f64 > CONNECTIONS_BUSY * most as f64 {
        let what = format!("{open} of {most} connections are open");
        let means = "the next process to start, or a busier hour, is refused connections";
        return Finding::warn(part, what).means(means).remedy(remedy);
    }
    let what = format!("{open} of {most} connections are open; {processes} processes of {each} fit");
    Finding::ok(part, what)
}
