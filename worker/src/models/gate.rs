//! A model's accuracy gate: its author writes down how much accuracy a small and fast file may cost, and the gate holds to it.

use std::fmt::{self, Display, Formatter};
use std::path::Path;

use docket_engine::evaluate::{JOIN_DEFAULT, evaluate, join, read_records};
use docket_engine::infer::manifest::Gate;
use docket_engine::model::Model;

/// The outcome of a model's gate.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The model's micro F1 on the gate's data.
    pub f1: f64,
    /// The gate that the model is held against.
    pub gate: Gate,
}

/// Holds a model against the gate of its folder; `None` if it has no gate.
pub async fn judge(model: &Model, folder: &Path) -> anyhow::Result<Option<Verdict>> {
    let Some(gate) = model.manifest().about.gate.clone() else {
        return Ok(None);
    };
    let path = folder.join(&gate.data);
    let records = tokio::task::spawn_blocking(move || read_records(&path)).await??;
    let evaluation = evaluate(model, join(&records, JOIN_DEFAULT), None, None).await?;
    let f1 = evaluation.micro().figures().f1;
    Ok(Some(Verdict { f1, gate }))
}

impl Verdict {
    /// Whether the model's F1 reaches the gate's least.
    pub fn is_pass(&self) -> bool {
        self.f1 >= self.gate.f1_min()
    }
}

impl Display for Verdict {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Gate {
            data,
            reference_f1,
            loss_max,
        } = &self.gate;
        let (f1, least) = (self.f1, self.gate.f1_min());
        write!(
            f,
            "F1 {f1:.4} on {data}, and at least {least:.4} is wanted (its reference {reference_f1:.4} less {loss_max:.4})"
        )
    }
}
