//! Tokens: where a cluster may be sent one, how it is got, and how long it is kept.

use std::{
    fs,
    sync::{Mutex, PoisonError},
};

use contract::{Context, ErrorKind, ToolError};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use upstream::{Ask, ConfigError, Endpoint, Limits, Method, SourceConfig, Upstream, Url};

use crate::config::{AdxConfig, SignInConfig, SignInMethod, name};

/// Where applications get tokens.
const TOKEN: Endpoint = Endpoint { method: Method::Post, path: "/{}/oauth2/v2.0/token" };
/// Where a machine gets tokens for its own identity.
const MACHINE_TOKEN: Endpoint = Endpoint { method: Method::Get, path: "/metadata/identity/oauth2/token" };
const AUTHORITY: &str = "https://login.microsoftonline.com";
const MACHINE: &str = "http://169.254.169.254";
/// How long before its end a token is renewed.
const EARLIER: SignedDuration = SignedDuration::from_mins(5);

/// The ends of the names of clusters: Azure Data Explorer, Fabric, Synapse, Azure Monitor; also of sovereign clouds.
const CLUSTERS: &[&str] = &[
    "kusto.windows.net",
    "kustomfa.windows.net",
    "kusto.fabric.microsoft.com",
    "kusto.data.microsoft.com",
    "kusto.azuresynapse.net",
    "kusto.chinacloudapi.cn",
    "kusto.azuresynapse.azure.cn",
    "kusto.usgovcloudapi.net",
    "kusto.azuresynapse.usgovcloudapi.net",
    "adx.monitor.azure.com",
    "adx.loganalytics.azure.com",
    "adx.applicationinsights.azure.com",
];

/// Refuses to send a token to a host that is not known to be a cluster. Without a token nothing is checked: an emulator
/// may run anywhere.
///
/// # Errors
/// Names the host, and the setting that allows it.
pub(super) fn trusted(source: &SourceConfig, adx: &AdxConfig) -> Result<(), ConfigError> {
    let signs_in = adx.sign_in.is_some()
        || source.bearer_token.is_some()
        || source.bearer_token_file.is_some()
        || source.basic.is_some()
        || !source.headers.is_empty();
    let Ok(url) = Url::parse(source.url.trim()) else { return Ok(()) };
    let host = url.host_str().unwrap_or_default().to_ascii_lowercase();
    let ends = |end: &str| host == end || host.strip_suffix(end).is_some_and(|before| before.ends_with('.'));
    let known = CLUSTERS.iter().any(|end| host != *end && ends(end))
        || adx.trusted_hosts.iter().any(|trusted| ends(&trusted.to_ascii_lowercase()));
    let here = matches!(host.as_str(), "localhost" | "127.0.0.1" | "[::1]");
    if !signs_in || here || (known && url.scheme() == "https") {
        return Ok(());
    }
    let wrong = |setting, problem: String| ConfigError {
        source_name: name(&source.name).to_owned(),
        setting,
        problem,
    };
    if known {
        return Err(wrong("url", "must begin with https://, because a token is sent there".to_owned()));
    }
    Err(wrong(
        "url",
        format!(
            "{host} is not known to be a cluster, so no token is sent there; if it is one, add it to [[logs]] adx.trusted_hosts"
        ),
    ))
}

/// Gets tokens, and keeps the last one.
#[derive(Debug)]
pub(super) struct SignIn {
    upstream: Upstream,
    config: SignInConfig,
    /// What the token is for: the cluster's URL.
    resource: String,
    kept: Mutex<Option<(SecretString, Timestamp)>>,
}

#[derive(Deserialize)]
struct Granted {
    access_token: SecretString,
    expires_in: Value,
}

impl SignIn {
    /// As configured; `None` where nothing is. Opens nothing.
    ///
    /// # Errors
    /// When settings are missing.
    pub(super) fn new(
        source: &SourceConfig,
        adx: &AdxConfig,
        limits: &Limits,
    ) -> Result<Option<SignIn>, ConfigError> {
        let Some(config) = adx.sign_in.clone() else { return Ok(None) };
        let wrong = |problem: &str| ConfigError {
            source_name: name(&source.name).to_owned(),
            setting: "logs.adx.sign_in",
            problem: problem.to_owned(),
        };
        if source.bearer_token.is_some() || source.bearer_token_file.is_some() {
            return Err(wrong("leave it or bearer_token out: there can be one way to sign in"));
        }
        let application = !config.tenant_id.is_empty() && !config.client_id.is_empty();
        match config.method {
            SignInMethod::ManagedIdentity => {}
            _ if !application => return Err(wrong("needs tenant_id and client_id")),
            SignInMethod::ClientSecret
                if config.client_secret.is_none() && config.client_secret_file.is_none() =>
            {
                return Err(wrong("needs client_secret or client_secret_file"));
            }
            SignInMethod::WorkloadIdentity if config.federated_token_file.is_none() => {
                return Err(wrong("needs federated_token_file"));
            }
            _ => {}
        }
        let own = if config.method == SignInMethod::ManagedIdentity { MACHINE } else { AUTHORITY };
        let authority = SourceConfig {
            name: name(&source.name).to_owned(),
            url: config.authority.clone().unwrap_or_else(|| own.to_owned()),
            ca_file: source.ca_file.clone(),
            ..SourceConfig::default()
        };
        let upstream = Upstream::new("entra", authority, limits.clone())?;
        let resource =
            Url::parse(source.url.trim()).map(|url| url.origin().ascii_serialization()).unwrap_or_default();
        Ok(Some(SignIn { upstream, config, resource, kept: Mutex::default() }))
    }

