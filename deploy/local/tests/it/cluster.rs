//! A cluster of three nodes goes on without one of them, whatever happened to that node.

use std::time::Duration;

use docket_contract::ids::ModelName;
use docket_local::poll;
use docket_local::proxy::Proxy;
use docket_local::rabbit::{Cluster, Endpoint};
use docket_local::state::StateDir;
use docket_queue::publish::Publisher;
use docket_queue::{QueueConfig, QueueError};
use docket_testing::{job_message, stack};
use tokio::net::TcpStream;

/// Longer than a node takes to notice that it is cut off.
const NOTICE_MAX: Duration = Duration::from_secs(30);
/// Longer than a queue takes to get a new leader.
const ELECT_MAX: Duration = Duration::from_secs(30);
/// The vhost of all queues here.
const VHOST: &str = "docket";
/// Makes a node the leader of all queues.
const LEAD: &str = "[rabbit_quorum_queue:transfer_leadership(Queue, node()) || Queue <- rabbit_amqqueue:list()].";
/// Fails until every node will send messages to this node first.
const LEADS: &str = "[] = [Queue || Queue <- rabbit_amqqueue:list(), amqqueue:qnode(Queue) =/= node()].";
/// Suspends a node's queue members, so that none of them is elected leader.
const STAND_STILL: &str = "[sys:suspend(element(1, amqqueue:get_pid(Queue))) || Queue <- rabbit_amqqueue:list()].";
/// Resumes the members that [`STAND_STILL`] suspended.
const GO_ON: &str = "[sys:resume(element(1, amqqueue:get_pid(Queue))) || Queue <- rabbit_amqqueue:list()].";

async fn accepts(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).await.is_ok()
}

fn model() -> ModelName {
    "ner".parse().unwrap()
}

async fn publish(publisher: &Publisher) -> Result<(), QueueError> {
    publisher.jobs(&[job_message(model())]).await.pop().unwrap()
}

/// Publishes until it succeeds: messages are refused while a leader is elected.
async fn until_published(publisher: &Publisher) {
    let published = async || Ok(publish(publisher).await.ok());
    poll::until("a message is confirmed", ELECT_MAX, published)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_cluster_goes_on_without_any_one_node() {
    // The shared stack installs the node and cleans up after it.
    let name = uuid::Uuid::new_v4().simple().to_string();
    let folder = stack().await.state.join("brokers").join(&name[..12]);
    let mut state = StateDir::hold(&folder, Duration::ZERO).await.unwrap();
    let mut cluster = Cluster::of_stack(&mut state, VHOST, 3).await.unwrap();
    cluster.start().await.unwrap();
    let nodes = cluster.endpoints();
    let ports: Vec<u16> = nodes.iter().map(|node| node.amqp_port).collect();
    let balancer = Proxy::open(&ports).await.unwrap();
    let endpoint = Endpoint {
        amqp_port: balancer.port,
        ..nodes[0].clone()
    };
    let config = QueueConfig {
        url: endpoint.amqp_url(VHOST),
        roots: None,
    };

    let publisher = Publisher::new(config.clone(), "on the first");
    until_published(&publisher).await;
    cluster.grow().await.unwrap();
    cluster.until_whole().await.unwrap();

    cluster.cut_off(0);
    let paused = async || Ok((!accepts(ports[0]).await).then_some(()));
    poll::until("the minority pauses", NOTICE_MAX, paused).await.unwrap();
    until_published(&publisher).await;
    cluster.rejoin();
    cluster.until_whole().await.unwrap();

    cluster.move_leaders().await.unwrap();
    until_published(&publisher).await;

    // If a channel's first message meets queues without a leader, RabbitMQ 3.10 refuses all that the channel sends.
    cluster.node(1).eval(LEAD).await.unwrap();
    let led = async || Ok(cluster.node(1).eval(LEADS).await.ok());
    poll::until("one node leads all queues", ELECT_MAX, led).await.unwrap();
    for survivor in [0, 2] {
        cluster.node(survivor).eval(STAND_STILL).await.unwrap();
    }
    cluster.node(1).kill9().await;
    let publisher = Publisher::new(config, "without a leader");
    let refused = publish(&publisher).await;
    assert!(matches!(refused, Err(QueueError::Refused)), "{refused:?}");
    for survivor in [0, 2] {
        cluster.node(survivor).eval(GO_ON).await.unwrap();
    }
    until_published(&publisher).await;
    cluster.start().await.unwrap();
    cluster.until_whole().await.unwrap();
    let ready = publisher.depth(&model()).await.unwrap().ready;
    assert!(ready >= 4, "{ready} of what was confirmed are there");

    cluster.kill9().await;
    drop(state);
    std::fs::remove_dir_all(&folder).unwrap();
}
