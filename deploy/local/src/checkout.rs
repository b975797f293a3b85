//! Where this checkout is, and where its state may lie.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

/// State of checkouts that the user `nobody` cannot reach, as below `/root`.
const FAR_STATE: &str = "/var/lib/docket-local";
/// Permission to pass through a folder, for others than its owner and group.
const OTHERS_MAY_PASS: u32 = 0o001;

/// A working copy of the repository.
#[derive(Debug, Clone)]
pub struct Checkout {
    root: PathBuf,
}

impl Checkout {
    /// The checkout that the current directory or else the running executable lies in.
    pub fn find() -> Result<Self> {
        let directory = std::env::current_dir().context("find the current directory")?;
        let executable = std::env::current_exe().context("find the running executable")?;
        let root = directory.ancestors().find(|path| is_root(path));
        let root = root.or_else(|| executable.ancestors().find(|path| is_root(path)));
        let root = root.context("neither the current directory nor this program lies in a checkout of Docket")?;
        Self::at(root)
    }

    /// The checkout at a known place.
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

    /// Its topmost folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Its state folder, `.docket`, made if need be; resolved, because PostgreSQL run as `nobody` must reach it.
    pub fn state(&self) -> Result<PathBuf> {
        let state = self.root.join(".docket");
        if is_superuser() && !others_may_pass(&self.root) {
            place_far(&state, &self.root)?;
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

    /// The folder of the running program, and of those that are built with it.
    pub fn programs() -> Result<PathBuf> {
        let executable = std::env::current_exe().context("find the running executable")?;
        Ok(executable.parent().map(Path::to_owned).unwrap_or_default())
    }

    /// A program of this workspace, built beside the running one.
    pub fn sibling(name: &str) -> Result<PathBuf> {
        let program = Self::programs()?.join(name);
        if !program.is_file() {
            bail!("{} is not built: run `cargo build` first", program.display());
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
    path.join("deploy/local").is_dir() && manifest.is_ok_and(|text| text.contains("[workspace]"))
}

fn others_may_pass(path: &Path) -> bool {
    path.ancestors()
        .all(|folder| fs::metadata(folder).is_ok_and(|found| found.mode() & OTHERS_MAY_PASS != 0))
}

/// Makes `.docket` a link to a folder of this checkout's own below [`FAR_STATE`].
fn place_far(state: &Path, root: &Path) -> Result<()> {
    if state.is_symlink() {
        // The link may outlive what it leads to.
        let target = fs::read_link(state).with_context(|| format!("read the link {}", state.display()))?;
        return fs::create_dir_all(&target).with_context(|| format!("make {}", target.display()));
    }
    if state.is_dir() && fs::remove_dir(state).is_err() {
        bail!(
            "the user nobody, as whom PostgreSQL runs, cannot reach {}: remove it and start again",
            state.display()
        );
    }
    let far = far_state(root);
    fs::create_dir_all(&far).with_context(|| format!("make {}", far.display()))?;
    symlink(&far, state).with_context(|| format!("link {} to {}", state.display(), far.display()))
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
    fn far_states_of_two_checkouts_differ() {
        assert_eq!(far_state(Path::new("/root/a")), far_state(Path::new("/root/a")));
        assert_ne!(far_state(Path::new("/root/a")), far_state(Path::new("/root/b")));
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
