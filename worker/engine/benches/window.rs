//! How fast texts are cut into windows: a short contract, a long one, and a megabyte.

mod contract;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// Words of a short contract and of a long one.
const CONTRACT_WORDS: [usize; 2] = [600, 20_000];
/// Bytes of the longest text in this benchmark.
const MEGABYTE: usize = 1024 * 1024;

fn split(bench: &mut Criterion) {
    let splitter = contract::splitter();
    let megabyte = contract::of_words(MEGABYTE / 4);
    let mut texts: Vec<(String, String)> = CONTRACT_WORDS
        .map(|words| (format!("{words} words"), contract::of_words(words)))
        .into();
    texts.push((
        "1 MiB".to_owned(),
        megabyte[..megabyte.floor_char_boundary(MEGABYTE)].to_owned(),
    ));

    let mut group = bench.benchmark_group("window/split");
    group.sample_size(10);
    for (name, text) in &texts {
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_with_input(BenchmarkId::from_parameter(name), text, |bench, text| {
            bench.iter(|| splitter.split(text).expect("every text can be cut"));
        });
    }
    group.finish();
}

criterion_group!(benches, split);
criterion_main!(benches);
