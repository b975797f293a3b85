use serde_json::json;

use super::*;

const CLIENT: &str = "acme";
const SHA: &str = "aa";

fn entity(job: Uuid, ordinal: i32) -> Entity {
    Entity {
        bucket: bucket_of(CLIENT),
        job_id: job,
        ordinal,
        label: "PARTY".to_owned(),
        text: "Alice".to_owned(),
        start_char: ordinal,
        end_char: ordinal + 5,
        start_byte: ordinal,
        end_byte: ordinal + 5,
        score: 0.9,
    }
}

/// One accepted document with two entities, without any fault.
fn good() -> (Vec<Entry>, Seen, Calm) {
    let (document_id, job_id) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let bucket = bucket_of(CLIENT);
    let blob_key = format!("documents/{bucket:04}/{CLIENT}/{document_id}");
    let text_key = format!("texts/{bucket:04}/{CLIENT}/{document_id}/bb.txt");
    let document = Document {
        bucket,
        id: document_id,
        client_id: CLIENT.to_owned(),
        external_id: Some("u1".to_owned()),
        sha256: SHA.to_owned(),
        blob_key: blob_key.clone(),
    };
    let job = Job {
        bucket,
        id: job_id,
        document_id,
        client_id: CLIENT.to_owned(),
        state: "succeeded".to_owned(),
        priority: "interactive".to_owned(),
        deadline: None,
        ended_at: Some(120.0),
        begun_at: Some(100.0),
        error_kind: None,
        history: json!([{"event": "claimed"}, {"event": "crashed"}, {"event": "claimed"}, {"event": "succeeded"}]),
        entities: Some(2),
        text_key: Some(text_key.clone()),
        text_sha256: Some("bb".to_owned()),
        live: None,
    };
    let shard = Shard {
        name: "s1".to_owned(),
        owned: [bucket].into(),
        documents: vec![document],
        jobs: vec![job],
        entities: [(job_id, vec![entity(job_id, 1), entity(job_id, 2)])].into(),
        strays: 0,
    };
    let objects = [(blob_key, SHA.to_owned()), (text_key, "bb".to_owned())].into();
    let calm_job = Uuid::from_u128(9);
    let calm = Calm {
        entities: [(SHA.to_owned(), vec![entity(calm_job, 1), entity(calm_job, 2)])].into(),
        failures: [("ff".to_owned(), "unreadable_document".to_owned())].into(),
    };
    let accepted = Entry::Accepted {
        client: CLIENT.to_owned(),
        upload: "u1".to_owned(),
        documents: vec![log::Document {
            document_id,
            job_id,
            sha256: SHA.to_owned(),
        }],
        schedule: Schedule::default(),
        accepted_at: 0.0,
        idempotency_key: Some("k1".to_owned()),
    };
    let seen = Seen {
        rows: vec![shard],
        objects,
        queues: [("docket.delay".to_owned(), 0)].into(),
        parked: 0,
    };
    (vec![accepted], seen, calm)
}

/// The findings after a change.
fn found(change: impl FnOnce(&mut Vec<Entry>, &mut Seen)) -> Vec<Wrong> {
    let (mut log, mut seen, calm) = good();
    change(&mut log, &mut seen);
    let mut found: Vec<Wrong> = judge(&log, &seen, &calm)
        .findings
        .into_iter()
        .map(|finding| finding.0)
        .collect();
    found.dedup();
    found
}

#[test]
fn what_is_as_it_should_be_is_not_complained_of() {
    let (log, seen, calm) = good();
    let verdict = judge(&log, &seen, &calm);
    assert_eq!(verdict.findings, []);
    assert_eq!((verdict.accepted, verdict.ends), (1, [("succeeded", 1)].into()));
}

#[test]
fn a_missing_row_object_text_or_entity_is_lost() {
    assert_eq!(found(|_, seen| seen.rows[0].jobs.clear()), [Wrong::Lost]);
    assert_eq!(found(|_, seen| drop(seen.objects.pop_first())), [Wrong::Lost]);
    assert_eq!(found(|_, seen| drop(seen.objects.pop_last())), [Wrong::Lost]);
    let cut = |_: &mut Vec<Entry>, seen: &mut Seen| drop(seen.rows[0].entities.first_entry().unwrap().get_mut().pop());
    assert_eq!(found(cut), [Wrong::Lost]);
    let changed =
        |_: &mut Vec<Entry>, seen: &mut Seen| *seen.objects.first_entry().unwrap().get_mut() = "cc".to_owned();
    assert_eq!(found(changed), [Wrong::Lost]);
}

