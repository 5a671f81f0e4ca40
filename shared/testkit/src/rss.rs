//! How much memory a process took, from `/proc/PID/status` (Linux only).
//!
//! The peak is over the whole life of the process and is never reset: measure one thing per process. Start a
//! fresh child, make it do what is measured, read the peak while it still runs (a process that has ended has
//! no figures any more).
//!
//! The kernel counts per processor and adds up only now and then: by proc(5) these values are inaccurate. Here
//! a peak was seen 140 KiB below a figure that had been read before it. Do not compare to the byte.

/// The most memory process `pid` has ever had resident, in bytes (`VmHWM`).
///
/// Panics when there is no such process, when it has ended, or on a system without `/proc`.
pub fn peak_rss_bytes(pid: u32) -> u64 {
    bytes_of("VmHWM", &status_of(pid))
}

/// The memory process `pid` has resident now, in bytes (`VmRSS`). Panics as [`peak_rss_bytes`] does.
pub fn current_rss_bytes(pid: u32) -> u64 {
    bytes_of("VmRSS", &status_of(pid))
}

/// The memory of process `pid` that is pages of files now, in bytes (`RssFile`): its program, as far as it has run. A test's
/// program is not optimised and several times as large as a release; what a call takes is the peak less this.
pub fn file_rss_bytes(pid: u32) -> u64 {
    bytes_of("RssFile", &status_of(pid))
}

fn status_of(pid: u32) -> String {
    let path = format!("/proc/{pid}/status");
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("failed to read {path}: {error}"))
}

/// A line of the file reads `VmHWM:     5264 kB`; by proc(5) the unit is always kB, meaning 1,024 bytes.
fn bytes_of(field: &str, status: &str) -> u64 {
    let value = status
        .lines()
        .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))
        .unwrap_or_else(|| panic!("no {field} in the status of the process; has it ended?"));
    let kibibytes = value.trim().strip_suffix(" kB").expect("a figure in kB");
    kibibytes.trim().parse::<u64>().expect("a whole number of kB") * 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines as proc(5) of the Linux man-pages project shows them.
    const STATUS: &str =
        "Name:\tbash\nPid:\t17248\nVmPeak:\t  131168 kB\nVmHWM:\t   13484 kB\nVmRSS:\t   10484 kB\n";

    #[test]
    fn a_figure_in_kb_is_read_as_multiples_of_1024_bytes() {
        assert_eq!(bytes_of("VmHWM", STATUS), 13_807_616);
        assert_eq!(bytes_of("VmRSS", STATUS), 10_735_616);
    }

    #[test]
    #[should_panic(expected = "has it ended?")]
    fn a_process_without_memory_is_refused() {
        bytes_of("VmHWM", "Name:\tbash\nState:\tZ (zombie)\n");
    }

    #[test]
    fn the_peak_remembers_memory_that_was_given_back() {
        const SIZE: usize = 64 << 20;
        let own = std::process::id();

        let block = std::hint::black_box(vec![1_u8; SIZE]);
        let held = current_rss_bytes(own);
        drop(block);
        let after = current_rss_bytes(own);

        assert!(held >= SIZE as u64, "{held} bytes resident while {SIZE} were held");
        assert!(after < held - (SIZE as u64) / 2, "{after} bytes resident after giving back from {held}");
        let peak = peak_rss_bytes(own);
        assert!(peak >= SIZE as u64 && peak > after, "peak {peak}, {after} now, {held} before");
    }
}
