//! Compares the autoscaler's target with the jobs that the dispatcher keeps in flight per worker. If an autoscaler on queue
//! length aims at more than is kept, or at hardly less, it never adds a worker, whatever waits in the shards.

use crate::doctor::report::Finding;
use docket_dispatch::fair_share;

const PART: &str = "autoscaler";
/// Kubernetes scales only when the measured value is above the target by this fraction of it.
const TOLERANCE: f64 = 0.1;

/// A model's speed and the size of its jobs.
#[derive(Debug, Clone)]
pub struct Model {
    /// Name of the model, without a version.
    pub name: String,
    /// Tokens a second that one worker reads.
    pub tokens_per_second: f64,
    /// Mean size of the waiting documents, in bytes; `None` while none waits.
    pub mean_job_bytes: Option<f64>,
}

/// Judges the target by the models whose speed is known.
pub fn examine(models: &[Model], target: u32) -> Finding {
    let kept = models.iter().map(|model| (model, kept_a_worker(model)));
    let Some((model, kept)) = kept.min_by(|a, b| a.1.total_cmp(&b.1)) else {
        let what = format!("a target of {target} messages a worker cannot be judged while no worker reports its speed");
        return Finding::note(PART, what);
    };
    let of = format!(
        "the dispatcher keeps {kept:.1} jobs of {} in flight for each worker",
        model.name
    );
    if f64::from(target) * (1.0 + TOLERANCE) < kept {
        return Finding::ok(PART, format!("{of}, and the target is {target} messages"));
    }
    let fitting = (kept / 2.0).floor().max(1.0);
    Finding::warn(PART, format!("{of}, and the target is {target} messages"))
        .means("by the length of its queue alone the autoscaler never adds a worker for this model, whatever waits in the shards")
        .remedy(format!(
            "aim at {fitting:.0} messages a worker, half of what is kept, or scale by seconds of work waiting as well; \
             --autoscale-messages tells the doctor what you aim at"
        ))
}

/// Jobs in flight that the dispatcher keeps for one worker.
fn kept_a_worker(model: &Model) -> f64 {
    let size = model.mean_job_bytes.unwrap_or(fair_share::JOB_BYTES_ASSUMED);
    fair_share::in_flight_a_worker(model.tokens_per_second, size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::report::Verdict;

    #[test]
    fn a_target_above_what_is_kept_never_scales() {
        let of = |tokens_per_second, bytes| Model {
            name: "ner".into(),
            tokens_per_second,
            mean_job_bytes: Some(bytes),
        };
        let fast = of(10_000.0, 3_000.0);
        assert_eq!(examine(std::slice::from_ref(&fast), 8).verdict, Verdict::Ok);
        let slow = of(4_400.0, 4_400.0);
        let found = examine(&[fast, slow], 8);
        assert_eq!(found.verdict, Verdict::Warn);
        assert!(found.what.contains("keeps 6.4 jobs of ner"), "{}", found.what);
        assert!(found.remedy.unwrap().starts_with("aim at 3 messages"));
        // 6.4 are more than 6, but not by enough to move an autoscaler.
        let slow = of(4_400.0, 4_400.0);
        assert_eq!(examine(std::slice::from_ref(&slow), 6).verdict, Verdict::Warn);
        assert_eq!(examine(&[slow], 5).verdict, Verdict::Ok);
        assert_eq!(examine(&[], 8).verdict, Verdict::Note);
    }
}
