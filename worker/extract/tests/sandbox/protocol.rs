//! What becomes of answers that break the rules.

use bytes::Bytes;
use docket_extract::place_for_any_scan;
use docket_extract::sandbox::{ParseError, ProtocolError, Task};

use crate::deeds::{Deed, frame};
use crate::world;

pub const FACTS: &[(&str, fn())] = &[
    (
        "large_documents_and_answers_arrive_whole",
        large_documents_and_answers_arrive_whole,
    ),
    (
        "answers_that_break_the_rules_are_not_taken",
        answers_that_break_the_rules_are_not_taken,
    ),
    (
        "a_flood_ends_at_its_first_wrong_frame",
        a_flood_ends_at_its_first_wrong_frame,
    ),
    ("an_answer_too_large_is_not_taken", an_answer_too_large_is_not_taken),
    ("a_closed_socket_ends_the_child", a_closed_socket_ends_the_child),
    (
        "the_caller_makes_room_before_the_parts_come",
        the_caller_makes_room_before_the_parts_come,
    ),
    ("a_request_has_a_largest_size", a_request_has_a_largest_size),
];

fn large_documents_and_answers_arrive_whole() {
    let document: Vec<u8> = (0..20_000_001_u32).map(|n| (n.wrapping_mul(n) >> 8) as u8).collect();
    world::run(async {
        let pool = world::pool().await;
        for document in [document, Vec::new(), vec![1]] {
            let given = Bytes::from(document.clone());
            let echo = Deed::Echo("it".to_owned());
            let task = world::task(&echo, given);
            let room = async |_: &_| Ok::<(), std::fmt::Error>(());
            let parsed = pool.parse(task, place_for_any_scan, room).await.unwrap();
            let about: String = parsed.about;
            assert_eq!(about, "it");
            assert!(parsed.parts == [document, Vec::new()]);
        }
    });
}

fn problem(bytes: Vec<u8>, times: u32, hang: bool) -> ProtocolError {
    let deed = Deed::Send { times, hang };
    let outcome: world::Outcome = world::run(async {
        let pool = world::pool().await;
        let task = world::task(&deed, bytes);
        pool.parse(task, place_for_any_scan, async |_| Ok(())).await
    });
    match outcome {
        Err(ParseError::Protocol(problem)) => problem,
        outcome => panic!("{outcome:?}"),
    }
}

fn answers_that_break_the_rules_are_not_taken() {
    let summary = frame(b'S', br#"{"about":"","sizes":[2]}"#);
    let after_summary = |frames: &[&[u8]]| [summary.clone(), frames.concat()].concat();
    let (one, two, three) = (frame(b'B', b"1"), frame(b'B', b"12"), frame(b'B', b"123"));
    let (none, done) = (frame(b'B', b""), frame(b'D', b""));
    for (bytes, expected) in [
        (Vec::new(), ProtocolError::EndedEarly),
        (frame(b'?', b""), ProtocolError::UnknownKind),
        (frame(b'R', b"{}"), ProtocolError::WrongKind),
        (two.clone(), ProtocolError::WrongKind),
        (done.clone(), ProtocolError::WrongKind),
        (frame(b'S', b"{"), ProtocolError::Json),
        (frame(b'S', br#"{"about":"","sizes":[-1]}"#), ProtocolError::Json),
        (frame(b'S', &[b'['; 60_000]), ProtocolError::Json),
        (frame(b'X', br#""no such refusal""#), ProtocolError::Json),
        (vec![1, 0, 1, 0, b'S'], ProtocolError::FrameTooLarge),
        (vec![255, 255, 255, 255, b'B'], ProtocolError::FrameTooLarge),
        (after_summary(&[]), ProtocolError::EndedEarly),
        (after_summary(&[&two[..6]]), ProtocolError::EndedEarly),
        (after_summary(&[&two]), ProtocolError::EndedEarly),
        (after_summary(&[&one, &done]), ProtocolError::WrongSize),
        (after_summary(&[&three]), ProtocolError::WrongSize),
        (after_summary(&[&two, &one]), ProtocolError::WrongSize),
        (after_summary(&[&none]), ProtocolError::WrongSize),
        (after_summary(&[&summary]), ProtocolError::WrongKind),
        (after_summary(&[&two, &summary]), ProtocolError::WrongKind),
    ] {
        let name = String::from_utf8_lossy(&bytes).into_owned();
        assert_eq!(problem(bytes, 1, false), expected, "{name:.80}");
    }
}

fn a_flood_ends_at_its_first_wrong_frame() {
    let chunk = frame(b'B', &vec![b'x'; 1 << 20]);
    assert_eq!(problem(chunk, 100_000, true), ProtocolError::WrongKind);
    let summary = frame(b'S', br#"{"about":"","sizes":[2]}"#);
    assert_eq!(problem(summary, 100_000, true), ProtocolError::WrongKind);
}

fn an_answer_too_large_is_not_taken() {
    let max = world::ANSWER_BYTES_MAX;
    for sizes in [
        format!("{}", max + 1),
        format!("{max},1"),
        format!("{0},{0}", u64::MAX),
        ["0"; 17].join(","),
    ] {
        let summary = format!(r#"{{"about":"","sizes":[{sizes}]}}"#);
        let problem = problem(frame(b'S', summary.as_bytes()), 1, true);
        assert_eq!(problem, ProtocolError::AnswerTooLarge { max }, "{sizes}");
    }
}

fn a_closed_socket_ends_the_child() {
    let outcome = world::run(async { world::outcome(&world::pool().await, Deed::CloseAndSpin).await });
    assert!(matches!(outcome, Err(ParseError::Killed)), "{outcome:?}");
}

fn the_caller_makes_room_before_the_parts_come() {
    let bytes = 64 << 20;
    let slowly = std::time::Duration::from_secs(6);
    world::run(async {
        let pool = world::pool().await;
        let mut room = None;
        let reserve = async |summary: &docket_extract::sandbox::Summary<String>| {
            tokio::time::sleep(slowly).await; // The caller's time is not the child's.
            room = Some(summary.bytes());
            Ok::<(), std::fmt::Error>(())
        };
        let task = Task {
            wall: std::time::Duration::from_secs(5),
            ..world::task(&Deed::Fill(bytes), Bytes::new())
        };
        let parsed = pool.parse(task, place_for_any_scan, reserve).await.unwrap();
        assert_eq!(parsed.parts.concat().len(), bytes);
        assert_eq!(room, Some(bytes));
    });
}

fn a_request_has_a_largest_size() {
    let request = Deed::Echo("a".repeat(64 << 10));
    let outcome = world::run(async { world::outcome(&world::pool().await, request).await });
    assert!(matches!(outcome, Err(ParseError::Request)), "{outcome:?}");
}
