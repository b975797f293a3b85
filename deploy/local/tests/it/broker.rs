//! A private broker survives what tests do to it.

use std::time::Duration;

use docket_local::poll;
use docket_testing::{PrivateBroker, World};
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};

async fn channel(world: &World) -> (Connection, Channel) {
    let connection = Connection::connect(&world.amqp_url, ConnectionProperties::default())
        .await
        .unwrap();
    let channel = connection.create_channel().await.unwrap();
    (connection, channel)
}

async fn declare(channel: &Channel, passive: bool) -> Result<u32, lapin::Error> {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    let options = QueueDeclareOptions {
        durable: true,
        passive,
        ..Default::default()
    };
    Ok(channel
        .queue_declare("q".into(), options, arguments)
        .await?
        .message_count())
}

/// Waits for a message. A queue without a leader counts as empty.
async fn wait_for_message(channel: &Channel) {
    let look = async || Ok((declare(channel, true).await? == 1).then_some(()));
    poll::until("the queue has a leader and its message", Duration::from_secs(20), look)
        .await
        .unwrap();
}

/// Worlds that begin at the same time make the users of a new broker at the same time.
#[tokio::test]
async fn worlds_begin_at_once_on_a_new_broker() {
    let broker = PrivateBroker::start().await;
    let worlds = (0..8).map(|_| World::start_with(&broker));
    assert_eq!(futures::future::join_all(worlds).await.len(), 8);
}

#[tokio::test]
async fn a_private_broker_keeps_messages_unless_wiped() {
    let broker = PrivateBroker::start().await;
    let world = World::start_with(&broker).await;
    let (_connection, confirming) = channel(&world).await;
    declare(&confirming, false).await.unwrap();
    confirming
        .confirm_select(ConfirmSelectOptions::default())
        .await
        .unwrap();
    let options = BasicPublishOptions::default();
    let properties = BasicProperties::default().with_delivery_mode(2);
    let confirm = confirming
        .basic_publish("".into(), "q".into(), options, b"hello", properties)
        .await
        .unwrap();
    assert!(confirm.await.unwrap().is_ack());

    // A node killed within half a second of a queue's birth forgets the queue: RabbitMQ 3.10 writes its name lazily. The
    // statistics, which come later, tell when the queue is safe.
    let look = async || Ok(world.queue_depth("q").await.filter(|depth| depth.ready == 1));
    poll::until("the queue has statistics", Duration::from_secs(20), look)
        .await
        .unwrap();

    broker.kill9().await;
    assert!(
        Connection::connect(&world.amqp_url, ConnectionProperties::default())
            .await
            .is_err()
    );
    broker.up().await;
    let (_connection, after_kill) = channel(&world).await;
    wait_for_message(&after_kill).await;

    broker.stop().await;
    broker.up().await;
    let (_connection, after_stop) = channel(&world).await;
    wait_for_message(&after_stop).await;

    broker.wipe().await;
    broker.up().await;
    let (_connection, after_wipe) = channel(&world).await;
    assert!(
        declare(&after_wipe, true).await.is_err(),
        "the queue is gone, the vhost is not"
    );
}
