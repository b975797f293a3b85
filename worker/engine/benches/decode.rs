//! How fast scores become entities: the best allowed labels of each window, then one reading and its entities.

mod contract;

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use docket_engine::decode::{self, WindowScores};
use docket_engine::infer::labels::{Labels, ModelConfig, Tag};
use docket_engine::infer::manifest::{CONFIG_FILE, LabelScheme};
use docket_engine::window::Windows;
use docket_extract::ExtractedText;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

const WORDS: usize = 20_000;
const SEED: u64 = 1;
/// Score of "no entity" above chance, so that about one word in ten carries a label, as in a contract.
const OUTSIDE_BONUS: f32 = 0.85;

/// A score for each label of each word of each window.
fn random_scores(windows: &Windows, labels: &Labels) -> Vec<Vec<Vec<f32>>> {
    let mut random = StdRng::seed_from_u64(SEED);
    let mut score = |tag: &Tag| match tag {
        Tag::Outside => random.random::<f32>() + OUTSIDE_BONUS,
        Tag::Begin(_) | Tag::Inside(_) | Tag::End(_) | Tag::Single(_) | Tag::Part(_) => random.random::<f32>(),
    };
    let mut word = || labels.tags().iter().map(&mut score).collect();
    (0..windows.len())
        .map(|window| windows.words(window).map(|_| word()).collect())
        .collect()
}

fn read(labels: &Labels, scores: &[Vec<Vec<f32>>]) -> Vec<WindowScores> {
    let read = |words: &Vec<Vec<f32>>| {
        let words: Vec<&[f32]> = words.iter().map(Vec::as_slice).collect();
        decode::read(labels, &words).expect("they are numbers")
    };
    scores.iter().map(read).collect()
}

fn decode(bench: &mut Criterion) {
    let text: ExtractedText = contract::of_words(WORDS).into();
    let windows = contract::splitter().split(&text.text).expect("every text can be cut");
    let config = ModelConfig::from_file(&contract::folder().join(CONFIG_FILE)).expect("the configuration is there");
    let labels = Labels::of(&config, LabelScheme::Bio).expect("the labels are BIO");
    let scores = random_scores(&windows, &labels);
    let readings = read(&labels, &scores);
    let found = decode::entities(&text, &windows, readings.clone(), &labels).len();
    println!("{WORDS} words, {} windows, {found} entities", windows.len());

    let mut group = bench.benchmark_group("decode");
    group.sample_size(20).throughput(Throughput::Elements(WORDS as u64));
    group.bench_function("read", |bench| {
        bench.iter(|| read(black_box(&labels), black_box(&scores)));
    });
    group.bench_function("entities", |bench| {
        let run = |readings| decode::entities(black_box(&text), &windows, readings, &labels);
        bench.iter_batched(|| readings.clone(), run, BatchSize::LargeInput);
    });
    group.finish();
}

criterion_group!(benches, decode);
criterion_main!(benches);
