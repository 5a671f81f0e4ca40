//! Ten thousand series of each of several metrics, of two hundred services, as OpenMetrics text.

use std::io::{Result, Write};

/// Services, and pods of each: 10,000.
pub(super) const SERVICES: usize = 200;
pub(super) const PODS: usize = 50;
/// Pods of each service that have a histogram of this many buckets: 10,000 series too.
const TIMED_PODS: usize = 5;
const BOUNDS: [&str; 10] = ["0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1.0", "2.5", "5.0", "+Inf"];
/// Seconds between samples.
const EVERY: i64 = 60;
/// The samples begin so long before now and end after it: whatever is asked of the last hour finds some.
const BEFORE: i64 = 3_900;
const AFTER: i64 = 1_500;
/// The service that is faulty, and since how long before now.
pub(super) const FAULTY: usize = 123;
const FAULTY_FOR: i64 = 1_200;
const MIB: f64 = 1_048_576.0;
/// All alerts of the rule fire: one for each pod.
pub(super) const RULES: &str = "groups: [{name: wide, rules: [{alert: QueueIsLong, expr: queue_depth > 0, \
                                labels: {severity: warning}, annotations: {summary: \"{{ $labels.pod }} waits\"}}]}]\n";

/// What it is called.
pub(super) fn service(number: usize) -> String {
    format!("svc-{number:03}")
}

/// When there are samples, for a world around this moment, in seconds since 1970.
pub(super) fn times(now: i64) -> Vec<i64> {
    (now - BEFORE..now + AFTER).step_by(EVERY as usize).collect()
}

/// All of it around this moment.
pub(super) fn open_metrics(now: i64, times: &[i64], out: &mut impl Write) -> Result<()> {
    let mut family = |name: &str,
                      kind: &str,
                      suffix: &str,
                      pods: usize,
                      more: &[String],
                      value: Value|
     -> Result<()> {
        writeln!(out, "# TYPE {name} {kind}")?;
        for number in 0..SERVICES {
            for pod in 0..pods {
                for (place, labels) in more.iter().enumerate() {
                    let service = service(number);
                    let labels = format!(
                        "namespace=\"shop\",service=\"{service}\",container=\"{service}\",pod=\"{service}-7c5d4b8f9f-{}\"{labels}",
                        ending(pod)
                    );
                    for at in times {
                        let faulty = number == FAULTY && *at >= now - FAULTY_FOR;
                        let seconds = (at - now + BEFORE) as f64;
                        let noise = ((at / EVERY) as usize * 37 + number * 11 + pod * 7) % 23;
                        let moment = Moment { seconds, noise: noise as f64, place, faulty };
                        writeln!(out, "{name}{suffix}{{{labels}}} {} {at}", value(moment))?;
                    }
                }
            }
        }
        Ok(())
    };
    let plain = [String::new()];
    family("queue_depth", "gauge", "", PODS, &plain, |at| {
        50.0 + at.noise + if at.faulty { 500.0 } else { 0.0 }
    })?;
    let code = |code: &str| format!(",code=\"{code}\"");
    let codes = [code("200"), code("500")];
    family("http_requests", "counter", "_total", PODS / 2, &codes, |at| {
        at.seconds * if at.place == 0 { 5.0 } else { 0.01 } + at.noise * 0.01
    })?;
    let bounds = BOUNDS.map(|bound| format!(",le=\"{bound}\""));
    family("http_request_duration_seconds", "histogram", "_bucket", TIMED_PODS, &bounds, |at| {
        (at.seconds * (at.place + 1) as f64 * 0.5).floor()
    })?;
    family("container_memory_working_set_bytes", "gauge", "", PODS, &plain, |at| {
        (200.0 + at.noise + if at.faulty { 90.0 } else { 0.0 }) * MIB
    })?;
    let memory = [",resource=\"memory\",unit=\"byte\"".to_owned()];
    family("kube_pod_container_resource_limits", "gauge", "", PODS, &memory, |_| 320.0 * MIB)?;
    writeln!(out, "# EOF")
}

/// What a value depends on.
struct Moment {
    /// Since the first sample.
    seconds: f64,
    /// 0 to 22.
    noise: f64,
    /// Which of the further labels.
    place: usize,
    faulty: bool,
}

type Value = fn(Moment) -> f64;

/// The end of a pod's name, in the letters that Kubernetes uses.
fn ending(pod: usize) -> String {
    const LETTERS: [char; 8] = ['b', 'c', 'd', 'f', 'g', 'h', 'j', 'k'];
    let letter = |place: usize| LETTERS.get(pod / place % 8).copied().unwrap_or('z');
    ['x', 'x', 'x', letter(8), letter(1)].iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_metric_has_ten_thousand_series_and_the_text_ends_as_the_format_wants() {
        let (now, mut text) = (1_768_400_000, Vec::new());
        assert_eq!(times(now).len(), 90, "65 minutes before, 25 after, one a minute");
        open_metrics(now, &[now], &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        let series = |prefix: &str| {
            let own = text.lines().filter(|line| line.starts_with(prefix));
            let all = own.filter_map(|line| Some(line.rsplit_once("} ")?.0));
            all.collect::<std::collections::BTreeSet<_>>().len()
        };
        for name in ["queue_depth{", "http_requests_total{", "http_request_duration_seconds_bucket{"] {
            assert_eq!(series(name), 10_000, "{name}");
        }
        assert!(text.ends_with("# EOF\n"));
    }
}
