//! A program under a tracer (ptrace): what it asks of the system about the files below a folder, and what becomes of it if that
//! is refused, or is the last thing it does.

use nix::errno::Errno;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{Read, Seek};
use std::os::unix::fs::FileExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output, Stdio};

/// Waits to be traced before it becomes the program.
const STOPPED: &str = r#"kill -STOP $$; exec "$0" "$@""#;

/// What a call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Opens a file to be read, or a folder.
    Look,
    Read,
    /// Opens a file to be written, or makes one.
    Open,
    Write,
    Sync,
    Rename,
    Unlink,
    Mkdir,
    Rights,
    Truncate,
    Lock,
}

/// A call about a file below the folder.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) kind: Kind,
    /// Relative to the folder.
    pub(crate) path: PathBuf,
    /// What a file is renamed to.
    pub(crate) to: Option<PathBuf>,
    /// It syncs all of a file system, not only a file.
    pub(crate) is_of_system: bool,
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// It fails.
    Fails(Errno),
    /// It fails, and so does each of its kind after it.
    FailsFromNowOn(Errno),
    /// It writes a part only, and the next of its kind fails.
    IsShortAndFails(Errno),
    /// The program is killed instead.
    Kills,
}

/// Which calls count: those of a kind, or all that change something.
pub(crate) type Counted = Option<Kind>;

/// What a program did.
pub(crate) struct Traced {
    pub(crate) output: Output,
    pub(crate) calls: Vec<Call>,
    /// The call that the fault met.
    pub(crate) met: Option<Call>,
}

impl Kind {
    pub(crate) const ALL: [Kind; 11] = [
        Kind::Look,
        Kind::Read,
        Kind::Open,
        Kind::Write,
        Kind::Sync,
        Kind::Rename,
        Kind::Unlink,
        Kind::Mkdir,
        Kind::Rights,
        Kind::Truncate,
        Kind::Lock,
    ];

    pub(crate) fn changes_something(self) -> bool {
        !matches!(self, Kind::Look | Kind::Read)
    }
}

/// Runs a command. The fault meets its call of this number, from 0 on, among those that count.
///
/// # Errors
/// If nothing can be traced here.
pub(crate) fn run(command: &Command, below: &Path, fault: Option<(Counted, usize, Fault)>) -> nix::Result<Traced> {
    let mut said = tempfile::tempfile().unwrap();
    let mut shell = Command::new("sh");
    shell.args(["-c", STOPPED]).arg(command.get_program()).args(command.get_args());
    shell.current_dir(command.get_current_dir().unwrap()).stdin(Stdio::null()).stdout(Stdio::null());
    let mut child = shell.stderr(said.try_clone().unwrap()).spawn().unwrap();
    let program = Pid::from_raw(child.id().try_into().unwrap());
    let options =
        Options::PTRACE_O_TRACESYSGOOD | Options::PTRACE_O_TRACECLONE | Options::PTRACE_O_TRACEEXEC | Options::PTRACE_O_EXITKILL;
    let begun = waitpid(program, Some(WaitPidFlag::WUNTRACED))
        .and_then(|_| ptrace::seize(program, options))
        .and_then(|()| kill(program, Signal::SIGCONT));
    if let Err(error) = begun {
        child.kill().unwrap();
        child.wait().unwrap();
        return Err(error);
    }
    let below = fs::canonicalize(below).unwrap();
    let mut tracer =
        Tracer { program, below, fault, counted: 0, is_begun: false, refused: HashMap::new(), calls: vec![], met: None };
    let status = tracer.follow();
    let _ = child.wait(); // its end was seen
    let mut stderr = Vec::new();
    said.rewind().unwrap();
    said.read_to_end(&mut stderr).unwrap();
    Ok(Traced { output: Output { status: status?, stdout: Vec::new(), stderr }, calls: tracer.calls, met: tracer.met })
}