#[test]
fn a_second_document_of_an_upload_and_a_second_end_of_a_job_are_duplicates() {
    let twice = |_: &mut Vec<Entry>, seen: &mut Seen| {
        let mut second = seen.rows[0].documents[0].clone();
        second.id = Uuid::from_u128(3);
        seen.rows[0].documents.push(second);
    };
    assert_eq!(found(twice), [Wrong::Duplicated]);
    let ended_twice = |_: &mut Vec<Entry>, seen: &mut Seen| {
        seen.rows[0].jobs[0].history = json!([{"event": "succeeded"}, {"event": "succeeded"}]);
    };
    assert_eq!(found(ended_twice), [Wrong::Duplicated]);
    let added = |_: &mut Vec<Entry>, seen: &mut Seen| {
        let mut entities = seen.rows[0].entities.first_entry().unwrap();
        let job = *entities.key();
        entities.get_mut().push(entity(job, 3));
    };
    assert_eq!(found(added), [Wrong::Duplicated]);
    assert_eq!(found(|log, _| log.clear()), [Wrong::Duplicated], "nobody sent it");
}

#[test]
fn an_upload_that_was_not_answered_is_there_wholly_or_not_at_all() {
    let unanswered = |documents| Entry::Unanswered {
        client: CLIENT.to_owned(),
        upload: "u1".to_owned(),
        documents,
        schedule: Schedule::default(),
    };
    assert_eq!(found(|log, _| *log = vec![unanswered(1)]), []);
    assert_eq!(found(|log, _| *log = vec![unanswered(2)]), [Wrong::Lost]);
    let nothing = |log: &mut Vec<Entry>, seen: &mut Seen| (*log, *seen) = (vec![unanswered(2)], Seen::default());
    assert_eq!(found(nothing), []);
}

#[test]
fn rows_and_objects_of_others_are_found() {
    assert_eq!(found(|_, seen| seen.rows[0].owned.clear()), [Wrong::WrongClient]);
    let moved = |_: &mut Vec<Entry>, seen: &mut Seen| {
        seen.objects
            .insert(format!("texts/0001/{CLIENT}/x/y.txt"), String::new());
    };
    assert_eq!(found(moved), [Wrong::WrongClient]);
}

#[test]
fn a_job_must_end_and_as_it_should() {
    let state =
        |state: &'static str| move |_: &mut Vec<Entry>, seen: &mut Seen| seen.rows[0].jobs[0].state = state.to_owned();
    assert_eq!(found(state("open")), [Wrong::Unfinished]);
    assert_eq!(found(state("expired")), [Wrong::FailedUnexplained, Wrong::Duplicated]);
    let failed = |kind: &'static str, sha256: &'static str, crashes: usize| {
        found(move |log, seen| {
            log.clear();
            log.push(Entry::Unanswered {
                client: CLIENT.to_owned(),
                upload: "u1".to_owned(),
                documents: 1,
                schedule: Schedule::default(),
            });
            seen.rows[0].entities.clear();
            seen.rows[0].documents[0].sha256 = sha256.to_owned();
            let job = &mut seen.rows[0].jobs[0];
            (job.state, job.error_kind) = ("failed".to_owned(), Some(kind.to_owned()));
            let mut history = vec![json!({"event": "crashed"}); crashes];
            history.push(json!({"event": "failed"}));
            job.history = history.into();
        })
    };
    assert_eq!(failed("unreadable_document", "ff", 0), [], "it was made to fail");
    assert_eq!(failed("storage_unavailable", "ff", 0), [Wrong::FailedUnexplained]);
    assert_eq!(failed("unreadable_document", SHA, 0), [Wrong::FailedUnexplained]);
    assert_eq!(failed("poison", SHA, 3), [], "faults ended its processes");
    assert_eq!(failed("poison", SHA, 2), [Wrong::FailedUnexplained]);
}

#[test]
fn a_cancelled_job_is_one_that_somebody_cancelled() {
    let cancelled = |answer: Option<Option<bool>>| {
        found(move |log, seen| {
            let job = &mut seen.rows[0].jobs[0];
            job.state = "cancelled".to_owned();
            job.history = json!([{"event": "cancelled"}]);
            let job_id = job.id;
            seen.rows[0].entities.clear();
            log.extend(answer.map(|cancelled| Entry::Cancel { job_id, cancelled }));
        })
    };
    assert_eq!(cancelled(Some(Some(true))), []);
    assert_eq!(cancelled(Some(None)), []);
    assert_eq!(cancelled(Some(Some(false))), [Wrong::FailedUnexplained]);
    assert_eq!(cancelled(None), [Wrong::FailedUnexplained]);
    let done = found(|log, seen| {
        let job_id = seen.rows[0].jobs[0].id;
        let cancelled = Some(true);
        log.push(Entry::Cancel { job_id, cancelled });
    });
    assert_eq!(done, [Wrong::FailedUnexplained]);
}

