//! The models on this machine's disk: `<folder>/<name>/<version>/`, bounded in bytes. Workers of several processes, containers
//! and users may share the folder. These rules keep their work from being spoiled:
//!
//! - A whole file appears, or replaces another, by one rename (`fetch.rs`).
//! - A worker that uses a version holds a shared lock of the version's folder (flock(2), which ends with the process). Removal
//!   needs the exclusive lock, and renames the folder first, so that nobody sees half a version.
//! - One worker at a time makes room and fetches, under a lock of the cache's own folder. Of twenty workers that start together
//!   one fetches, and the bound holds for all.
//!
//! Files are checked against their manifest whenever a version is fetched or loaded. Whoever may write into the folder can change
//! files after the check, so writers are trusted as much as the worker.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use docket_contract::ids::{ModelName, ModelVersion};
use rustix::fs::{FlockOperation, Mode, OFlags, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT, flock, futimens, open};
use rustix::io::Errno;
use uuid::Uuid;

use docket_engine::infer::manifest::{MANIFEST_FILE, Manifest};
use docket_engine::release::Release;

/// Longest wait for a version's folder that another worker is removing. Removal is one rename, so a longer lock means a fault.
const EVICTION_MAX: Duration = Duration::from_secs(10);
/// Longest wait for another worker's fetch. Then this worker fetches too: both bring the same files, and a worker that hangs
/// keeps no other from starting.
const FILLING_MAX: Duration = Duration::from_secs(60);
/// Pause between two tries to get a lock that another worker holds.
const LOCK_PAUSE: Duration = Duration::from_millis(20);
/// Prefix of folders that are being removed. No model's name begins with a dot.
const EVICTED: &str = ".evicted-";

/// The models on disk. Clones mean the same folder.
#[derive(Debug, Clone)]
pub struct Cache {
    folder: PathBuf,
    bytes_max: u64,
}

/// A version's folder. No worker removes the folder while this value is held.
#[derive(Debug)]
pub struct InUse {
    folder: PathBuf,
    lock: File,
}

/// Held by the worker that fetches; without a lock when another worker fetches beside it.
pub struct Filling {
    _lock: Option<File>,
}

/// Why a version cannot be kept in the cache.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// The cache's folder cannot be used.
    #[error("write {path} (DOCKET_MODEL_CACHE_DIR)")]
    Folder {
        /// The file or folder that failed.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Versions in use leave too little room.
    #[error(
        "there is no room for the {wanted} bytes of {release}: versions in use have {taken}, and all together may have \
         {bytes_max} (DOCKET_MODEL_CACHE_BYTES)"
    )]
    Full {
        /// The version that found no room.
        release: Release,
        /// Size of the version, in bytes.
        wanted: u64,
        /// Size of the other versions that could not be removed, in bytes.
        taken: u64,
        /// The cache's bound, in bytes.
        bytes_max: u64,
    },
}

impl CacheError {
    /// Turns a system error at this path into an error of the cache.
    pub fn of(path: &Path) -> impl Fn(io::Error) -> Self + Copy {
        move |source| Self::Folder {
            path: path.to_owned(),
            source,
        }
    }
}

/// A version on disk. Its manifest, a few kilobytes, is not counted: the manifest is written before there is room for the rest.
struct Kept {
    folder: PathBuf,
    bytes: u64,
    used: SystemTime,
}

impl Cache {
    /// The models in this folder, at most `bytes_max` together. The first fetch makes the folder.
    pub fn new(folder: PathBuf, bytes_max: u64) -> Self {
        Self { folder, bytes_max }
    }

    /// Makes a version's folder if there is none, and keeps the folder from being removed.
    pub async fn enter(&self, release: &Release) -> Result<InUse, CacheError> {
        let folder = self.folder_of(release);
        let began = Instant::now();
        loop {
            match self.try_enter(&folder).map_err(CacheError::of(&folder))? {
                Some(lock) => return Ok(InUse::new(folder, lock)),
                None if began.elapsed() < EVICTION_MAX => tokio::time::sleep(LOCK_PAUSE).await,
                None => {
                    let locked = io::Error::new(ErrorKind::TimedOut, "another process keeps it locked");
                    return Err(CacheError::of(&folder)(locked));
                }
            }
        }
    }

    /// A version's folder, locked; `None` while another worker removes the folder.
    fn try_enter(&self, folder: &Path) -> io::Result<Option<File>> {
        fs::create_dir_all(folder)?;
        if folder.parent().is_some_and(Path::is_symlink) {
            return Err(io::Error::new(ErrorKind::NotADirectory, "the model's folder is a link"));
        }
        Ok(unless_gone(locked(folder, FlockOperation::NonBlockingLockShared))?.flatten())
    }

    /// Waits until no other worker fetches, for 60 s at most.
    pub async fn filling(&self) -> Result<Filling, CacheError> {
        let began = Instant::now();
        loop {
            // `locked` follows no link, but the cache's own folder may be one.
            let lock =
                fs::canonicalize(&self.folder).and_then(|it| locked(&it, FlockOperation::NonBlockingLockExclusive));
            let lock = lock.map_err(CacheError::of(&self.folder))?;
            if lock.is_some() {
                return Ok(Filling { _lock: lock });
            }
            if began.elapsed() > FILLING_MAX {
                tracing::warn!(folder = %self.folder.display(), "another worker fetches for long: fetching beside it");
                return Ok(Filling { _lock: None });
            }
            tokio::time::sleep(LOCK_PAUSE).await;
        }
    }

