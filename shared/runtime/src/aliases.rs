//! The alias file: what each service is called elsewhere. All servers read the same file, each its own system's names.

use std::{collections::BTreeMap, fs};

use contract::nearest;
use toml::{Table, Value};
use upstream::ConfigError;

use crate::load::Loaded;

/// What a service can be called in: Prometheus (matchers), logs, traces, Kubernetes (workload), PagerDuty.
const SYSTEMS: [&str; 5] = ["prometheus", "logs", "traces", "kubernetes", "pagerduty"];

/// Canonical names of services, each with its names elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Aliases(BTreeMap<String, BTreeMap<String, Vec<String>>>);

impl Aliases {
    /// Reads a table for each service, `[checkout]` with `logs = ["checkout-svc", "checkout-worker"]`; one name needs no
    /// list.
    ///
    /// # Errors
    /// Which entry can't be read, and why; never a value.
    pub fn parse(text: &str) -> Result<Aliases, String> {
        let table = text.parse::<Table>().map_err(|error| format!("is not TOML: {}", error.message()))?;
        let mut services = BTreeMap::new();
        for (service, entry) in &table {
            let entry = entry.as_table().ok_or_else(|| format!("`{service}` is not a table"))?;
            let mut elsewhere = BTreeMap::new();
            for (system, value) in entry {
                known(service, system)?;
                let names = names(value)
                    .ok_or_else(|| format!("`{service}.{system}` is neither a text nor a list of texts"))?;
                elsewhere.insert(system.clone(), names);
            }
            services.insert(service.clone(), elsewhere);
        }
        Ok(Aliases(services))
    }

    /// What this service is called in a system (`logs`); empty where the file does not say.
    #[must_use]
    pub fn of(&self, service: &str, system: &str) -> &[String] {
        self.0.get(service).and_then(|elsewhere| elsewhere.get(system)).map_or(&[], Vec::as_slice)
    }

    /// The services that have names in a system, with these names.
    pub fn all<'a>(&'a self, system: &'a str) -> impl Iterator<Item = (&'a str, &'a [String])> {
        let of_service = move |(service, elsewhere): (&'a String, &'a BTreeMap<String, Vec<String>>)| {
            Some((service.as_str(), elsewhere.get(system)?.as_slice()))
        };
        self.0.iter().filter_map(of_service)
    }
}

/// A misspelt system would be ignored without a word.
fn known(service: &str, system: &str) -> Result<(), String> {
    if SYSTEMS.contains(&system) {
        return Ok(());
    }
    let shown: String = system.escape_default().take(60).collect();
    let hint = nearest(system, SYSTEMS, 1);
    let hint = hint.first().map_or(String::new(), |name| format!("did you mean `{name}`? "));
    Err(format!("`{service}.{shown}` is unknown; {hint}known: {}", SYSTEMS.join(", ")))
}

fn names(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(one) => Some(vec![one.clone()]),
        Value::Array(list) => list.iter().map(|name| name.as_str().map(str::to_owned)).collect(),
        _ => None,
    }
}

impl<Config> Loaded<Config> {
    /// What services are called elsewhere: by the `aliases.toml` of the recorded incident if it has one, else by the file
    /// that is set.
    ///
    /// # Errors
    /// When the file can't be used.
    pub fn aliases(&self) -> Result<Aliases, ConfigError> {
        let wrong = |place: String, setting: &'static str| {
            move |problem: String| ConfigError { source_name: place.clone(), setting, problem }
        };
        if let Some(snapshot) = &self.snapshot {
            let wrong = wrong(snapshot.manifest().id.clone(), "aliases.toml");
            if let Some(text) = snapshot.aliases().map_err(|error| wrong(error.to_string()))? {
                return Aliases::parse(&text).map_err(wrong);
            }
        }
        let Some(path) = &self.settings.aliases_file else { return Ok(Aliases::default()) };
        let wrong = wrong(path.display().to_string(), "aliases_file");
        let text = fs::read_to_string(path).map_err(|error| wrong(format!("can't be read ({error})")))?;
        Aliases::parse(&text).map_err(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_system_has_its_own_names_of_a_service() {
        let text = r#"
            [checkout]
            logs = ["checkout-svc", "checkout-worker"]
            kubernetes = "shop/deployment/checkout"
            [mail]
            logs = "mailer"
        "#;
        let aliases = Aliases::parse(text).unwrap();
        assert_eq!(aliases.of("checkout", "logs"), ["checkout-svc", "checkout-worker"]);
        assert_eq!(aliases.of("checkout", "kubernetes"), ["shop/deployment/checkout"]);
        assert!(aliases.of("checkout", "traces").is_empty() && aliases.of("cart", "logs").is_empty());
        let in_logs: Vec<&str> = aliases.all("logs").map(|(service, _)| service).collect();
        assert_eq!(in_logs, ["checkout", "mail"]);
        assert_eq!(aliases.all("traces").count(), 0);
    }

    #[test]
    fn what_cannot_be_read_is_named_without_its_value() {
        for (text, expected) in [
            ("checkout = 'hunter2'", "`checkout` is not a table"),
            ("[checkout]\nlogs = 3", "`checkout.logs` is neither a text nor a list of texts"),
            ("[checkout]\nlogs = ['hunter2', 3]", "`checkout.logs` is neither a text nor a list of texts"),
            (
                "[checkout]\nlog = 'hunter2'",
                "`checkout.log` is unknown; did you mean `logs`? known: prometheus, ",
            ),
            ("[checkout", "is not TOML"),
        ] {
            let error = Aliases::parse(text).unwrap_err();
            assert!(error.starts_with(expected) && !error.contains("hunter2"), "{text}: {error}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_used_is_named() {
        let mut loaded = Loaded::<()>::default();
        assert_eq!(loaded.aliases().unwrap(), Aliases::default());
        loaded.settings.aliases_file = Some("no-such-aliases.toml".into());
        let error = loaded.aliases().unwrap_err();
        assert_eq!((error.source_name.as_str(), error.setting), ("no-such-aliases.toml", "aliases_file"));
    }
}
