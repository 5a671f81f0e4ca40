//! Records that tell of starts, stops and changes of a program: what a person looks for just before trouble began.

/// What a record tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lifecycle {
    /// A program began.
    Start,
    /// A program ended, or was told to.
    Stop,
    /// A version was rolled out, a configuration read again, a schema changed.
    Change,
}

impl Lifecycle {
    /// As answers write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Lifecycle::Start => "start",
            Lifecycle::Stop => "stop",
            Lifecycle::Change => "change",
        }
    }
}

/// Phrases of the frameworks' and the kubelet's own words, in lower case.
const PHRASES: [(&str, Lifecycle); 41] = [
    ("sigterm", Lifecycle::Stop),
    ("shutting down", Lifecycle::Stop),
    ("shutdown", Lifecycle::Stop),
    ("graceful stop", Lifecycle::Stop),
    ("stopping server", Lifecycle::Stop),
    ("stopping container", Lifecycle::Stop),
    ("killing container", Lifecycle::Stop),
    ("oomkilled", Lifecycle::Stop),
    ("out of memory: kill", Lifecycle::Stop),
    ("oom-kill", Lifecycle::Stop),
    ("evicted", Lifecycle::Stop),
    ("back-off restarting", Lifecycle::Stop),
    ("liveness probe failed", Lifecycle::Stop),
    ("exited with code", Lifecycle::Stop),
    ("starting up", Lifecycle::Start),
    ("starting server", Lifecycle::Start),
    ("server started", Lifecycle::Start),
    ("application started", Lifecycle::Start),
    ("started application", Lifecycle::Start),
    ("tomcat started", Lifecycle::Start),
    ("booting worker", Lifecycle::Start),
    ("started container", Lifecycle::Start),
    ("created container", Lifecycle::Start),
    ("listening on", Lifecycle::Start),
    ("now listening", Lifecycle::Start),
    ("ready to accept", Lifecycle::Start),
    ("ready to serve", Lifecycle::Start),
    ("ready for connections", Lifecycle::Start),
    ("starting version", Lifecycle::Start),
    ("build version", Lifecycle::Start),
    ("successfully assigned", Lifecycle::Start),
    ("pulled image", Lifecycle::Change),
    ("successfully pulled", Lifecycle::Change),
    ("scaled up replica set", Lifecycle::Change),
    ("scaled down replica set", Lifecycle::Change),
    ("rolling update", Lifecycle::Change),
    ("deployed version", Lifecycle::Change),
    ("configuration reloaded", Lifecycle::Change),
    ("config reloaded", Lifecycle::Change),
    ("reloading configuration", Lifecycle::Change),
    ("migrating schema", Lifecycle::Change),
];

/// What a message tells of, if it uses the words of one.
pub(crate) fn lifecycle(message: &str) -> Option<Lifecycle> {
    let first: String = message.lines().next().unwrap_or_default().chars().take(500).collect();
    let lower = first.to_lowercase();
    PHRASES.iter().find(|(phrase, _)| lower.contains(phrase)).map(|(_, what)| *what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_records_of_frameworks_are_recognised() {
        for (message, expected) in [
            ("Received SIGTERM, finishing 12 requests", Some(Lifecycle::Stop)),
            ("Tomcat started on port 8080 (http) with context path ''", Some(Lifecycle::Start)),
            ("[2026-01-14 14:02:20 +0000] [7] [INFO] Booting worker with pid: 7", Some(Lifecycle::Start)),
            ("Now listening on: http://[::]:8080", Some(Lifecycle::Start)),
            ("database system is ready to accept connections", Some(Lifecycle::Start)),
            ("etcd: ready to serve client requests", Some(Lifecycle::Start)),
            ("Memory cgroup out of memory: Killed process 4242 (java)", Some(Lifecycle::Stop)),
            ("Out of memory: Killed process 4242 (java) total-vm:4194304kB", Some(Lifecycle::Stop)),
            ("Scaled up replica set payment-6d9f to 1", Some(Lifecycle::Change)),
            ("could not acquire connection from pool", None),
            ("", None),
        ] {
            assert_eq!(lifecycle(message), expected, "{message}");
        }
    }
}
