//! How many scanned pages OCR reads: a page in good order, and one that lies upside down and so is read up to three times.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use docket_contract::media_type::Declared;
use docket_extract::sandbox::OcrSettings;
use docket_extract::{Extractor, Source, place_for_any_scan};
use docket_local::deps;

use super::DocumentsSettings;
use super::pages::{extractor, settle};
use crate::proc;
use crate::stats::{self, Figures};

/// Scans, each with the name of its figure and its pages.
const SCANS: [(&str, u32, &[u8]); 2] = [
    (
        "upright",
        1,
        include_bytes!("../../../local/samples/termination-notice-scan.pdf"),
    ),
    (
        "half_upside_down",
        2,
        include_bytes!("../../../local/samples/consent-scan.tiff"),
    ),
];
/// Time for one scan: far more than it takes.
const OCR_MAX: Duration = Duration::from_secs(120);

/// Pages a CPU second and pages a second by one Tesseract at a time, for each scan: medians of the rounds.
pub async fn measure(settings: &DocumentsSettings) -> Result<Figures> {
    let deps = deps::Deps::ensure(&docket_testing::checkout().state()?).await?;
    let ocr = OcrSettings {
        tesseract: deps::TESSERACT.into(),
        languages: vec!["eng".to_owned()],
        processes: 1,
        document_max: OCR_MAX,
    };
    let extractor = extractor(deps.pdfium, Some(ocr)).await?;
    let mut figures = Figures::new();
    for (name, pages, bytes) in SCANS {
        let (mut of_cpu, mut of_time) = (Vec::new(), Vec::new());
        for _ in 0..settings.rounds {
            let (cpu, time) = read(&extractor, pages, bytes)
                .await
                .with_context(|| format!("read {name}"))?;
            of_cpu.push(f64::from(pages) / cpu);
            of_time.push(f64::from(pages) / time);
        }
        for (unit, rounds) in [("cpu_second", of_cpu), ("second", of_time)] {
            figures.extend(stats::median(&rounds).map(|median| (format!("{name}_pages_a_{unit}"), median)));
        }
    }
    Ok(figures)
}

/// CPU seconds and seconds in which a scan is read.
async fn read(extractor: &Extractor, pages: u32, bytes: &'static [u8]) -> Result<(f64, f64)> {
    let own = [std::process::id()];
    let (before, began, started) = (proc::cpu_seconds(&own), Instant::now(), extractor.counts().started());
    let source = Source {
        declared: Declared::UNKNOWN,
        file_name: None,
        pages: None,
        files: false,
    };
    let parsed = extractor.parse(source, Bytes::from_static(bytes), place_for_any_scan, async |_| {
        Ok::<_, Infallible>(())
    });
    let Ok(parsed) = parsed.await else {
        bail!("it is not read")
    };
    let took = began.elapsed().as_secs_f64();
    let reading = parsed.check(extractor.limits())?;
    let by_ocr = reading.text.coverage.pages.map_or(0, |pages| pages.by_ocr);
    if by_ocr != pages {
        bail!("{by_ocr} of {pages} pages were read by OCR");
    }
    settle(started + 1, extractor).await?;
    Ok((proc::cpu_seconds(&own) - before, took))
}
