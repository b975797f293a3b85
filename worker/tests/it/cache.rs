//! One cache on disk that many workers share. Each worker of these tests has its own handles, as a process has.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use docket_contract::model;
use docket_contract::object_key::BlobKey;
use docket_engine::infer::manifest::{MANIFEST_FILE, MODEL_BYTES_MAX, Manifest, TOKENIZER_FILE};
use docket_engine::release::Release;
use docket_objects::{BlobConfig, BlobStore};
use docket_process::settings::Env;
use docket_testing::{TinyModel, World};
use docket_worker::cache::{Cache, CacheError};
use docket_worker::fetch::{self, FetchError, fetch};
use futures::future::join_all;
use tempfile::TempDir;
use tokio::sync::Barrier;

/// Workers that start at the same moment.
const WORKERS: usize = 20;
/// Number of times that they start.
const ROUNDS: usize = 50;
/// An age beyond any fetch's, for files that a killed worker left.
const LONG_AGO: Duration = Duration::from_secs(24 * 3600);

/// A bucket with models in it.
struct Bucket {
    config: BlobConfig,
    blobs: BlobStore,
    _world: World,
}

impl Bucket {
    async fn new() -> Self {
        let world = World::start().await;
        let config = BlobConfig::from_env(&Env::from_map(world.env())).expect("the settings are complete");
        Self {
            blobs: BlobStore::connect(&config).await,
            config,
            _world: world,
        }
    }

    async fn put(&self, key: &BlobKey, content: Vec<u8>) {
        let stored = self.blobs.put_bytes(key, content.into()).await;
        stored.expect("it can be stored");
    }

    /// Puts a model's files, manifest included, into the bucket.
    async fn store(&self, model: &TinyModel, stored_as: &str) -> TempDir {
        let folder = folder();
        model.write(folder.path());
        for file in names(folder.path()) {
            let stored = self
                .blobs
                .put_file(&key(stored_as, &file), &folder.path().join(&file))
                .await;
            stored.expect("it can be stored");
        }
        folder
    }
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("the temporary folder can be written")
}

/// A cache with room for any model.
fn roomy(folder: &TempDir) -> Cache {
    Cache::new(folder.path().to_owned(), MODEL_BYTES_MAX)
}

fn release(named: &str) -> Release {
    named.parse().expect("it is a version")
}

fn key(named: &str, file: &str) -> BlobKey {
    let Release { name, version } = release(named);
    model::file_key(&name, &version, file)
}

fn tiny(version: &str) -> TinyModel {
    TinyModel::new("tiny", version).kinds(&["PARTY"])
}

/// Names of the entries of a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("it is a folder");
    let name = |entry: fs::DirEntry| entry.file_name().into_string().expect("it is UTF-8");
    let mut names: Vec<String> = entries.map(|entry| name(entry.expect("it can be read"))).collect();
    names.sort();
    names
}

