//! Certificates: what a prober sees from outside, and what their manager knows.

use crate::World;
use crate::incident::{Effect, STEP};
use crate::random::Random;
use crate::shop::{Convention, NAMESPACE, Service};

use super::kubernetes::{SELDOM, scraped, seldom};
use super::sheet::{ABSENT, Sheet};

const MANAGER: &str = "10.20.3.9:9402";
const DAY: i64 = 86_400;

pub(super) fn emit(world: &World, sheet: &mut Sheet) {
    let mut random = Random::new(world.incident.seed, "certificates");
    for (index, service) in world.shop.services.iter().enumerate() {
        // Of ninety days, renewed when a third is left.
        let left = DAY * 31 + random.below(58 * DAY as usize) as i64;
        let is_victim = world.incident.effect == Effect::Expired && world.incident.victim == index;
        let expires = if is_victim { world.incident.onset } else { world.incident.end() + left };
        let is_probed =
            !matches!(service.speaks, Convention::Worker | Convention::Postgres | Convention::Redis);
        if is_probed {
            Probed { world, index, service, expires }.emit(sheet);
        }
    }
    let steps = world.incident.steps().div_ceil((SELDOM / STEP) as usize);
    let up = ("up", "Whether the last scrape succeeded.");
    let clock = seldom(world, MANAGER, 0);
    sheet.gauge(up, scraped("cert-manager", MANAGER), clock, vec![1.0; steps]);
}

/// A service's certificate.
struct Probed<'a> {
    world: &'a World,
    index: usize,
    service: &'static Service,
    /// Seconds since 1970.
    expires: i64,
}

impl Probed<'_> {
    fn emit(&self, sheet: &mut Sheet) {
        let instance = format!("https://{}.{NAMESPACE}.svc:8443", self.service.name);
        let clock = seldom(self.world, &instance, 0);
        let labels = || {
            let mut labels = scraped("blackbox-tls", &instance);
            let own = [("namespace", NAMESPACE.to_owned()), ("service", self.service.name.to_owned())];
            labels.extend(own);
            labels
        };
        let seconds = |place: usize| clock.at(place) / 1000;
        let places = || 0..self.world.incident.steps().div_ceil((SELDOM / STEP) as usize);
        let works = |place: usize| seconds(place) < self.expires && self.answers(place);
        let about = ("probe_success", "Displays whether or not the probe was a success");
        let success = places().map(|place| f64::from(u8::from(works(place)))).collect();
        sheet.gauge(about, labels(), clock, success);
        // Who refuses a certificate does not say when it ran out: the series ends with it.
        let about = ("probe_ssl_earliest_cert_expiry", "Returns last SSL chain expiry in unixtime");
        let expiry = |place| if works(place) { self.expires as f64 } else { ABSENT };
        sheet.gauge(about, labels(), clock, places().map(expiry).collect());

        let mut known = scraped("cert-manager", MANAGER);
        known.extend([("namespace", NAMESPACE.to_owned()), ("name", name(self.service))]);
        let about = (
            "certmanager_certificate_expiration_timestamp_seconds",
            "The timestamp after which the certificate expires, expressed in Unix Epoch Time.",
        );
        let clock = seldom(self.world, MANAGER, 0);
        sheet.gauge(about, known, clock, places().map(|_| self.expires as f64).collect());
    }

    /// Whether any replica is there.
    fn answers(&self, place: usize) -> bool {
        let step = place * (SELDOM / STEP) as usize;
        let replicas = self.world.history.replicas.iter().filter(|replica| replica.service == self.index);
        replicas.into_iter().any(|replica| replica.steps.get(step).is_some_and(|step| step.live))
    }
}

/// Name of a service's certificate.
pub(crate) fn name(service: &Service) -> String {
    format!("{}-tls", service.name)
}
