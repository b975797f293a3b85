//! Objects as files. A file holds an object's bytes, its description as JSON, and the description's length. So one rename makes
//! or replaces an object. The index of keys is in memory, read from the files at start. Unfinished uploads do not survive the
//! process.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use s3s::dto::ETagCondition;
use s3s::{S3Result, s3_error};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::listing::{Listing, Page};
use super::receive::Received;

/// Folder of files that are not objects yet; no bucket can have this name.
const DRAFTS: &str = ".drafts";
/// Longest description of an object: a key has at most 1,024 bytes, its metadata 2,048.
const DESCRIPTION_BYTES_MAX: u64 = 64 * 1024;
/// Bytes of the number at the file's end, the description's length.
const LENGTH_BYTES: u64 = 4;

/// All buckets.
#[derive(Debug)]
pub struct Store {
    root: PathBuf,
    durable: bool,
    buckets: Mutex<BTreeMap<String, Bucket>>,
}

#[derive(Debug)]
struct Bucket {
    created: SystemTime,
    objects: BTreeMap<String, Object>,
    uploads: BTreeMap<Uuid, Upload>,
}

/// The description of an object.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Object {
    /// The object's key in its bucket.
    pub key: String,
    /// Length in bytes.
    pub size: u64,
    /// Entity tag, without quotes.
    pub etag: String,
    /// When the object was stored.
    pub modified: SystemTime,
    /// The headers that its owner gave the object.
    pub attributes: Attributes,
    #[serde(skip)]
    file: PathBuf,
}

/// The headers that an owner gives an object.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Attributes {
    /// The header `Content-Type`.
    pub content_type: Option<String>,
    /// The header `Content-Encoding`.
    pub content_encoding: Option<String>,
    /// The header `Content-Disposition`.
    pub content_disposition: Option<String>,
    /// The header `Content-Language`.
    pub content_language: Option<String>,
    /// The header `Cache-Control`.
    pub cache_control: Option<String>,
    /// The headers `x-amz-meta-*`, without this prefix.
    pub metadata: HashMap<String, String>,
}

/// An object that arrives in parts.
#[derive(Debug, Clone)]
pub struct Upload {
    /// Key of the object to be.
    pub key: String,
    /// When the upload began.
    pub initiated: SystemTime,
    /// The headers that its owner gives the object.
    pub attributes: Attributes,
    /// The parts that have arrived, by number.
    pub parts: BTreeMap<i32, Arc<Received>>,
}

/// A file that is not an object yet, deleted when dropped unless it has become one.
#[derive(Debug)]
pub struct Draft {
    path: PathBuf,
}

impl Draft {
    /// Path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path); // The file may have been renamed.
    }
}

/// The conditions of a write on the object that it would replace.
#[derive(Debug, Default)]
pub struct Conditions {
    /// The header `If-Match`.
    pub if_match: Option<ETagCondition>,
    /// The header `If-None-Match`.
    pub if_none_match: Option<ETagCondition>,
}

