//! How a child gets a document: a sealed file in memory, whose descriptor comes with the request. No byte is copied on the way, and
//! nobody can change the bytes while the child reads them.

#![expect(unsafe_code, reason = "memory is mapped by hand")]

use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::ops::Deref;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::ptr;

use bytes::Bytes;
use rustix::cmsg_space;
use rustix::fs::{MemfdFlags, SealFlags};
use rustix::io::Errno;
use rustix::mm::{MapFlags, ProtFlags};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags};
use tokio::io::{AsyncWriteExt, Interest};
use tokio::net::UnixStream;

use super::frames::{HEADER_BYTES, Header, Kind};

/// Documents up to this size are copied where they are: that takes about 0.1 ms. Larger ones keep a thread of their own busy.
const COPIED_HERE_BYTES_MAX: usize = 256 << 10;

/// Lays a document out in a file in memory that nobody can change.
pub(super) async fn seal(document: Bytes) -> io::Result<OwnedFd> {
    if document.len() <= COPIED_HERE_BYTES_MAX {
        return seal_here(&document);
    }
    tokio::task::spawn_blocking(move || seal_here(&document)).await?
}

fn seal_here(document: &[u8]) -> io::Result<OwnedFd> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    // Linux before 6.3 does not know that no program is in the file.
    let made = rustix::fs::memfd_create(c"document", flags | MemfdFlags::NOEXEC_SEAL);
    let mut file = match made {
        Err(Errno::INVAL) => File::from(rustix::fs::memfd_create(c"document", flags)?),
        made => File::from(made?),
    };
    file.write_all(document)?;
    rustix::fs::fcntl_add_seals(
        &file,
        SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE | SealFlags::SEAL,
    )?;
    Ok(file.into())
}

/// Sends a request and its document to a child.
pub(super) async fn send(stream: &mut UnixStream, request: &[u8], document: BorrowedFd<'_>) -> io::Result<()> {
    let header = Header::of(Kind::Request, request).map_err(io::Error::other)?.encode();
    let sending = || send_with(stream.as_fd(), &header, document);
    stream.async_io(Interest::WRITABLE, sending).await?;
    stream.write_all(request).await
}

fn send_with(socket: BorrowedFd<'_>, header: &[u8], document: BorrowedFd<'_>) -> io::Result<()> {
    let documents = [document];
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(1))];
    let mut attached = SendAncillaryBuffer::new(&mut space);
    attached.push(SendAncillaryMessage::ScmRights(&documents));
    let sent = rustix::net::sendmsg(socket, &[IoSlice::new(header)], &mut attached, SendFlags::NOSIGNAL)?;
    // A socket takes five bytes, or none.
    if sent < header.len() {
        return Err(io::ErrorKind::WriteZero.into());
    }
    Ok(())
}

/// Whether the child still has its end of the socket, and has sent nothing that was not yet read.
pub(super) fn is_open(socket: BorrowedFd<'_>) -> bool {
    let peeked = rustix::net::recv(socket, &mut [0_u8], RecvFlags::PEEK | RecvFlags::DONTWAIT);
    peeked == Err(Errno::AGAIN)
}

/// Waits for a request and its document, in the child. `None` means that the parent has no document any more.
pub(super) fn receive(mut channel: Channel) -> io::Result<Option<(Vec<u8>, Document)>> {
    let mut header = [0; HEADER_BYTES];
    let Some(document) = receive_with(channel.0, &mut header)? else {
        return Ok(None);
    };
    let header = Header::decode(header).map_err(io::Error::other)?;
    let mut request = vec![0; header.bytes];
    channel.read_exact(&mut request)?;
    Ok(Some((request, Document::map(document.as_fd())?)))
}

fn receive_with(socket: BorrowedFd<'_>, header: &mut [u8]) -> io::Result<Option<OwnedFd>> {
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(1))];
    let mut attached = RecvAncillaryBuffer::new(&mut space);
    let received = rustix::io::retry_on_intr(|| {
        let mut header = [IoSliceMut::new(header)];
        rustix::net::recvmsg(socket, &mut header, &mut attached, RecvFlags::CMSG_CLOEXEC)
    })?;
    if received.bytes == 0 {
        return Ok(None);
    }
    let document = attached.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    });
    match document {
        Some(document) if received.bytes == header.len() => Ok(Some(document)),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// The child's end of the socket: its standard input, in both directions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Channel(BorrowedFd<'static>);

impl Channel {
    pub fn of_stdin() -> Self {
        Self(rustix::stdio::stdin())
    }
}

impl Read for Channel {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::read(self.0, buffer)?)
    }
}

impl Write for Channel {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(rustix::io::write(self.0, bytes)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A document's bytes, mapped to be read. A child parses one document and ends, so the bytes stay mapped until then.
#[derive(Debug)]
pub(super) struct Document(&'static [u8]);

impl Document {
    fn map(file: BorrowedFd<'_>) -> io::Result<Self> {
        let bytes = usize::try_from(rustix::fs::fstat(file)?.st_size).map_err(io::Error::other)?;
        if bytes == 0 {
            return Ok(Self(&[]));
        }
        // SAFETY: The kernel chooses a place that is free.
        let start = unsafe { rustix::mm::mmap(ptr::null_mut(), bytes, ProtFlags::READ, MapFlags::PRIVATE, file, 0)? };
        // SAFETY: So many bytes are mapped there, are never unmapped, and never change: the parent has sealed the file.
        Ok(Self(unsafe { std::slice::from_raw_parts(start.cast(), bytes) }))
    }
}

impl Deref for Document {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_document_cannot_be_changed_once_it_is_laid_out() {
        let mut file = File::from(seal(Bytes::from_static(b"text")).await.unwrap());
        assert!(file.write_all(b"more").is_err());
        assert!(file.set_len(0).is_err());
        assert_eq!(&*Document::map(file.as_fd()).unwrap(), b"text");
    }

    #[tokio::test]
    async fn empty_and_large_documents_are_mapped_whole() {
        for bytes in [0, COPIED_HERE_BYTES_MAX + 1] {
            let file = seal(Bytes::from(vec![b'a'; bytes])).await.unwrap();
            assert_eq!(Document::map(file.as_fd()).unwrap().len(), bytes);
        }
    }

    #[test]
    fn a_socket_whose_other_end_is_closed_is_not_open() {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        drop(theirs);
        assert!(!is_open(ours.as_fd()));
    }

    #[tokio::test]
    async fn a_request_arrives_with_its_document() {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let file = seal(Bytes::from_static(b"text")).await.unwrap();
        let mut stream = UnixStream::from_std(ours).unwrap();
        assert!(is_open(stream.as_fd()));
        send(&mut stream, b"{}", file.as_fd()).await.unwrap();
        let mut header = [0; HEADER_BYTES];
        let document = receive_with(theirs.as_fd(), &mut header).unwrap().unwrap();
        assert_eq!(&*Document::map(document.as_fd()).unwrap(), b"text");
        drop(stream);
        let mut request = Vec::new();
        (&theirs).read_to_end(&mut request).unwrap();
        assert_eq!(request, b"{}");
        assert!(
            receive_with(theirs.as_fd(), &mut header).unwrap().is_none(),
            "the parent is gone"
        );
    }
}
