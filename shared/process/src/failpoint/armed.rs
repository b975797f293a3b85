//! Reads `DOCKET_FAILPOINTS` and acts on it.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::process::{Signal, getpid, kill_process};

/// Environment variable that names the failpoints that act.
const VARIABLE: &str = "DOCKET_FAILPOINTS";

static PLAN: LazyLock<Plan> = LazyLock::new(|| {
    let text = std::env::var(VARIABLE).unwrap_or_default();
    Plan::parse(&text).unwrap_or_else(|reason| {
        eprintln!("{VARIABLE} is not usable: {reason}");
        std::process::exit(2)
    })
});

#[derive(Debug, Default)]
struct Plan {
    points: Vec<Point>,
    bugs: Vec<String>,
    seed: u64,
}

#[derive(Debug)]
struct Point {
    name: String,
    action: Action,
    when: When,
    text: Option<String>,
    passes: AtomicU64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Action {
    Kill,
    Stop,
    Delay(Duration),
    Panic,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum When {
    Always,
    Pass(u64),
    From(u64),
    Chance(f64),
}

/// The process passes a stage: runs every action that is due there.
pub fn pass(name: &str, text: Option<&str>) {
    for action in PLAN.due(name, text) {
        match action {
            Action::Kill => signal(Signal::KILL),
            Action::Stop => signal(Signal::STOP),
            Action::Delay(time) => std::thread::sleep(time),
            Action::Panic => panic!("the failpoint {name}"),
        }
    }
}

/// Whether `DOCKET_FAILPOINTS` plants this bug.
pub fn is_planted(name: &str) -> bool {
    PLAN.bugs.iter().any(|bug| bug == name)
}

fn signal(signal: Signal) {
    if let Err(error) = kill_process(getpid(), signal) {
        eprintln!("a failpoint cannot signal its own process: {error}");
    }
}

impl Plan {
    fn parse(text: &str) -> Result<Self, String> {
        let mut plan = Self::default();
        for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            let (name, what) = entry.split_once('=').ok_or("an entry is NAME=ACTION")?;
            if name == "seed" {
                plan.seed = what.parse().map_err(|_| "a seed is a number")?;
            } else if let Some(bug) = name.strip_prefix("bug.") {
                plan.bugs.push(bug.to_owned());
            } else {
                plan.points.push(Point::parse(name, what)?);
            }
        }
        Ok(plan)
    }

    fn due<'a>(&'a self, name: &'a str, text: Option<&'a str>) -> impl Iterator<Item = Action> + 'a {
        let here = self.points.iter().filter(move |point| point.name == name);
        here.filter(move |point| point.is_due(text, self.seed))
            .map(|point| point.action)
    }
}

impl Point {
    fn parse(name: &str, what: &str) -> Result<Self, String> {
        let (what, text) = match what.split_once('~') {
            Some((what, text)) => (what, Some(text.to_owned())),
            None => (what, None),
        };
        let (action, when) = if let Some((action, pass)) = what.split_once('#') {
            let number = |text: &str| text.parse().map_err(|_| format!("{text:?} is no number"));
            let when = match pass.strip_suffix('+') {
                Some(first) => When::From(number(first)?),
                None => When::Pass(number(pass)?),
            };
            (action, when)
        } else if let Some((action, chance)) = what.split_once('@') {
            let chance = chance.parse().map_err(|_| format!("{chance:?} is no probability"))?;
            (action, When::Chance(chance))
        } else {
            (what, When::Always)
        };
        let action = match action.split_once(':') {
            None if action == "kill" => Action::Kill,
            None if action == "stop" => Action::Stop,
            None if action == "panic" => Action::Panic,
            Some(("delay", ms)) => Action::Delay(Duration::from_millis(
                ms.parse().map_err(|_| format!("{ms:?} is no number"))?,
            )),
            _ => return Err(format!("{action:?} is no action")),
        };
        let (name, passes) = (name.to_owned(), AtomicU64::new(0));
        Ok(Self {
            name,
            action,
            when,
            text,
            passes,
        })
    }

    fn is_due(&self, text: Option<&str>, seed: u64) -> bool {
        let is_meant = self
            .text
            .as_ref()
            .is_none_or(|mark| text.is_some_and(|text| text.contains(mark)));
        if !is_meant {
            return false;
        }
        let pass = self.passes.fetch_add(1, Ordering::Relaxed) + 1;
        match self.when {
            When::Always => true,
            When::Pass(wanted) => pass == wanted,
            When::From(first) => pass >= first,
            When::Chance(chance) => share(seed ^ pass.wrapping_mul(0xd129_0b2d_8b8f_4d6d)) < chance,
        }
    }
}

/// A number in [0, 1), always the same for a seed: one step of `SplitMix64`.
fn share(seed: u64) -> f64 {
    let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(plan: &Plan, name: &str, count: usize) -> Vec<usize> {
        (1..=count).filter(|_| plan.due(name, None).next().is_some()).collect()
    }

    #[test]
    fn a_point_acts_at_its_pass_only() {
        let plan = Plan::parse("worker.after_claim=kill#3, worker.before_ack=delay:20, worker.infer=panic#7+").unwrap();
        assert_eq!(passes(&plan, "worker.after_claim", 9), [3]);
        assert_eq!(passes(&plan, "worker.infer", 9), [7, 8, 9]);
        assert_eq!(passes(&plan, "worker.before_ack", 2), [1, 2]);
        assert_eq!(passes(&plan, "worker.heartbeat", 9), [0; 0]);
        let delay = plan.due("worker.before_ack", None).next();
        assert_eq!(delay, Some(Action::Delay(Duration::from_millis(20))));
    }

    #[test]
    fn chance_is_of_the_seed() {
        let acts = |seed| passes(&Plan::parse(&format!("a=stop@0.25,seed={seed}")).unwrap(), "a", 400);
        assert_eq!(acts(7), acts(7));
        assert_ne!(acts(7), acts(8));
        assert!(
            (60..=140).contains(&acts(7).len()),
            "a quarter of 400: {}",
            acts(7).len()
        );
    }

    #[test]
    fn a_marked_text_is_told_from_its_neighbours() {
        let plan = Plan::parse("worker.after_extract=kill~MARK").unwrap();
        let acts = |text| plan.due("worker.after_extract", text).next();
        assert_eq!(acts(Some("no mark")), None);
        assert_eq!(acts(None), None);
        assert_eq!(acts(Some("a MARK in it")), Some(Action::Kill));
    }

    #[test]
    fn nonsense_is_refused_and_bugs_are_no_points() {
        for bad in [
            "a",
            "a=b",
            "a=kill#x",
            "a=kill#+",
            "a=stop@often",
            "a=delay",
            "a=delay:x",
            "seed=x",
        ] {
            assert!(Plan::parse(bad).is_err(), "{bad}");
        }
        let plan = Plan::parse("bug.ack_before_commit=on").unwrap();
        assert_eq!(
            (plan.bugs, plan.points.len()),
            (vec!["ack_before_commit".to_owned()], 0)
        );
    }
}