    /// A token that is good for some minutes yet.
    ///
    /// # Errors
    /// When none can be got; names what an operator must mend.
    pub(super) async fn token(&self, cx: &Context) -> Result<SecretString, ToolError> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((token, _)) = kept.filter(|(_, until)| cx.now + EARLIER < *until) {
            return Ok(token);
        }
        let ask = self.question()?;
        let reply = self.upstream.fetch(cx, &ask).await?;
        let granted: Granted = match (reply.status, serde_json::from_slice(&reply.body)) {
            (200, Ok(granted)) => granted,
            (status, _) => return Err(self.refused(cx, status, &reply.body)),
        };
        let text = granted.expires_in.to_string();
        let seconds = text.trim_matches('"').parse().unwrap_or(0_i64).clamp(0, 24 * 3600);
        let until = cx.now + SignedDuration::from_secs(seconds);
        let kept = Some((granted.access_token.clone(), until));
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = kept;
        Ok(granted.access_token)
    }

    /// The token was not accepted: the next one is asked for.
    pub(super) fn forget(&self) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    fn question(&self) -> Result<Ask<'_>, ToolError> {
        let SignInConfig { tenant_id, client_id, .. } = &self.config;
        if self.config.method == SignInMethod::ManagedIdentity {
            let ask = Ask::of(MACHINE_TOKEN).header("metadata", "true").with("api-version", "2018-02-01");
            let ask = ask.with("resource", self.resource.clone());
            return Ok(if client_id.is_empty() { ask } else { ask.with("client_id", client_id.clone()) });
        }
        let ask = Ask::of(TOKEN).segment(tenant_id).with("grant_type", "client_credentials");
        let ask =
            ask.with("client_id", client_id.clone()).with("scope", format!("{}/.default", self.resource));
        if let Some(file) = self
            .config
            .federated_token_file
            .as_ref()
            .filter(|_| self.config.method == SignInMethod::WorkloadIdentity)
        {
            let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
            return Ok(ask.with("client_assertion_type", kind).with("client_assertion", self.read(file)?));
        }
        let secret = match (&self.config.client_secret, &self.config.client_secret_file) {
            (Some(secret), _) => secret.expose_secret().to_owned(),
            (None, Some(file)) => self.read(file)?,
            (None, None) => String::new(),
        };
        Ok(ask.with("client_secret", secret))
    }

    /// Read each time: Kubernetes and rotations renew files.
    fn read(&self, file: &std::path::Path) -> Result<String, ToolError> {
        let text = fs::read_to_string(file).map_err(|error| {
            let problem = format!("{}: can't read {} ({error})", self.upstream.system(), file.display());
            ToolError::new(ErrorKind::NotConfigured, problem, "an operator mends [[logs]] adx.sign_in")
        })?;
        Ok(text.trim().to_owned())
    }

    fn refused(&self, cx: &Context, status: u16, body: &[u8]) -> ToolError {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let said = ["error_description", "error"]
            .iter()
            .find_map(|key| body.get(*key)?.as_str())
            .unwrap_or_default();
        let said = said.lines().next().unwrap_or_default();
        let said =
            if said.is_empty() { String::new() } else { format!(": {}", cx.intake.text(said).shown(300)) };
        ToolError::new(
            ErrorKind::Upstream,
            format!("{} gave no token (HTTP {status}){said}", self.upstream.system()),
            "an operator mends [[logs]] adx.sign_in: tenant, client id, secret or identity",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(url: &str, trusted_hosts: &[&str], token: bool) -> Result<(), ConfigError> {
        let source = SourceConfig {
            url: url.to_owned(),
            bearer_token: token.then(|| "secret-token".to_owned().into()),
            ..SourceConfig::default()
        };
        let trusted_hosts = trusted_hosts.iter().map(|host| (*host).to_owned()).collect();
        trusted(&source, &AdxConfig { trusted_hosts, ..AdxConfig::default() })
    }

    #[test]
    fn a_token_goes_to_known_clusters_only() {
        for url in [
            "https://help.kusto.windows.net",
            "https://help.westeurope.kusto.windows.net/",
            "https://x.z1.kusto.fabric.microsoft.com",
            "https://HELP.KUSTO.AZURESYNAPSE.NET",
            "http://127.0.0.1:8080",
        ] {
            assert_eq!(of(url, &[], true), Ok(()), "{url}");
        }
        for url in [
            "https://evil.example",
            "https://kusto.windows.net.evil.example",
            "https://evilkusto.windows.net",
            "https://kusto.windows.net",
            "https://evil.example/help.kusto.windows.net",
            "https://evil.example#help.kusto.windows.net",
            "http://help.kusto.windows.net",
        ] {
            let error = of(url, &[], true).unwrap_err();
            assert!(!error.to_string().contains("secret-token"));
            assert_eq!(of(url, &[], false), Ok(()), "{url}: without a token");
        }
        assert_eq!(of("https://adx.example", &["adx.example"], true), Ok(()));
        assert_eq!(of("https://a.adx.example", &["adx.example"], true), Ok(()));
        assert!(of("https://badadx.example", &["adx.example"], true).is_err());
    }
}
