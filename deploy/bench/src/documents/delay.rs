//! From accept to entities: a PDF of one page, and the same text as plain text, in turns through the real service.

use anyhow::{Result, ensure};
use docket_client::Upload;

use super::DocumentsSettings;
use crate::corpus::{self, Kind};
use crate::docket::{self, Docket, Worker};
use crate::files::pdf::{self, Streams};
use crate::ours;
use crate::stats::{self, Figures};

/// Client of all documents.
const CLIENT: usize = 0;
/// Documents of each kind before the first that counts: connections open, and the model's memory grows.
const WARM_UP: usize = 5;

/// Times both kinds. Returns the figures and the ratios.
pub async fn measure(settings: &DocumentsSettings) -> Result<(Figures, Figures)> {
    let documents = settings.documents as usize;
    println!("delay: {documents} PDFs of one page and their texts, one by one");
    let mut docket = Docket::start(&docket::logs()?).await?;
    let mut worker = docket.worker(None, settings.sessions).await?;
    let (mut pdfs, mut texts) = (Vec::new(), Vec::new());
    for (number, text) in corpus::texts(Kind::Letters, documents + WARM_UP, settings.seed)
        .into_iter()
        .enumerate()
    {
        let file = pdf::of_text(&text, Streams::Flate);
        let of_pdf = seconds(&mut docket, &mut worker, Upload::new("application/pdf", file)).await?;
        let of_text = seconds(&mut docket, &mut worker, Upload::new("text/plain", text)).await?;
        if number >= WARM_UP {
            pdfs.push(of_pdf);
            texts.push(of_text);
        }
    }
    worker.program.stop().await?;
    docket.stop().await?;
    Ok(summed_up(&pdfs, &texts))
}

/// Uploads a document, and waits for its result: seconds from accept to result by the shard's clock.
pub(super) async fn seconds(docket: &mut Docket, worker: &mut Worker, upload: Upload) -> Result<f64> {
    seconds_of(docket, worker, (CLIENT, upload)).await
}

/// The same for the client with this number.
pub(super) async fn seconds_of(
    docket: &mut Docket,
    worker: &mut Worker,
    (client, upload): (usize, Upload),
) -> Result<f64> {
    let uploaded = docket.send(client, upload).await?;
    let mut rows = ours::until_ended(docket, worker, &[uploaded], 1).await?;
    ensure!(rows.len() == 1, "one job has one row");
    let row = rows.remove(0);
    Ok(row.ended - row.created)
}

fn summed_up(pdfs: &[f64], texts: &[f64]) -> (Figures, Figures) {
    let (mut figures, mut ratios) = (Figures::new(), Figures::new());
    for (name, share) in [("p50", 0.5), ("p95", 0.95)] {
        let (of_pdfs, of_texts) = (stats::percentile(pdfs, share), stats::percentile(texts, share));
        let (Some(of_pdfs), Some(of_texts)) = (of_pdfs, of_texts) else {
            continue;
        };
        figures.insert(format!("pdf_{name}_seconds"), of_pdfs);
        figures.insert(format!("text_{name}_seconds"), of_texts);
        figures.insert(format!("pdf_more_{name}_seconds"), of_pdfs - of_texts);
        ratios.insert(format!("pdf_to_text_{name}"), of_pdfs / of_texts);
    }
    figures.insert("documents".to_owned(), pdfs.len() as f64);
    (figures, ratios)
}
