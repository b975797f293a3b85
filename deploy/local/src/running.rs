//! What a run says of itself to whoever joins it: a file, readable by its owner only.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::postgres::Login;
use crate::rabbit;
use crate::state::write_private;

/// Name of the file in the folder of a checkout's state.
const FILE: &str = "running.json";

/// How to reach a running Docket, and what its programs are started with.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Running {
    /// URLs of the producers.
    pub producers: Vec<String>,
    /// Workers that it runs itself.
    pub workers: usize,
    /// The RabbitMQ node.
    pub broker: rabbit::Endpoint,
    /// The vhost of its queues.
    pub vhost: String,
    /// Settings of its services, by whom they log in as.
    pub settings: BTreeMap<Login, BTreeMap<String, String>>,
    /// Folder of the programs that it runs.
    pub programs: PathBuf,
    /// State folder that processes belong to.
    pub state: PathBuf,
    /// Folder for their logs.
    pub logs: PathBuf,
}

/// Where the run of a checkout, whose state is in this folder, says it.
pub fn file(state: &Path) -> PathBuf {
    state.join(FILE)
}

impl Running {
    /// Says it; until the guard is dropped.
    pub fn announce(&self, file: &Path) -> Result<Announced> {
        write_private(file, &serde_json::to_vec_pretty(self)?)?;
        Ok(Announced(file.to_owned()))
    }

    /// Reads what was said.
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

/// The settings of a service, as lines for a shell that give its commands what the programs that run have.
pub fn exports(running: &Running, login: Login) -> String {
    let path = quoted(&running.programs.display().to_string());
    let own = running.settings.get(&login);
    let all: BTreeSet<&String> = running.settings.values().flat_map(BTreeMap::keys).collect();
    let lines = all.into_iter().map(|name| match own.and_then(|own| own.get(name)) {
        Some(value) => format!("export {name}={}\n", quoted(value)),
        None => format!("unset {name}\n"), // It may be there by the settings of another service.
    });
    lines.collect::<String>() + &format!("export PATH={path}:\"$PATH\"\n")
}

/// A word of a shell, whatever is in it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// An announcement, taken back when dropped.
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