struct Tracer {
    program: Pid,
    below: PathBuf,
    fault: Option<(Counted, usize, Fault)>,
    counted: usize,
    /// Whether the shell has become the program.
    is_begun: bool,
    /// The threads whose calls are refused, and why.
    refused: HashMap<Pid, Errno>,
    calls: Vec<Call>,
    met: Option<Call>,
}

impl Tracer {
    /// Follows all threads to the end of the program.
    fn follow(&mut self) -> nix::Result<ExitStatus> {
        loop {
            // Children of other tests are none of its business.
            let stopped = waitpid(None, Some(WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD))?;
            let (thread, signal) = match stopped {
                WaitStatus::Exited(thread, status) if thread == self.program => return Ok(ExitStatus::from_raw(status << 8)),
                WaitStatus::Signaled(thread, signal, _) if thread == self.program => {
                    return Ok(ExitStatus::from_raw(signal as i32));
                }
                WaitStatus::PtraceSyscall(thread) => {
                    ignore_dead(self.call(thread))?;
                    (thread, None)
                }
                WaitStatus::PtraceEvent(thread, _, event) => {
                    self.is_begun |= event == ptrace::Event::PTRACE_EVENT_EXEC as i32;
                    (thread, None)
                }
                WaitStatus::Stopped(thread, signal) => (thread, Some(signal)),
                _ => continue,
            };
            ignore_dead(ptrace::syscall(thread, signal))?;
        }
    }

    /// A call begins or ends.
    fn call(&mut self, thread: Pid) -> nix::Result<()> {
        let is_begin = ptrace::syscall_info(thread)?.op == nix::libc::PTRACE_SYSCALL_INFO_ENTRY;
        if !is_begin {
            if let Some(errno) = self.refused.remove(&thread) {
                let mut registers = ptrace::getregs(thread)?;
                registers.rax = i64::from(-(errno as i32)).cast_unsigned();
                ptrace::setregs(thread, registers)?;
            }
            return Ok(());
        }
        let mut registers = ptrace::getregs(thread)?;
        let Some(call) = self.understood(thread, &registers).filter(|_| self.is_begun) else { return Ok(()) };
        self.calls.push(call.clone());
        let Some((counted, number, fault)) = self.fault else { return Ok(()) };
        if !counted.map_or_else(|| call.kind.changes_something(), |kind| kind == call.kind) {
            return Ok(());
        }
        let is_met = self.counted == number;
        let is_later = self.counted > number;
        let is_next = self.counted == number + 1;
        self.counted += 1;
        if is_met {
            self.met = Some(call);
        }
        match fault {
            Fault::Kills if is_met => return kill(self.program, Signal::SIGKILL),
            Fault::IsShortAndFails(_) if is_met => registers.rdx = registers.rdx.div_ceil(2),
            Fault::Fails(errno) if is_met => self.refuse(thread, &mut registers, errno),
            Fault::FailsFromNowOn(errno) if is_met || is_later => self.refuse(thread, &mut registers, errno),
            Fault::IsShortAndFails(errno) if is_next => self.refuse(thread, &mut registers, errno),
            _ => return Ok(()),
        }
        ptrace::setregs(thread, registers)
    }

    fn refuse(&mut self, thread: Pid, registers: &mut nix::libc::user_regs_struct, errno: Errno) {
        registers.orig_rax = u64::MAX; // no call, so the system does nothing
        self.refused.insert(thread, errno);
    }

