//! Tables, their columns, and what is inside of columns of JSON.

use std::{collections::BTreeMap, sync::Arc};

use contract::{Context, ErrorKind, Intake, ToolError, nearest};
use serde_json::Value;

use super::{
    frames::Table,
    kql::{name, quoted},
};
use crate::analysis::fields::detect;
use crate::analysis::record::flatten;
use crate::model::{Chosen, Document, FieldInfo, FieldKind, Layout, Role};

/// The most tables that are searched at once.
pub(super) const MOST_TABLES: usize = 20;
/// Longest value of a field that is read, in bytes.
const LONGEST: usize = 256 * 1024;
/// How deep columns of JSON are looked into, and how many names are kept.
const DEEPEST: usize = 6;
const MOST_PATHS: usize = 2_000;
/// The column that names a record's table, where several are searched.
pub(super) const TABLE: &str = "mcp_table";

/// What is known of the tables that are searched.
#[derive(Debug, Default)]
pub(super) struct Schema {
    /// Their names.
    pub(super) tables: Vec<String>,
    /// Type of each column that has the same type in all of them.
    columns: BTreeMap<String, String>,
    /// Column and keys of values inside of columns of JSON, by dotted name.
    paths: BTreeMap<String, (String, Vec<String>)>,
    /// Which field plays which role.
    pub(super) layout: Arc<Layout>,
}

/// The columns of one table, of `.show table T schema as json`.
///
/// # Errors
/// What is wrong with the reply, to read after "answered with".
pub(super) fn columns(reply: &Table) -> Result<Vec<(String, String)>, String> {
    let wrong = || "no schema of the table".to_owned();
    let row = reply.rows.first().ok_or_else(wrong)?;
    let text = reply.value(row, "Schema").and_then(Value::as_str).ok_or_else(wrong)?;
    let schema: Value = serde_json::from_str(text).map_err(|_| wrong())?;
    let columns = schema.get("OrderedColumns").and_then(Value::as_array).ok_or_else(wrong)?;
    let text = |column: &Value, key: &str| Some(column.get(key)?.as_str()?.to_owned());
    Ok(columns.iter().filter_map(|column| Some((text(column, "Name")?, text(column, "CslType")?))).collect())
}

/// Whether records of logs may be in it: it tells moments and texts.
pub(super) fn may_hold_logs(columns: &[(String, String)]) -> bool {
    let any = |types: &[&str]| columns.iter().any(|(_, of)| types.contains(&of.as_str()));
    any(&["datetime"]) && any(&["string", "dynamic"])
}

impl Schema {
    /// Of these tables with their columns, before any record was seen. Also the columns that are left out, because the
    /// tables disagree on their type.
    pub(super) fn new(tables: Vec<(String, Vec<(String, String)>)>) -> (Schema, Vec<String>) {
        let mut schema = Schema::default();
        let mut conflicts = Vec::new();
        for (table, columns) in tables {
            schema.tables.push(table);
            for (column, of) in columns {
                if schema.columns.get(&column).is_some_and(|known| *known != of) {
                    conflicts.push(column.clone());
                }
                schema.columns.entry(column).or_insert(of);
            }
        }
        schema.columns.retain(|column, _| !conflicts.contains(column));
        conflicts.sort();
        conflicts.dedup();
        (schema, conflicts)
    }

    /// The same with the roles of fields, found out from records.
    pub(super) fn with_records(
        mut self,
        cx: &Context,
        records: &Table,
        overrides: &BTreeMap<String, Vec<String>>,
    ) -> Schema {
        for row in &records.rows {
            for ((column, of), value) in records.columns.iter().zip(row) {
                if of == "dynamic" {
                    self.look_into(column, &mut Vec::new(), &parsed(value));
                }
            }
        }
        let documents: Vec<Document> =
            records.rows.iter().map(|row| self.document(&cx.intake, records, row)).collect();
        let columns = self.columns.iter().map(|(column, of)| field(column, kind(of)));
        let inner = self.paths.keys().map(|path| field(path, FieldKind::Keyword));
        let mut layout = detect(&columns.chain(inner).collect::<Vec<_>>(), &documents, overrides);
        // Only moments can be compared with the window.
        for role in [Role::Time, Role::Ingested] {
            if let Some(chosen) = layout.roles.get_mut(&role) {
                chosen.retain(|field| self.columns.get(&field.name).is_some_and(|of| of == "datetime"));
            }
        }
        layout.roles.retain(|_, chosen| !chosen.is_empty());
        self.layout = Arc::new(layout);
        self
    }

    fn look_into(&mut self, column: &str, keys: &mut Vec<String>, value: &Value) {
        let Some(object) = value.as_object() else {
            if !keys.is_empty() && !value.is_null() && self.paths.len() < MOST_PATHS {
                self.paths.insert(format!("{column}.{}", keys.join(".")), (column.to_owned(), keys.clone()));
            }
            return;
        };
        if keys.len() < DEEPEST {
            for (key, value) in object {
                keys.push(key.clone());
                self.look_into(column, keys, value);
                keys.pop();
            }
        }
    }