    /// Removes unused versions, longest unused first, until this version has room. Blocks.
    pub fn make_room(&self, release: &Release, wanted: u64) -> Result<(), CacheError> {
        let taken = self.make_room_beside(&self.folder_of(release), wanted);
        let taken = taken.map_err(CacheError::of(&self.folder))?;
        if self.fits(taken, wanted) {
            return Ok(());
        }
        Err(CacheError::Full {
            release: release.clone(),
            wanted,
            taken,
            bytes_max: self.bytes_max,
        })
    }

    /// Bytes of the other versions, after removing as many as needed and possible.
    fn make_room_beside(&self, own: &Path, wanted: u64) -> io::Result<u64> {
        self.remove_evicted()?;
        let mut others = self.versions()?;
        others.retain(|kept| kept.folder != own);
        others.sort_by_key(|kept| kept.used);
        let mut taken: u64 = others.iter().map(|kept| kept.bytes).sum();
        for kept in &others {
            if self.fits(taken, wanted) {
                break;
            }
            if self.evict(&kept.folder)? {
                tracing::info!(folder = %kept.folder.display(), bytes = kept.bytes, "removed from the cache");
                taken -= kept.bytes;
            }
        }
        Ok(taken)
    }

    fn fits(&self, taken: u64, wanted: u64) -> bool {
        taken.saturating_add(wanted) <= self.bytes_max
    }

    fn folder_of(&self, release: &Release) -> PathBuf {
        self.folder.join(release.name.as_str()).join(release.version.as_str())
    }

    /// Every version in the folder. A version's manifest must name it: other folders are neither counted nor removed.
    fn versions(&self) -> io::Result<Vec<Kept>> {
        let mut versions = Vec::new();
        for (name, of_name) in folders::<ModelName>(&self.folder)? {
            for (version, folder) in folders::<ModelVersion>(&of_name)? {
                let release = Release {
                    name: name.clone(),
                    version,
                };
                if Manifest::from_folder(&folder).is_ok_and(|manifest| manifest.release() == release) {
                    versions.extend(unless_gone(Kept::of(folder))?);
                }
            }
        }
        Ok(versions)
    }

    /// Removes a version; `false` when the version is in use or belongs to another user.
    fn evict(&self, folder: &Path) -> io::Result<bool> {
        let Some(lock) = unless_gone(locked(folder, FlockOperation::NonBlockingLockExclusive))?.flatten() else {
            return Ok(false);
        };
        let evicted = self.folder.join(format!("{EVICTED}{}", Uuid::new_v4().simple()));
        match fs::rename(folder, &evicted) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::PermissionDenied => return Ok(false),
            Err(error) => return Err(error),
        }
        drop(lock);
        let _ = fs::remove_dir_all(evicted); // The next worker that makes room removes the rest.
        Ok(true)
    }

    /// Removes what killed workers began to remove.
    fn remove_evicted(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(EVICTED) {
                let _ = fs::remove_dir_all(entry.path()); // Another worker may be removing it too.
            }
        }
        Ok(())
    }
}

impl InUse {
    fn new(folder: PathBuf, lock: File) -> Self {
        let in_use = Self { folder, lock };
        in_use.touch();
        in_use
    }

    /// The folder of the version's files.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Marks the folder as used now. Another user's folder cannot be marked, and counts as unused since its last mark.
    fn touch(&self) {
        let stamp = |nanoseconds| Timespec {
            tv_sec: 0,
            tv_nsec: nanoseconds,
        };
        let now = Timestamps {
            last_access: stamp(UTIME_OMIT),
            last_modification: stamp(UTIME_NOW),
        };
        let _ = futimens(&self.lock, &now);
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        self.touch();
    }
}

impl Kept {
    fn of(folder: PathBuf) -> io::Result<Self> {
        let used = fs::symlink_metadata(&folder)?.modified()?;
        let mut bytes = 0;
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.file_name() != MANIFEST_FILE {
                bytes += unless_gone(entry.metadata())?.map_or(0, |found| found.len());
            }
        }
        Ok(Self { folder, bytes, used })
    }
}

/// A folder, locked; `None` when another process holds a conflicting lock, or removed the folder meanwhile.
fn locked(folder: &Path, lock: FlockOperation) -> io::Result<Option<File>> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = File::from(open(folder, flags, Mode::empty())?);
    match flock(&file, lock) {
        Ok(()) => {}
        Err(Errno::WOULDBLOCK) => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    let (locked, there) = (file.metadata()?, fs::symlink_metadata(folder)?);
    Ok(((locked.dev(), locked.ino()) == (there.dev(), there.ino())).then_some(file))
}

/// The subfolders whose names parse as `N`.
fn folders<N: std::str::FromStr>(folder: &Path) -> io::Result<Vec<(N, PathBuf)>> {
    let mut found = Vec::new();
    for entry in unless_gone(fs::read_dir(folder))?.into_iter().flatten() {
        let entry = entry?;
        let is_folder = unless_gone(entry.file_type())?.is_some_and(|kind| kind.is_dir());
        if let Some(Ok(name)) = entry.file_name().to_str().map(str::parse)
            && is_folder
        {
            found.push((name, entry.path()));
        }
    }
    Ok(found)
}

/// The answer about a file or folder; `None` if it is gone, since another worker may rename or remove it at any time.
pub fn unless_gone<T>(answer: io::Result<T>) -> io::Result<Option<T>> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
