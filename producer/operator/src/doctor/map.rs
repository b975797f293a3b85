//! The map: each bucket has exactly one owner, the catalog and the shards agree on the owner, and every owner is configured.

use std::collections::{BTreeMap, BTreeSet};

use docket_contract::ids::{Bucket, ShardName};
use docket_contract::sharding::{self, ShardMap};
use docket_store::operate::inspect::{self, Ownership};
use docket_store::shards::shard_map;
use docket_store::{StoreConfig, StoreError};
use futures::future::join_all;

use crate::doctor::database;
use crate::doctor::report::Finding;

/// Buckets named in a finding; of the others the count says enough.
const NAMED: usize = 5;

/// What the catalog, the setting and the shards say.
#[derive(Debug, Default)]
struct Told {
    /// Newest map of the catalog.
    map: Option<ShardMap>,
    /// Shards that the catalog knows.
    known: Vec<String>,
    /// Shards that the setting names.
    configured: Vec<String>,
    /// Each answering shard's word on each bucket's owner, under the name that the shard's database holds.
    shards: BTreeMap<String, Vec<Ownership>>,
}

/// Examines the map.
pub async fn examine(config: &StoreConfig) -> Vec<Finding> {
    let mut told = Told {
        configured: config.shards.iter().map(|(name, _)| name.clone()).collect(),
        ..Told::default()
    };
    let mut findings = Vec::new();
    match catalog(config).await {
        Ok((map, known)) => (told.map, told.known) = (map, known),
        Err(_) => findings.push(Finding::note(
            "map",
            "the catalog does not tell; the shards' own word is looked at",
        )),
    }
    let asked = config
        .shards
        .iter()
        .map(|(name, url)| async move { (name, shard(config, (name, url)).await) });
    for (name, answer) in join_all(asked).await {
        match answer {
            Ok((Some(identity), owners)) => {
                findings.extend(swapped(name, &identity));
                told.shards.insert(identity, owners);
            }
            Ok((None, _)) => findings.push(nameless(name)),
            Err(_) => findings.push(Finding::note("map", format!("shard {name} does not tell"))),
        }
    }
    findings.extend(names(&told));
    findings.extend(buckets(&told));
    findings
}

async fn catalog(config: &StoreConfig) -> Result<(Option<ShardMap>, Vec<String>), StoreError> {
    inspect::knock("catalog", &config.catalog_url).await?;
    let catalog = database::open(config, ("catalog", &config.catalog_url))?;
    let known = inspect::shards(&catalog).await?;
    let mut tx = catalog.begin().await?;
    Ok((shard_map::newest_in(&mut tx).await?, known))
}

async fn shard(config: &StoreConfig, of: (&str, &str)) -> Result<(Option<String>, Vec<Ownership>), StoreError> {
    inspect::knock(of.0, of.1).await?;
    let shard = database::open(config, of)?;
    Ok((inspect::identity(&shard).await?, inspect::owners(&shard).await?))
}

fn swapped(name: &str, identity: &str) -> Option<Finding> {
    (name != identity).then(|| {
        Finding::fail(
            "map",
            format!("the database configured as shard {name} holds shard {identity}"),
        )
        .means("it refuses the clients of the one and is asked for nobody else; services refuse to start")
        .remedy("correct DOCKET_SHARD_URLS: two URLs are swapped, or one leads to another database")
    })
}

fn nameless(name: &str) -> Finding {
    Finding::fail(
        "map",
        format!("the database of shard {name} was never introduced as a shard"),
    )
    .means("it owns nothing and refuses every client")
    .remedy("docket-producer migrate, if this database is to be the shard; else correct DOCKET_SHARD_URLS")
}

/// Compares the setting's shard names with the catalog's.
fn names(told: &Told) -> Vec<Finding> {
    let Some(map) = &told.map else { return Vec::new() };
    let owning: BTreeSet<&str> = map.owners().iter().map(ShardName::as_str).collect();
    let configured = |name: &str| told.configured.iter().any(|configured| configured == name);
    let mut findings = Vec::new();
    for name in owning.iter().filter(|name| !configured(name)) {
        let finding = Finding::fail(
            "map",
            format!("shard {name} owns buckets and is not in DOCKET_SHARD_URLS"),
        );
        let finding = finding.means("requests of its clients are answered 503 by processes with this setting");
        findings.push(finding.remedy(format!("add {name}=postgres://... to DOCKET_SHARD_URLS everywhere")));
    }
    for name in told.configured.iter().filter(|name| !told.known.contains(name)) {
        let finding = Finding::warn(
            "map",
            format!("shard {name} is in DOCKET_SHARD_URLS and unknown to the catalog"),
        );
        let finding = finding.means("it owns nothing and gets no client");
        findings.push(finding.remedy("add it to the catalog's map, or take it out of the setting"));
    }
    findings
}

