//! Which system calls a child may make.
//!
//! Two filters are stacked, and the kernel takes the stricter answer of both. The first ends the process at calls that only an
//! attack makes. The second allows what parsers need, and answers EPERM to the rest: C libraries look for fonts, time zones and
//! processors, and go on without.

use seccompiler::{BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition};
use seccompiler::{SeccompFilter, SeccompRule};

/// System calls that no parser makes, of both architectures: connections, processes and threads, programs, other processes, the
/// kernel itself, and files without a path.
const FORBIDDEN: &[i64] = &[
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_clone,
    libc::SYS_clone3,
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_kill,
    libc::SYS_tkill,
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_rt_tgsigqueueinfo,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_send_signal,
    libc::SYS_bpf,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_userfaultfd,
    libc::SYS_perf_event_open,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_open_by_handle_at,
    libc::SYS_memfd_create,
    libc::SYS_memfd_secret,
];

/// System calls with which a process becomes another program.
const PROGRAMS: [i64; 2] = [libc::SYS_execve, libc::SYS_execveat];

/// System calls that Tesseract does not make, and that children of the pool cannot make either: those that change other processes or
/// the files of the same user, which Landlock does not cover, and memory that processes share.
const FORBIDDEN_IN_JAIL: &[i64] = &[
    libc::SYS_setpriority,
    libc::SYS_sched_setaffinity,
    libc::SYS_sched_setscheduler,
    libc::SYS_sched_setparam,
    libc::SYS_sched_setattr,
    libc::SYS_ioprio_set,
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    libc::SYS_removexattr,
    libc::SYS_utimensat,
    libc::SYS_shmget,
    libc::SYS_msgget,
    libc::SYS_semget,
    libc::SYS_mq_open,
];
/// The same, of this architecture alone.
#[cfg(target_arch = "x86_64")]
const FORBIDDEN_IN_JAIL_HERE: &[i64] = &[
    libc::SYS_chmod,
    libc::SYS_chown,
    libc::SYS_lchown,
    libc::SYS_utimes,
    libc::SYS_utime,
];
/// The same, of this architecture alone: none.
#[cfg(not(target_arch = "x86_64"))]
const FORBIDDEN_IN_JAIL_HERE: &[i64] = &[];

/// System calls that no parser makes, and that only this architecture has.
#[cfg(target_arch = "x86_64")]
const FORBIDDEN_HERE: &[i64] = &[
    libc::SYS_fork,
    libc::SYS_vfork,
    libc::SYS_modify_ldt,
    libc::SYS_iopl,
    libc::SYS_ioperm,
];
/// System calls that no parser makes, and that only this architecture has: none.
#[cfg(not(target_arch = "x86_64"))]
const FORBIDDEN_HERE: &[i64] = &[];

/// System calls that a parser makes, whatever their arguments: the document and the answer, memory, locks, signals of its own,
/// random numbers, time, and the end.
const ALLOWED: &[i64] = &[
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_recvmsg,
    libc::SYS_lseek,
    libc::SYS_fstat,
    libc::SYS_close,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_brk,
    libc::SYS_futex,
    libc::SYS_sched_yield,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_getrandom,
    libc::SYS_clock_gettime,
    libc::SYS_gettimeofday,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// System calls that give memory, whose third argument says what the memory may be used for.
const MEMORY: [i64; 2] = [libc::SYS_mmap, libc::SYS_mprotect];
/// Place of that argument, counted from 0.
const PROTECTION_ARGUMENT: u8 = 2;
/// Place of `tgkill`'s process, counted from 0.
const PROCESS_ARGUMENT: u8 = 0;

/// Puts both filters in force, for all threads of this process.
pub(super) fn restrict() -> Result<(), seccompiler::Error> {
    // Both are made before the first is in force: the first mistake leaves none.
    let (forbidding, allowing) = (forbidding(&[])?, allowing()?);
    seccompiler::apply_filter_all_threads(&forbidding)?;
    seccompiler::apply_filter_all_threads(&allowing)
}

/// Forbids what only an attack does, but for one thing: to become another program.
pub(super) fn forbid_but_programs() -> Result<(), seccompiler::Error> {
    let (forbidding, jailing) = (forbidding(&PROGRAMS)?, jailing()?);
    seccompiler::apply_filter_all_threads(&jailing)?;
    seccompiler::apply_filter_all_threads(&forbidding)
}

/// Forbids what [`FORBIDDEN_IN_JAIL`] says, and limits for other processes.
fn jailing() -> Result<BpfProgram, BackendError> {
    let calls = FORBIDDEN_IN_JAIL.iter().chain(FORBIDDEN_IN_JAIL_HERE);
    let always = calls.map(|&call| (call, Vec::new()));
    let another = SeccompCondition::new(PROCESS_ARGUMENT, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, 0)?;
    let limits = (libc::SYS_prlimit64, vec![SeccompRule::new(vec![another])?]);
    let arch = std::env::consts::ARCH.try_into()?;
    let rules = always.chain([limits]).collect();
    SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::KillProcess, arch)?.try_into()
}

/// The calls that end the process, without those that are `spared`.
fn forbidding(spared: &[i64]) -> Result<BpfProgram, BackendError> {
    let forbidden = FORBIDDEN.iter().chain(FORBIDDEN_HERE);
    let rules = forbidden
        .filter(|call| !spared.contains(call))
        .map(|&call| (call, Vec::new()));
    let arch = std::env::consts::ARCH.try_into()?;
    SeccompFilter::new(rules.collect(), SeccompAction::Allow, SeccompAction::KillProcess, arch)?.try_into()
}

fn allowing() -> Result<BpfProgram, BackendError> {
    let always = ALLOWED.iter().map(|&call| (call, Vec::new()));
    let no_code = SeccompCmpOp::MaskedEq(libc::PROT_EXEC as u64);
    let no_code = SeccompCondition::new(PROTECTION_ARGUMENT, SeccompCmpArgLen::Dword, no_code, 0)?;
    let no_code = SeccompRule::new(vec![no_code])?;
    let memory = MEMORY.map(|call| (call, vec![no_code.clone()]));
    // `abort` sends its signal so, to this process.
    let itself = u64::from(std::process::id());
    let itself = SeccompCondition::new(PROCESS_ARGUMENT, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, itself)?;
    let abort = (libc::SYS_tgkill, vec![SeccompRule::new(vec![itself])?]);
    let rules = always.chain(memory).chain([abort]).collect();
    let otherwise = SeccompAction::Errno(libc::EPERM as u32);
    SeccompFilter::new(
        rules,
        otherwise,
        SeccompAction::Allow,
        std::env::consts::ARCH.try_into()?,
    )?
    .try_into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_call_is_both_allowed_and_forbidden() {
        for call in ALLOWED.iter().chain(&MEMORY) {
            assert!(
                !FORBIDDEN.contains(call) && !FORBIDDEN_HERE.contains(call),
                "call {call}"
            );
        }
    }

    #[test]
    fn both_filters_can_be_made() {
        assert!(forbidding(&[]).is_ok() && forbidding(&PROGRAMS).is_ok() && jailing().is_ok());
        assert!(allowing().is_ok());
    }
}
