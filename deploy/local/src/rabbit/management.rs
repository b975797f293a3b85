//! A client of the management plugin's HTTP API, for what AMQP cannot do.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures::future::try_join_all;
use reqwest::{Method, StatusCode, Url};
use serde::Deserialize;
use serde_json::json;

use super::Endpoint;
use crate::postgres::Login;

/// How long an answer may take: deleting a vhost with many queues takes seconds.
const ANSWER_DEADLINE: Duration = Duration::from_secs(30);

/// A client of one node's management API.
#[derive(Debug, Clone)]
pub struct Management {
    http: reqwest::Client,
    base: Url,
    user: String,
    password: String,
}

/// The services' users.
const SERVICES: [Login; 4] = [Login::Producer, Login::Api, Login::Dispatch, Login::Worker];
/// Pattern of the names of Docket's own queues and exchanges.
const OWN: &str = r"^docket\..*$";

/// The messages and consumers of a queue. These statistics lag the queue by a second or two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct QueueDepth {
    /// Messages waiting for a consumer.
    #[serde(default, rename = "messages_ready")]
    pub ready: u64,
    /// Messages with a consumer, not yet acknowledged.
    #[serde(default, rename = "messages_unacknowledged")]
    pub unacknowledged: u64,
    /// Consumers of the queue.
    #[serde(default)]
    pub consumers: u64,
}

#[derive(Debug, Deserialize)]
struct Named {
    name: String,
}

#[derive(Debug, Deserialize)]
struct NamedDepth {
    name: String,
    #[serde(flatten)]
    depth: QueueDepth,
}

impl Management {
    /// A client of the node at this endpoint.
    pub fn new(endpoint: &Endpoint) -> Result<Self> {
        let base = format!("http://127.0.0.1:{}/", endpoint.management_port);
        let http = reqwest::Client::builder().timeout(ANSWER_DEADLINE).no_proxy().build();
        Ok(Self {
            http: http.context("make an HTTP client")?,
            base: base.parse().context("make the URL of the management API")?,
            user: endpoint.user.clone(),
            password: endpoint.password.clone(),
        })
    }

