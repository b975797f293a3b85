//! Where this checkout or unpacked release is, and where its state lies.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

/// State of checkouts that the user `nobody` cannot reach, such as those below `/root`.
const FAR_STATE: &str = "/var/lib/docket-local";
/// A file that only unpacked releases have, in their root folder.
const RELEASE: &str = "RELEASE";
/// Permission of others than owner and group to pass through a folder.
const OTHERS_MAY_PASS: u32 = 0o001;

/// A working copy of the repository, or an unpacked release: the same folders, with built programs in place of their sources.
#[derive(Debug, Clone)]
pub struct Checkout {
    root: PathBuf,
}

impl Checkout {
    /// Finds the checkout around the current directory, or else around the running executable.
    pub fn find() -> Result<Self> {
        let directory = std::env::current_dir().context("find the current directory")?;
        let executable = std::env::current_exe().context("find the running executable")?;
        let root = directory.ancestors().find(|path| is_root(path));
        let root = root.or_else(|| executable.ancestors().find(|path| is_root(path)));
        let root = root.context("neither the current directory nor this program lies in a checkout of Docket")?;
        Self::at(root)
    }

    /// The checkout with this root folder.
    pub fn at(root: &Path) -> Result<Self> {
        if !is_root(root) {
            bail!("{} is not a checkout of Docket", root.display());
        }
        Ok(Self {
            root: root
                .canonicalize()
                .with_context(|| format!("resolve {}", root.display()))?,
        })
    }

    /// Path of the root folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The state folder `.docket`, made if missing. Links are resolved, because PostgreSQL runs as `nobody` and must reach the
    /// folder.
    pub fn state(&self) -> Result<PathBuf> {
        let state = self.root.join(".docket");
        if is_superuser() && !others_may_pass(&self.root) {
            place_far(&state, &far_state(&self.root))?;
        }
        fs::create_dir_all(&state).with_context(|| format!("make {}", state.display()))?;
        let state = state
            .canonicalize()
            .with_context(|| format!("resolve {}", state.display()))?;
        if is_superuser() {
            let passable = fs::Permissions::from_mode(0o755);
            fs::set_permissions(&state, passable).with_context(|| format!("open {}", state.display()))?;
        }
        Ok(state)
    }

    /// Folder of the running program and of those built with it.
    pub fn programs() -> Result<PathBuf> {
        let executable = std::env::current_exe().context("find the running executable")?;
        Ok(executable.parent().map(Path::to_owned).unwrap_or_default())
    }

    /// Path of a program of this workspace, built beside the running program.
    pub fn sibling(name: &str) -> Result<PathBuf> {
        let program = Self::programs()?.join(name);
        if !program.is_file() {
            bail!(
                "{} is missing: run `cargo build`, or unpack the release again",
                program.display()
            );
        }
        Ok(program)
    }
}

/// Whether this process runs as root, and PostgreSQL therefore must not.
pub fn is_superuser() -> bool {
    rustix::process::geteuid().is_root()
}

fn is_root(path: &Path) -> bool {
    let manifest = fs::read_to_string(path.join("Cargo.toml"));
    let has_sources = manifest.is_ok_and(|text| text.contains("[workspace]"));
    path.join("deploy/local").is_dir() && (has_sources || path.join(RELEASE).is_file())
}

fn others_may_pass(path: &Path) -> bool {
    path.ancestors()
        .all(|folder| fs::metadata(folder).is_ok_and(|found| found.mode() & OTHERS_MAY_PASS != 0))
}

/// Makes `.docket` a link to this checkout's own folder below [`FAR_STATE`]. Several programs may do this at once.
fn place_far(state: &Path, far: &Path) -> Result<()> {
    if let Ok(target) = fs::read_link(state) {
        // The link may have outlived its target.
        return fs::create_dir_all(&target).with_context(|| format!("make {}", target.display()));
    }
    if fs::remove_dir(state).is_err() && state.is_dir() && !state.is_symlink() {
        bail!(
            "the user nobody, as whom PostgreSQL runs, cannot reach {}: remove it and start again",
            state.display()
        );
    }
    fs::create_dir_all(far).with_context(|| format!("make {}", far.display()))?;
    match symlink(far, state) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists && state.is_symlink() => Ok(()), // Another program made the link.
        linked => linked.with_context(|| format!("link {} to {}", state.display(), far.display())),
    }
}

fn far_state(root: &Path) -> PathBuf {
    let digest = Sha256::digest(root.as_os_str().as_encoded_bytes());
    let name: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    Path::new(FAR_STATE).join(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_crate_lies_in_a_checkout() {
        let checkout = Checkout::find().unwrap();
        assert!(checkout.root().join("deploy/local/Cargo.toml").is_file());
        assert!(Checkout::at(Path::new("/")).is_err());
    }

    #[test]
    fn an_unpacked_release_stands_in_for_a_checkout() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("deploy/local")).unwrap();
        assert!(Checkout::at(folder.path()).is_err());
        fs::write(folder.path().join(RELEASE), "version=1.2.3\n").unwrap();
        assert!(Checkout::at(folder.path()).is_ok());
    }

    #[test]
    fn far_states_of_two_checkouts_differ() {
        assert_eq!(far_state(Path::new("/root/a")), far_state(Path::new("/root/a")));
        assert_ne!(far_state(Path::new("/root/a")), far_state(Path::new("/root/b")));
    }

    #[test]
    fn a_far_state_is_placed_by_many_at_once() {
        let folder = tempfile::tempdir().unwrap();
        for round in 0..50 {
            let state = folder.path().join(round.to_string());
            if round % 2 == 0 {
                fs::create_dir(&state).unwrap();
            }
            let far = folder.path().join("far").join(round.to_string());
            std::thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| place_far(&state, &far).unwrap());
                }
            });
            assert_eq!(fs::read_link(&state).unwrap(), far);
            assert!(state.is_dir());
        }
    }

    #[test]
    fn a_closed_folder_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("closed/inner");
        fs::create_dir_all(&inner).unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        assert!(others_may_pass(&inner));
        fs::set_permissions(inner.parent().unwrap(), fs::Permissions::from_mode(0o700)).unwrap();
        assert!(!others_may_pass(&inner));
    }
}
