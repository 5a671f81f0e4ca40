//! Records counted along one key, now and earlier, each value in every window.

use std::{collections::BTreeSet, time::Duration};

use contract::{Context, ToolError, Untrusted};
use futures_util::future::{join, join_all};

use super::words;
use crate::{
    backend::Logs,
    model::{Condition, Histogram, Key, Reply, Role, Search},
};

/// Values that a store is asked to list. Services beyond these are many, and small.
const MOST: usize = 50;
/// Values asked for by name at once: fewer than are listed, because other spellings of them are found too.
const NAMED: usize = MOST / 2;

/// Records counted along one key.
pub(super) struct Counted {
    /// The key's role.
    pub(super) role: Role,
    /// Lead-in and window.
    pub(super) now: Reply<Histogram>,
    /// The same steps earlier, where they could be read: `1d`.
    pub(super) earlier: Vec<(&'static str, Reply<Histogram>)>,
    /// Whether there may be values of which nothing is known.
    pub(super) cut: bool,
}

/// What is counted, and in which windows.
#[derive(Clone, Copy)]
pub(super) struct Question<'a> {
    pub(super) cx: &'a Context,
    pub(super) store: &'a dyn Logs,
    pub(super) step: Duration,
    /// Lead-in and window.
    pub(super) now: &'a Search,
    /// The same steps earlier.
    pub(super) earlier: &'a [(&'static str, Search)],
}

impl Question<'_> {
    /// Counts by a role. What could not be asked of earlier windows is added to `failed`.
    ///
    /// # Errors
    /// When the records of now can't be counted.
    pub(super) async fn by(&self, role: Role, failed: &mut Vec<String>) -> Result<Counted, ToolError> {
        let before = join_all(self.earlier.iter().map(|(_, search)| self.ask(role, search)));
        let (now, before) = join(self.ask(role, self.now), before).await;
        let mut now = now?;
        let mut earlier = Vec::new();
        for ((name, search), reply) in self.earlier.iter().zip(before) {
            match reply {
                Ok(reply) => earlier.push((*name, search, reply)),
                Err(error) => failed.push(unread(name, &error)),
            }
        }
        let cut = is_cut(&now);
        let lists = std::iter::once(&now).chain(earlier.iter().map(|(_, _, reply)| reply));
        let known: BTreeSet<Untrusted> =
            lists.flat_map(|reply| reply.value.by.iter().map(|(value, _)| value.clone())).collect();
        if let Err(error) = self.complete(role, self.now, &mut now, &known).await {
            failed.push(format!(
                "who logged much earlier and little now could not be counted by {}: {error}",
                words::role(role)
            ));
        }
        let mut complete = Vec::new();
        for (name, search, mut reply) in earlier {
            match self.complete(role, search, &mut reply, &known).await {
                Ok(()) => complete.push((name, reply)),
                Err(error) => failed.push(unread(name, &error)),
            }
        }
        Ok(Counted { role, now, earlier: complete, cut })
    }

    async fn ask(&self, role: Role, search: &Search) -> Result<Reply<Histogram>, ToolError> {
        self.store.histogram(self.cx, search, self.step, Some((&Key::Role(role), MOST))).await
    }

    /// Adds the values that this list lacks and another has. Who is not in a list of the most frequent values may have
    /// logged as ever: it is counted by name, and left out where that tells nothing.
    async fn complete(
        &self,
        role: Role,
        search: &Search,
        reply: &mut Reply<Histogram>,
        known: &BTreeSet<Untrusted>,
    ) -> Result<(), ToolError> {
        let zeros = vec![0; reply.value.total.len()];
        let listed: BTreeSet<Untrusted> = reply.value.by.iter().map(|(value, _)| value.clone()).collect();
        let lacking: Vec<&Untrusted> = known.difference(&listed).collect();
        if !is_cut(reply) {
            reply.value.by.extend(lacking.into_iter().map(|value| (value.clone(), zeros.clone())));
            return Ok(());
        }
        // What is no plain name may be masked, and then nothing is found by it.
        let named: Vec<&Untrusted> = lacking.into_iter().filter(|value| value.plain().is_some()).collect();
        if !named.is_empty() {
            reply.sent.push_str(&format!(" and {} more by name", named.len()));
        }
        for names in named.chunks(NAMED) {
            let is = |name: &&Untrusted| Condition::Is(role, name.inside().to_owned());
            let mut search = search.clone();
            search.conditions.push(Condition::Any(names.iter().map(is).collect()));
            let found = self.ask(role, &search).await?;
            reply.partial.extend(found.partial.iter().cloned());
            for name in names {
                let counts = found.value.by.iter().find(|(value, _)| value == *name);
                match counts {
                    Some(counted) => reply.value.by.push(counted.clone()),
                    None if is_cut(&found) => {}
                    None => reply.value.by.push(((*name).clone(), zeros.clone())),
                }
            }
        }
        Ok(())
    }
}

/// Whether a list may lack values: it is as long as a list can be.
fn is_cut(reply: &Reply<Histogram>) -> bool {
    reply.value.by.len() >= MOST
}

fn unread(name: &str, error: &ToolError) -> String {
    format!("the window {name} earlier could not be read: {error}")
}
