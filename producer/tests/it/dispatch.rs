//! What the dispatcher publishes beside hand-overs, and beside a queue that is declared otherwise.

use docket_contract::sharding;
use docket_testing::World;
use jiff::{Timestamp, ToSpan};
use serde_json::json;
use sqlx::{Connection, PgConnection};

use crate::api::{Api, accepted, eventually, upload_path};

/// Clients of the first shard, each with another name.
fn clients(api: &Api) -> impl Iterator<Item = String> {
    let shard = api.world.shards[0].0.clone();
    let names = (0..).map(|number| format!("client-{number}"));
    names.filter(move |name| {
        let bucket = sharding::bucket_of(&name.parse().unwrap());
        api.shards.owner(bucket).as_str() == shard
    })
}

/// Number of jobs on the first shard with this state, and with this priority or model.
async fn jobs(api: &Api, state: &str, kind: &str) -> i64 {
    let mut shard = PgConnection::connect(&api.world.shards[0].1).await.unwrap();
    let sql = "select count(*) from dispatch where state = $1 and $2 in (priority, model)";
    let query = sqlx::query_scalar(sql).bind(state).bind(kind);
    query.fetch_one(&mut shard).await.unwrap()
}

#[tokio::test]
async fn bulk_work_is_published_however_much_is_handed_over() {
    let api = Api::dispatching(World::start().await).await;
    let mut clients = clients(&api);
    // Nobody consumes: these 17 jobs stay in flight, one more than the dispatcher keeps there, and none of them waits.
    for client in clients.by_ref().take(17) {
        api.upload(&client, "text").await;
    }
    let all_in_flight = async || jobs(&api, "queued", "interactive").await == 17;
    eventually("17 are in flight", all_in_flight).await;
    let client = clients.next().unwrap();
    for _ in 0..4 {
        let path = upload_path(&[("priority", "bulk")]);
        accepted(api.post(&client, &path).body("text").send().await.unwrap()).await;
    }
    let a_tenth = async || jobs(&api, "queued", "bulk").await == 2;
    eventually("a tenth of what is in flight is bulk", a_tenth).await;
    assert_eq!(jobs(&api, "waiting", "bulk").await, 2);
}

#[tokio::test]
async fn a_queue_that_is_out_of_order_stops_no_other_model() {
    let world = World::start().await;
    let management = world.management();
    let other = json!({ "x-queue-type": "classic" });
    management
        .declare_queue(&world.vhost, "docket.jobs.broken", other)
        .await
        .unwrap();
    let api = Api::dispatching(world).await;
    api.publish("broken", "1").await;
    let client = clients(&api).next().unwrap();
    let upload = async |model: &str| {
        // A job that is not due yet is left to the dispatcher instead of being handed over.
        let soon = (Timestamp::now() + 500.milliseconds()).to_string();
        let path = upload_path(&[("model", model), ("not_before", &soon)]);
        accepted(api.post(&client, &path).body("text").send().await.unwrap()).await;
    };
    for published in 1..=3 {
        // The model's name puts it first in a tick.
        upload("broken@1").await;
        upload("ner-legal").await;
        let others = async || jobs(&api, "queued", "ner-legal").await == published;
        eventually("the other model's job is published", others).await;
    }
    assert_eq!(jobs(&api, "waiting", "broken").await, 3);
}
