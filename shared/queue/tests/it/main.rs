//! RabbitMQ: confirmed messages are there, delayed ones come back, rejected ones are dead-lettered, and a lost connection is made
//! anew.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::time::Duration;

use docket_contract::ids::{ClaimToken, ModelName};
use docket_contract::job::{AnalyzeDocument, JobMessage};
use docket_process::settings::Env;
use docket_queue::QueueConfig;
use docket_queue::consume::{Deliveries, Delivery, Source};
use docket_queue::publish::Publisher;
use docket_testing::{PrivateBroker, World, job_message};

/// Longest wait of a test: far longer than the delay queue's 5 s and some calls that time out on a busy machine.
const DEADLINE: Duration = Duration::from_secs(120);

fn message() -> AnalyzeDocument {
    job_message(model())
}

fn config(world: &World) -> QueueConfig {
    QueueConfig::from_env(&Env::from_map(world.env())).unwrap()
}

async fn next(deliveries: &mut Deliveries) -> (Delivery, AnalyzeDocument) {
    let delivery = tokio::time::timeout(DEADLINE, deliveries.next())
        .await
        .expect("a delivery");
    let (_, message) = JobMessage::decode(&delivery.body).unwrap();
    (delivery, message)
}

#[tokio::test]
async fn confirmed_jobs_are_delivered_and_counted() {
    let world = World::start().await;
    let publisher = Publisher::new(config(&world), "test");
    let messages = [message(), message(), message()];
    assert!(publisher.jobs(&messages).await.iter().all(Result::is_ok));
    assert_eq!(publisher.depth(&model()).await.unwrap().ready, 3);
    let mut deliveries = Deliveries::new(config(&world), "test", Source::Jobs(model()), 2);
    let (first, got) = next(&mut deliveries).await;
    assert_eq!((got, first.returned), (messages[0].clone(), false));
    let (_second, _) = next(&mut deliveries).await;
    let third = tokio::time::timeout(Duration::from_millis(300), deliveries.next()).await;
    assert!(third.is_err(), "the prefetch was passed");
    assert!(first.ack().await);
    next(&mut deliveries).await;
    assert_eq!(publisher.depth(&model()).await.unwrap().consumers, 1);
}

#[tokio::test]
async fn a_delayed_job_comes_back_marked_and_a_rejected_one_is_dead() {
    let world = World::start().await;
    let publisher = Publisher::new(config(&world), "test");
    let sent = message();
    let unsettled = Some(ClaimToken::generate());
    publisher.later(&sent, unsettled).await.unwrap();
    let mut deliveries = Deliveries::new(config(&world), "test", Source::Jobs(model()), 2);
    let began = tokio::time::Instant::now();
    let (delivery, got) = next(&mut deliveries).await;
    assert_eq!((&got, delivery.returned, delivery.unsettled), (&sent, true, unsettled));
    assert!(began.elapsed() > Duration::from_secs(2), "it was not delayed");
    assert!(delivery.reject().await);
    let mut dead = Deliveries::new(config(&world), "test", Source::Dead, 2);
    assert_eq!(next(&mut dead).await.1, sent);
}

#[tokio::test]
async fn a_returned_job_is_marked_as_returned() {
    let world = World::start().await;
    let publisher = Publisher::new(config(&world), "test");
    publisher.jobs(&[message()]).await.pop().unwrap().unwrap();
    let mut deliveries = Deliveries::new(config(&world), "test", Source::Jobs(model()), 2);
    next(&mut deliveries).await.0.requeue().await;
    assert!(next(&mut deliveries).await.0.returned);
}

#[tokio::test]
async fn a_lost_connection_is_made_again_and_old_acks_are_refused() {
    let world = World::start().await;
    let publisher = Publisher::new(config(&world), "test");
    publisher.jobs(&[message()]).await.pop().unwrap().unwrap();
    let mut deliveries = Deliveries::new(config(&world), "test", Source::Jobs(model()), 2);
    let (delivery, first) = next(&mut deliveries).await;
    while world.close_connections().await == 0 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let (again, second) = next(&mut deliveries).await;
    assert_eq!((first, again.returned), (second, true));
    assert!(!delivery.ack().await, "an ack of a dead connection is no ack");
    assert!(again.ack().await);
    let sent = publish(&publisher).await;
    assert_eq!(next(&mut deliveries).await.1, sent);
}

#[tokio::test]
async fn a_wiped_broker_is_declared_anew() {
    let world = World::start().await;
    let publisher = Publisher::new(config(&world), "test");
    publisher.jobs(&[message()]).await.pop().unwrap().unwrap();
    world.wipe_broker().await;
    let sent = publish(&publisher).await;
    let mut deliveries = Deliveries::new(config(&world), "test", Source::Jobs(model()), 2);
    assert_eq!(next(&mut deliveries).await.1, sent);
}