/// The findings for a job with this schedule, after another change.
fn found_when(wanted: Schedule, change: impl FnOnce(&mut Vec<Entry>, &mut Seen)) -> Vec<Wrong> {
    found(|log, seen| {
        let Entry::Accepted { schedule, .. } = &mut log[0] else {
            unreachable!("the first entry is an upload's")
        };
        *schedule = wanted;
        let job = &mut seen.rows[0].jobs[0];
        job.priority = PRIORITIES[usize::from(wanted.bulk)].to_owned();
        job.deadline = wanted.deadline.map(|deadline| deadline as f64);
        change(log, seen);
    })
}

fn expire(seen: &mut Seen, at: f64) {
    seen.rows[0].entities.clear();
    let job = &mut seen.rows[0].jobs[0];
    (job.state, job.ended_at) = ("expired".to_owned(), Some(at));
    job.history = json!([{"event": "expired"}]);
}

const UNTIL_130: Schedule = Schedule {
    bulk: false,
    not_before: None,
    deadline: Some(130),
};

#[test]
fn an_expired_job_is_one_whose_deadline_had_passed() {
    let expired = |schedule, at| found_when(schedule, |_, seen| expire(seen, at));
    assert_eq!(expired(UNTIL_130, 130.0), []);
    assert_eq!(expired(UNTIL_130, 129.9), [Wrong::FailedUnexplained]);
    assert_eq!(expired(Schedule::default(), 130.0), [Wrong::FailedUnexplained]);
    assert_eq!(found_when(UNTIL_130, |_, _| ()), [], "it may be done in time");
    let with_entities = |_: &mut Vec<Entry>, seen: &mut Seen| {
        let entities = seen.rows[0].entities.clone();
        expire(seen, 131.0);
        seen.rows[0].entities = entities;
    };
    assert_eq!(found_when(UNTIL_130, with_entities), [Wrong::Duplicated]);
}

#[test]
fn a_deadline_holds_for_an_upload_that_was_not_answered_and_not_for_a_further_job() {
    let unanswered = |log: &mut Vec<Entry>, seen: &mut Seen| {
        log[0] = Entry::Unanswered {
            client: CLIENT.to_owned(),
            upload: "u1".to_owned(),
            documents: 1,
            schedule: UNTIL_130,
        };
        expire(seen, 131.0);
    };
    assert_eq!(found_when(UNTIL_130, unanswered), []);
    let again = |log: &mut Vec<Entry>, seen: &mut Seen| {
        let Entry::Accepted { documents, .. } = &log[0] else {
            unreachable!("the first entry is an upload's")
        };
        let job_id = Uuid::from_u128(3);
        let document = log::Document {
            job_id,
            ..documents[0].clone()
        };
        let client = CLIENT.to_owned();
        log.push(Entry::Again { client, document });
        let mut job = seen.rows[0].jobs[0].clone();
        (job.id, job.deadline) = (job_id, None);
        (job.state, job.ended_at) = ("expired".to_owned(), Some(131.0));
        job.history = json!([{"event": "expired"}]);
        seen.rows[0].jobs.push(job);
    };
    assert_eq!(found_when(UNTIL_130, again), [Wrong::FailedUnexplained]);
}

#[test]
fn a_job_is_not_begun_before_its_time() {
    let wanted = |not_before| Schedule {
        not_before: Some(not_before),
        ..Schedule::default()
    };
    assert_eq!(found_when(wanted(100), |_, _| ()), []);
    assert_eq!(found_when(wanted(101), |_, _| ()), [Wrong::TooEarly]);
    let never_begun = |log: &mut Vec<Entry>, seen: &mut Seen| {
        let job = &mut seen.rows[0].jobs[0];
        (job.state, job.begun_at) = ("cancelled".to_owned(), None);
        job.history = json!([{"event": "cancelled"}]);
        let (job_id, cancelled) = (job.id, Some(true));
        log.push(Entry::Cancel { job_id, cancelled });
        seen.rows[0].entities.clear();
    };
    assert_eq!(found_when(wanted(101), never_begun), []);
}

#[test]
fn a_priority_or_deadline_that_is_not_kept_is_lost() {
    let bulk = Schedule {
        bulk: true,
        ..Schedule::default()
    };
    assert_eq!(found_when(bulk, |_, _| ()), []);
    let interactive = |_: &mut Vec<Entry>, seen: &mut Seen| seen.rows[0].jobs[0].priority = "interactive".to_owned();
    assert_eq!(found_when(bulk, interactive), [Wrong::Lost]);
    let endless = |_: &mut Vec<Entry>, seen: &mut Seen| seen.rows[0].jobs[0].deadline = None;
    assert_eq!(found_when(UNTIL_130, endless), [Wrong::Lost]);
}

#[test]
fn messages_that_are_left_are_found() {
    assert_eq!(
        found(|_, seen| seen.queues.extend([("docket.dead".to_owned(), 1)])),
        [Wrong::LeftInQueues]
    );
    assert_eq!(found(|_, seen| seen.parked = 1), [Wrong::LeftInQueues]);
}
