//! Processes, garbage collectors, and whether there was an answer at all.

use crate::history::ReplicaStep;
use crate::incident::STEP;
use crate::shop::{Convention, Runtime};

use super::sheet::{ABSENT, About, Kind, Line, Sheet};
use super::target::Target;

const MIB: f64 = 1_048_576.0;

pub(super) fn emit(target: &Target<'_>, sheet: &mut Sheet) {
    let up = ("up", "Whether the last scrape succeeded.");
    // An exporter answers even when its database does not.
    let is_exporter = matches!(target.service.speaks, Convention::Postgres | Convention::Redis);
    let answers = |step: &ReplicaStep| match step.forgotten {
        true => ABSENT,
        false => f64::from(u8::from(step.live || is_exporter)),
    };
    let values = target.steps.iter().map(answers).collect();
    sheet.gauge(up, target.labels(), target.clock(), values);
    if let Convention::OtelHttp | Convention::OtelHttpMillis | Convention::OtelRpcMillis =
        target.service.speaks
    {
        let about = About { name: "target", kind: Kind::Info, help: "Target metadata." };
        let labels = target
            .labels_and([("service_name", target.service.name), ("service_version", &target.pod.version)]);
        let line = Line { suffix: "_info", extra: None, values: target.constant(1.0) };
        sheet.add(about, labels, target.clock(), vec![line]);
    }
    let mut page = Page { target, sheet };
    match target.service.runtime {
        Runtime::Go => page.go(),
        Runtime::Jvm => page.jvm(),
        Runtime::Node => page.node(),
        Runtime::Python => page.python(),
        Runtime::Native => {}
    }
}

struct Page<'a, 'b> {
    target: &'a Target<'a>,
    sheet: &'b mut Sheet,
}

impl Page<'_, '_> {
    fn gauge<const N: usize>(
        &mut self,
        about: (&'static str, &'static str),
        labels: [(&'static str, &str); N],
        decimals: u32,
        value: impl Fn(&ReplicaStep) -> f64,
    ) {
        let values = self.target.gauge(decimals, value);
        self.sheet.gauge(about, self.target.labels_and(labels), self.target.clock(), values);
    }

    fn counted(&self, decimals: u32, value: impl Fn(&ReplicaStep) -> f64) -> Vec<f64> {
        let added: Vec<f64> = self.target.steps.iter().map(value).collect();
        self.target.counter(decimals, &added)
    }

    /// What the standard client libraries say about any process.
    fn process(&mut self) {
        let about = ("process_cpu_seconds", "Total user and system CPU time spent in seconds.");
        let values = self.counted(2, |step| step.cpu * STEP as f64);
        self.sheet.counter(about, self.target.labels(), self.target.clock(), values);
        let about = ("process_resident_memory_bytes", "Resident memory size in bytes.");
        self.gauge(about, [], 0, |step| 4096.0 * libm::floor(step.memory * 0.96 / 4096.0));
        let about = ("process_start_time_seconds", "Start time of the process since unix epoch in seconds.");
        self.gauge(about, [], 0, |step| step.started as f64);
    }

    fn go(&mut self) {
        self.process();
        let about = ("go_goroutines", "Number of goroutines that currently exist.");
        self.gauge(about, [], 0, |step| 24.0 + 2.0 * step.in_flight + f64::from(step.pool.waiting));
    }

    fn node(&mut self) {
        self.process();
        // An event loop lags when its one core is busy.
        let about = ("nodejs_eventloop_lag_seconds", "Lag of event loop in seconds.");
        self.gauge(about, [], 6, |step| 0.001 + 0.006 * step.cpu * step.cpu);
        let about = ("nodejs_heap_size_used_bytes", "Process heap size used from Node.js in bytes.");
        self.gauge(about, [], 0, |step| step.memory * 0.62);
    }

    fn python(&mut self) {
        self.process();
        let about = ("python_gc_collections", "Number of times this generation was collected");
        let values = self.counted(0, |step| libm::floor(2.0 + step.cpu * 40.0));
        let labels = self.target.labels_and([("generation", "0")]);
        self.sheet.counter(about, labels, self.target.clock(), values);
    }

    fn jvm(&mut self) {
        let limit = self.target.service.memory.limit * MIB;
        let used = ("jvm_memory_used_bytes", "The amount of used memory");
        self.gauge(used, [("area", "heap")], 0, |step| (step.memory - 140.0 * MIB).max(20.0 * MIB) * 0.9);
        self.gauge(used, [("area", "nonheap")], 0, |_| 118.0 * MIB);
        let about = ("jvm_memory_max_bytes", "The maximum amount of memory that can be used");
        self.gauge(about, [("area", "heap")], 0, |_| limit * 0.75);
        let about = ("jvm_threads_live_threads", "The current number of live threads");
        self.gauge(about, [], 0, |step| 41.0 + step.in_flight.min(200.0));
        let cores = self.target.service.cores();
        self.gauge(("process_cpu_usage", "The recent CPU usage of the JVM process"), [], 4, |step| {
            step.cpu / cores
        });
        let about = ("process_start_time_seconds", "Start time of the process since unix epoch.");
        self.gauge(about, [], 0, |step| step.started as f64);
        self.garbage(limit);
    }

    /// Pauses come more often and last longer as the heap fills up.
    fn garbage(&mut self, limit: f64) {
        let fullness = |step: &ReplicaStep| ((step.memory / limit - 0.6) / 0.4).clamp(0.0, 1.0);
        let pauses = |step: &ReplicaStep| libm::round(1.0 + 30.0 * fullness(step) * fullness(step));
        let seconds = |step: &ReplicaStep| pauses(step) * (0.012 + 0.15 * fullness(step) * fullness(step));
        let about =
            About { name: "jvm_gc_pause_seconds", kind: Kind::Summary, help: "Time spent in GC pause" };
        let lines = vec![
            Line { suffix: "_count", extra: None, values: self.counted(0, pauses) },
            Line { suffix: "_sum", extra: None, values: self.counted(6, seconds) },
        ];
        let labels = self.target.labels_and([("action", "end of minor GC"), ("gc", "G1 Young Generation")]);
        self.sheet.add(about, labels, self.target.clock(), lines);
    }
}
