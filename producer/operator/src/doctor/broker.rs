//! RabbitMQ: the user's rights, and whether the exchanges and queues are as this release declares them.

use docket_contract::ids::ModelName;
use docket_process::telemetry::chain;
use docket_queue::inspect::{self, Inspection, Standing};
use docket_queue::publish::Depth;
use docket_queue::topology::{Declared, EXCHANGES, JOBS};
use docket_queue::{QueueConfig, QueueError};

use crate::doctor::report::Finding;

/// Oldest supported release: the first whose quorum queues dead-letter at least once and expire messages.
const VERSION_MIN: (u32, u32) = (3, 10);
const PART: &str = "broker";

/// Examines the broker and the queues of these models.
pub async fn examine(config: &QueueConfig, models: &[ModelName]) -> Vec<Finding> {
    let inspection = match Inspection::connect(config).await {
        Ok(inspection) => inspection,
        Err(error) => return vec![refused(&error)],
    };
    let mut findings = vec![version(inspect::version(config).await)];
    let mut missing = Vec::new();
    for (name, kind) in EXCHANGES {
        let standing = inspection.exchange(name, kind).await;
        findings.extend(judge(&format!("exchange {name}"), standing, &mut missing));
    }
    let models = models.iter().cloned().map(Declared::Jobs);
    for queue in [Declared::Delay, Declared::Dead, Declared::Images]
        .into_iter()
        .chain(models)
    {
        let standing = inspection.queue(&queue).await;
        findings.extend(depth(&queue, &standing));
        findings.extend(judge(&format!("queue {}", queue.name()), standing, &mut missing));
    }
    if missing.iter().any(|name| name == &format!("exchange {JOBS}")) {
        findings.push(Finding::note(
            PART,
            "what the user may do is not tried while the exchange of the jobs is missing",
        ));
    } else {
        findings.push(round_trip(&inspection).await);
    }
    if !missing.is_empty() {
        let finding = Finding::warn(PART, format!("missing: {}", missing.join(", ")));
        let finding = finding
            .means("nothing was published or consumed on this virtual host yet, or the broker has lost its data");
        findings.push(finding.remedy(
            "dispatchers and workers declare them when they have work; after a loss: docket-producer dispatch requeue",
        ));
    }
    findings.push(Finding::note(
        PART,
        "its acknowledgement timeout is not told over AMQP: it must be longer than the longest job, 25 min (RabbitMQ's default is 30 min)",
    ));
    inspection.end().await;
    findings
}

fn version(version: Option<String>) -> Finding {
    let Some(version) = version else {
        return Finding::note(PART, "takes connections; its version is not told over TLS");
    };
    let mut numbers = version.split('.').map_while(|number| number.parse::<u32>().ok());
    let number = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
    if number < VERSION_MIN {
        let finding = Finding::fail(PART, format!("RabbitMQ {version} is too old"));
        let finding =
            finding.means("its quorum queues know neither time to live nor safe dead-lettering: messages get lost");
        return finding.remedy("upgrade it to 3.10 or later");
    }
    Finding::ok(PART, format!("takes connections: RabbitMQ {version}"))
}

/// Why the broker cannot be examined, in an operator's words.
fn refused(error: &QueueError) -> Finding {
    let remedy = match error.refusal() {
        Some((403, _)) => "correct user and password in DOCKET_AMQP_URL, or create the user (rabbitmqctl add_user)",
        Some((530, _)) => {
            "create the virtual host (rabbitmqctl add_vhost) and set_permissions on it, or correct DOCKET_AMQP_URL"
        }
        Some(_) => "see the broker's log",
        None => "start it, let this network reach it, or correct host and port in DOCKET_AMQP_URL",
    };
    Finding::fail(PART, chain(error))
        .means("uploads are accepted and wait in the shards; no worker gets work until it is back")
        .remedy(remedy)
}

