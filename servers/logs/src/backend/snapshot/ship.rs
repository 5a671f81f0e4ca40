//! From recorded lines to fields, as a shipper of logs would have made them.

use ::snapshot::{LogRecord, SnapshotError, holds_documents, subject};
use lucene::Builder;

use super::load::{INDEX, INSIDE};
use crate::analysis::fields::rank;
use crate::analysis::record::{
    Writer, flattened, has_columns, in_columns, is_document, prefix_of, roles_in_pairs,
};
use crate::model::Role;

/// Records at the beginning of a file by which its habits are found.
const HELD: usize = 50;

/// Field and value, in the order of the record.
type Pairs = Vec<(String, String)>;

/// What the records of a file have in common.
#[derive(Debug, Clone, Copy)]
struct Habits {
    /// Whether lines of text name a service and its pod behind time and level.
    columns: bool,
    /// Whether a document without a service has that of the file. Not in a dump that names services: it may be anybody's.
    of_file: bool,
}

/// A record on its way in.
struct Taken {
    pairs: Pairs,
    is_document: bool,
}

/// Takes records in, file by file.
#[derive(Default)]
pub(super) struct Shipper {
    builder: Builder,
    file: String,
    /// The first records of a file, while its habits are not known.
    held: Vec<Taken>,
    habits: Option<Habits>,
}

impl Shipper {
    pub(super) fn take(&mut self, record: &LogRecord<'_>) -> Result<(), String> {
        if self.file != record.file {
            self.release()?;
            record.file.clone_into(&mut self.file);
            self.habits = None;
        }
        let pairs = if record.is_document { of_document(record)? } else { of_text(record) };
        let taken = Taken { pairs, is_document: record.is_document };
        match self.habits {
            Some(habits) => self.push_as(taken, habits),
            None => {
                self.held.push(taken);
                if self.held.len() >= HELD { self.release() } else { Ok(()) }
            }
        }
    }

    pub(super) fn finish(mut self) -> Result<Builder, SnapshotError> {
        match self.release() {
            Ok(()) => Ok(self.builder),
            Err(problem) => Err(SnapshotError { file: self.file, line: None, problem }),
        }
    }

    /// Decides by the records that were held.
    fn release(&mut self) -> Result<(), String> {
        let held = std::mem::take(&mut self.held);
        let lines = held.iter().filter(|taken| !taken.is_document);
        let texts: Vec<&str> = lines.filter_map(|taken| value(&taken.pairs, MESSAGE)).collect();
        let is_dump = holds_documents(&self.file) && held.iter().any(|taken| names_service(&taken.pairs));
        let habits = Habits { columns: has_columns(&texts), of_file: !is_dump };
        self.habits = Some(habits);
        held.into_iter().try_for_each(|taken| self.push_as(taken, habits))
    }

    fn push_as(&mut self, taken: Taken, habits: Habits) -> Result<(), String> {
        let Taken { mut pairs, is_document } = taken;
        if is_document {
            if habits.of_file && !names_service(&pairs) {
                pairs.push(named(SERVICE, subject(&self.file)));
            }
            return self.push(&pairs);
        }
        let said = value(&pairs, MESSAGE).filter(|_| habits.columns).and_then(in_columns);
        let said = said.map(|(service, pod)| (service.to_owned(), pod.to_owned()));
        if let Some((service, pod)) = said.filter(|_| value(&pairs, POD).is_none()) {
            set(&mut pairs, SERVICE, service);
            set(&mut pairs, POD, pod);
        }
        self.push(&pairs)
    }

    fn push(&mut self, pairs: &Pairs) -> Result<(), String> {
        let pairs = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        self.builder.push(pairs).map_err(|error| error.to_string())
    }
}

const MESSAGE: &str = "message";
const SERVICE: &str = "service.name";
const POD: &str = "kubernetes.pod.name";
const HOST: &str = "host.name";

fn named(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

fn value<'a>(pairs: &'a Pairs, name: &str) -> Option<&'a str> {
    pairs.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
}

fn set(pairs: &mut Pairs, name: &str, value: String) {
    match pairs.iter_mut().find(|(own, _)| own == name) {
        Some((_, own)) => *own = value,
        None => pairs.push((name.to_owned(), value)),
    }
}

/// Whether a field of a record can be its service's, by the whole name or its last part.
fn names_service(pairs: &Pairs) -> bool {
    let is_of_service = |name: &str| {
        let name = name.rsplit(INSIDE).next().unwrap_or(name);
        let last = name.rsplit('.').next().unwrap_or(name);
        rank(Role::Service, name).or_else(|| rank(Role::Service, last)).is_some()
    };
    pairs.iter().any(|(name, value)| !value.is_empty() && is_of_service(name))
}

/// The fields of a document, and of documents inside of its messages.
fn of_document(record: &LogRecord<'_>) -> Result<Pairs, String> {
    let mut fields = flattened(record.text).ok_or("is not a JSON object")?;
    let inner =
        fields.iter().filter(|(name, value)| is_document(value) && rank(Role::Message, name).is_some());
    let inner: Pairs = inner.flat_map(|(name, value)| inner_fields(name, value)).collect();
    fields.extend(inner);
    fields.extend(of_record(record));
    Ok(fields)
}

/// A line, whose it is, and what its prefix names: of syslog machine and program.
fn of_text(record: &LogRecord<'_>) -> Pairs {
    let of_file = subject(record.file);
    let prefix = prefix_of(record.text, Writer { service: Some(of_file), place: None });
    let service = record.origin.map(|(_, container)| container).or(prefix.app).unwrap_or(of_file);
    let mut fields = vec![named(MESSAGE, record.text), named(SERVICE, service)];
    fields.extend(prefix.host.map(|host| named(HOST, host)));
    for (role, value) in roles_in_pairs(record.text) {
        let name = match role {
            // Whose a container's lines are is known.
            Role::Service if record.origin.is_none() => SERVICE,
            Role::Version => "service.version",
            Role::Pod if record.origin.is_none() => POD,
            Role::Host => HOST,
            _ => continue,
        };
        set(&mut fields, name, value.to_owned());
    }
    fields.extend(of_record(record));
    fields
}

/// What is known besides the text.
fn of_record(record: &LogRecord<'_>) -> impl Iterator<Item = (String, String)> {
    let at = record.at.map(|at| ("@timestamp".to_owned(), at.to_string()));
    let origin = record
        .origin
        .map(|(pod, container)| [named(POD, pod), named("kubernetes.container.name", container)]);
    at.into_iter().chain(origin.into_iter().flatten()).chain([named(INDEX, record.file)])
}

/// Of a document inside of a field, what plays a role.
fn inner_fields(outer: &str, document: &str) -> Pairs {
    let fields = flattened(document).unwrap_or_default();
    let plays = |name: &str| Role::ALL.into_iter().any(|role| rank(role, name).is_some());
    let of_roles = fields.into_iter().filter(|(name, _)| plays(name));
    of_roles.map(|(name, value)| (format!("{outer}{INSIDE}{name}"), value)).collect()
}
