//! Who asks whom how often: whole requests, none lost on the way.

use crate::incident::{Effect, HerringKind, Incident, STEP};
use crate::random::Random;
use crate::shop::{CallKind, Node, Shop};

use super::respond::Response;

/// Requests of one node during one step.
#[derive(Debug, Clone, Default)]
pub(super) struct Traffic {
    /// That arrive, by slot.
    pub(super) requests: Vec<u32>,
    /// Calls made, by edge, then by slot of the caller.
    pub(super) calls: Vec<Vec<u32>>,
    /// Of these, ended by the handshake.
    pub(super) refused: Vec<Vec<u32>>,
}

/// One step's flow.
pub(super) struct Flow<'a> {
    pub(super) shop: &'a Shop,
    pub(super) incident: &'a Incident,
    /// Seconds since 1970.
    pub(super) at: i64,
    /// Which slots answer, by service.
    pub(super) live: Vec<Vec<bool>>,
    pub(super) responses: &'a [Response],
    pub(super) random: &'a mut Random,
}

impl Flow<'_> {
    /// Requests and calls of all nodes.
    pub(super) fn run(&mut self, load: f64) -> Vec<Traffic> {
        let shop = self.shop;
        let mut incoming = vec![0_u32; shop.nodes.len()];
        let mut all = Vec::with_capacity(shop.nodes.len());
        for (place, node) in shop.nodes.iter().enumerate() {
            let per_second = self.arriving(place, node, load);
            let live = self.live.get(node.service).cloned().unwrap_or_default();
            let from_outside = self.random.events(per_second * STEP as f64);
            let from_outside = if live.contains(&true) { from_outside } else { 0 };
            let total = from_outside + incoming.get(place).copied().unwrap_or(0);
            let requests = split(total, &live, self.random.unit());

            let response = self.responses.get(place).copied().unwrap_or_default();
            let mut calls = Vec::with_capacity(node.edges.len());
            let mut refused = Vec::with_capacity(node.edges.len());
            for edge in &node.edges {
                // Who is turned away asks nobody; a message follows success.
                let asking = match edge.call.kind {
                    CallKind::Message => 1.0 - response.failed,
                    _ => 1.0 - response.rejected,
                };
                let callee = shop.nodes.get(edge.to).map_or(0, |callee| callee.service);
                let each = edge.call.per_request * asking * self.sent(Some(node.service), callee);
                let made: Vec<u32> =
                    requests.iter().map(|count| self.random.whole(f64::from(*count) * each)).collect();
                let turned_away = self.turned_away(callee, &made);
                if self.live.get(callee).is_some_and(|slots| slots.contains(&true))
                    && let Some(arrived) = incoming.get_mut(edge.to)
                {
                    *arrived += made.iter().sum::<u32>() - turned_away.iter().sum::<u32>();
                }
                calls.push(made);
                refused.push(turned_away);
            }
            all.push(Traffic { requests, calls, refused });
        }
        all
    }

    /// Requests per second from outside.
    fn arriving(&self, place: usize, node: &Node, load: f64) -> f64 {
        let usual = node.operation.from_outside * load * surge(self.incident, node.service, self.at);
        let usual = usual * self.sent(None, node.service) + bump(self.shop, self.incident, place, self.at);
        usual * (1.0 - refused(self.incident, node.service, self.at))
    }

    /// Share of the usual requests that a caller, or the world outside, sends.
    fn sent(&self, from: Option<usize>, to: usize) -> f64 {
        match self.incident.effect {
            Effect::Lose { share, caller } if caller == from && self.incident.victim == to => {
                // Within half a minute.
                1.0 - share * ((self.at - self.incident.onset + STEP) as f64 / 30.0).clamp(0.0, 1.0)
            }
            _ => 1.0,
        }
    }

    /// How many of the calls are ended by the handshake, by slot of the caller.
    fn turned_away(&mut self, callee: usize, made: &[u32]) -> Vec<u32> {
        let share = refused(self.incident, callee, self.at);
        // No number is drawn where nothing is refused.
        made.iter().map(|count| if share > 0.0 { self.random.hits(*count, share) } else { 0 }).collect()
    }
}

/// Divides requests evenly among the live slots; `luck` says who gets the rest.
fn split(total: u32, live: &[bool], luck: f64) -> Vec<u32> {
    let count = live.iter().filter(|is_live| **is_live).count().max(1) as f64;
    let (mut seen, mut given) = (0.0, 0);
    let mut shares = Vec::with_capacity(live.len());
    for is_live in live {
        seen += f64::from(u8::from(*is_live));
        let reached = if seen == count { total } else { (f64::from(total) * seen / count + luck) as u32 };
        let reached = reached.clamp(given, total);
        shares.push(if *is_live { reached - given } else { 0 });
        given = if *is_live { reached } else { given };
    }
    shares
}

/// Share of calls to a service that its certificate ends: those over connections that were opened before it ran
/// out go on until these are closed, within three minutes.
pub(super) fn refused(incident: &Incident, service: usize, at: i64) -> f64 {
    match incident.effect {
        Effect::Expired if service == incident.victim => {
            ((at - incident.onset + STEP) as f64 / 180.0).clamp(0.0, 1.0)
        }
        _ => 0.0,
    }
}

/// Times as many requests as usual at the entrance that a surge hits.
fn surge(incident: &Incident, service: usize, at: i64) -> f64 {
    match incident.effect {
        Effect::Surge { times, ramp } if service == incident.victim => {
            let risen = ((at - incident.onset + STEP) as f64 / ramp).clamp(0.0, 1.0);
            1.0 + (times - 1.0) * risen
        }
        _ => 1.0,
    }
}

/// Requests per second that a campaign adds, within two minutes, to a service's first operation.
fn bump(shop: &Shop, incident: &Incident, place: usize, at: i64) -> f64 {
    let Some(node) = shop.nodes.get(place) else { return 0.0 };
    if shop.nodes.iter().position(|other| other.service == node.service) != Some(place) {
        return 0.0;
    }
    let of_service = incident.herrings.iter().filter(|herring| herring.service == node.service);
    of_service
        .map(|herring| match herring.kind {
            HerringKind::Bump { per_second } => {
                per_second * ((at - herring.start) as f64 / 120.0).clamp(0.0, 1.0)
            }
            _ => 0.0,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_request_is_lost_or_given_to_the_dead(
            total in 0_u32..10_000,
            live in prop::collection::vec(any::<bool>(), 1..6),
            luck in 0.0..1.0_f64,
        ) {
            let shares = split(total, &live, luck);
            let expected = if live.contains(&true) { total } else { 0 };
            prop_assert_eq!(shares.iter().sum::<u32>(), expected);
            let alive: Vec<u32> = live.iter().zip(&shares).filter(|(l, _)| **l).map(|(_, s)| *s).collect();
            prop_assert!(live.iter().zip(&shares).all(|(is_live, share)| *is_live || *share == 0));
            if let (Some(most), Some(least)) = (alive.iter().max(), alive.iter().min()) {
                prop_assert!(most - least <= 2, "{:?}", shares);
            }
        }
    }
}
