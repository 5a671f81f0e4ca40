//! Which of a record's fields play which role.

use jiff::Timestamp;

use crate::analysis::fields::rank;
use crate::model::{Layout, Level, Role};

use super::{level_of_field, moment_of_field};

/// Places in a record's list of fields, and what their values say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// When it happened.
    pub(crate) at: Option<Timestamp>,
    /// When it was stored.
    pub(crate) ingested: Option<Timestamp>,
    /// What a field says; the message was not looked at.
    pub(crate) level: Option<Level>,
    /// Who said it.
    pub(crate) service: Option<usize>,
    /// Version.
    pub(crate) version: Option<usize>,
    /// Pod, else container, else machine.
    pub(crate) place: Option<usize>,
    /// Machine.
    pub(crate) host: Option<usize>,
    /// Trace id.
    pub(crate) trace: Option<usize>,
    /// Message.
    pub(crate) message: Option<usize>,
    /// All places that play a role.
    pub(crate) used: Vec<usize>,
}

/// Finds the roles in `fields`: the first `own` are the record's, the others of JSON documents inside of them. Those
/// come second, but for the message: what contains a document is not what was said.
pub(crate) fn find(fields: &[(&str, &str)], own: usize, layout: &Layout) -> Found {
    let mut found = Found::default();
    let mut used = Vec::new();
    let mut first = |role: Role| {
        let place = of_record(fields, own, layout, role).chain(of_inner(fields, own, role)).next();
        used.extend(place);
        place
    };
    found.service = first(Role::Service);
    found.version = first(Role::Version);
    found.host = first(Role::Host);
    found.place = first(Role::Pod).or_else(|| first(Role::Container)).or(found.host);
    found.trace = first(Role::Trace);
    let of_inner_message = of_inner(fields, own, Role::Message).next();
    found.message = of_inner_message.or_else(|| of_record(fields, own, layout, Role::Message).next());
    used.extend(found.message);

    let mut saying = |role: Role, place: usize| {
        used.push(place);
        fields.get(place).map(|(name, value)| (role, *name, *value))
    };
    let places = |role: Role| of_record(fields, own, layout, role).chain(of_inner(fields, own, role));
    found.at = places(Role::Time)
        .find_map(|place| saying(Role::Time, place).and_then(|(_, _, value)| moment_of_field(value)));
    found.ingested = places(Role::Ingested)
        .find_map(|place| saying(Role::Ingested, place).and_then(|(_, _, value)| moment_of_field(value)));
    found.level = places(Role::Level).find_map(|place| {
        saying(Role::Level, place).and_then(|(_, name, value)| level_of_field(name, value))
    });
    found.used = used;
    found
}

/// Places of a role among the record's own fields, the preferred first.
fn of_record<'a>(
    fields: &'a [(&str, &str)],
    own: usize,
    layout: &'a Layout,
    role: Role,
) -> impl Iterator<Item = usize> + 'a {
    layout.of(role).iter().flat_map(move |chosen| {
        let of_name = fields.iter().take(own).enumerate();
        of_name
            .filter(|(_, (name, value))| *name == chosen.name && !value.is_empty())
            .map(|(place, _)| place)
            .take(1)
    })
}

/// Places of a role in documents inside of fields, by known names only.
fn of_inner<'a>(fields: &'a [(&str, &str)], own: usize, role: Role) -> impl Iterator<Item = usize> + 'a {
    let inner = fields.iter().enumerate().skip(own).filter(|(_, (_, value))| !value.is_empty());
    let mut ranked: Vec<(usize, usize)> =
        inner.filter_map(|(place, (name, _))| Some((rank(role, name)?, place))).collect();
    ranked.sort_unstable();
    ranked.into_iter().map(|(_, place)| place)
}