/// Compares the catalog's owner of each bucket with the shards' claims.
fn buckets(told: &Told) -> Vec<Finding> {
    let mut claims: BTreeMap<Bucket, Vec<&str>> = BTreeMap::new();
    let mut findings = Vec::new();
    for (name, owners) in &told.shards {
        for own in owners.iter().filter(|bucket| bucket.owner == *name) {
            claims.entry(own.bucket).or_default().push(name);
        }
        findings.extend(unknown(name, sharding::BUCKETS - owners.len()));
    }
    let all_tell = told.configured.iter().all(|name| told.shards.contains_key(name));
    let of = |claimed: &dyn Fn(&Bucket, &[&str]) -> bool| -> Vec<Bucket> {
        let claimed = |bucket: &Bucket| claimed(bucket, claims.get(bucket).map_or(&[], Vec::as_slice));
        sharding::all_buckets().filter(claimed).collect()
    };
    let by_map = |bucket: &Bucket| told.map.as_ref().map(|map| map.owner(*bucket).as_str());
    // `names` reports the buckets of shards that are not configured.
    let configured = |owner: Option<&str>| owner.is_none_or(|owner| told.configured.iter().any(|name| name == owner));
    if all_tell {
        findings.extend(disowned(&of(&|bucket, owners| {
            owners.is_empty() && configured(by_map(bucket))
        })));
    }
    findings.extend(torn(&of(&|_, owners| owners.len() > 1)));
    findings.extend(behind(&of(&|bucket, owners| {
        owners
            .first()
            .is_some_and(|owner| by_map(bucket).is_some_and(|mapped| mapped != *owner))
    })));
    if findings.is_empty() && all_tell {
        let epoch = told
            .map
            .as_ref()
            .map_or_else(|| "unknown".to_owned(), |map| map.epoch().to_string());
        let what = format!("epoch {epoch}: each of {} buckets has one owner", sharding::BUCKETS);
        findings.push(Finding::ok("map", what));
    }
    findings
}

fn unknown(name: &str, buckets: usize) -> Option<Finding> {
    (buckets > 0).then(|| {
        Finding::fail(
            "map",
            format!("shard {name} does not know who owns {buckets} of the buckets"),
        )
        .means("it refuses every client of these buckets, even of its own")
        .remedy("docket-producer migrate introduces the shard to them by the catalog's map")
    })
}

fn disowned(buckets: &[Bucket]) -> Option<Finding> {
    (!buckets.is_empty()).then(|| {
        Finding::fail("map", format!("no shard says that it owns {}", list(buckets)))
            .means("requests of the clients in these buckets are answered 503, and their work stands still")
            .remedy("a switch was cut off, or a shard was restored: hand the buckets to the shard that has the rows")
    })
}

fn torn(buckets: &[Bucket]) -> Option<Finding> {
    (!buckets.is_empty()).then(|| {
        Finding::fail(
            "map",
            format!("more than one shard says that it owns {}", list(buckets)),
        )
        .means("what clients of these buckets send may land on either, and be seen on one only")
        .remedy("a shard was restored to a time before a switch: take the buckets from it before it serves")
    })
}

fn behind(buckets: &[Bucket]) -> Option<Finding> {
    (!buckets.is_empty()).then(|| {
        let what = format!(
            "the catalog's map names another owner than the shards for {}",
            list(buckets)
        );
        Finding::warn("map", what)
            .means("each first request for them goes to the wrong shard and then to the right one")
            .remedy("a switch is under way, or the catalog was restored: end the one, or write the shards' map to it")
    })
}

fn list(buckets: &[Bucket]) -> String {
    let named: Vec<String> = buckets
        .iter()
        .take(NAMED)
        .map(|bucket| bucket.number().to_string())
        .collect();
    let more = if buckets.len() > NAMED { ", ..." } else { "" };
    let plural = if buckets.len() == 1 { "" } else { "s" };
    format!("{} bucket{plural} ({}{more})", buckets.len(), named.join(", "))
}
