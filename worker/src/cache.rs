//! The models on this machine's disk: `<folder>/<name>/<version>/`, bounded in bytes. Workers of several processes,
//! containers and users may share the folder of one machine; what keeps them from spoiling each other's work:
//!
//! - A file appears, and is replaced, by one rename when it is whole (`fetch.rs`).
//! - Whoever uses a version holds a shared lock of its folder (flock(2), which ends with its process); a version is removed
//!   only under an exclusive one. It is renamed first, so that nobody ever sees half of it.
//! - One worker at a time makes room and fetches, under a lock of the cache's own folder; so of twenty that start together
//!   one fetches, and the bound holds for all of them.
//!
//! Files are checked against their manifest whenever a version is fetched or loaded, but whoever may write here can change
//! them afterwards: the folder's writers are trusted as the worker itself is.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use docket_shared::ids::{ModelName, ModelVersion};
use rustix::fs::{FlockOperation, Mode, OFlags, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT, flock, futimens, open};
use rustix::io::Errno;
use uuid::Uuid;

use crate::infer::manifest::{MANIFEST_FILE, Manifest};
use crate::release::Release;

/// How long a version's folder may be locked by whoever evicts it, which takes a rename: then something else is wrong.
const EVICTION_MAX: Duration = Duration::from_secs(10);
/// How long a worker waits for another one that fetches. Then it fetches beside it: both bring the same files, and a worker
/// that stands still keeps nobody from starting.
const FILLING_MAX: Duration = Duration::from_secs(60);
/// Pause between two looks at a lock that another worker has.
const LOCK_PAUSE: Duration = Duration::from_millis(20);
/// How folders begin that are being removed; no model's name does.
const EVICTED: &str = ".evicted-";

/// The models on disk.
#[derive(Debug, Clone)]
pub struct Cache {
    folder: PathBuf,
    bytes_max: u64,
}

/// A version's folder. It stays while this is held, whoever makes room.
#[derive(Debug)]
pub struct InUse {
    folder: PathBuf,
    lock: File,
}

/// Held by the worker that fetches.
pub struct Filling {
    _lock: Option<File>,
}

/// Why a version cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// The folder cannot be used.
    #[error("write {path} (DOCKET_MODEL_CACHE_DIR)")]
    Folder {
        /// A file or a folder in it.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What is in use leaves too little room.
    #[error(
        "there is no room for the {wanted} bytes of {release}: versions in use have {taken}, and all together may have \
         {bytes_max} (DOCKET_MODEL_CACHE_BYTES)"
    )]
    Full {
        /// The version.
        release: Release,
        /// Its length.
        wanted: u64,
        /// The length of those in use.
        taken: u64,
        /// The bound.
        bytes_max: u64,
    },
}

impl CacheError {
    /// The error of a file or a folder of the cache.
    pub fn of(path: &Path) -> impl Fn(io::Error) -> Self + Copy {
        move |source| Self::Folder {
            path: path.to_owned(),
            source,
        }
    }
}

/// A version on disk. Its manifest, of some kilobytes, is not counted: it is there before there is room for the rest.
struct Kept {
    folder: PathBuf,
    bytes: u64,
    used: SystemTime,
}

impl Cache {
    /// The models in this folder, which is made when the first one comes; all together at most so large.
    pub fn new(folder: PathBuf, bytes_max: u64) -> Self {
        Self { folder, bytes_max }
    }

    /// Makes a version's folder if need be, and keeps it from being removed.
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

    /// A version's folder, locked; none while it is just being removed.
    fn try_enter(&self, folder: &Path) -> io::Result<Option<File>> {
        fs::create_dir_all(folder)?;
        if folder.parent().is_some_and(Path::is_symlink) {
            return Err(io::Error::new(ErrorKind::NotADirectory, "the model's folder is a link"));
        }
        Ok(unless_gone(locked(folder, FlockOperation::NonBlockingLockShared))?.flatten())
    }

    /// Waits until no other worker fetches, for a while.
    pub async fn filling(&self) -> Result<Filling, CacheError> {
        let began = Instant::now();
        loop {
            // The cache's own folder may be a link.
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

    /// Removes versions that nobody uses, the one used longest ago first, until this one finds room. Blocks.
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

    /// What the other versions take, after as many were removed as need be and could be.
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

    /// Every version. Only what has a manifest of its own name is one: nothing else in the folder is counted or removed.
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

    /// Removes a version unless somebody uses it, or it is another user's.
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
        let _ = fs::remove_dir_all(evicted); // What stays is removed by whoever makes room next.
        Ok(true)
    }

    /// Removes what killed workers have begun to remove.
    fn remove_evicted(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(EVICTED) {
                let _ = fs::remove_dir_all(entry.path()); // Others may remove it too.
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

    /// Where the version's files are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Notes that it is used now. Another user's folder cannot be told; then it counts as older than it is.
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

/// A folder, locked; none while somebody else has a lock that does not go with this one, or when it was removed meanwhile.
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

/// The folders in a folder whose names are of this kind.
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

/// The answer about a file or folder, or none if it is gone: another worker may have renamed or removed it at any time.
pub fn unless_gone<T>(answer: io::Result<T>) -> io::Result<Option<T>> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
