//! CPU and memory of a contestant during its work, and how busy other processes kept the machine.

use std::collections::BTreeMap;
use std::time::Instant;

use crate::proc;
use crate::stats::Figures;

/// A measurement under way.
#[derive(Debug)]
pub struct Meter {
    root: u32,
    services: u32,
    began: Instant,
    at_start: Reading,
}

#[derive(Debug)]
struct Reading {
    own: f64,
    threads: BTreeMap<String, f64>,
    services: BTreeMap<String, f64>,
    bench: f64,
    machine: f64,
}

impl Meter {
    /// Starts to measure a contestant and the stack's servers, each a process with its descendants.
    pub fn start(root: u32, services: u32) -> Self {
        Self {
            root,
            services,
            began: Instant::now(),
            at_start: Reading::now(root, services),
        }
    }

    /// Cores in use since the start (CPU seconds a second) by the contestant, by each thread name, by each server, and by all
    /// else on the machine; and the contestant's largest memory.
    pub fn stop(self) -> Figures {
        let seconds = self.began.elapsed().as_secs_f64();
        let (before, now) = (self.at_start, Reading::now(self.root, self.services));
        let cores = |now: f64, before: f64| (now - before).max(0.0) / seconds;
        let by_name = |prefix: &str, now: &BTreeMap<String, f64>, before: &BTreeMap<String, f64>| -> Figures {
            let named = now.iter().map(|(name, &now)| {
                let before = before.get(name).copied().unwrap_or_default();
                (format!("{prefix}.{name}"), cores(now, before))
            });
            named.collect()
        };
        let mut figures = by_name("thread_cores", &now.threads, &before.threads);
        figures.extend(by_name("service_cores", &now.services, &before.services));
        let all = |reading: &Reading| reading.own + reading.services.values().sum::<f64>() + reading.bench;
        let others = (now.machine - all(&now)) - (before.machine - all(&before));
        figures.insert("cores".to_owned(), cores(now.own, before.own));
        figures.insert("other_cores".to_owned(), others.max(0.0) / seconds);
        let peak = proc::peak_bytes(&proc::tree(self.root));
        figures.insert("rss_peak_bytes".to_owned(), peak as f64);
        figures
    }
}

impl Reading {
    fn now(root: u32, services: u32) -> Self {
        Self {
            own: proc::cpu_seconds(&proc::tree(root)),
            threads: proc::cpu_seconds_by_thread(root),
            services: proc::cpu_seconds_by_program(&proc::tree(services)),
            bench: proc::cpu_seconds(&[std::process::id()]),
            machine: proc::machine_seconds(),
        }
    }
}
