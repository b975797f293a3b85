//! The state folder of a stack: one owner at a time, with ports and secrets that survive restarts.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use crate::{poll, ports, process};

/// A state folder, held by this process until dropped.
#[derive(Debug)]
pub struct StateDir {
    path: PathBuf,
    ledger: Ledger,
    _lock: File,
}

/// The values that must be the same at the next start.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Ledger {
    ports: BTreeMap<String, u16>,
    secrets: BTreeMap<String, String>,
    #[serde(default)]
    settings: BTreeMap<String, String>,
}

impl StateDir {
    /// Takes hold of a state folder, and waits up to `patience` for an owner that is about to leave. Ends what a killed owner
    /// left running.
    pub async fn hold(path: &Path, patience: Duration) -> Result<Self> {
        fs::create_dir_all(path).with_context(|| format!("make {}", path.display()))?;
        let lock = poll::until("wait for the lock", patience, async || try_lock(&path.join("lock"))).await;
        let Ok(lock) = lock else {
            bail!(
                "{} is in use by another docket-local of this checkout: stop that one first",
                path.display()
            );
        };
        process::end_strays(path).await?;
        let ledger = Ledger::read(&path.join("ledger.json"))?;
        Ok(Self {
            path: path.to_owned(),
            ledger,
            _lock: lock,
        })
    }

    /// Path of the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Deletes all content except the folder's lock.
    pub fn wipe(&mut self) -> Result<()> {
        for entry in fs::read_dir(&self.path).with_context(|| format!("list {}", self.path.display()))? {
            let entry = entry?;
            if entry.file_name() == "lock" {
                continue;
            }
            let is_folder = entry.file_type()?.is_dir();
            let removed = if is_folder {
                fs::remove_dir_all(entry.path())
            } else {
                fs::remove_file(entry.path())
            };
            removed.with_context(|| format!("remove {}", entry.path().display()))?;
        }
        self.ledger = Ledger::default();
        Ok(())
    }

    /// The port with this name: that of last time if it is still free, or else a new one.
    pub fn port(&mut self, name: &str) -> Result<u16> {
        let port = match self.ledger.ports.get(name) {
            Some(port) if ports::is_free(*port) => return Ok(*port),
            _ => ports::pick()?,
        };
        self.ledger.ports.insert(name.to_owned(), port);
        self.save()?;
        Ok(port)
    }

    /// The secret with this name, made at the first call.
    pub fn secret(&mut self, name: &str) -> Result<String> {
        if let Some(secret) = self.ledger.secrets.get(name) {
            return Ok(secret.clone());
        }
        let secret = uuid::Uuid::new_v4().simple().to_string();
        self.ledger.secrets.insert(name.to_owned(), secret.clone());
        self.save()?;
        Ok(secret)
    }

    /// The value that an earlier start stored under this name.
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.ledger.settings.get(name).map(String::as_str)
    }

    /// Stores a value for later starts.
    pub fn set_setting(&mut self, name: &str, value: &str) -> Result<()> {
        self.ledger.settings.insert(name.to_owned(), value.to_owned());
        self.save()
    }

    fn save(&self) -> Result<()> {
        write_private(
            &self.path.join("ledger.json"),
            &serde_json::to_vec_pretty(&self.ledger)?,
        )
    }
}

impl Ledger {
    fn read(path: &Path) -> Result<Self> {
        match fs::read(path) {
            Ok(json) => {
                serde_json::from_slice(&json).with_context(|| format!("{} is damaged: remove it", path.display()))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| format!("read {}", path.display())),
        }
    }
}

/// Writes a file that only its owner may read, whole or not at all, even with several writers.
pub fn write_private(path: &Path, content: &[u8]) -> Result<()> {
    let draft = path.with_extension(format!("{}.draft", uuid::Uuid::new_v4().simple()));
    let written = (|| {
        let mut file = fs::OpenOptions::new()
            .create_new(true)
            .write(true)
            .mode(0o600)
            .open(&draft)?;
        file.write_all(content)?;
        fs::rename(&draft, path)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&draft); // There may be no draft.
    }
    written.with_context(|| format!("write {}", path.display()))
}

/// Takes the lock on a file; `None` while another process has it.
pub fn try_lock(path: &Path) -> Result<Option<File>> {
    let file = open_lock(path)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error).with_context(|| format!("lock {}", path.display())),
    }
}

/// Takes the lock on a file, however long another process keeps it. Blocks the thread.
pub fn wait_lock(path: &Path) -> Result<File> {
    let file = open_lock(path)?;
    flock(&file, FlockOperation::LockExclusive).with_context(|| format!("lock {}", path.display()))?;
    Ok(file)
}

fn open_lock(path: &Path) -> Result<File> {
    let options = File::options().create(true).truncate(false).write(true).open(path);
    options.with_context(|| format!("open {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_state_has_one_owner_and_remembers() {
        let folder = tempfile::tempdir().unwrap();
        let mut state = StateDir::hold(folder.path(), Duration::ZERO).await.unwrap();
        let (port, secret) = (state.port("amqp").unwrap(), state.secret("amqp").unwrap());
        assert_ne!(state.port("http").unwrap(), port);
        assert_ne!(state.secret("http").unwrap(), secret);
        let second = StateDir::hold(folder.path(), Duration::ZERO)
            .await
            .unwrap_err()
            .to_string();
        assert!(second.contains("is in use"), "{second}");
        drop(state);

        let mut state = StateDir::hold(folder.path(), Duration::ZERO).await.unwrap();
        assert_eq!(
            (state.port("amqp").unwrap(), state.secret("amqp").unwrap()),
            (port, secret)
        );
        let taken = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
        assert_ne!(
            state.port("amqp").unwrap(),
            port,
            "a port that another took is replaced"
        );
        drop(taken);
        state.wipe().unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "only the lock is left");
    }

    #[test]
    fn a_private_file_that_several_write_is_always_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::thread::scope(|scope| {
            for letter in [b"a", b"b", b"c", b"d"] {
                let path = &path;
                scope.spawn(move || {
                    for _ in 0..200 {
                        write_private(path, &letter.repeat(1_000)).unwrap();
                        let read = fs::read(path).unwrap();
                        assert!(read.len() == 1_000 && read.iter().all(|byte| *byte == read[0]));
                    }
                });
            }
        });
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left");
    }

    #[test]
    fn private_files_are_private() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        write_private(&path, b"a").unwrap();
        write_private(&path, b"b").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"b");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
