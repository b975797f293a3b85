//! What a hostile child does once it has a document.

#![expect(unsafe_code, reason = "a child that was taken over makes any system call")]

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::net::{TcpStream, UdpSocket};
use std::os::fd::FromRawFd;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::ptr;
use std::time::Duration;

use docket_extract::refusal::Refusal;
use docket_extract::sandbox::{Answer, child};
use serde::{Deserialize, Serialize};

/// A deed, and the request that asks for it.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub enum Call {
    Open,
    Create,
    OpenFolder,
    Proc,
    Connect,
    Udp,
    UnixSocket,
    Fork,
    Thread,
    Exec,
    Ptrace,
    KillParent,
    SignalParent,
    Memfd,
    MapWritableCode,
    MakeCode,
    RaiseLimit,
    NewPrivileges,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Deed {
    /// Answers with the document, and says this.
    Echo(String),
    Refuse,
    /// Answers with one part of so many bytes.
    Fill(usize),
    Call(Call),
    /// Allocates blocks of so many bytes until an allocation fails, which nobody catches.
    Allocate(usize),
    /// Allocates blocks of so many bytes until an allocation fails, and says how many bytes that was.
    TryAllocate(usize),
    /// The same with the allocator of C libraries.
    TryAllocateInC(usize),
    /// Doubles a buffer until that fails, and says how many bytes it had.
    Grow,
    Spin,
    Hang,
    Overflow,
    BadPointer,
    Panic,
    Abort,
    Exit(i32),
    /// Says its process ID, and then never sends the part that it named.
    NameAndHang,
    NameAndSpin,
    /// Says what the child could see before it was confined.
    Inherited,
    /// Sends the document's bytes so often, and ends, or waits.
    Send {
        times: u32,
        hang: bool,
    },
    CloseAndSpin,
}

/// What the child saw before it was confined: environment, descriptors, folder.
fn inherited() -> String {
    let environment: Vec<_> = std::env::vars()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let open = |descriptor: &i32| unsafe { libc::fcntl(*descriptor, libc::F_GETFD) } >= 0;
    let descriptors: Vec<_> = (0..1_024).filter(open).collect();
    format!("{environment:?} {descriptors:?} {:?}", std::env::current_dir().unwrap())
}

pub fn child(arguments: impl Iterator<Item = OsString>) -> ! {
    child::main(arguments, inherited, |seen, deed: Deed, document, _| {
        commit(deed, document, seen)
    })
}

/// A child on a kernel that knows neither Landlock nor seccomp.
pub fn weak_child() -> ! {
    let ready = br#"{"landlock":{"partial":{"abi":2}},"seccomp":false}"#;
    send(&frame(b'R', ready));
    wait()
}

pub fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_le_bytes();
    [&length, [kind].as_slice(), payload].concat()
}

fn send(bytes: &[u8]) {
    let mut socket = std::mem::ManuallyDrop::new(unsafe { File::from_raw_fd(0) });
    if socket.write_all(bytes).is_err() {
        unsafe { libc::_exit(1) }
    }
}

fn wait() -> ! {
    loop {
        let mut byte = 0_u8;
        if unsafe { libc::read(0, (&raw mut byte).cast(), 1) } <= 0 {
            unsafe { libc::_exit(0) }
        }
    }
}

fn spin() -> ! {
    let mut x = 1_u64;
    loop {
        x = std::hint::black_box(x.wrapping_mul(3));
    }
}

fn overflow(depth: u64) -> u64 {
    let frame = std::hint::black_box([depth; 64]);
    if depth == u64::MAX {
        0
    } else {
        overflow(depth + 1) + frame[3]
    }
}

