//! Every valid sample is read without a refusal, in the sandbox. Needs pdfium: `DOCKET_PDFIUM_LIB`, or the one of the stack.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use docket_bench::corpus::Random;
use docket_bench::files::pdf::{self, Columns};
use docket_bench::files::{self, File, Kind};
use docket_contract::media_type::Declared;
use docket_extract::limits::Limits;
use docket_extract::way::{Way, way};
use docket_extract::{Extractor, ParseSettings, Reading, Source, place_for_any_scan, plain_text};
use docket_local::deps::Deps;
use libtest_mimic::{Arguments, Trial};
use tokio::runtime::Runtime;

/// Seeds that each kind is tried with.
const SEEDS: u64 = 12;
const LIMITS: Limits = Limits {
    pages: 1_000,
    text_bytes: 16 << 20,
    inflated_bytes: 64 << 20,
};

// As in the worker, whose allocator must live with a small limit on memory.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    docket_extract::serve_if_child();
    let facts: [(&str, fn()); 2] = [
        ("every_sample_is_read_with_its_text", every_sample_is_read_with_its_text),
        (
            "a_generated_contract_has_its_pages_and_columns",
            a_generated_contract_has_its_pages_and_columns,
        ),
    ];
    let trials = facts.map(|(name, fact)| {
        Trial::test(name, move || {
            fact();
            Ok(())
        })
    });
    libtest_mimic::run(&Arguments::from_args(), trials.into()).exit_code()
}

fn every_sample_is_read_with_its_text() {
    let runtime = Runtime::new().unwrap();
    let extractor = runtime.block_on(extractor());
    for kind in Kind::ALL {
        for seed in 0..SEEDS {
            let file = files::sample(kind, &mut Random::new(seed));
            let text = runtime.block_on(read(&extractor, &file));
            let words = text.split_whitespace().count();
            assert!(
                kind == Kind::Zip || words >= 50,
                "{kind:?} of seed {seed} has {words} words"
            );
        }
    }
}

fn a_generated_contract_has_its_pages_and_columns() {
    let runtime = Runtime::new().unwrap();
    let extractor = runtime.block_on(extractor());
    for columns in [Columns::One, Columns::Two] {
        let file = File {
            name: "contract.pdf".to_owned(),
            media_type: "application/pdf".to_owned(),
            bytes: pdf::contract(3, columns, 1),
        };
        let reading = runtime.block_on(parsed(&extractor, &file));
        let pages = reading.text.coverage.pages.unwrap();
        assert_eq!((pages.total, pages.read), (3, 3), "{columns:?}");
    }
}

async fn extractor() -> Extractor {
    let pdfium = match std::env::var_os("DOCKET_PDFIUM_LIB") {
        Some(path) => PathBuf::from(path),
        None => {
            Deps::ensure(&docket_testing::checkout().state().unwrap())
                .await
                .unwrap()
                .pdfium
        }
    };
    let settings = ParseSettings {
        pdfium,
        parsers: 2,
        memory_bytes: 1 << 30,
        cpu_seconds: 60,
        wall: Duration::from_secs(180),
        limits: LIMITS,
        sandbox_required: false,
        ocr: None,
    };
    Extractor::start(&settings, PathBuf::from("/proc/self/exe"))
        .await
        .unwrap()
}

/// The text of a file, read as a worker reads it.
async fn read(extractor: &Extractor, file: &File) -> String {
    let declared = Declared::parse(&file.media_type).unwrap();
    let bytes = file.bytes.clone().into();
    match way(declared, Some(&file.name), &file.bytes) {
        Way::Plain(media_type) => plain_text(media_type, declared, &bytes, &LIMITS).unwrap().text,
        Way::Parsed => parsed(extractor, file).await.text.text,
    }
}

async fn parsed(extractor: &Extractor, file: &File) -> Reading {
    let source = Source {
        declared: Declared::parse(&file.media_type).unwrap(),
        file_name: Some(&file.name),
        pages: None,
        files: true,
    };
    let parsing = extractor.parse(source, file.bytes.clone().into(), place_for_any_scan, async |_| {
        Ok::<_, ()>(())
    });
    let parsed = parsing.await.unwrap_or_else(|error| panic!("{}: {error:?}", file.name));
    parsed.check(&LIMITS).unwrap()
}
