//! What a run of cargo costs: CPU time of it and its children, and the most memory that a rustc had.

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use super::projects::{Project, root};
use crate::Outcome;
use crate::bench::callgrind::collected;
use crate::process::capture;

/// CPU time and memory.
#[derive(Clone, Copy, Default)]
pub(super) struct Cost {
    /// User and system time of cargo and all that it ran.
    pub(super) cpu: Duration,
    /// The most memory of a rustc, in KiB.
    pub(super) peak: u64,
}

impl Cost {
    /// The lesser of each, where zero is nothing yet.
    pub(super) fn keep_least(&mut self, other: Cost) {
        if self.cpu.is_zero() || other.cpu < self.cpu {
            self.cpu = other.cpu;
        }
        if self.peak == 0 || other.peak < self.peak {
            self.peak = other.peak;
        }
    }
}

/// How often a rustc is asked for its memory.
const PAUSE: Duration = Duration::from_millis(4);

/// Linux tells CPU times in hundredths of a second, whatever its own clock.
const TICK: Duration = Duration::from_millis(10);

/// A wrapper that leaves the number of its process behind and becomes rustc.
const WRAPPER: &str = "#!/bin/sh\necho $$ > \"$COVET_BENCH_PID\"\nexec \"$@\"\n";

/// A wrapper that has callgrind count what rustc does with a project of this benchmark.
const COUNTER: &str = "#!/bin/sh\ncase \"$*\" in\n*--crate-name\\ bench_*) exec valgrind --tool=callgrind \
                       --callgrind-out-file=/dev/null --log-file=\"$COVET_BENCH_LOG\" \"$@\" ;;\n*) exec \"$@\" ;;\nesac\n";

/// Checks the project and gives the instructions of rustc.
pub(super) fn instructions(project: &Project) -> Outcome<f64> {
    let (wrapper, log) = (root().join("count.sh"), root().join("count.log"));
    write_program(&wrapper, COUNTER)?;
    let _ = fs::remove_file(&log);
    let mut command = project.cargo();
    command.args(["check", "--quiet", "--offline"]).env("RUSTC_WRAPPER", &wrapper).env("COVET_BENCH_LOG", &log);
    capture(&mut command)?;
    let told = fs::read_to_string(&log).map_err(|error| format!("{}: {error}", log.display()))?;
    collected(&told).ok_or_else(|| format!("callgrind tells no instructions of rustc:\n{told}"))
}

/// Checks the project, of which nothing but the project itself is to be done.
pub(super) fn check(project: &Project) -> Outcome<Cost> {
    let (wrapper, number) = (root().join("rustc.sh"), root().join("rustc.pid"));
    write_program(&wrapper, WRAPPER)?;
    let _ = fs::remove_file(&number);
    let before = spent()?;
    let mut command = project.cargo();
    command.args(["check", "--quiet", "--offline"]).stdout(Stdio::null()).stderr(Stdio::null());
    command.env("RUSTC_WRAPPER", &wrapper).env("COVET_BENCH_PID", &number);
    let mut child = command.spawn().map_err(|error| format!("cargo does not start: {error}"))?;
    let peak = watch(&mut child, &number)?;
    let cpu = spent()?.saturating_sub(before);
    Ok(Cost { cpu, peak })
}

/// Waits for the end and gives the most memory that was seen.
fn watch(child: &mut Child, number: &Path) -> Outcome<u64> {
    let mut peak = 0;
    loop {
        if let Some(status) = child.try_wait().map_err(|error| format!("lost track of cargo: {error}"))? {
            return if status.success() { Ok(peak) } else { Err(format!("`cargo check` failed ({status})")) };
        }
        if let Ok(process) = fs::read_to_string(number)
            && let Ok(status) = fs::read_to_string(format!("/proc/{}/status", process.trim()))
            && let Some(kibibytes) = high_water(&status)
        {
            peak = peak.max(kibibytes);
        }
        std::thread::sleep(PAUSE);
    }
}

/// The most memory that a process had, of what Linux says of it.
fn high_water(status: &str) -> Option<u64> {
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// The CPU time of all children that were waited for, theirs included.
fn spent() -> Outcome<Duration> {
    let path = "/proc/self/stat";
    let text = fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    let ticks = ticks(&text).ok_or_else(|| format!("{path} has no times of children"))?;
    Ok(TICK * ticks)
}

/// `cutime` and `cstime`, the 16th and 17th field; the second is a name that may have blanks in it.
fn ticks(stat: &str) -> Option<u32> {
    let (_, after) = stat.rsplit_once(')')?;
    let mut fields = after.split_whitespace().skip(13);
    let (user, system): (u32, u32) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    user.checked_add(system)
}

/// Writes it, unless it is there: cargo asks rustc anew who it is whenever the wrapper has another time.
fn write_program(path: &Path, text: &str) -> Outcome {
    use std::os::unix::fs::PermissionsExt as _;
    if fs::read_to_string(path).is_ok_and(|there| there == text) {
        return Ok(());
    }
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    fs::write(path, text).map_err(failed)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::{high_water, ticks};

    #[test]
    fn times_and_memory_are_found_in_what_linux_says() {
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194560 1 2 3 4 5 6 700 80 20 0 1 0 99 1 1";
        assert_eq!(ticks(stat), Some(780));
        assert_eq!(high_water("Name:\tx\nVmHWM:\t  1234 kB\n"), Some(1234));
    }
}
