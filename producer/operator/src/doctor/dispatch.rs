//! Whether a dispatcher acts for a shard, and what waits there.

use docket_store::operate::inspect::{self, Lease};
use docket_store::work::backlog::{self, Backlog};
use docket_store::work::gaps::{self, Gap};
use docket_store::work::lease::LEASE;
use docket_store::{StoreConfig, StoreError};

use crate::commands::table::time;
use crate::doctor::report::Finding;
use crate::doctor::{Seen, database};
use docket_dispatch::dispatcher::LEASE_NAME;

/// Age in seconds at which due work is worth a warning: autoscaling has had its time.
const WAITED_LONG: f64 = 600.0;

/// Examines a shard's dispatching. A shard that does not answer is reported elsewhere, and gives nothing here.
pub async fn examine(config: &StoreConfig, (name, url): (&str, &str)) -> Seen {
    let part = format!("shard {name}");
    look(&part, config, (name, url)).await.unwrap_or_default()
}

async fn look(part: &str, config: &StoreConfig, of: (&str, &str)) -> Result<Seen, StoreError> {
    inspect::knock(of.0, of.1).await?;
    let shard = database::open(config, of)?;
    let backlog = backlog::look(&shard).await?;
    let lease = inspect::lease(&shard, LEASE_NAME).await?;
    let mut findings = vec![acting(part, lease, !backlog.is_empty()), waiting(part, &backlog)];
    // An older schema has no gaps, and is reported elsewhere.
    let gaps = gaps::open(&mut shard.begin().await?).await.unwrap_or_default();
    findings.extend(gaps.into_iter().map(|gap| unwatched(part, gap)));
    Ok(Seen { findings, backlog })
}

fn acting(part: &str, lease: Option<Lease>, work: bool) -> Finding {
    let none = match lease {
        Some(lease) if lease.remaining > 0.0 => {
            let renewed = (LEASE.as_secs_f64() - lease.remaining).max(0.0);
            let what = format!(
                "dispatcher {} acts, its lease renewed {renewed:.0} s ago",
                lease.holder.simple()
            );
            return Finding::ok(part, what);
        }
        Some(lease) => format!("no dispatcher acts; the last lease ended {}", ago(-lease.remaining)),
        None => "no dispatcher acts".to_owned(),
    };
    let remedy =
        "run docket-producer serve with the role dispatch, and see in its log why it does not get to this shard";
    if work {
        let means = "what waits is not published, and nothing is repaired; uploads are accepted all the same";
        Finding::fail(part, none).means(means).remedy(remedy)
    } else {
        let means = "what is accepted from now on may wait";
        Finding::warn(part, none).means(means).remedy(remedy)
    }
}

fn waiting(part: &str, backlog: &[Backlog]) -> Finding {
    let jobs: i64 = backlog.iter().map(|model| model.jobs).sum();
    let oldest = backlog.iter().map(|model| model.oldest_seconds).fold(0.0, f64::max);
    let what = match jobs {
        0 => "nothing waits or runs".to_owned(),
        jobs if oldest == 0.0 => format!("{jobs} jobs wait, none of them due yet"),
        jobs => format!("{jobs} jobs wait or run, the oldest due {}", ago(oldest)),
    };
    if oldest > WAITED_LONG {
        let means = "there are too few workers, they stand still, or a client or a model is paused";
        let remedy = "see workers and broker below; docket-producer clients show, resume; deploy/runbooks";
        return Finding::warn(part, what).means(means).remedy(remedy);
    }
    Finding::ok(part, what)
}

/// Only a note: the gap of an outage is past, and after a restore a gap is expected.
fn unwatched(part: &str, gap: Gap) -> Finding {
    let what = format!("no dispatcher acted from {} to {}", time(gap.began), time(gap.ended));
    let name = part.strip_prefix("shard ").unwrap_or(part);
    Finding::note(part, what)
        .means("objects without a row that were stored then are kept: after a restore they are documents that were accepted")
        .remedy(format!("docket-producer restore check --shard {name}, and restore settle when nothing of it is needed"))
}

/// A time ago, in the unit that fits.
fn ago(seconds: f64) -> String {
    match seconds {
        ..120.0 => format!("{seconds:.0} s ago"),
        ..7_200.0 => format!("{:.0} min ago", seconds / 60.0),
        _ => format!("{:.0} h ago", seconds / 3_600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::report::Verdict;

    #[test]
    fn a_lease_says_who_acts_and_since_when_nobody_does() {
        let lease = |remaining| {
            Some(Lease {
                holder: uuid::Uuid::nil(),
                remaining,
            })
        };
        let acts = acting("shard s1", lease(8.0), true);
        assert_eq!(
            (acts.verdict, acts.what.ends_with("renewed 2 s ago")),
            (Verdict::Ok, true)
        );
        let ended = acting("shard s1", lease(-600.0), true);
        assert_eq!(
            (ended.verdict, ended.what.as_str()),
            (Verdict::Fail, "no dispatcher acts; the last lease ended 10 min ago")
        );
        assert_eq!(acting("shard s1", None, false).verdict, Verdict::Warn);
    }

    #[test]
    fn work_that_is_not_due_yet_is_not_said_to_be() {
        let backlog = |jobs, oldest_seconds| Backlog {
            model: "ner-legal".into(),
            jobs,
            bytes: 1,
            oldest_seconds,
            work_seconds: 0.0,
        };
        let said = |backlog: &[Backlog]| waiting("shard s1", backlog).what;
        assert_eq!(said(&[]), "nothing waits or runs");
        assert_eq!(
            said(&[backlog(2, 0.0), backlog(1, 0.0)]),
            "3 jobs wait, none of them due yet"
        );
        assert_eq!(
            said(&[backlog(2, 0.0), backlog(1, 90.0)]),
            "3 jobs wait or run, the oldest due 90 s ago"
        );
    }
}