fn name(then: fn() -> !) -> ! {
    let json = format!(r#"{{"about":"{}","sizes":[9]}}"#, std::process::id());
    send(&frame(b'S', json.as_bytes()));
    then()
}

fn commit(deed: Deed, document: &[u8], seen: String) -> Result<Answer<String>, Refusal> {
    let about = match deed {
        Deed::Echo(about) => {
            let parts = vec![document.to_vec(), Vec::new()];
            return Ok(Answer { about, parts });
        }
        Deed::Fill(bytes) => {
            let parts = vec![vec![b'a'; bytes]];
            return Ok(Answer {
                about: String::new(),
                parts,
            });
        }
        Deed::Refuse => return Err(Refusal::Encrypted),
        Deed::Call(call) => told(call),
        Deed::Allocate(bytes) => allocate(bytes).to_string(),
        Deed::TryAllocate(bytes) => try_allocate(bytes).to_string(),
        Deed::TryAllocateInC(bytes) => try_allocate_in_c(bytes).to_string(),
        Deed::Grow => grow().to_string(),
        Deed::Spin => spin(),
        Deed::Hang => wait(),
        Deed::Overflow => overflow(0).to_string(),
        Deed::BadPointer => unsafe { ptr::read_volatile(ptr::without_provenance::<u8>(8)) }.to_string(),
        Deed::Panic => panic!("a document made this"),
        Deed::Abort => std::process::abort(),
        Deed::Exit(code) => unsafe { libc::_exit(code) },
        Deed::NameAndHang => name(wait),
        Deed::NameAndSpin => name(spin),
        Deed::Inherited => seen,
        Deed::Send { times, hang } => {
            (0..times).for_each(|_| send(document));
            if hang { wait() } else { unsafe { libc::_exit(0) } }
        }
        Deed::CloseAndSpin => {
            unsafe { libc::close(0) };
            spin()
        }
    };
    let parts = Vec::new();
    Ok(Answer { about, parts })
}

fn allocate(bytes: usize) -> usize {
    let mut blocks = Vec::new();
    loop {
        blocks.push(std::hint::black_box(vec![1_u8; bytes]));
    }
}

fn try_allocate(bytes: usize) -> usize {
    let mut blocks: Vec<Vec<u8>> = Vec::with_capacity(1 << 20);
    loop {
        let mut block = Vec::new();
        if block.try_reserve_exact(bytes).is_err() {
            return blocks.len() * bytes;
        }
        block.resize(bytes, 1_u8);
        blocks.push(std::hint::black_box(block));
    }
}

fn grow() -> usize {
    let mut block: Vec<u8> = Vec::new();
    while block.try_reserve(1).is_ok() {
        block.resize(block.capacity(), 1_u8);
        std::hint::black_box(&block);
    }
    block.len()
}

fn try_allocate_in_c(bytes: usize) -> usize {
    let mut allocated = 0;
    loop {
        let block = std::hint::black_box(unsafe { libc::malloc(bytes) });
        if block.is_null() {
            return allocated;
        }
        unsafe { ptr::write_bytes(block.cast::<u8>(), 1, bytes) };
        allocated += bytes;
    }
}

fn told(call: Call) -> String {
    match make(call) {
        Ok(()) => "it worked".to_owned(),
        Err(error) if error.raw_os_error() == Some(libc::EPERM) => "EPERM".to_owned(),
        Err(error) => error.to_string(),
    }
}

fn make(call: Call) -> io::Result<()> {
    match call {
        Call::Open => File::open("/etc/passwd").map(drop),
        Call::Create => File::create("/tmp/docket-sandbox-created").map(drop),
        Call::OpenFolder => fs::read_dir("/usr/share").map(drop),
        Call::Proc => fs::read("/proc/self/environ").map(drop),
        Call::Connect => TcpStream::connect_timeout(&"127.0.0.1:22".parse().unwrap(), Duration::from_secs(1)).map(drop),
        Call::Udp => UdpSocket::bind("127.0.0.1:0").map(drop),
        Call::UnixSocket => UnixStream::connect("/run/any.sock").map(drop),
        Call::Thread => std::thread::Builder::new().spawn(|| ()).map(drop),
        Call::Exec => Command::new("/bin/true").spawn().map(drop),
        Call::Fork | Call::Ptrace | Call::KillParent | Call::SignalParent | Call::Memfd => raw(call),
        Call::MapWritableCode | Call::MakeCode | Call::RaiseLimit | Call::NewPrivileges => raw(call),
    }
}

fn raw(call: Call) -> io::Result<()> {
    let code = libc::PROT_READ | libc::PROT_WRITE | libc::PROT_EXEC;
    let result = unsafe {
        match call {
            Call::Fork => libc::fork().into(),
            Call::Ptrace => libc::ptrace(libc::PTRACE_ATTACH, libc::getppid(), 0, 0),
            Call::KillParent => libc::kill(parent(), 0).into(),
            Call::SignalParent => libc::syscall(libc::SYS_tgkill, parent(), parent(), 0),
            Call::Memfd => libc::memfd_create(c"x".as_ptr(), 0).into(),
            Call::MapWritableCode => mapped(code) as i64,
            Call::MakeCode => libc::mprotect(mapped(libc::PROT_READ), 4_096, libc::PROT_READ | libc::PROT_EXEC).into(),
            Call::RaiseLimit => {
                let limit = libc::rlimit {
                    rlim_cur: 2,
                    rlim_max: 2,
                };
                libc::setrlimit(libc::RLIMIT_CPU, &raw const limit).into()
            }
            Call::NewPrivileges => libc::prctl(libc::PR_SET_DUMPABLE, 1).into(),
            _ => unreachable!("made by std"),
        }
    };
    if result == -1 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

/// A process that the child may not signal: `getppid` itself is not allowed.
fn parent() -> i32 {
    1
}

fn mapped(protection: i32) -> *mut libc::c_void {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    unsafe { libc::mmap(ptr::null_mut(), 4_096, protection, flags, -1, 0) }
}
