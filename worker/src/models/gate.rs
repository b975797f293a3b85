//! A model's accuracy gate: what making it small and fast may cost is written down by its author, and held here.

use std::fmt::{self, Display, Formatter};
use std::path::Path;

use crate::evaluate::{JOIN_DEFAULT, evaluate, join, read_records};
use crate::infer::manifest::Gate;
use crate::model::Model;

/// What a model's gate says.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// Micro F1 on the gate's data.
    pub f1: f64,
    /// What it is held against.
    pub gate: Gate,
}

/// Holds a model of a folder against its gate; nothing to say if it has none.
pub async fn judge(model: &Model, folder: &Path) -> anyhow::Result<Option<Verdict>> {
    let Some(gate) = model.manifest().about.gate.clone() else {
        return Ok(None);
    };
    let path = folder.join(&gate.data);
    let records = tokio::task::spawn_blocking(move || read_records(&path)).await??;
    let evaluation = evaluate(model, join(&records, JOIN_DEFAULT), None).await?;
    let f1 = evaluation.micro().figures().f1;
    Ok(Some(Verdict { f1, gate }))
}

impl Verdict {
    /// Whether the model is accurate enough.
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
