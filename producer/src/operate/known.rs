//! Whether there is what an operator names: a mistyped name must not look like something that was done.

use docket_shared::ids::{ClientId, ModelName, ModelRef};
use docket_shared::reason;
use docket_shared::store::{controls, within};

use super::dead::DeadFilter;
use super::reach::Reach;
use super::{OperateError, Operations};
use crate::models::Lookup;

impl Operations {
    /// Refuses a client that has no document and on which nothing is decided.
    pub async fn must_know_client(&self, client: &ClientId) -> Result<(), OperateError> {
        if within(controls::knows_client(&self.shards, client)).await? {
            return Ok(());
        }
        Err(OperateError::NoSuch(format!(
            "there is no client {client}: it has no document, and nothing is decided on it"
        )))
    }

    /// Refuses a model that no shard has work for or holds back, and that is not published. The shards are asked first, so
    /// that a model can be paused while the bucket is away.
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

    /// Refuses a filter that lets nothing through because it names what is not there. To be asked when it did let nothing
    /// through: what another release wrote is found all the same.
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
    if reason::is_known(named) {
        return Ok(());
    }
    let known = reason::words().join(", ");
    Err(OperateError::NoSuch(format!(
        "no job fails with the reason {named:?}; the reasons are {known}"
    )))
}