impl Store {
    /// Opens the store in a folder, made if missing.
    pub fn open(root: &Path, durable: bool) -> io::Result<Self> {
        let drafts = root.join(DRAFTS);
        let _ = fs::remove_dir_all(&drafts); // Drafts of a killed process.
        fs::create_dir_all(&drafts)?;
        let mut buckets = BTreeMap::new();
        for entry in fs::read_dir(root)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name != DRAFTS && entry.file_type()?.is_dir() {
                buckets.insert(name, Bucket::load(&entry.path())?);
            }
        }
        Ok(Self {
            root: root.to_owned(),
            durable,
            buckets: Mutex::new(buckets),
        })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Bucket>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, bucket: &str, act: impl FnOnce(&mut Bucket) -> S3Result<T>) -> S3Result<T> {
        act(self.lock().get_mut(bucket).ok_or_else(|| s3_error!(NoSuchBucket))?)
    }

    /// Every bucket with the time of its creation.
    pub fn buckets(&self) -> Vec<(String, SystemTime)> {
        self.lock()
            .iter()
            .map(|(name, bucket)| (name.clone(), bucket.created))
            .collect()
    }

    /// Makes a bucket.
    pub fn create_bucket(&self, name: &str) -> S3Result<()> {
        let mut buckets = self.lock();
        if buckets.contains_key(name) {
            return Err(s3_error!(BucketAlreadyOwnedByYou));
        }
        fs::create_dir_all(self.root.join(name)).map_err(|error| s3_error!(error, InternalError))?;
        buckets.insert(name.to_owned(), Bucket::new(SystemTime::now()));
        Ok(())
    }

    /// Deletes an empty bucket.
    pub fn delete_bucket(&self, name: &str) -> S3Result<()> {
        let mut buckets = self.lock();
        let bucket = buckets.get(name).ok_or_else(|| s3_error!(NoSuchBucket))?;
        if !bucket.objects.is_empty() {
            return Err(s3_error!(BucketNotEmpty));
        }
        let aside = self.take_out(&mut buckets, name);
        let aside = aside.map_err(|error| s3_error!(error, InternalError))?;
        drop(buckets);
        fs::remove_dir_all(aside).map_err(|error| s3_error!(error, InternalError))
    }

    /// Deletes a bucket with all its objects. An absent bucket is no error.
    pub fn remove_bucket_with_objects(&self, name: &str) -> io::Result<()> {
        let mut buckets = self.lock();
        if !buckets.contains_key(name) {
            return Ok(());
        }
        let aside = self.take_out(&mut buckets, name)?;
        drop(buckets);
        fs::remove_dir_all(aside)
    }

    /// Removes a bucket from the index and moves its folder away: from now on a new bucket may have the name. If the process is
    /// killed, the rest of the folder is deleted with the drafts.
    fn take_out(&self, buckets: &mut BTreeMap<String, Bucket>, name: &str) -> io::Result<PathBuf> {
        let aside = self.root.join(DRAFTS).join(Uuid::new_v4().simple().to_string());
        fs::rename(self.root.join(name), &aside)?;
        buckets.remove(name);
        Ok(aside)
    }

    /// An error if the bucket does not exist.
    pub fn check_bucket(&self, bucket: &str) -> S3Result<()> {
        self.with(bucket, |_| Ok(()))
    }

    /// A new draft for an object's bytes.
    pub fn draft(&self) -> Draft {
        Draft {
            path: self.root.join(DRAFTS).join(Uuid::new_v4().simple().to_string()),
        }
    }

    /// Makes a draft of `object.size` bytes an object, in place of any other with the same key.
    pub fn commit(&self, bucket: &str, draft: &Draft, mut object: Object, conditions: &Conditions) -> S3Result<Object> {
        describe(draft, &object, self.durable).map_err(|error| s3_error!(error, InternalError))?;
        object.file = self.root.join(bucket).join(Uuid::new_v4().simple().to_string());
        self.with(bucket, |bucket| {
            conditions.check(bucket.objects.get(&object.key))?;
            fs::rename(&draft.path, &object.file).map_err(|error| s3_error!(error, InternalError))?;
            if let Some(replaced) = bucket.objects.insert(object.key.clone(), object.clone()) {
                let _ = fs::remove_file(replaced.file); // A start that finds both files keeps the newer.
            }
            Ok(())
        })?;
        Ok(object)
    }

    /// The description of an object.
    pub fn find(&self, bucket: &str, key: &str) -> S3Result<Object> {
        self.with(bucket, |bucket| {
            bucket.objects.get(key).cloned().ok_or_else(|| s3_error!(NoSuchKey))
        })
    }

    /// Opens an object for reading: the open file stays readable when the object is replaced.
    pub fn read(&self, bucket: &str, key: &str) -> S3Result<(Object, File)> {
        self.with(bucket, |bucket| {
            let object = bucket.objects.get(key).ok_or_else(|| s3_error!(NoSuchKey))?;
            let file = File::open(&object.file).map_err(|error| s3_error!(error, InternalError))?;
            Ok((object.clone(), file))
        })
    }

    /// Deletes an object. An absent object is no error.
    pub fn delete(&self, bucket: &str, key: &str) -> S3Result<()> {
        self.with(bucket, |bucket| match bucket.objects.remove(key) {
            Some(object) => fs::remove_file(object.file).map_err(|error| s3_error!(error, InternalError)),
            None => Ok(()),
        })
    }

    /// A page of the objects that a listing wants, in order.
    pub fn list(&self, bucket: &str, wanted: &Listing<'_>) -> S3Result<Page> {
        self.with(bucket, |bucket| Ok(wanted.page(&bucket.objects)))
    }

    /// Begins an upload in parts; returns its id.
    pub fn begin_upload(&self, bucket: &str, key: String, attributes: Attributes) -> S3Result<Uuid> {
        let id = Uuid::new_v4();
        let upload = Upload {
            key,
            initiated: SystemTime::now(),
            attributes,
            parts: BTreeMap::new(),
        };
        self.with(bucket, |bucket| Ok(bucket.uploads.insert(id, upload)))?;
        Ok(id)
    }

    /// Reads or changes an unfinished upload.
    pub fn upload<T>(&self, bucket: &str, id: &str, act: impl FnOnce(&mut Upload) -> S3Result<T>) -> S3Result<T> {
        let id = Uuid::parse_str(id).map_err(|_| s3_error!(NoSuchUpload))?;
        self.with(bucket, |bucket| {
            act(bucket.uploads.get_mut(&id).ok_or_else(|| s3_error!(NoSuchUpload))?)
        })
    }

    /// Every unfinished upload of a bucket.
    pub fn uploads(&self, bucket: &str) -> S3Result<Vec<(Uuid, Upload)>> {
        self.with(bucket, |bucket| {
            Ok(bucket
                .uploads
                .iter()
                .map(|(id, upload)| (*id, upload.clone()))
                .collect())
        })
    }

    /// Forgets an upload and deletes its parts.
    pub fn end_upload(&self, bucket: &str, id: &str) -> S3Result<()> {
        let id = Uuid::parse_str(id).map_err(|_| s3_error!(NoSuchUpload))?;
        let ended = self.with(bucket, |bucket| {
            bucket.uploads.remove(&id).ok_or_else(|| s3_error!(NoSuchUpload))
        });
        ended.map(drop)
    }
}

