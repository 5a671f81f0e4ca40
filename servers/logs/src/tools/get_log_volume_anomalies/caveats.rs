//! What a reader must know of the counts: what is told, what is usual, what may still arrive.

use contract::{Draft, counted, time_text};

use super::{
    before::Before,
    count::Counted,
    gather::{Gathered, long},
    show::Picture,
    words,
};
use crate::{
    analysis::volume::{EXCESS, RATIO},
    model::{Freshness, Reply},
};

pub(super) fn caveats(picture: &Picture<'_>, draft: &mut Draft) {
    let gathered = picture.gathered;
    let when = &gathered.when;
    gathered.service.iter().for_each(|service| service.caveat(draft));
    gathered.past.caveat("time_range").into_iter().for_each(|cut| draft.caveat(cut));
    draft.caveat(format!(
        "told is what at least doubles or halves (×{RATIO}) and differs by {EXCESS} records or more; steps of {}",
        long(when.step)
    ));
    beginning(gathered, draft);
    draft.caveat(baseline(gathered));
    before(picture, draft);
    ending(gathered, draft);
    match &gathered.freshness {
        Ok(fresh) => {
            freshness(picture, draft, fresh);
            fresh.partial.iter().for_each(|text| draft.caveat(text.clone()));
        }
        Err(error) => draft.caveat(format!("how late records arrive is not known: {error}")),
    }
    let sparse = gathered.streams.iter().filter(|one| one.judgement.sparse && one.value.is_some()).count();
    if sparse > 0 {
        draft.caveat(format!(
            "{} too little to notice a drop",
            counted(sparse as u64, "stream has", "streams have")
        ));
    }
    for one in &gathered.counted {
        let replies = std::iter::once(&one.now).chain(one.earlier.iter().map(|(_, reply)| reply));
        replies.flat_map(|reply| &reply.partial).for_each(|text| draft.caveat(text.clone()));
    }
    gathered.counted.iter().filter(|one| one.cut).for_each(|one| draft.caveat(beyond(gathered, one)));
    gathered.failed.iter().for_each(|text| draft.caveat(text.clone()));
}

/// Who is not judged, where there are many.
fn beyond(gathered: &Gathered, one: &Counted) -> String {
    let first = gathered.when.first;
    let in_window = |counts: &[u64]| counts.iter().skip(first).sum::<u64>();
    let told: u64 = one.now.value.by.iter().map(|(_, counts)| in_window(counts)).sum();
    let role = words::role(one.role);
    format!(
        "judged one by one are the {} that log most, now or earlier; {} of the {} records of the window are of others or \
         name none",
        counted(one.now.value.by.len() as u64, role, &format!("{role}s")),
        in_window(&one.now.value.total).saturating_sub(told),
        in_window(&one.now.value.total),
    )
}

/// What is known of the time before all that was counted.
fn before(picture: &Picture<'_>, draft: &mut Draft) {
    match picture.before {
        Before::Unasked | Before::Absent(_) | Before::Last(..) => {}
        Before::Unrecorded => {
            draft.caveat("nothing older than that is recorded: what already ran in it looks usual");
        }
        Before::Then(then) => {
            draft.caveat(format!("compared with {} as well", then.window));
            then.reply.partial.iter().for_each(|text| draft.caveat(text.clone()));
        }
        Before::Unread(text) => draft.caveat(text.clone()),
    }
}

fn baseline(gathered: &Gathered) -> String {
    let names = gathered.seasons();
    if names.is_empty() && gathered.when.first == 0 {
        return "nothing is recorded before the window: usual is the rest of it, so nothing is told that lasts for more than half of it"
            .to_owned();
    }
    if names.is_empty() {
        return format!(
            "usual is the mean of the {} before the window and of the window, without what is told: nothing is recorded at the same time of day earlier",
            long(gathered.when.lead_in())
        );
    }
    format!("usual is the same time {} earlier, at today's level", names.join(" and "))
}

fn freshness(picture: &Picture<'_>, draft: &mut Draft, fresh: &Reply<Freshness>) {
    // Whoever stores the time of the event twice tells nothing about arriving.
    if let Some((median, p95)) = fresh.value.lag_seconds.filter(|(_, p95)| *p95 >= 1.0) {
        draft.caveat(format!(
            "the records stored last arrived {} after they happened (median; 95 % within {})",
            words::duration(median),
            words::duration(p95)
        ));
    }
    let newest = fresh.value.newest;
    let behind = newest.map(|newest| picture.gathered.past.window.end().duration_since(newest).as_secs_f64());
    if let (Some(newest), Some(behind)) = (newest, behind)
        && behind > 2.0 * picture.gathered.when.step.as_secs_f64()
    {
        draft.caveat(format!("the newest record of the window is of {}", time_text(newest)));
    }
}

/// That less than the asked window is judged, and why.
fn beginning(gathered: &Gathered, draft: &mut Draft) {
    let (window, skipped) = (gathered.when.window(), gathered.when.skipped);
    let recorded = window.start().checked_sub(skipped).unwrap_or(window.start());
    let nothing = "nothing at all is recorded, which is neither silence nor a baseline";
    let whole = format!("the {} before it are left out, as steps are whole", long(skipped));
    match (recorded > gathered.past.window.start(), skipped.is_zero()) {
        (true, true) => draft.caveat(format!("judged is {window}: before that {nothing}")),
        (true, false) => draft.caveat(format!("judged is {window}: {whole}; before these {nothing}")),
        (false, false) => draft.caveat(format!("judged is {window}: {whole}")),
        (false, true) => {}
    }
}

/// That the end of the asked window is not judged, and why.
fn ending(gathered: &Gathered, draft: &mut Draft) {
    let when = &gathered.when;
    let why = match when.settled < gathered.past.window.end() {
        true => "their records may still arrive",
        false => "steps are whole",
    };
    if !when.left_out.is_zero() {
        draft.caveat(format!("the last {} of the window are left out: {why}", long(when.left_out)));
    }
}
