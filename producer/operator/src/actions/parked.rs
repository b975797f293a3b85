//! Parked messages, which name no known job: listed, shown, tried again with this release, deleted.

use docket_contract::hex::hex;
use docket_contract::job::JobMessage;
use docket_process::telemetry;
use docket_store::operate::parked::{self, BODY_BYTES_MAX, Filter};
use docket_store::work::dispatch;
use docket_store::{StoreError, within};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::actions::{OperateError, Operations};
use docket_http::times;

/// Messages looked up or deleted at a time.
const PAGE: usize = 200;
/// Messages whose reason for staying is given: a person reads them.
const LEFT_MAX: usize = 100;

/// Which parked messages are meant. An absent field does not restrict them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ParkedFilter {
    /// Only messages that were parked before this time.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "times::optional")]
    pub parked_before: Option<Timestamp>,
    /// Only messages that were parked at this time or later.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "times::optional")]
    pub parked_after: Option<Timestamp>,
}

impl From<ParkedFilter> for Filter {
    fn from(filter: ParkedFilter) -> Self {
        Self {
            parked_before: filter.parked_before,
            parked_after: filter.parked_after,
        }
    }
}

/// A message that named no job.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ParkedMessage {
    /// Its id.
    pub message_id: Uuid,
    /// The queue that it was taken from.
    pub queue: String,
    /// Why it was parked.
    pub reason: String,
    /// When it was parked.
    pub parked_at: Timestamp,
    /// Size of its body in bytes.
    pub body_bytes: i32,
}

impl From<parked::ParkedMessage> for ParkedMessage {
    fn from(message: parked::ParkedMessage) -> Self {
        Self {
            message_id: message.id,
            queue: message.queue,
            reason: message.reason,
            parked_at: message.parked_at,
            body_bytes: message.body_bytes,
        }
    }
}

/// A page of parked messages, newest first.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ParkedMessages {
    /// The messages.
    pub messages: Vec<ParkedMessage>,
    /// Where the next page begins; null on the last one.
    pub next_cursor: Option<Uuid>,
}

/// A parked message with its body.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ParkedMessageWithBody {
    /// The message.
    #[serde(flatten)]
    pub message: ParkedMessage,
    /// How `body` is written.
    pub encoding: Encoding,
    /// The body; of a large one the beginning.
    pub body: String,
    /// Whether the body goes on.
    pub truncated: bool,
}

/// How bytes are written as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub enum Encoding {
    /// They are text.
    #[serde(rename = "utf-8")]
    Utf8,
    /// In hexadecimal.
    #[serde(rename = "hex")]
    Hex,
}

/// Which parked messages an action changes.
#[derive(Debug, Clone, PartialEq)]
pub enum Selection {
    /// The messages with these ids.
    Messages(Vec<Uuid>),
    /// The oldest messages that match, at most this many; `None` is all of them.
    Matching(ParkedFilter, Option<u64>),
}

/// What an action came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct ParkedProgress {
    /// Messages that are no longer parked.
    pub changed: u64,
    /// Messages that stay as they were.
    pub left: u64,
    /// Why these messages stay, for the first hundred.
    pub reasons: Vec<Left>,
    /// Whether more match than the limit let through.
    pub more: bool,
}

/// A message that stays parked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Left {
    /// The message.
    pub message_id: Uuid,
    /// Why it stays.
    pub reason: String,
}

#[derive(Clone, Copy)]
enum Action {
    Redrive,
    Purge,
}

impl Operations {
    /// Parked messages, newest first; only those older than `before`.
    pub async fn parked_messages(
        &self,
        filter: ParkedFilter,
        before: Option<Uuid>,
        limit: usize,
    ) -> Result<ParkedMessages, OperateError> {
        let list = parked::list(self.shards.catalog(), filter.into(), before, limit as i64 + 1);
        let mut messages: Vec<ParkedMessage> = within(list).await?.into_iter().map(ParkedMessage::from).collect();
        let more = messages.len() > limit;
        messages.truncate(limit);
        Ok(ParkedMessages {
            next_cursor: messages.last().filter(|_| more).map(|message| message.message_id),
            messages,
        })
    }

    /// A parked message with its body.
    pub async fn parked_message(&self, id: Uuid) -> Result<Option<ParkedMessageWithBody>, OperateError> {
        let found = within(parked::find(self.shards.catalog(), id)).await?;
        Ok(found.map(|(message, body)| {
            let truncated = message.body_bytes > BODY_BYTES_MAX;
            let (encoding, body) = written(&body, truncated);
            ParkedMessageWithBody {
                message: message.into(),
                encoding,
                body,
                truncated,
            }
        }))
    }

    /// Reads parked messages again with this release. If a message names a job, the job waits again unless it was claimed, and
    /// the message is no longer parked.
    pub async fn redrive_parked(&self, selection: Selection) -> Result<ParkedProgress, OperateError> {
        let target = selection.target();
        let act = self.work_through_parked(selection, Action::Redrive);
        self.audited("parked.redrive", target, act).await
    }