/// Leaves what an earlier worker might: nothing, a spoiled file of the right length, or an incomplete file.
fn leave(folder: &Path, manifest: &Manifest, round: usize) {
    fs::create_dir_all(folder).expect("it can be made");
    match round % 3 {
        0 => {}
        1 => {
            let spoiled = vec![b'x'; manifest.files[TOKENIZER_FILE].bytes as usize];
            fs::write(folder.join(TOKENIZER_FILE), spoiled).expect("it can be written");
        }
        _ => {
            let part = File::create(folder.join("left.part")).expect("it can be made");
            let aged = part.set_modified(SystemTime::now() - LONG_AGO);
            aged.expect("its time can be set");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twenty_workers_fill_one_cache_at_once() {
    let bucket = Bucket::new().await;
    let published = bucket.store(&tiny("1"), "tiny@1").await;
    let manifest = Manifest::from_folder(published.path()).expect("it is sound");
    let workers: Vec<BlobStore> = join_all((0..WORKERS).map(|_| BlobStore::connect(&bucket.config))).await;
    for round in 0..ROUNDS {
        let cache = folder();
        let version = cache.path().join("tiny/1");
        leave(&version, &manifest, round);
        let start = Arc::new(Barrier::new(WORKERS));
        let fetches = workers.iter().cloned().map(|blobs| {
            let (start, cache) = (start.clone(), roomy(&cache));
            let manifest = manifest.clone();
            tokio::spawn(async move {
                start.wait().await;
                let fetched = fetch(&blobs, &release("tiny@1"), &cache).await;
                let fetched = fetched.map_err(|error| error_text(&error))?;
                manifest.verify(fetched.folder()).map_err(|error| error_text(&error))
            })
        });
        for fetched in join_all(fetches).await {
            assert_eq!(fetched.expect("no worker panics"), Ok(()), "in round {round}");
        }
        assert_eq!(names(&version), names(published.path()), "in round {round}");
    }
}

fn error_text(error: &(dyn std::error::Error + 'static)) -> String {
    docket_process::telemetry::chain(error)
}

#[tokio::test]
async fn a_spoiled_file_is_replaced_and_its_neighbours_are_kept() {
    let bucket = Bucket::new().await;
    let published = bucket.store(&tiny("1"), "tiny@1").await;
    let place = folder();
    let cache = roomy(&place);
    let fetched = fetch(&bucket.blobs, &release("tiny@1"), &cache)
        .await
        .expect("it is there");
    let fetched = fetched.folder();
    let sound = fs::read(fetched.join(TOKENIZER_FILE)).expect("it was fetched");
    let kept = fs::metadata(fetched.join("config.json")).and_then(|file| file.modified());
    // A file of the same length, as disks spoil files; and an entry that is no file.
    fs::write(fetched.join(TOKENIZER_FILE), vec![b'x'; sound.len()]).expect("it can be written");
    fs::remove_file(fetched.join("model.onnx")).expect("it was fetched");
    std::os::unix::fs::symlink(published.path().join("model.onnx"), fetched.join("model.onnx"))
        .expect("it can be made");
    fetch(&bucket.blobs, &release("tiny@1"), &cache)
        .await
        .expect("it is there");
    assert_eq!(fs::read(fetched.join(TOKENIZER_FILE)).expect("it is there"), sound);
    assert!(!fetched.join("model.onnx").is_symlink());
    let after = fs::metadata(fetched.join("config.json")).and_then(|file| file.modified());
    assert_eq!(kept.expect("it was there"), after.expect("it is there"));
    assert_eq!(names(fetched), names(published.path()));
    assert!(fetched.join(MANIFEST_FILE).is_file());
}

#[tokio::test]
async fn a_pointer_is_no_path_out_of_the_cache() {
    let bucket = Bucket::new().await;
    let name = release("tiny@1").name;
    let pointer = br#"{"version": "../../outside"}"#;
    bucket.put(&model::pointer_key(&name), pointer.to_vec()).await;
    let refused = fetch::current(&bucket.blobs, &name)
        .await
        .expect_err("it is no version");
    let refused = error_text(&refused);
    assert!(
        refused.contains("models/tiny/current.json is not a model's pointer"),
        "{refused}"
    );
    assert!(
        refused.contains("a model version must be 1 to 64 characters"),
        "{refused}"
    );
}

#[tokio::test]
async fn what_lies_under_another_name_is_refused() {
    let bucket = Bucket::new().await;
    bucket.store(&tiny("1"), "tiny@2").await;
    bucket.store(&tiny("1"), "other@1").await;
    for asked in ["tiny@2", "other@1"] {
        let refused = fetch(&bucket.blobs, &release(asked), &roomy(&folder())).await;
        let refused = error_text(&refused.expect_err("it is of another version"));
        assert_eq!(refused, format!("the manifest of {asked} says that it is of tiny@1"));
    }
}

/// Whoever replaces an object cannot fill a worker's disk: the worker fetches no more than the manifest says.
#[tokio::test]
async fn no_more_is_fetched_than_the_manifest_says() {
    let bucket = Bucket::new().await;
    let published = bucket.store(&tiny("1"), "tiny@1").await;
    let sound = fs::read(published.path().join(TOKENIZER_FILE)).expect("it is there");
    let bytes = sound.len();
    let longer = [sound.as_slice(), b" "].concat();
    let other = vec![b'x'; bytes];
    for (content, found) in [
        (longer, format!("{} bytes, expected", bytes + 1)),
        (other, format!("{bytes} bytes with SHA-256")),
    ] {
        bucket.put(&key("tiny@1", TOKENIZER_FILE), content).await;
        let cache = folder();
        let refused = fetch(&bucket.blobs, &release("tiny@1"), &roomy(&cache)).await;
        let refused = error_text(&refused.expect_err("it is another file"));
        assert!(
            refused.starts_with(&format!("tokenizer.json is not the file of the manifest: {found}")),
            "{refused}"
        );
        assert!(!cache.path().join("tiny/1").join(TOKENIZER_FILE).exists());
        assert!(
            names(&cache.path().join("tiny/1"))
                .iter()
                .all(|file| !file.ends_with(".part"))
        );
    }
    let manifest = vec![b' '; model::MANIFEST_BYTES_MAX as usize + 1];
    bucket.put(&key("tiny@1", MANIFEST_FILE), manifest).await;
    let refused = fetch(&bucket.blobs, &release("tiny@1"), &roomy(&folder())).await;
    let refused = error_text(&refused.expect_err("it is too large"));
    assert!(
        refused.contains("has 262145 bytes, more than the 262144 allowed"),
        "{refused}"
    );
}

/// Size of a version's files, as the cache counts it.
fn length(folder: &Path) -> u64 {
    let files = names(folder).into_iter().filter(|file| file != MANIFEST_FILE);
    let lengths = files.map(|file| {
        let found = fs::metadata(folder.join(file));
        found.map_or(0, |found| found.len())
    });
    lengths.sum()
}

fn last_used(folder: &Path, ago: Duration) {
    let folder = File::open(folder).expect("it is there");
    folder
        .set_modified(SystemTime::now() - ago)
        .expect("its time can be set");
}

#[tokio::test]
async fn the_version_used_longest_ago_goes_and_none_that_is_in_use() {
    let bucket = Bucket::new().await;
    for version in ["1", "2", "3", "4"] {
        bucket.store(&tiny(version), &format!("tiny@{version}")).await;
    }
    let place = folder();
    let get = async |version: &str, bytes_max| {
        let cache = Cache::new(place.path().to_owned(), bytes_max);
        let fetched = fetch(&bucket.blobs, &release(&format!("tiny@{version}")), &cache).await;
        fetched.map_err(|error| error_text(&error))
    };
    let first = get("1", MODEL_BYTES_MAX).await.expect("there is room");
    let room_for_two = 2 * length(first.folder()) + 100;
    // The cache neither counts nor removes what is no version, whatever its name.
    let foreign = place.path().join("postgresql/18");
    fs::create_dir_all(&foreign).expect("it can be made");
    fs::write(foreign.join("PG_VERSION"), vec![b'x'; 100_000]).expect("it can be written");
    let elsewhere = folder();
    std::os::unix::fs::symlink(elsewhere.path(), place.path().join("link")).expect("it can be made");

    drop(get("2", room_for_two).await.expect("there is room for two"));
    last_used(first.folder(), LONG_AGO);
    drop(get("3", room_for_two).await.expect("the second one goes"));
    let versions = || names(&place.path().join("tiny"));
    assert_eq!(versions(), ["1", "3"], "the first one is in use, however old");
    let third = get("3", room_for_two).await.expect("it is there");
    let refused = get("4", room_for_two).await.expect_err("both are in use");
    assert!(
        refused.starts_with("there is no room for the ") && refused.contains("DOCKET_MODEL_CACHE_BYTES"),
        "{refused}"
    );
    drop(first);
    drop(get("4", room_for_two).await.expect("the first one is used no more"));
    drop(third);
    last_used(&place.path().join("tiny/3"), LONG_AGO);
    drop(get("1", room_for_two).await.expect("the third one goes"));
    assert_eq!(versions(), ["1", "4"]);
    assert_eq!(
        names(place.path()),
        ["link", "postgresql", "tiny"],
        "nothing is left behind"
    );
    assert!(foreign.join("PG_VERSION").exists());
}

#[tokio::test]
async fn a_link_in_the_cache_leads_nowhere() {
    let bucket = Bucket::new().await;
    bucket.store(&tiny("1"), "tiny@1").await;
    for link in ["tiny", "tiny/1"] {
        let (place, elsewhere) = (folder(), folder());
        let link = place.path().join(link);
        fs::create_dir_all(link.parent().expect("it has one")).expect("it can be made");
        fs::create_dir_all(elsewhere.path().join("1")).expect("it can be made");
        std::os::unix::fs::symlink(elsewhere.path(), &link).expect("it can be made");
        let refused = fetch(&bucket.blobs, &release("tiny@1"), &roomy(&place)).await;
        let refused = error_text(&refused.expect_err("it is a link"));
        assert!(refused.contains("(DOCKET_MODEL_CACHE_DIR)"), "{refused}");
        assert!(!elsewhere.path().join(MANIFEST_FILE).exists());
        assert_eq!(names(&elsewhere.path().join("1")), [""; 0]);
    }
}

/// Workers want more versions than there is room for, in any order. What a worker holds is whole, and the bound holds.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn workers_that_evict_each_others_versions_keep_what_is_in_use() {
    const VERSIONS: usize = 6;
    let bucket = Bucket::new().await;
    let mut bytes = 0;
    for version in 1..=VERSIONS {
        let published = bucket
            .store(&tiny(&version.to_string()), &format!("tiny@{version}"))
            .await;
        bytes = bytes.max(length(published.path()));
    }
    let place = folder();
    let cache = Cache::new(place.path().to_owned(), 3 * bytes);
    let workers: Vec<BlobStore> = join_all((0..WORKERS).map(|_| BlobStore::connect(&bucket.config))).await;
    let start = Arc::new(Barrier::new(WORKERS));
    let fetches = workers.into_iter().enumerate().map(|(number, blobs)| {
        let (start, cache) = (start.clone(), cache.clone());
        tokio::spawn(async move {
            start.wait().await;
            for turn in 0..VERSIONS {
                let asked = format!("tiny@{}", 1 + (number + turn) % VERSIONS);
                match fetch(&blobs, &release(&asked), &cache).await {
                    Ok(fetched) => {
                        let manifest = Manifest::from_folder(fetched.folder()).map_err(|error| error_text(&error))?;
                        manifest.verify(fetched.folder()).map_err(|error| error_text(&error))?;
                    }
                    Err(FetchError::Cache(CacheError::Full { .. })) => {}
                    Err(error) => return Err(error_text(&error)),
                }
            }
            Ok(())
        })
    });
    for fetched in join_all(fetches).await {
        assert_eq!(fetched.expect("no worker panics"), Ok(()));
    }
    let kept = names(&place.path().join("tiny"));
    let lengths = kept
        .iter()
        .map(|version| length(&place.path().join("tiny").join(version)));
    assert!(lengths.sum::<u64>() <= 3 * bytes, "{kept:?}");
    assert_eq!(names(place.path()), ["tiny"]);
}
