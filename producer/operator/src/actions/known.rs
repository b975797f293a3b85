//! Checks that what an operator names exists: a mistyped name must not look like a success.

use docket_contract::ids::{ClientId, ModelName, ModelRef};
use docket_contract::reason::Reason;
use docket_store::operate::controls;
use docket_store::within;

use crate::actions::dead::DeadFilter;
use crate::actions::reach::Reach;
use crate::actions::{OperateError, Operations};
use docket_objects::published::Lookup;

impl Operations {
    /// Refuses a client that has no document and no controls.
    pub async fn must_know_client(&self, client: &ClientId) -> Result<(), OperateError> {
        if within(controls::knows_client(&self.shards, client)).await? {
            return Ok(());
        }
        Err(OperateError::NoSuch(format!(
            "there is no client {client}: it has no document, and nothing is decided on it"
        )))
    }

    /// Refuses a model that is not published and that no shard has work for or holds back. The shards are asked first, so that a
    /// model can be paused while the bucket is away.
    pub async fn must_know_model(&self, model: &ModelName) -> Result<(), OperateError> {
        let mut reach = Reach::of(&self.shards);
        let known = reach
            .ask(|shard| async move { controls::knows_model(&shard, model).await })
            .await;
        if known.into_iter().any(|(_, known)| known) {
            return Ok(());
        }
        let named = ModelRef {
            name: model.clone(),
            version: None,
        };
        match self.models.lookup(&named).await.map_err(OperateError::NotTold)? {
            Lookup::Published => Ok(()),
            Lookup::NoModel | Lookup::NoVersion => Err(OperateError::NoSuch(format!(
                "there is no model {model}: none of this name is published, and no work is for it"
            ))),
        }
    }

    /// Refuses a filter with an unknown name. Call this only when the filter let nothing through: work of another release is
    /// found under names that this release does not know.
    pub async fn must_know(&self, filter: &DeadFilter) -> Result<(), OperateError> {
        if let Some(reason) = &filter.reason {
            must_know_reason(reason)?;
        }
        if let Some(client) = &filter.client_id {
            self.must_know_client(client).await?;
        }
        if let Some(model) = &filter.model {
            self.must_know_model(model).await?;
        }
        Ok(())
    }
}

fn must_know_reason(named: &str) -> Result<(), OperateError> {
    if Reason::WORDS.contains(&named) {
        return Ok(());
    }
    let known = Reason::WORDS.join(", ");
    Err(OperateError::NoSuch(format!(
        "no job fails with the reason {named:?}; the reasons are {known}"
    )))
}
