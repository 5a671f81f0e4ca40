//! Building the HTTP client of one backend, on first use: a server starts and lists its tools even when a
//! certificate file is missing, and the error then says which.

use std::{fs, path::Path};

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::{
    Certificate, Client, Identity, Url,
    header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue},
    redirect::Policy,
};
use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;

use crate::{Limits, SourceConfig, credentials::Credentials};

/// Why a source can't be used as configured. `setting` is the key an operator wrote.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{setting}` of source \"{source_name}\": {problem}")]
pub struct ConfigError {
    /// Name of the source.
    pub source_name: String,
    /// The key that is wrong.
    pub setting: &'static str,
    /// What is wrong and what to change.
    pub problem: String,
}

/// Checks everything that can be checked without reading a file or opening a connection.
pub(crate) fn base_url(config: &SourceConfig) -> Result<Url, ConfigError> {
    let wrong = |problem: String| ConfigError { source_name: config.name.clone(), setting: "url", problem };
    // Never the text itself: it may hold a password.
    let mut url = Url::parse(config.url.trim())
        .map_err(|error| wrong(format!("is not a URL ({error}); write it like http://host:9090")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong(format!("the scheme must be http or https, not {}", url.scheme())));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("holds credentials; move them to `basic`".to_owned()));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("holds a query or fragment; give the base URL alone".to_owned()));
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

/// A client with the rules of every way out and the credentials of this source, and what must not come back.
pub(crate) fn build(
    config: &SourceConfig,
    base: &Url,
    limits: &Limits,
) -> Result<(Client, Credentials), ConfigError> {
    let (headers, credentials) = headers(config)?;
    let wrong = |setting, problem| ConfigError { source_name: config.name.clone(), setting, problem };
    let mut builder = Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .tcp_nodelay(true)
        .connect_timeout(limits.connect())
        .user_agent(concat!("observability-mcp/", env!("CARGO_PKG_VERSION")))
        .default_headers(headers);
    if let Some(path) = &config.ca_file {
        let pem = read(config, "ca_file", path)?;
        let certificates = Certificate::from_pem_bundle(&pem).map_err(|error| {
            wrong("ca_file", format!("{} holds no PEM certificates ({error})", path.display()))
        })?;
        builder = builder.tls_certs_merge(certificates);
    } else if base.scheme() == "http" {
        // Without this a machine that has no certificate bundle could not even speak plain http.
        builder = builder.tls_certs_only(std::iter::empty());
    }
    if let Some(path) = &config.client_identity_file {
        let pem = read(config, "client_identity_file", path)?;
        let identity = Identity::from_pem(&pem).map_err(|_| {
            let problem = format!("{} must hold a PEM certificate and its private key", path.display());
            wrong("client_identity_file", problem)
        })?;
        builder = builder.identity(identity);
    }
    let client = builder.build().map_err(|error| {
        wrong(
            "ca_file",
            format!("no TLS client could be built ({error}); name a bundle of certificate authorities"),
        )
    })?;
    Ok((client, credentials))
}

fn headers(config: &SourceConfig) -> Result<(HeaderMap, Credentials), ConfigError> {
    let mut headers = HeaderMap::new();
    let mut credentials = Credentials::default();
    for (name, value) in &config.headers {
        let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|_| ConfigError {
            source_name: config.name.clone(),
            setting: "headers",
            problem: format!("`{}` is not a header name", name.escape_default()),
        })?;
        credentials.add(value.expose_secret());
        headers.insert(parsed, secret_header(config, "headers", value.expose_secret())?);
    }
    if let Some(tenant) = &config.tenant {
        let name = config.tenant_header.as_deref().unwrap_or("X-Scope-OrgID");
        let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|_| ConfigError {
            source_name: config.name.clone(),
            setting: "tenant_header",
            problem: format!("`{}` is not a header name", name.escape_default()),
        })?;
        headers.insert(parsed, secret_header(config, "tenant", tenant)?);
    }
    if let Some((setting, value)) = authorization(config, &mut credentials)? {
        headers.insert(AUTHORIZATION, secret_header(config, setting, &value)?);
    }
    Ok((headers, credentials))
}

fn authorization(
    config: &SourceConfig,
    credentials: &mut Credentials,
) -> Result<Option<(&'static str, String)>, ConfigError> {
    if let Some(basic) = &config.basic {
        let inline = basic.password.as_ref();
        let password = secret(config, "basic.password_file", inline, basic.password_file.as_deref())?
            .unwrap_or_default();
        let encoded = STANDARD.encode(format!("{}:{password}", basic.username));
        credentials.add(&password);
        credentials.add(&encoded);
        return Ok(Some(("basic", format!("Basic {encoded}"))));
    }
    if let Some(key) = &config.api_key {
        credentials.add(key.expose_secret());
        return Ok(Some(("api_key", format!("ApiKey {}", key.expose_secret()))));
    }
    let token = secret(
        config,
        "bearer_token_file",
        config.bearer_token.as_ref(),
        config.bearer_token_file.as_deref(),
    )?;
    Ok(token.map(|token| {
        credentials.add(&token);
        ("bearer_token", format!("Bearer {token}"))
    }))
}

fn secret(
    config: &SourceConfig,
    setting: &'static str,
    inline: Option<&SecretString>,
    file: Option<&Path>,
) -> Result<Option<String>, ConfigError> {
    if let Some(inline) = inline {
        return Ok(Some(inline.expose_secret().to_owned()));
    }
    let Some(path) = file else { return Ok(None) };
    let bytes = read(config, setting, path)?;
    Ok(Some(String::from_utf8_lossy(&bytes).trim_end_matches(['\r', '\n']).to_owned()))
}

fn read(config: &SourceConfig, setting: &'static str, path: &Path) -> Result<Vec<u8>, ConfigError> {
    fs::read(path).map_err(|error| ConfigError {
        source_name: config.name.clone(),
        setting,
        problem: format!("can't read {} ({error})", path.display()),
    })
}

fn secret_header(
    config: &SourceConfig,
    setting: &'static str,
    value: &str,
) -> Result<HeaderValue, ConfigError> {
    let mut header = HeaderValue::from_str(value).map_err(|_| ConfigError {
        source_name: config.name.clone(),
        setting,
        problem: "holds characters that a header can't carry (line breaks?)".to_owned(),
    })?;
    header.set_sensitive(true);
    Ok(header)
}