    /// Whether the node answers and has no alarm of its own.
    pub async fn is_healthy(&self) -> bool {
        let answer = self
            .request(Method::GET, &["health", "checks", "local-alarms"], None)
            .await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    /// Whether the node may be lost without stopping a queue: in a cluster of three, whether each queue has three members and all
    /// are up.
    pub async fn may_be_lost(&self) -> bool {
        let answer = self
            .request(Method::GET, &["health", "checks", "node-is-quorum-critical"], None)
            .await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    /// Makes a vhost, or keeps an existing one. The node's user may do everything in it; each service's user may use Docket's own
    /// queues and exchanges.
    pub async fn create_vhost(&self, vhost: &str) -> Result<()> {
        self.expect(Method::PUT, &["vhosts", vhost], Some(json!({}))).await?;
        let all = json!({ "configure": ".*", "write": ".*", "read": ".*" });
        self.expect(Method::PUT, &["permissions", vhost, &self.user], Some(all))
            .await?;
        let services = SERVICES.map(|login| {
            let password = login.password(&self.password);
            async move { self.set_user(vhost, (login.name(), &password), [OWN; 3]).await }
        });
        try_join_all(services).await.map(drop)
    }

    /// Deletes a vhost with all its content, and closes its connections. An absent vhost is no error.
    pub async fn delete_vhost(&self, vhost: &str) -> Result<()> {
        let answer = self.request(Method::DELETE, &["vhosts", vhost], None).await?;
        if answer.status() == StatusCode::NOT_FOUND {
            Ok(())
        } else {
            accept(answer).await
        }
    }

    /// Names of all vhosts.
    pub async fn vhosts(&self) -> Result<Vec<String>> {
        self.names(&["vhosts"]).await
    }

    /// Names of the open connections of a vhost, as far as the statistics know them.
    pub async fn connections(&self, vhost: &str) -> Result<Vec<String>> {
        self.names(&["vhosts", vhost, "connections"]).await
    }

    /// Names of the queues of a vhost.
    pub async fn queues(&self, vhost: &str) -> Result<Vec<String>> {
        self.names(&["queues", vhost]).await
    }

    /// Closes a connection from the server's side. A closed connection is no error.
    pub async fn close_connection(&self, name: &str) -> Result<()> {
        let answer = self.request(Method::DELETE, &["connections", name], None).await?;
        if answer.status() == StatusCode::NOT_FOUND {
            Ok(())
        } else {
            accept(answer).await
        }
    }

    /// Declares a durable queue with these arguments.
    pub async fn declare_queue(&self, vhost: &str, queue: &str, arguments: serde_json::Value) -> Result<()> {
        let declaration = json!({ "durable": true, "arguments": arguments });
        self.expect(Method::PUT, &["queues", vhost, queue], Some(declaration))
            .await
    }

    /// Makes a user, or changes the password, and sets the rights in a vhost: patterns for configure, write and read.
    pub async fn set_user(&self, vhost: &str, (user, password): (&str, &str), rights: [&str; 3]) -> Result<()> {
        self.put_user(user, json!({ "password": password, "tags": "" })).await?;
        let [configure, write, read] = rights;
        let rights = json!({ "configure": configure, "write": write, "read": read });
        self.expect(Method::PUT, &["permissions", vhost, user], Some(rights))
            .await
    }

    /// Makes or changes a user. Of several such requests at once RabbitMQ refuses all but one; the second attempt finds the user.
    async fn put_user(&self, user: &str, about: serde_json::Value) -> Result<()> {
        let put = async || self.request(Method::PUT, &["users", user], Some(about.clone())).await;
        let first = put().await?;
        if first.status() == StatusCode::BAD_REQUEST {
            return accept(put().await?).await;
        }
        accept(first).await
    }

    /// Deletes a queue with its messages, and cancels its consumers.
    pub async fn delete_queue(&self, vhost: &str, queue: &str) -> Result<()> {
        self.expect(Method::DELETE, &["queues", vhost, queue], None).await
    }

    /// The depth of a queue; `None` if there is no such queue.
    pub async fn queue_depth(&self, vhost: &str, queue: &str) -> Result<Option<QueueDepth>> {
        let answer = self.request(Method::GET, &["queues", vhost, queue], None).await?;
        match answer.status() {
            StatusCode::NOT_FOUND => Ok(None),
            status if status.is_success() => Ok(Some(answer.json().await.context("read a queue's depth")?)),
            status => bail!("the management API answers {status} for queue {queue}"),
        }
    }

    /// The depth of each queue of a vhost.
    pub async fn queue_depths(&self, vhost: &str) -> Result<Vec<(String, QueueDepth)>> {
        let answer = self.request(Method::GET, &["queues", vhost], None).await?;
        let answer = answer.error_for_status().context("ask the management API")?;
        let queues: Vec<NamedDepth> = answer.json().await.context("read the queues' depths")?;
        Ok(queues.into_iter().map(|queue| (queue.name, queue.depth)).collect())
    }

    /// Publishes a text unchanged and unchecked.
    pub async fn publish(&self, vhost: &str, exchange: &str, routing_key: &str, payload: &str) -> Result<()> {
        let message = json!({
            "routing_key": routing_key, "payload": payload, "payload_encoding": "string", "properties": {},
        });
        self.expect(Method::POST, &["exchanges", vhost, exchange, "publish"], Some(message))
            .await
    }

    async fn names(&self, path: &[&str]) -> Result<Vec<String>> {
        let answer = self.request(Method::GET, path, None).await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(Vec::new());
        }
        let answer = answer.error_for_status().context("ask the management API")?;
        let named: Vec<Named> = answer.json().await.context("read the management API's list")?;
        Ok(named.into_iter().map(|named| named.name).collect())
    }

    async fn expect(&self, method: Method, path: &[&str], body: Option<serde_json::Value>) -> Result<()> {
        accept(self.request(method, path, body).await?).await
    }

    async fn request(
        &self,
        method: Method,
        path: &[&str],
        body: Option<serde_json::Value>,
    ) -> Result<reqwest::Response> {
        let url = url_of(&self.base, path);
        let mut request = self
            .http
            .request(method, url)
            .basic_auth(&self.user, Some(&self.password));
        if let Some(body) = body {
            request = request.json(&body);
        }
        request.send().await.context("reach RabbitMQ's management API")
    }
}

async fn accept(answer: reqwest::Response) -> Result<()> {
    let (status, url) = (answer.status(), answer.url().path().to_owned());
    if !status.is_success() {
        bail!(
            "the management API answers {status} for {url}: {}",
            answer.text().await.unwrap_or_default()
        );
    }
    Ok(())
}

fn url_of(base: &Url, path: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().push("api").extend(path);
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped() {
        let base: Url = "http://127.0.0.1:1/".parse().unwrap();
        let url = url_of(&base, &["connections", "127.0.0.1:2 -> 127.0.0.1:3/a"]);
        assert_eq!(
            url.as_str(),
            "http://127.0.0.1:1/api/connections/127.0.0.1:2%20-%3E%20127.0.0.1:3%2Fa"
        );
    }

    #[test]
    fn a_new_queue_without_statistics_is_empty() {
        let depth: QueueDepth = serde_json::from_str(r#"{"name":"docket.jobs.x"}"#).unwrap();
        assert_eq!(
            depth,
            QueueDepth {
                ready: 0,
                unacknowledged: 0,
                consumers: 0
            }
        );
    }
}
