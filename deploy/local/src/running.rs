//! The description of a run for programs that join it: a file, readable by its owner only.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::postgres::Login;
use crate::rabbit;
use crate::state::write_private;

/// Name of the file in the checkout's state folder.
const FILE: &str = "running.json";

/// How to reach a running Docket, and the settings of its programs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Running {
    /// URLs of the producers.
    pub producers: Vec<String>,
    /// Number of workers that the run itself started.
    pub workers: usize,
    /// Endpoint of the RabbitMQ node.
    pub broker: rabbit::Endpoint,
    /// The vhost of Docket's queues.
    pub vhost: String,
    /// Settings of the services, by login.
    pub settings: BTreeMap<Login, BTreeMap<String, String>>,
    /// Folder of the running programs.
    pub programs: PathBuf,
    /// State folder of the run's processes.
    pub state: PathBuf,
    /// Folder of the services' logs.
    pub logs: PathBuf,
}

/// Path of the file, for a checkout with this state folder.
pub fn file(state: &Path) -> PathBuf {
    state.join(FILE)
}

impl Running {
    /// Writes the file, which is removed when the guard is dropped.
    pub fn announce(&self, file: &Path) -> Result<Announced> {
        write_private(file, &serde_json::to_vec_pretty(self)?)?;
        Ok(Announced(file.to_owned()))
    }

    /// Reads the file of a run.
    pub fn read(file: &Path) -> Result<Self> {
        let json = match fs::read(file) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                bail!("nothing runs here: start `deploy/local/run` first");
            }
            read => read.with_context(|| format!("read {}", file.display()))?,
        };
        serde_json::from_slice(&json).with_context(|| format!("understand {}", file.display()))
    }
}

/// The settings of a login as lines for a shell, so that its commands have the settings of the running programs.
pub fn exports(running: &Running, login: Login) -> String {
    let path = quoted(&running.programs.display().to_string());
    let own = running.settings.get(&login);
    let all: BTreeSet<&String> = running.settings.values().flat_map(BTreeMap::keys).collect();
    let lines = all.into_iter().map(|name| match own.and_then(|own| own.get(name)) {
        Some(value) => format!("export {name}={}\n", quoted(value)),
        None => format!("unset {name}\n"), // The shell may have the variable from another login's settings.
    });
    lines.collect::<String>() + &format!("export PATH={path}:\"$PATH\"\n")
}

/// Quotes a text as one word of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// The file of a run, removed when dropped.
#[derive(Debug)]
pub struct Announced(PathBuf);

impl Drop for Announced {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0); // The state may have been wiped.
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_shell_understands_the_settings_whatever_is_in_them() {
        let running = Running {
            producers: Vec::new(),
            workers: 0,
            broker: rabbit::Endpoint {
                amqp_port: 1,
                management_port: 2,
                user: String::new(),
                password: String::new(),
            },
            vhost: String::new(),
            settings: BTreeMap::from([
                (
                    Login::Worker,
                    BTreeMap::from([("DOCKET_X".to_owned(), "it's a \"$HOME\" `x`".to_owned())]),
                ),
                (Login::Api, BTreeMap::from([("DOCKET_Y".to_owned(), "y".to_owned())])),
            ]),
            programs: "/a folder/bin".into(),
            state: PathBuf::new(),
            logs: PathBuf::new(),
        };
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!(
            "{}printf '%s\\n%s\\n%s' \"$DOCKET_X\" \"$PATH\" \"$DOCKET_Y\"",
            exports(&running, Login::Worker)
        ));
        let output = shell
            .env("PATH", "/usr/bin:/bin")
            .env("DOCKET_Y", "earlier")
            .output()
            .unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        assert_eq!(printed, "it's a \"$HOME\" `x`\n/a folder/bin:/usr/bin:/bin\n");
    }
}