    /// Deletes parked messages.
    pub async fn purge_parked(&self, selection: Selection) -> Result<ParkedProgress, OperateError> {
        let target = selection.target();
        let act = self.work_through_parked(selection, Action::Purge);
        self.audited("parked.purge", target, act).await
    }

    async fn work_through_parked(&self, selection: Selection, action: Action) -> Result<ParkedProgress, OperateError> {
        let mut progress = ParkedProgress::default();
        let (filter, limit) = match selection {
            Selection::Messages(mut messages) => {
                // A message named twice counts once.
                messages.sort_unstable();
                messages.dedup();
                self.apply_parked(&messages, action, &mut progress).await?;
                return Ok(progress);
            }
            Selection::Matching(filter, limit) => (filter, limit),
        };
        let (mut taken, mut after) = (0, None);
        loop {
            let room = limit.map_or(PAGE, |limit| PAGE.min((limit - taken) as usize));
            let oldest = parked::oldest(self.shards.catalog(), filter.into(), after, room as i64 + 1);
            let mut page = within(oldest).await?;
            progress.more = page.len() > room;
            page.truncate(room);
            self.apply_parked(&page, action, &mut progress).await?;
            taken += page.len() as u64;
            after = page.last().copied();
            if !progress.more || Some(taken) == limit {
                return Ok(progress);
            }
        }
    }

    async fn apply_parked(
        &self,
        messages: &[Uuid],
        action: Action,
        progress: &mut ParkedProgress,
    ) -> Result<(), StoreError> {
        match action {
            Action::Redrive => {
                for message in messages {
                    let left = self.redrive_message(*message).await?;
                    progress.note(*message, left);
                }
            }
            Action::Purge => {
                let purged = within(parked::purge(self.shards.catalog(), messages)).await?;
                for message in messages {
                    let left = (!purged.contains(message)).then(|| NOT_PARKED.to_owned());
                    progress.note(*message, left);
                }
            }
        }
        Ok(())
    }

    /// Why the message stays; `None` when it is no longer parked. A shard that is away keeps only its own messages from moving.
    async fn redrive_message(&self, id: Uuid) -> Result<Option<String>, StoreError> {
        let catalog = self.shards.catalog();
        let Some((message, body)) = within(parked::find(catalog, id)).await? else {
            return Ok(Some(NOT_PARKED.to_owned()));
        };
        if message.body_bytes > BODY_BYTES_MAX {
            return Ok(Some(format!("{} bytes are no message of ours", message.body_bytes)));
        }
        let key = match JobMessage::decode(&body) {
            Ok((key, _)) => key,
            Err(error) => return Ok(Some(telemetry::chain(&error))),
        };
        match within(dispatch::wait_again(&self.shards, key)).await {
            Ok(true) => {
                within(parked::purge(catalog, &[id])).await?;
                Ok(None)
            }
            Ok(false) => Ok(Some(format!("job {} does not exist", key.job))),
            Err(error) => Ok(Some(telemetry::chain(&error))),
        }
    }
}

const NOT_PARKED: &str = "no message of this id is parked";

impl Selection {
    fn target(&self) -> Value {
        match self {
            Self::Messages(messages) => json!({ "message_ids": messages }),
            Self::Matching(filter, limit) => json!({ "filter": filter, "limit": limit }),
        }
    }
}

impl ParkedProgress {
    fn note(&mut self, message_id: Uuid, left: Option<String>) {
        let Some(reason) = left else {
            self.changed += 1;
            return;
        };
        self.left += 1;
        if self.reasons.len() < LEFT_MAX {
            self.reasons.push(Left { message_id, reason });
        }
    }
}

/// A body as text, or else in hexadecimal. A truncated body may end within a character.
fn written(body: &[u8], truncated: bool) -> (Encoding, String) {
    match std::str::from_utf8(body) {
        Ok(text) => (Encoding::Utf8, text.to_owned()),
        Err(error) if truncated && error.error_len().is_none() => {
            let whole = &body[..error.valid_up_to()];
            (Encoding::Utf8, String::from_utf8_lossy(whole).into_owned())
        }
        Err(_) => (Encoding::Hex, hex(body)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_text_when_it_is_text() {
        let umlaut = "ü".as_bytes();
        for (body, truncated, encoding, text) in [
            (b"{}".as_slice(), false, Encoding::Utf8, "{}"),
            (b"", false, Encoding::Utf8, ""),
            (umlaut, true, Encoding::Utf8, "ü"),
            (&umlaut[..1], true, Encoding::Utf8, ""),
            (&umlaut[..1], false, Encoding::Hex, "c3"),
            (b"a\xff", true, Encoding::Hex, "61ff"),
        ] {
            assert_eq!(written(body, truncated), (encoding, text.to_owned()), "{body:?}");
        }
    }
}
