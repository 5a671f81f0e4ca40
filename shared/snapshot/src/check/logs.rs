//! What there is of logs, and when it is from.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::{Kind, LogRecord, Snapshot, SnapshotError, manifest::Window, moment};

/// Where most documents have their time, in any case.
const USUAL: [&str; 13] = [
    "@timestamp",
    "timestamp",
    "TimeGenerated",
    "time",
    "ts",
    "@t",
    "timeUnixNano",
    "date",
    "datetime",
    "asctime",
    "eventTime",
    "timeMillis",
    "observed_timestamp",
];

impl Snapshot {
    pub(super) fn check_logs(&self, times: &[String]) -> Result<String, Vec<SnapshotError>> {
        let mut counts = Counts::default();
        let window = self.manifest().window;
        let mut faults = Vec::new();
        for file in self.of(Kind::Logs) {
            let read = self.log_file(file, &mut |record| counts.add(record, window, times));
            faults.extend(read.err());
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        match counts.problem(window, times, &self.manifest().id) {
            // Longer than what is told of a line that can't be read.
            Some(problem) => Err(vec![SnapshotError { file: "logs".to_owned(), line: None, problem }]),
            None => Ok(counts.told(self.of(Kind::Logs).count())),
        }
    }
}

/// Records of logs.
#[derive(Default)]
struct Counts {
    records: u64,
    untimed: u64,
    /// Of those without a time, JSON documents.
    untimed_documents: u64,
    outside: u64,
    reach: Option<(Timestamp, Timestamp)>,
}

impl Counts {
    fn add(&mut self, record: &LogRecord<'_>, window: Window, times: &[String]) -> Result<(), String> {
        self.records += 1;
        let own = if record.is_document { time_of_document(record.text, times)? } else { None };
        let Some(at) = own.or(record.at) else {
            self.untimed += 1;
            self.untimed_documents += u64::from(record.is_document);
            return Ok(());
        };
        self.outside += u64::from(at < window.start || at > window.end);
        let (first, last) = self.reach.unwrap_or((at, at));
        self.reach = Some((first.min(at), last.max(at)));
        Ok(())
    }

    /// What keeps every record out of the window, where something does.
    fn problem(&self, window: Window, times: &[String], id: &str) -> Option<String> {
        let Counts { records, untimed, outside, .. } = self;
        if *records == 0 || outside + untimed < *records {
            return None;
        }
        let mut problem = match *outside {
            0 => format!("none of {} has a time", counted(*records, "record")),
            _ => {
                let (start, end, reach) = (window.start, window.end, self.reached());
                format!(
                    "{} with a time, all outside the window {start} to {end}:{reach}",
                    counted(*outside, "record")
                )
            }
        };
        if *outside > 0 && *untimed > 0 {
            problem.push_str(&format!("; {untimed} without a time"));
        }
        if self.untimed_documents > 0 {
            let usual = || USUAL.join(", ");
            let looked_in = if times.is_empty() { usual() } else { times.join(", ") };
            problem.push_str(&format!(
                "; that of a JSON document was looked for in {looked_in}: name its field in the configuration of \
                 logs-mcp, [[logs]] source = \"{id}\", fields.time = [\"FIELD\"]"
            ));
        }
        Some(problem)
    }

    fn reached(&self) -> String {
        self.reach.map_or(String::new(), |(first, last)| format!(" from {first} to {last}"))
    }

    fn told(&self, files: usize) -> String {
        if files == 0 {
            return "none".to_owned();
        }
        let Counts { records, untimed, outside, .. } = self;
        let (records, files) = (counted(*records, "record"), counted(files as u64, "file"));
        let reach = self.reached();
        format!("{records} of {files}{reach}, {outside} of them outside the window, {untimed} without a time")
    }
}

fn counted(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// The time of a JSON document, in these fields or those of the usual names.
fn time_of_document(text: &str, times: &[String]) -> Result<Option<Timestamp>, String> {
    let document: Map<String, Value> = serde_json::from_str(text).map_err(|error| {
        // Its own line, always the first, is not that of the file.
        let told = error.to_string();
        let problem = told.split(" at line ").next().unwrap_or_default();
        format!("is not a JSON object ({problem} at character {})", error.column())
    })?;
    let read = |value: &Value| match value {
        Value::String(text) => moment(text, None),
        other => moment(&other.to_string(), None),
    };
    if times.is_empty() {
        let named = |name: &&str| document.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
        return Ok(USUAL.iter().filter_map(named).find_map(|(_, value)| read(value)));
    }
    Ok(times.iter().filter_map(|name| field(&document, name)).find_map(read))
}

/// A field by its dotted name, however much of it is one key.
fn field<'d>(document: &'d Map<String, Value>, name: &str) -> Option<&'d Value> {
    let deeper = || {
        name.match_indices('.').find_map(|(at, _)| {
            let (outer, inner) = name.split_at_checked(at)?;
            field(document.get(outer)?.as_object()?, inner.strip_prefix('.')?)
        })
    };
    document.get(name).or_else(deeper)
}
