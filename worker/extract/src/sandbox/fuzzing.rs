//! A door to what a worker reads from a child, for fuzzing.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::answer::{First, read_first, read_parts};
use crate::parse::About;

/// The parts of an answer that may have so many bytes together; `None` for bytes that are no answer.
pub fn answer(bytes: &[u8], bytes_max: usize) -> Option<Vec<Vec<u8>>> {
    let answer = pin!(parts(bytes, bytes_max));
    match answer.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(parts) => parts,
        Poll::Pending => panic!("bytes in memory are never waited for"),
    }
}

async fn parts(mut bytes: &[u8], bytes_max: usize) -> Option<Vec<Vec<u8>>> {
    let First::Summary(summary) = read_first::<About>(&mut bytes, bytes_max).await.ok()? else {
        return None;
    };
    read_parts(&mut bytes, &summary.sizes).await.ok()
}
