//! CPU time and memory of processes, as Linux reports them.

use std::collections::BTreeMap;
use std::fs;

/// The needed fields of `/proc/PID/stat`; see proc_pid_stat(5).
#[derive(Debug, PartialEq)]
struct Stat {
    name: String,
    parent: u32,
    /// User and system time of the process or thread, in seconds.
    own_seconds: f64,
    /// User and system time of ended children, in seconds.
    ended_seconds: f64,
    /// When the process started, in ticks since the machine's start.
    started: u64,
}

/// A process and all its descendants.
pub fn tree(root: u32) -> Vec<u32> {
    let parents = parents();
    let mut found = vec![root];
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        found.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(pid, _)| *pid));
        next += 1;
    }
    found
}

/// Every process of the machine with its parent.
pub fn parents() -> Vec<(u32, u32)> {
    all().filter_map(|pid| Some((pid, stat(pid)?.parent))).collect()
}

/// When a process started, in ticks since the machine's start: tells two processes of one number apart.
pub fn started(pid: u32) -> Option<u64> {
    stat(pid).map(|stat| stat.started)
}

/// CPU seconds of the children of a process that have ended and were waited for, as `getrusage` counts them.
pub fn ended_seconds(pid: u32) -> Option<f64> {
    stat(pid).map(|stat| stat.ended_seconds)
}

/// CPU seconds of these processes and of their ended children.
pub fn cpu_seconds(pids: &[u32]) -> f64 {
    let stats = pids.iter().filter_map(|&pid| stat(pid));
    stats.map(|stat| stat.own_seconds + stat.ended_seconds).sum()
}

/// The same, summed by program name.
pub fn cpu_seconds_by_program(pids: &[u32]) -> BTreeMap<String, f64> {
    let mut by_program = BTreeMap::new();
    for stat in pids.iter().filter_map(|&pid| stat(pid)) {
        *by_program.entry(stat.name).or_default() += stat.own_seconds + stat.ended_seconds;
    }
    by_program
}

/// CPU seconds of a process's threads, by name without a number at its end. Ended threads are not counted.
pub fn cpu_seconds_by_thread(pid: u32) -> BTreeMap<String, f64> {
    let mut by_name = BTreeMap::new();
    let threads = fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten()
        .flatten();
    for thread in threads {
        let stat = fs::read_to_string(thread.path().join("stat")).ok();
        if let Some(stat) = stat.as_deref().and_then(parse) {
            let name = stat.name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '-');
            *by_name.entry(name.to_owned()).or_default() += stat.own_seconds;
        }
    }
    by_name
}

/// Largest memory of each process so far, summed, in bytes. Shared pages count in each process.
pub fn peak_bytes(pids: &[u32]) -> u64 {
    pids.iter().filter_map(|&pid| status_bytes(pid, "VmHWM:")).sum()
}

/// Memory of a process now, in bytes.
pub fn resident_bytes(pid: u32) -> Option<u64> {
    status_bytes(pid, "VmRSS:")
}

/// CPU seconds of the whole machine since its start, without idle and stolen time.
pub fn machine_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let line = stat.lines().next().unwrap_or_default();
    let ticks: Vec<f64> = line.split_whitespace().skip(1).filter_map(|n| n.parse().ok()).collect();
    // The fields are user, nice, system, irq and softirq.
    let busy: f64 = [0, 1, 2, 5, 6].iter().filter_map(|&field| ticks.get(field)).sum();
    busy / ticks_a_second()
}

fn all() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn stat(pid: u32) -> Option<Stat> {
    parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// Parses a `stat` file. The name is in brackets and may hold anything, brackets too.
fn parse(stat: &str) -> Option<Stat> {
    let (before, after) = stat.rsplit_once(')')?;
    let name = before.split_once('(')?.1.to_owned();
    let fields: Vec<&str> = after.split_whitespace().collect();
    let seconds = |field: usize| Some(fields.get(field)?.parse::<f64>().ok()? / ticks_a_second());
    Some(Stat {
        name,
        parent: fields.get(1)?.parse().ok()?,
        own_seconds: seconds(11)? + seconds(12)?,
        ended_seconds: seconds(13)? + seconds(14)?,
        started: fields.get(19)?.parse().ok()?,
    })
}

fn status_bytes(pid: u32, field: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib * 1024)
}

fn ticks_a_second() -> f64 {
    rustix::param::clock_ticks_per_second() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stat_line_is_read_whatever_the_name() {
        let line = "42 (a) (b 7) S 7 42 42 0 -1 4194560 1 2 3 4 150 50 200 100 20 0 1 0 5 6 7";
        let stat = parse(line).unwrap();
        let seconds = |ticks: f64| ticks / ticks_a_second();
        assert_eq!((&*stat.name, stat.parent), ("a) (b 7", 7));
        assert_eq!(
            (stat.own_seconds, stat.ended_seconds),
            (seconds(150.0) + seconds(50.0), seconds(200.0) + seconds(100.0))
        );
        assert_eq!(stat.started, 5);
        assert_eq!(parse("nothing"), None);
    }

    #[test]
    fn this_process_is_in_its_parents_tree_and_holds_memory() {
        let own = std::process::id();
        let parent = stat(own).unwrap().parent;
        assert!(tree(parent).contains(&own));
        assert!(resident_bytes(own).unwrap() > 1 << 20);
        assert!(peak_bytes(&[own]) >= resident_bytes(own).unwrap() / 2);
        assert!(machine_seconds() > 0.0);
    }
}
