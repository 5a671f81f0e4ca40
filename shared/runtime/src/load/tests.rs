use std::io::Write;

use schemars::JsonSchema;
use serde::Deserialize;
use upstream::SourceConfig;

use super::*;

#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Own {
    /// Sources.
    prometheus: Vec<SourceConfig>,
}

impl ServerConfig for Own {
    const WELL_KNOWN: &'static [WellKnown] = &[
        WellKnown { variable: "PROMETHEUS_URL", list: "prometheus", key: "url" },
        WellKnown { variable: "PROMETHEUS_USERNAME", list: "prometheus", key: "basic.username" },
    ];
}

fn loaded(file: &str, environment: &[(&str, &str)]) -> Result<Loaded<Own>, LoadError> {
    let mut on_disk = tempfile::NamedTempFile::new().unwrap();
    on_disk.write_all(file.as_bytes()).unwrap();
    let environment =
        environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    load("metrics-mcp", Some(on_disk.path()), &environment)
}

#[test]
fn nothing_set_gives_the_defaults() {
    let loaded: Loaded<Own> = load("metrics-mcp", None, &BTreeMap::new()).unwrap();
    assert_eq!(loaded.settings.limits.call_deadline_seconds, 20);
    assert_eq!(loaded.settings.rates.heavy.per_minute.get(), 20);
    assert_eq!(loaded.settings.upstream.max_reply_bytes, 8_388_608);
    assert!(loaded.config.prometheus.is_empty());
}

#[test]
fn the_environment_wins_over_the_file_and_lists_are_reached_by_position() {
    let file =
        "[limits]\ncall_deadline_seconds = 5\n[[prometheus]]\nname = \"eu\"\nurl = \"http://eu:9090\"\n";
    let environment = [
        ("METRICS_MCP__LIMITS__CALL_DEADLINE_SECONDS", "7"),
        ("METRICS_MCP__TOOLS__DENY", "[\"query_metrics\"]"),
        ("METRICS_MCP__PROMETHEUS__0__TENANT", "42"),
        ("PROMETHEUS_URL", "http://main:9090"),
        ("PROMETHEUS_USERNAME", "reader"),
    ];
    // A tenant that looks like a number is still text.
    let error = loaded(file, &environment).unwrap_err();
    assert!(
        error.to_string().ends_with("key `prometheus[0].tenant`: invalid type, expected a string"),
        "{error}"
    );

    let environment: Vec<_> = environment.into_iter().filter(|(name, _)| !name.ends_with("TENANT")).collect();
    let loaded = loaded(file, &environment).unwrap();
    assert_eq!(loaded.settings.limits.call_deadline_seconds, 7);
    assert!(!loaded.settings.tools.offers("query_metrics"));
    let sources: Vec<_> = loaded.config.prometheus.iter().map(|source| source.url.as_str()).collect();
    assert_eq!(sources, ["http://eu:9090", "http://main:9090"]);
    assert_eq!(loaded.config.prometheus[1].basic.as_ref().unwrap().username, "reader");
}

#[test]
fn mistakes_are_named_without_their_values() {
    let cases = [
        ("[limit]\n", "unknown key `limit`; did you mean `limits`?"),
        ("[limits]\nqueue_ms = 3\n", "unknown field `queue_ms`, expected one of"),
        ("[limits]\nmax_calls = \"hunter2\"\n", "key `limits.max_calls`: invalid type, expected usize"),
        ("a = hunter2\n", "line 1: is not TOML"),
        (
            "[[prometheus]]\nbearer_token = 12345678\n",
            "key `prometheus[0].bearer_token`: invalid type, expected a string",
        ),
        (
            "[rates.cheap]\nper_minute = 0\nburst = 1\n",
            "key `rates.cheap.per_minute`: invalid value, expected a nonzero u32",
        ),
    ];
    for (file, expected) in cases {
        let error = loaded(file, &[]).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}\nexpected {expected}");
        assert!(!error.contains("hunter2") && !error.contains("12345678"), "{error}");
    }
    let gap = loaded("", &[("METRICS_MCP__PROMETHEUS__3__URL", "x")]).unwrap_err();
    assert_eq!(
        gap.to_string(),
        "METRICS_MCP__PROMETHEUS__3__URL: position 3 leaves a gap; the next free one is 0"
    );
    let missing: Result<Loaded<Own>, _> = load("m", Some(Path::new("no-such-file.toml")), &BTreeMap::new());
    assert!(missing.unwrap_err().to_string().starts_with("no-such-file.toml: can't be read"));
}