/// Publishes a job until the broker takes it.
async fn publish(publisher: &Publisher) -> AnalyzeDocument {
    let sent = message();
    let published = async {
        while publisher
            .jobs(std::slice::from_ref(&sent))
            .await
            .pop()
            .unwrap()
            .is_err()
        {}
    };
    tokio::time::timeout(DEADLINE, published)
        .await
        .expect("the broker takes it");
    sent
}

#[tokio::test]
async fn a_consumer_that_the_broker_cancels_consumes_again() {
    let world = World::start().await;
    let publisher = Publisher::new(config(&world), "test");
    let mut deliveries = Deliveries::new(config(&world), "test", Source::Jobs(model()), 2);
    publish(&publisher).await;
    next(&mut deliveries).await.0.ack().await;
    world.delete_queue("docket.jobs.ner-legal").await;
    // On a channel that knew the deleted queue, RabbitMQ confirms even a message that is lost: the sweeper repairs that, so this
    // test publishes on another connection.
    let another = Publisher::new(config(&world), "test");
    let waiting = async { next(&mut deliveries).await.1 };
    let (got, sent) = tokio::join!(waiting, publish(&another));
    assert_eq!(got, sent);
}

#[tokio::test]
async fn a_consumer_that_the_broker_moves_to_a_new_queue_and_leaves_without_messages_hears_again() {
    let broker = PrivateBroker::start().await;
    let world = World::start_with(&broker).await;
    let publisher = Publisher::new(config(&world), "test");
    let mut deliveries = Deliveries::new(config(&world), "test", Source::Jobs(model()), 2);
    publish(&publisher).await;
    next(&mut deliveries).await.0.ack().await;
    // The consumer's channel learns of the deletion only once there is a new queue of that name.
    broker.set_channels_still(true).await;
    world.delete_queue("docket.jobs.ner-legal").await;
    let another = Publisher::new(config(&world), "test");
    let sent = publish(&another).await;
    broker.set_channels_still(false).await;
    assert_eq!(next(&mut deliveries).await.1, sent);
}

#[tokio::test]
async fn a_delivery_that_was_kept_too_long_comes_again() {
    let broker = PrivateBroker::start().await;
    broker.set_consumer_timeout(2_000).await;
    let world = World::start_with(&broker).await;
    let publisher = Publisher::new(config(&world), "test");
    let sent = publish(&publisher).await;
    let mut deliveries = Deliveries::new(config(&world), "test", Source::Jobs(model()), 2);
    let (kept, _) = next(&mut deliveries).await;
    let (again, got) = next(&mut deliveries).await;
    assert_eq!((got, again.returned), (sent, true));
    assert!(!kept.ack().await, "the broker took it back");
    assert!(again.ack().await);
}

#[tokio::test]
async fn an_alarm_stops_publishing_and_nothing_else() {
    let broker = PrivateBroker::start().await;
    let world = World::start_with(&broker).await;
    let publisher = Publisher::new(config(&world), "test");
    let mut deliveries = Deliveries::new(config(&world), "test", Source::Jobs(model()), 2);
    let sent = [
        publish(&publisher).await,
        publish(&publisher).await,
        publish(&publisher).await,
    ];
    let (first, got) = next(&mut deliveries).await;
    assert_eq!(got, sent[0]);
    broker.set_alarm(true).await;
    let refused = publisher.jobs(&[message()]).await.pop().unwrap();
    assert!(refused.is_err(), "the broker takes nothing now");
    assert!(first.ack().await);
    for sent in &sent[1..] {
        let (delivery, got) = next(&mut deliveries).await;
        assert_eq!(&got, sent);
        assert!(delivery.ack().await);
    }
    broker.set_alarm(false).await;
    publish(&publisher).await;
}

#[tokio::test]
async fn a_cancelled_consumer_leaves_the_rest_to_others() {
    let world = World::start().await;
    let publisher = Publisher::new(config(&world), "test");
    assert!(
        publisher
            .jobs(&[message(), message(), message()])
            .await
            .iter()
            .all(Result::is_ok)
    );
    let mut leaving = Deliveries::new(config(&world), "test", Source::Jobs(model()), 3);
    let (taken, _) = next(&mut leaving).await;
    leaving.cancel().await;
    assert!(taken.ack().await, "what was taken can still be settled");
    leaving.disconnect().await;
    let mut staying = Deliveries::new(config(&world), "test", Source::Jobs(model()), 3);
    for _ in 0..2 {
        assert!(next(&mut staying).await.0.ack().await);
    }
    assert_eq!(publisher.depth(&model()).await.unwrap().ready, 0);
}

fn model() -> ModelName {
    "ner-legal".parse().unwrap()
}
