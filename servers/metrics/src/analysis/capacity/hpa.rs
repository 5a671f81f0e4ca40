//! What a lower request does to an autoscaler that targets a percentage of it.

use std::collections::BTreeMap;

use contract::Untrusted;

use super::Resource;
use crate::model::Series;

/// Within this share of its target an autoscaler does nothing
/// (`--horizontal-pod-autoscaler-tolerance`, 0.1 by default).
const TOLERANCE: f64 = 0.1;

/// A HorizontalPodAutoscaler as kube-state-metrics tells it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Autoscaler {
    pub(crate) namespace: Option<Untrusted>,
    pub(crate) name: Untrusted,
    /// Targets in percent of the request.
    pub(crate) targets: BTreeMap<Resource, f64>,
    pub(crate) min: Option<f64>,
    pub(crate) max: Option<f64>,
    /// Replicas now.
    pub(crate) current: Option<f64>,
}

/// The autoscalers in a reply that scale the workload of this name: because they say so, or else by their own name.
pub(crate) fn autoscalers(series: &[Series], workload: &str) -> Vec<Autoscaler> {
    let mut found: BTreeMap<(Option<Untrusted>, Untrusted), Autoscaler> = BTreeMap::new();
    let mut scales: BTreeMap<(Option<Untrusted>, Untrusted), bool> = BTreeMap::new();
    for one in series {
        let (Some(metric), Some(name)) = (one.labels.name(), one.labels.get("horizontalpodautoscaler"))
        else {
            continue;
        };
        let Some(value) = one.points.last().map(|point| point.value).filter(|value| value.is_finite()) else {
            continue;
        };
        let key = (one.labels.get("namespace").cloned(), name.clone());
        let entry = found.entry(key.clone()).or_insert_with(|| Autoscaler {
            namespace: key.0.clone(),
            name: name.clone(),
            targets: BTreeMap::new(),
            min: None,
            max: None,
            current: None,
        });
        match metric.inside() {
            "kube_horizontalpodautoscaler_info" => {
                let target = one.labels.get("scaletargetref_name");
                scales.insert(key, target.is_some_and(|target| target.inside() == workload));
            }
            "kube_horizontalpodautoscaler_spec_min_replicas" => entry.min = Some(value),
            "kube_horizontalpodautoscaler_spec_max_replicas" => entry.max = Some(value),
            "kube_horizontalpodautoscaler_status_current_replicas" => entry.current = Some(value),
            "kube_horizontalpodautoscaler_spec_target_metric" => {
                let is = |label: &str, wanted: &str| {
                    one.labels.get(label).is_some_and(|text| text.inside() == wanted)
                };
                if is("metric_target_type", "utilization") {
                    let resources = [Resource::Cpu, Resource::Memory].into_iter();
                    let named = resources.filter(|resource| is("metric_name", resource.name()));
                    named.for_each(|resource| {
                        entry.targets.insert(resource, value);
                    });
                }
            }
            _ => {}
        }
    }
    let is_of = |(key, _): &(&(Option<Untrusted>, Untrusted), &Autoscaler)| {
        scales.get(*key).copied().unwrap_or(key.1.inside() == workload)
    };
    found.iter().filter(is_of).map(|(_, one)| one.clone()).collect()
}

/// Utilisation and wanted replicas before and after a change of the request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Effect {
    /// Percent of the request.
    pub(crate) before: f64,
    pub(crate) after: f64,
    pub(crate) replicas_before: f64,
    pub(crate) replicas_after: f64,
    /// The target in percent that would keep the replicas.
    pub(crate) same_at: f64,
}

/// The effect on an autoscaler that targets so many percent, of `replicas` that use `usage` each on average, when the
/// request changes. Replicas wanted = ⌈replicas × utilisation ÷ target⌉, unchanged within a tenth of the target
/// (Kubernetes, Horizontal Pod Autoscaling, "Algorithm details").
pub(crate) fn effect(
    usage: f64,
    replicas: f64,
    (target, min, max): (f64, Option<f64>, Option<f64>),
    (from, to): (f64, f64),
) -> Option<Effect> {
    if ![usage, replicas, target, from, to].iter().all(|value| *value > 0.0 && value.is_finite()) {
        return None;
    }
    let wanted = |utilisation: f64| {
        let ratio = utilisation / target;
        let wanted =
            if (ratio - 1.0).abs() <= TOLERANCE { replicas } else { (replicas * ratio - 1e-9).ceil() };
        wanted.max(min.unwrap_or(1.0)).min(max.unwrap_or(f64::MAX))
    };
    let (before, after) = (100.0 * usage / from, 100.0 * usage / to);
    Some(Effect {
        before,
        after,
        replicas_before: wanted(before),
        replicas_after: wanted(after),
        same_at: target * from / to,
    })
}