    /// A record as it is stored.
    pub(super) fn document(&self, intake: &Intake, records: &Table, row: &[Value]) -> Document {
        let mut fields = Vec::new();
        for ((column, of), value) in records.columns.iter().zip(row) {
            if column.starts_with("mcp_") {
                continue;
            }
            let value = if of == "dynamic" { parsed(value) } else { value.clone() };
            flatten(column, &value, &mut fields);
        }
        let table = records.value(row, TABLE).and_then(Value::as_str).map(str::to_owned);
        let shortened = |text: &str| {
            let end = (0..=LONGEST.min(text.len()))
                .rev()
                .find(|end| text.is_char_boundary(*end))
                .unwrap_or_default();
            text.get(..end).unwrap_or_default().to_owned()
        };
        Document {
            index: table.or_else(|| self.tables.first().cloned()).unwrap_or_default(),
            id: String::new(),
            fields: fields
                .into_iter()
                .filter(|(_, value)| !value.is_empty())
                .map(|(name, value)| (intake.field("name", &name), intake.field(&name, &shortened(&value))))
                .collect(),
        }
    }

    /// The columns that tell when a record happened.
    pub(super) fn times(&self) -> Vec<&str> {
        self.layout.of(Role::Time).iter().map(|chosen| chosen.name.as_str()).collect()
    }

    /// The moment of a record.
    ///
    /// # Errors
    /// When no column tells it.
    pub(super) fn time(&self) -> Result<String, ToolError> {
        let columns: Vec<String> = self.times().into_iter().map(name).collect();
        match columns.as_slice() {
            [] => Err(ToolError::new(
                ErrorKind::NotConfigured,
                "no column of these tables tells when a record happened",
                "an operator names it: [[logs]] fields.time = [\"COLUMN\"], a column of type datetime",
            )),
            [one] => Ok(one.clone()),
            several => Ok(format!("coalesce({})", several.join(", "))),
        }
    }

    /// The text of a field by its dotted name.
    ///
    /// # Errors
    /// When there is no such column, with the nearest names.
    pub(super) fn text_of(&self, field: &str) -> Result<String, ToolError> {
        if let Some((column, keys)) = self.paths.get(field) {
            return Ok(inside(column, keys));
        }
        if let Some(of) = self.columns.get(field) {
            let column = name(field);
            return Ok(if of == "string" { column } else { format!("tostring({column})") });
        }
        // A key that no record looked at has. OpenTelemetry's keys have dots in them, nested objects too.
        if let Some((column, rest)) = field.split_once('.').filter(|(column, _)| self.is_json(column)) {
            let as_one = inside(column, &[rest.to_owned()]);
            let nested: Vec<String> = rest.split('.').map(str::to_owned).collect();
            return Ok(if nested.len() == 1 {
                as_one
            } else {
                format!("coalesce({as_one}, {})", inside(column, &nested))
            });
        }
        let known = self.columns.keys().chain(self.paths.keys()).map(String::as_str);
        let meant: Vec<String> = nearest(field, known, 5).into_iter().map(str::to_owned).collect();
        Err(ToolError::invalid("field", &format!("no column is called {field:?}"))
            .remedy(
                "use a column, or a column of JSON and a key in it, such as ResourceAttributes.service.name",
            )
            .nearest(meant))
    }

    fn is_json(&self, column: &str) -> bool {
        self.columns.get(column).is_some_and(|of| of == "dynamic")
    }

    /// Whether the field is a number.
    pub(super) fn is_number(&self, field: &str) -> bool {
        self.columns.get(field).is_some_and(|of| kind(of) == FieldKind::Number)
    }

    /// The texts of the fields of a role.
    ///
    /// # Errors
    /// When nothing plays it.
    pub(super) fn texts_of(&self, role: Role) -> Result<Vec<(&Chosen, String)>, ToolError> {
        let texts: Result<Vec<_>, _> =
            self.layout.of(role).iter().map(|chosen| Ok((chosen, self.text_of(&chosen.name)?))).collect();
        match texts {
            Ok(texts) if texts.is_empty() => Err(ToolError::new(
                ErrorKind::NotConfigured,
                format!("no column of these tables tells the {} of a record", role.name()),
                format!(
                    "leave this argument out; an operator can name it: [[logs]] fields.{} = [\"COLUMN\"]",
                    role.name()
                ),
            )),
            texts => texts,
        }
    }

    /// The first text that the fields of a role have; empty where none does.
    pub(super) fn first_of(&self, role: Role) -> String {
        let texts = self.texts_of(role).unwrap_or_default();
        match texts.as_slice() {
            [] => "\"\"".to_owned(),
            [(_, one)] => one.clone(),
            several => {
                let several: Vec<&str> = several.iter().map(|(_, text)| text.as_str()).collect();
                format!("coalesce({})", several.join(", "))
            }
        }
    }

    /// The tables, as the beginning of a query.
    pub(super) fn rows(&self) -> String {
        match self.tables.as_slice() {
            [one] => name(one),
            several => {
                let several: Vec<String> = several.iter().map(|table| name(table)).collect();
                format!("union withsource={} {}", name(TABLE), several.join(", "))
            }
        }
    }
}

fn inside(column: &str, keys: &[String]) -> String {
    let keys: String = keys.iter().map(|key| format!("[{}]", quoted(key))).collect();
    format!("tostring({}{keys})", name(column))
}

/// Values of columns of JSON come as JSON, or as a text of it.
fn parsed(value: &Value) -> Value {
    let of_text = value.as_str().filter(|text| text.trim_start().starts_with(['{', '[']));
    of_text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_else(|| value.clone())
}

fn field(name: &str, kind: FieldKind) -> FieldInfo {
    FieldInfo { name: name.to_owned(), kind, countable: kind != FieldKind::Other, conflict: false }
}

fn kind(of: &str) -> FieldKind {
    match of {
        "string" | "guid" | "timespan" => FieldKind::Keyword,
        "datetime" => FieldKind::Date,
        "int" | "long" | "real" | "decimal" => FieldKind::Number,
        "bool" => FieldKind::Boolean,
        _ => FieldKind::Other,
    }
}
