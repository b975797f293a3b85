//! A cluster of three nodes goes on without one of them, whatever happened to that one.

use std::time::Duration;

use docket_local::poll;
use docket_local::proxy::Proxy;
use docket_local::rabbit::Cluster;
use docket_local::state::StateDir;
use docket_local::testing::stack;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use tokio::net::TcpStream;

/// Longer than a cut-off node takes to notice.
const NOTICE_MAX: Duration = Duration::from_secs(30);
/// Longer than it takes until a queue has a leader again.
const ELECT_MAX: Duration = Duration::from_secs(30);
/// The vhost.
const VHOST: &str = "docket";

async fn accepts(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).await.is_ok()
}

async fn channel(url: &str) -> (Connection, Channel) {
    let connection = Connection::connect(url, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    (connection, channel)
}

async fn messages(channel: &Channel) -> u32 {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    let options = QueueDeclareOptions {
        durable: true,
        ..Default::default()
    };
    let queue = channel.queue_declare("q".into(), options, arguments).await.unwrap();
    queue.message_count()
}

/// Publishes until it is confirmed: while a leader is elected, messages are refused.
async fn publish(channel: &Channel) {
    let publish = async || {
        let properties = BasicProperties::default().with_delivery_mode(2);
        let options = BasicPublishOptions::default();
        let published = channel.basic_publish("".into(), "q".into(), options, b"hello", properties);
        Ok(published.await?.await?.is_ack().then_some(()))
    };
    poll::until("a message is confirmed", ELECT_MAX, publish).await.unwrap();
}

#[tokio::test]
async fn a_cluster_goes_on_without_any_one_node() {
    // Installed and cleaned up by the shared stack.
    let name = uuid::Uuid::new_v4().simple().to_string();
    let folder = stack().await.state.join("brokers").join(&name[..12]);
    let mut state = StateDir::hold(&folder, Duration::ZERO).await.unwrap();
    let mut cluster = Cluster::of_stack(&mut state, VHOST, 3).await.unwrap();
    cluster.start().await.unwrap();
    let nodes = cluster.endpoints();
    let ports: Vec<u16> = nodes.iter().map(|node| node.amqp_port).collect();
    let balancer = Proxy::open(&ports).await.unwrap();
    let url = docket_local::rabbit::Endpoint {
        amqp_port: balancer.port,
        ..nodes[0].clone()
    }
    .amqp_url(VHOST);

    let (_connection, on_first) = channel(&url).await;
    assert_eq!(messages(&on_first).await, 0);
    publish(&on_first).await;
    cluster.grow().await.unwrap();
    cluster.until_whole().await.unwrap();

    cluster.cut_off(0);
    let paused = async || Ok((!accepts(ports[0]).await).then_some(()));
    poll::until("the minority pauses", NOTICE_MAX, paused).await.unwrap();
    let (_connection, beside) = channel(&url).await;
    publish(&beside).await;
    cluster.rejoin();
    cluster.until_whole().await.unwrap();

    cluster.move_leaders().await.unwrap();
    publish(&beside).await;
    cluster.node(1).kill9().await;
    let (_connection, after_kill) = channel(&url).await;
    publish(&after_kill).await;
    cluster.start().await.unwrap();
    cluster.until_whole().await.unwrap();
    let (_connection, at_last) = channel(&url).await;
    assert!(messages(&at_last).await >= 4, "what was confirmed is there");

    cluster.kill9().await;
    drop(state);
    std::fs::remove_dir_all(&folder).unwrap();
}