impl Bucket {
    fn new(created: SystemTime) -> Self {
        Self {
            created,
            objects: BTreeMap::new(),
            uploads: BTreeMap::new(),
        }
    }

    fn load(folder: &Path) -> io::Result<Self> {
        let mut bucket = Self::new(fs::metadata(folder)?.modified()?);
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            // A power loss cut the file before its writer was answered.
            let Ok(object) = described(&path) else {
                fs::remove_file(&path)?;
                continue;
            };
            let newest = bucket
                .objects
                .get(&object.key)
                .map_or(UNIX_EPOCH, |other| other.modified);
            let loser = if object.modified >= newest {
                bucket
                    .objects
                    .insert(object.key.clone(), object)
                    .map(|older| older.file)
            } else {
                Some(path)
            };
            loser.map_or(Ok(()), fs::remove_file)?;
        }
        Ok(bucket)
    }
}

impl Conditions {
    fn check(&self, existing: Option<&Object>) -> S3Result<()> {
        let fits = |condition: &ETagCondition| match (condition, existing) {
            (_, None) => false,
            (ETagCondition::Any, Some(_)) => true,
            (ETagCondition::ETag(tag), Some(object)) => tag.value() == object.etag,
        };
        let is_refused = self.if_match.as_ref().is_some_and(|condition| !fits(condition))
            || self.if_none_match.as_ref().is_some_and(fits);
        if is_refused {
            Err(s3_error!(PreconditionFailed))
        } else {
            Ok(())
        }
    }
}

impl Object {
    /// The description of an object stored now.
    pub fn new(key: String, size: u64, etag: String, attributes: Attributes) -> Self {
        Self {
            key,
            size,
            etag,
            modified: SystemTime::now(),
            attributes,
            file: PathBuf::new(),
        }
    }
}

fn describe(draft: &Draft, object: &Object, durable: bool) -> io::Result<()> {
    let mut end = serde_json::to_vec(object)?;
    end.extend((end.len() as u32).to_le_bytes());
    let mut file = File::options().append(true).open(&draft.path)?;
    file.write_all(&end)?;
    if durable { file.sync_all() } else { Ok(()) }
}

fn described(path: &Path) -> io::Result<Object> {
    let damaged = || io::Error::new(io::ErrorKind::InvalidData, "no description of an object");
    let mut file = File::open(path)?;
    let end = file.metadata()?.len().checked_sub(LENGTH_BYTES).ok_or_else(damaged)?;
    let mut length = [0; LENGTH_BYTES as usize];
    file.seek(SeekFrom::Start(end))?;
    file.read_exact(&mut length)?;
    let length = u64::from(u32::from_le_bytes(length));
    let start = end
        .checked_sub(length)
        .filter(|_| length <= DESCRIPTION_BYTES_MAX)
        .ok_or_else(damaged)?;
    file.seek(SeekFrom::Start(start))?;
    let object: Object = serde_json::from_reader(file.take(length))?;
    if object.size == start {
        Ok(Object {
            file: path.to_owned(),
            ..object
        })
    } else {
        Err(damaged())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use super::*;

    /// How often two callers run at the same moment.
    const ROUNDS: usize = 500;

    fn put(store: &Store, bucket: &str) -> S3Result<Object> {
        let draft = store.draft();
        fs::write(draft.path(), b"x").unwrap();
        let object = Object::new("key".into(), 1, "etag".into(), Attributes::default());
        store.commit(bucket, &draft, object, &Conditions::default())
    }

    /// Runs both callers at the same moment.
    fn meet<A: Send, B>(one: impl FnOnce() -> A + Send, other: impl FnOnce() -> B) -> (A, B) {
        let barrier = Barrier::new(2);
        thread::scope(|scope| {
            let one = scope.spawn(|| {
                barrier.wait();
                one()
            });
            barrier.wait();
            let other = other();
            (one.join().unwrap(), other)
        })
    }

    #[test]
    fn a_bucket_that_is_deleted_takes_no_object_along() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), false).unwrap();
        for round in 0..ROUNDS {
            let bucket = format!("b{round}");
            store.create_bucket(&bucket).unwrap();
            let (deleted, stored) = meet(|| store.delete_bucket(&bucket), || put(&store, &bucket));
            assert_ne!(deleted.is_ok(), stored.is_ok(), "{deleted:?} and {stored:?}");
            assert_eq!(store.find(&bucket, "key").is_ok(), stored.is_ok());
        }
    }

    #[test]
    fn a_bucket_can_be_made_while_one_of_its_name_is_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), false).unwrap();
        for _ in 0..ROUNDS {
            store.create_bucket("b").unwrap();
            put(&store, "b").unwrap();
            let made = || while store.create_bucket("b").is_err() {};
            let (removed, ()) = meet(|| store.remove_bucket_with_objects("b"), made);
            removed.unwrap();
            put(&store, "b").unwrap();
            store.remove_bucket_with_objects("b").unwrap();
        }
        assert_eq!(fs::read_dir(folder.path().join(DRAFTS)).unwrap().count(), 0);
    }
}
