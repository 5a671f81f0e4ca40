//! The identity of a trace.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use crate::model::{Frame, Language, Trace};
use crate::normal::normal;

/// How many different functions of each exception count. Below that, a recursion that was cut at another depth would
/// change the identity.
const FUNCTIONS: usize = 32;
/// How many frames of libraries stand in when a trace has none of the application.
const STAND_IN: usize = 3;

/// The language, the types along the chain, and under each the different functions of the application, innermost first.
/// Messages, lines, addresses, library frames and what hangs beside the chain have no part in it. Without any frame of the
/// application, the innermost frames of the root cause stand in.
pub(crate) fn fingerprint(trace: &Trace) -> String {
    let mut hash = Sha256::new();
    let mut add = |kind: &str, text: &str| {
        for part in [kind, text] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
    };
    add("language", trace.language.map_or("", Language::name));
    let mut any = false;
    for exception in trace.chain() {
        add("type", exception.type_name.as_deref().unwrap_or_default());
        for name in
            names(trace.language, exception.frames.iter().filter(|frame| frame.in_application), FUNCTIONS)
        {
            add("function", &name);
            any = true;
        }
    }
    if !any {
        for name in names(trace.language, trace.root_cause.frames.iter(), STAND_IN) {
            add("library", &name);
        }
    }
    hex::encode(hash.finalize().get(..8).unwrap_or_default())
}

/// The different names of these frames in the order of their first appearance.
fn names<'f>(
    language: Option<Language>,
    frames: impl Iterator<Item = &'f Frame>,
    at_most: usize,
) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let names = frames.filter_map(|frame| {
        language.map_or(Some(frame.function.clone()), |language| normal(language, frame))
    });
    names.filter(|name| seen.insert(name.clone())).take(at_most).collect()
}
