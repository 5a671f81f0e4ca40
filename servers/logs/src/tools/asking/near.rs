//! The service that may have been meant, where nothing was found of the one that was named.

use contract::{Context, TimeRange, ToolError, Untrusted, counted, nearest};

use crate::{
    backend::Logs,
    model::{Key, Reply, Role, Search},
};

/// Services among which a name is looked for.
const SERVICES: usize = 500;
/// Names that may have been meant.
const NEAREST: usize = 5;

/// Services that a name of which nothing was found may mean.
#[derive(Debug, Clone)]
pub(crate) struct Near {
    /// Those with a name like it, else those that log most.
    names: Vec<Untrusted>,
    alike: bool,
    /// How many services there are, and whether even more.
    all: (u64, bool),
}

impl Near {
    /// Whether there is no service at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The service that was probably meant: a name like no other is no slip of the finger.
    pub(crate) fn meant(&self) -> Option<&str> {
        self.names.first().filter(|_| self.alike).and_then(Untrusted::plain)
    }

    /// `nearest of 12 services: payment`, or `there are 12 services, such as web, cart`.
    pub(crate) fn told(&self) -> String {
        let names: Vec<String> = self.names.iter().map(|name| name.shown(60)).collect();
        let (listed, more) = self.all;
        let all = if more { "more than " } else { "" };
        let (names, all) = (names.join(", "), format!("{all}{}", counted(listed, "service", "services")));
        match more || listed > self.names.len() as u64 {
            _ if self.alike => format!("nearest of {all}: {names}"),
            true => format!("there are {all}, such as {names}"),
            false => format!("services that log: {names}"),
        }
    }
}

/// Services near to one of which nothing was found; none when there is no service at all.
pub(super) async fn services_like(
    cx: &Context,
    store: &dyn Logs,
    window: TimeRange,
    name: &str,
) -> Result<Reply<Near>, ToolError> {
    let search = Search { window, text: None, conditions: Vec::new() };
    let Reply { value: top, sent, partial } =
        store.top(cx, &search, &Key::Role(Role::Service), SERVICES).await?;
    let all = top.seen();
    let names: Vec<Untrusted> = top.values.into_iter().map(|group| group.value).collect();
    let near = nearest(name, names.iter().map(Untrusted::inside), NEAREST);
    let found: Vec<Untrusted> =
        near.iter().filter_map(|near| names.iter().find(|name| name.inside() == *near).cloned()).collect();
    let value = match found.is_empty() {
        true => Near { names: names.into_iter().take(NEAREST).collect(), alike: false, all },
        false => Near { names: found, alike: true, all },
    };
    Ok(Reply { value, sent, partial })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn services_that_are_listed_in_part_are_told_with_their_number() {
        let intake = Context::for_test(Timestamp::UNIX_EPOCH).intake;
        let near = |names: &[&str], alike, all| Near {
            names: names.iter().map(|name| intake.text(name)).collect(),
            alike,
            all,
        };
        for (near, told, meant) in [
            (near(&["payment"], true, (12, false)), "nearest of 12 services: payment", Some("payment")),
            (near(&["web", "cart"], false, (12, false)), "there are 12 services, such as web, cart", None),
            (
                near(&["web", "cart"], false, (2, true)),
                "there are more than 2 services, such as web, cart",
                None,
            ),
            (near(&["web", "cart"], false, (2, false)), "services that log: web, cart", None),
        ] {
            assert_eq!((near.told().as_str(), near.meant()), (told, meant));
        }
    }
}