    /// What a call does, if that is about a file below the folder.
    fn understood(&self, thread: Pid, registers: &nix::libc::user_regs_struct) -> Option<Call> {
        use nix::libc;
        let [first, second, third, fourth] = [registers.rdi, registers.rsi, registers.rdx, registers.r10];
        let here = libc::AT_FDCWD as u64;
        let open = |flags: u64| {
            let changes = (libc::O_WRONLY | libc::O_RDWR | libc::O_CREAT | libc::O_TRUNC) as u64;
            if flags & changes == 0 { Kind::Look } else { Kind::Open }
        };
        let file = |number: u64| self.opened(thread, number);
        let name = |folder: u64, at: u64| self.named(thread, folder, at);
        let (kind, path, to) = match registers.orig_rax.cast_signed() {
            libc::SYS_open => (open(second), name(here, first)?, None),
            libc::SYS_openat => (open(third), name(first, second)?, None),
            libc::SYS_creat => (Kind::Open, name(here, first)?, None),
            libc::SYS_read | libc::SYS_pread64 | libc::SYS_readv | libc::SYS_preadv | libc::SYS_getdents64 => {
                (Kind::Read, file(first)?, None)
            }
            libc::SYS_write | libc::SYS_writev | libc::SYS_pwrite64 | libc::SYS_pwritev | libc::SYS_pwritev2 => {
                (Kind::Write, file(first)?, None)
            }
            libc::SYS_copy_file_range => (Kind::Write, file(third)?, None),
            libc::SYS_sendfile => (Kind::Write, file(first)?, None),
            libc::SYS_fsync | libc::SYS_fdatasync | libc::SYS_sync_file_range | libc::SYS_syncfs => {
                (Kind::Sync, file(first)?, None)
            }
            libc::SYS_rename => (Kind::Rename, name(here, first)?, name(here, second)),
            libc::SYS_renameat | libc::SYS_renameat2 => (Kind::Rename, name(first, second)?, name(third, fourth)),
            libc::SYS_link | libc::SYS_symlink => (Kind::Rename, name(here, first)?, name(here, second)),
            libc::SYS_linkat => (Kind::Rename, name(first, second)?, name(third, fourth)),
            libc::SYS_unlink | libc::SYS_rmdir => (Kind::Unlink, name(here, first)?, None),
            libc::SYS_unlinkat => (Kind::Unlink, name(first, second)?, None),
            libc::SYS_mkdir => (Kind::Mkdir, name(here, first)?, None),
            libc::SYS_mkdirat => (Kind::Mkdir, name(first, second)?, None),
            libc::SYS_fchmod | libc::SYS_fchown => (Kind::Rights, file(first)?, None),
            libc::SYS_chmod | libc::SYS_chown | libc::SYS_lchown => (Kind::Rights, name(here, first)?, None),
            libc::SYS_fchmodat | libc::SYS_fchownat => (Kind::Rights, name(first, second)?, None),
            libc::SYS_ftruncate | libc::SYS_fallocate => (Kind::Truncate, file(first)?, None),
            libc::SYS_truncate => (Kind::Truncate, name(here, first)?, None),
            libc::SYS_flock => (Kind::Lock, file(first)?, None),
            _ => return None,
        };
        let inside = |path: PathBuf| path.strip_prefix(&self.below).ok().map(Path::to_path_buf);
        let is_of_system = registers.orig_rax.cast_signed() == libc::SYS_syncfs;
        Some(Call { kind, path: inside(path)?, to: to.and_then(inside), is_of_system })
    }

    /// The path of an open file.
    fn opened(&self, thread: Pid, number: u64) -> Option<PathBuf> {
        fs::read_link(format!("/proc/{thread}/fd/{}", number as i32)).ok()
    }

    /// The path that a call names.
    fn named(&self, thread: Pid, folder: u64, at: u64) -> Option<PathBuf> {
        let mut bytes = vec![0; nix::libc::PATH_MAX as usize];
        let read = File::open(format!("/proc/{thread}/mem")).ok()?.read_at(&mut bytes, at).ok()?;
        let name = bytes[..read].split(|&byte| byte == 0).next()?;
        let name = Path::new(std::str::from_utf8(name).ok()?);
        let folder = match folder as i32 {
            nix::libc::AT_FDCWD => fs::read_link(format!("/proc/{thread}/cwd")).ok()?,
            number => self.opened(thread, number as u64)?,
        };
        Some(folder.join(name))
    }
}

/// A thread that was killed meanwhile is no error; its end comes next.
fn ignore_dead(result: nix::Result<()>) -> nix::Result<()> {
    if result == Err(Errno::ESRCH) { Ok(()) } else { result }
}