#[cfg(test)]
mod tests {
    use contract::Context;
    use jiff::Timestamp;

    use super::*;
    use crate::model::{Labels, Point};

    #[test]
    fn half_the_request_is_twice_the_percentage_and_twice_the_replicas() {
        // 0.2 of 0.5 cores: 40 %; of 0.25: 80 %. 4 × 40 ÷ 70 = 2.3; 4 × 80 ÷ 70 = 4.6.
        let effect = effect(0.2, 4.0, (70.0, Some(2.0), Some(10.0)), (0.5, 0.25)).unwrap();
        assert_eq!((effect.before, effect.after), (40.0, 80.0));
        assert_eq!((effect.replicas_before, effect.replicas_after), (3.0, 5.0));
        assert_eq!(effect.same_at, 140.0);
    }

    #[test]
    fn an_autoscaler_stays_within_its_bounds_and_its_tolerance() {
        let wanted = |usage: f64, bounds| effect(usage, 4.0, bounds, (1.0, 0.5)).unwrap();
        // 10 % and 20 % of a target of 70 %: 0.6 and 1.1 replicas, at least 3.
        let few = wanted(0.1, (70.0, Some(3.0), Some(10.0)));
        assert_eq!((few.replicas_before, few.replicas_after), (3.0, 3.0));
        // 90 % and 180 %: 5.1 and 10.3, at most 8.
        let many = wanted(0.9, (70.0, None, Some(8.0)));
        assert_eq!((many.replicas_before, many.replicas_after), (6.0, 8.0));
        // 75 % is 1.07 of 70 %.
        assert_eq!(wanted(0.75, (70.0, None, None)).replicas_before, 4.0);
        assert_eq!(effect(0.0, 4.0, (70.0, None, None), (1.0, 0.5)), None);
    }

    fn told(cx: &Context, labels: &[(&str, &str)], value: f64) -> Series {
        let labels =
            Labels::new(labels.iter().map(|(name, value)| (cx.intake.text(name), cx.intake.text(value))));
        Series { labels, points: vec![Point { at: 0, value }], histograms: Vec::new() }
    }

    #[test]
    fn an_autoscaler_is_found_by_what_it_scales_and_only_percentages_count() {
        let cx = Context::for_test(Timestamp::UNIX_EPOCH);
        let of = |metric: &str, hpa: &str, more: &[(&str, &str)], value: f64| {
            let metric = format!("kube_horizontalpodautoscaler_{metric}");
            let mut labels =
                vec![("__name__", metric.as_str()), ("namespace", "shop"), ("horizontalpodautoscaler", hpa)];
            labels.extend_from_slice(more);
            told(&cx, &labels, value)
        };
        let target =
            |name: &'static str, kind: &'static str| [("metric_name", name), ("metric_target_type", kind)];
        let series = vec![
            of("info", "scale-it", &[("scaletargetref_name", "checkout")], 1.0),
            of("spec_target_metric", "scale-it", &target("cpu", "utilization"), 70.0),
            of("spec_target_metric", "scale-it", &target("memory", "average"), 1e9),
            of("spec_min_replicas", "scale-it", &[], 2.0),
            of("spec_max_replicas", "scale-it", &[], 10.0),
            of("status_current_replicas", "scale-it", &[], 4.0),
            // Its name says checkout, but it scales something else.
            of("info", "checkout", &[("scaletargetref_name", "cart")], 1.0),
            of("spec_target_metric", "checkout", &target("cpu", "utilization"), 50.0),
            of("spec_max_replicas", "cart", &[], 3.0),
        ];
        let found = autoscalers(&series, "checkout");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].name.inside(), "scale-it");
        assert_eq!(found[0].targets, BTreeMap::from([(Resource::Cpu, 70.0)]));
        assert_eq!((found[0].min, found[0].max, found[0].current), (Some(2.0), Some(10.0), Some(4.0)));
        // Where none says what it scales, the name is all there is.
        assert_eq!(autoscalers(&series, "cart").iter().filter(|one| one.name.inside() == "cart").count(), 1);
    }
}
