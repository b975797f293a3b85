//! Lists the models in the bucket.

use docket_contract::model;
use docket_objects::BlobStore;
use docket_process::telemetry;

use crate::models::stored;
use docket_engine::infer::labels::{Labels, ModelConfig};
use docket_engine::infer::manifest::{CONFIG_FILE, Manifest};
use docket_engine::release::Release;

/// Largest configuration of a model, in bytes. A configuration has some kilobytes, so a larger object is none.
const CONFIG_BYTES_MAX: u64 = 1024 * 1024;
const COLUMNS: [&str; 7] = ["name", "version", "current", "size", "window", "labels", "licence"];

type Row = [String; COLUMNS.len()];

/// Every version in the bucket, as a table.
pub async fn list(blobs: &BlobStore) -> anyhow::Result<String> {
    let mut rows = Vec::new();
    for (name, versions) in stored::versions(blobs).await? {
        let current = stored::current(blobs, &name).await?;
        for version in versions {
            let mark = if current.as_ref() == Some(&version) { "yes" } else { "" };
            let model = Release {
                name: name.clone(),
                version,
            };
            rows.push(row(blobs, &model, mark).await?);
        }
    }
    Ok(if rows.is_empty() {
        "there are no models in the bucket".to_owned()
    } else {
        table(&rows)
    })
}

async fn row(blobs: &BlobStore, model: &Release, current: &str) -> anyhow::Result<Row> {
    let (size, window, labels, licence) = match stored::manifest(blobs, model).await {
        Ok(Some(manifest)) => {
            let bytes = manifest.bytes();
            let labels = labels(blobs, model, &manifest).await;
            let window = manifest.about.window_tokens.to_string();
            (
                format!("{:.1} MB", bytes as f64 / 1e6),
                window,
                labels,
                manifest.about.licence,
            )
        }
        Ok(None) => unusable("half published or half removed: publish it again, or remove it"),
        Err(error) => unusable(&telemetry::chain(error.as_ref())),
    };
    let (name, version) = (model.name.to_string(), model.version.to_string());
    Ok([name, version, current.to_owned(), size, window, labels, licence])
}

fn unusable(reason: &str) -> (String, String, String, String) {
    (String::new(), String::new(), reason.to_owned(), String::new())
}

async fn labels(blobs: &BlobStore, model: &Release, manifest: &Manifest) -> String {
    let key = model::file_key(&model.name, &model.version, CONFIG_FILE);
    let kinds = async {
        let json = blobs.get(&key, CONFIG_BYTES_MAX).await?;
        let config: ModelConfig = serde_json::from_slice(&json)?;
        anyhow::Ok(Labels::of(&config, manifest.about.label_scheme)?.kinds().join(" "))
    };
    kinds.await.unwrap_or_else(|error| telemetry::chain(error.as_ref()))
}

fn table(rows: &[Row]) -> String {
    let head = COLUMNS.map(str::to_owned);
    let lines = || std::iter::once(&head).chain(rows);
    let width = |column: usize| lines().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..COLUMNS.len()).map(width).collect();
    let line = |row: &Row| {
        let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    lines().map(line).collect::<Vec<_>>().join("\n")
}