/// Judges an exchange or a queue. What is as declared gives no finding here; what is missing is collected.
fn judge(what: &str, standing: Result<Standing, QueueError>, missing: &mut Vec<String>) -> Option<Finding> {
    match standing {
        Ok(Standing::AsDeclared(_)) => None,
        Ok(Standing::Missing) => {
            missing.push(what.to_owned());
            None
        }
        Ok(Standing::Otherwise(words)) => {
            let finding = Finding::fail(PART, format!("{what} was declared otherwise: {words}"));
            let finding = finding.means(
                "by another release, another program, by hand or under a policy; what it is cannot be changed, so every \
                 declare of ours is refused (406) and nothing is published or consumed",
            );
            Some(finding.remedy(repair(what)))
        }
        Err(error) => {
            let finding = Finding::fail(PART, format!("{what}: {}", chain(&error)));
            let finding = finding.means("it cannot be used by producers and workers with these rights");
            Some(finding.remedy("give the user its rights on the virtual host: rabbitmqctl set_permissions -p VHOST USER '.*' '.*' '.*'"))
        }
    }
}

fn repair(what: &str) -> String {
    let (kind, name) = what.split_once(' ').unwrap_or(("queue", what));
    let delete = match kind {
        "exchange" => format!("delete it in the management page or with rabbitmqadmin delete exchange name={name}"),
        _ => format!("rabbitmqctl delete_queue {name} -p VHOST"),
    };
    format!(
        "{delete}; it is declared anew within seconds. Its messages are copies, the rows are in the shards: then docket-producer dispatch requeue"
    )
}

fn depth(queue: &Declared, standing: &Result<Standing, QueueError>) -> Option<Finding> {
    let Ok(Standing::AsDeclared(Some(Depth { ready, consumers }))) = standing else {
        return None;
    };
    let name = queue.name();
    let what = format!("queue {name} as declared: {ready} ready, {consumers} consumers");
    Some(match queue {
        Declared::Jobs(_) if *consumers == 0 && *ready > 0 => Finding::warn(PART, what)
            .means("no worker takes this model's jobs: they wait until one does")
            .remedy("start workers whose DOCKET_MODELS names the model, or see why they do not consume (their log, /readyz)"),
        Declared::Dead if *consumers == 0 && *ready > 0 => Finding::warn(PART, what)
            .means("messages that no worker could act on are not looked at; their jobs wait up to ten minutes longer")
            .remedy("run docket-producer serve with the role dispatch, which empties it"),
        Declared::Delay if *ready > 0 => Finding::warn(PART, what)
            .means("a worker could not reach the shard of these jobs; each comes back after 5 s")
            .remedy("see the shards above; from a worker's machine they may look otherwise than from here"),
        Declared::Jobs(_) | Declared::Dead | Declared::Delay | Declared::Images => Finding::ok(PART, what),
    })
}

async fn round_trip(inspection: &Inspection) -> Finding {
    match inspection.round_trip().await {
        Ok(took) => {
            let took = took.as_secs_f64() * 1e3;
            Finding::ok(
                PART,
                format!("the user may declare, publish and consume; a message there and back took {took:.1} ms"),
            )
        }
        Err(_) if inspection.is_blocked() => {
            Finding::fail(PART, "takes no messages: an alarm of memory or disk is raised")
                .means("uploads are accepted and wait in the shards; what is in the queues is still worked off")
                .remedy("rabbitmq-diagnostics alarms; give it memory or disk, it goes on by itself")
        }
        Err(error) => {
            let finding = Finding::fail(PART, chain(&error));
            let finding = finding.means("producers cannot publish, or workers cannot consume");
            finding.remedy(match error.refusal() {
                Some((403, _)) => {
                    "rabbitmqctl set_permissions -p VHOST USER '^docket\\..*' '^docket\\..*' '^docket\\..*'"
                }
                Some(_) | None => "rabbitmq-diagnostics alarms, and the broker's log",
            })
        }
    }
}
