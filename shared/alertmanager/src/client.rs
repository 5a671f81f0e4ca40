//! Asking the replicas.

use std::collections::{BTreeMap, BTreeSet};

use contract::Context;
use futures_util::future::join_all;
use upstream::{Ask, Bytes, ConfigError, Endpoint, Limits, Method, SourceConfig, Upstream, UpstreamError};

use crate::{
    Alerts, Answered, Coverage, Error, Failed, Receivers, Silences, Statuses,
    decode::{self, AlertsReply},
    reply::Received,
    union,
};

const GROUPS: Endpoint = Endpoint { method: Method::Get, path: "/api/v2/alerts/groups" };
const ALERTS: Endpoint = Endpoint { method: Method::Get, path: "/api/v2/alerts" };
const SILENCES: Endpoint = Endpoint { method: Method::Get, path: "/api/v2/silences" };
const STATUS: Endpoint = Endpoint { method: Method::Get, path: "/api/v2/status" };
const RECEIVERS: Endpoint = Endpoint { method: Method::Get, path: "/api/v2/receivers" };

/// Everything that is ever asked of an Alertmanager.
pub const ENDPOINTS: [Endpoint; 5] = [GROUPS, ALERTS, SILENCES, STATUS, RECEIVERS];

/// One logical Alertmanager with its replicas.
#[derive(Debug)]
pub struct Alertmanager {
    replicas: Vec<Upstream>,
}

impl Alertmanager {
    /// An Alertmanager with these replicas. Opens nothing. Replicas without a name are `main`, or `main-1`,
    /// `main-2` … when there are several.
    ///
    /// # Errors
    /// When there is no replica, when two have the same name, or when a URL can't be used.
    pub fn new(mut replicas: Vec<SourceConfig>, limits: &Limits) -> Result<Alertmanager, ConfigError> {
        let several = replicas.len() > 1;
        let mut names = BTreeSet::new();
        for (index, replica) in replicas.iter_mut().enumerate() {
            if several && replica.name.is_empty() {
                replica.name = format!("main-{}", index + 1);
            }
            if !names.insert(replica.name.clone()) {
                let problem = "another replica has this name too; give each its own".to_owned();
                return Err(ConfigError { source_name: replica.name.clone(), setting: "name", problem });
            }
        }
        if replicas.is_empty() {
            let problem = "no replica is configured; give at least one, like http://host:9093".to_owned();
            return Err(ConfigError { source_name: "alertmanager".to_owned(), setting: "url", problem });
        }
        let open = |replica| Upstream::new("alertmanager", replica, limits.clone());
        Ok(Alertmanager { replicas: replicas.into_iter().map(open).collect::<Result<_, _>>()? })
    }

    /// An Alertmanager whose replies were recorded: JSON of `groups`, and of `silences` where there is one.
    ///
    /// # Errors
    /// Never in practice; the type is that of [`Alertmanager::new`].
    pub fn recorded(
        name: &str,
        groups: String,
        silences: Option<String>,
    ) -> Result<Alertmanager, ConfigError> {
        let mut replies = BTreeMap::from([(GROUPS.path, Bytes::from(groups))]);
        replies.insert(SILENCES.path, Bytes::from(silences.unwrap_or_else(|| "[]".to_owned())));
        Ok(Alertmanager { replicas: vec![Upstream::recorded("alertmanager", name, replies)?] })
    }

    /// The replicas, in the order of the configuration.
    #[must_use]
    pub fn upstreams(&self) -> &[Upstream] {
        &self.replicas
    }

    /// The firing alerts, also those held back, of `GET /api/v2/alerts/groups`; of `GET /api/v2/alerts` where
    /// there are no groups, which does not tell what is muted.
    ///
    /// # Errors
    /// When no replica answers.
    pub async fn alerts(&self, cx: &Context) -> Result<Alerts, Error> {
        let asked = join_all(self.replicas.iter().map(|replica| alerts_of(cx, replica))).await;
        let (replies, coverage) = self.covered(asked)?;
        Ok(union::alerts(replies, coverage))
    }

    /// The silences, also expired ones, of `GET /api/v2/silences`.
    ///
    /// # Errors
    /// When no replica answers.
    pub async fn silences(&self, cx: &Context) -> Result<Silences, Error> {
        let (replies, coverage) = self.each(cx, SILENCES, decode::silences).await?;
        Ok(union::silences(replies, coverage))
    }

    /// Version and cluster of each replica, of `GET /api/v2/status`.
    ///
    /// # Errors
    /// When no replica answers.
    pub async fn status(&self, cx: &Context) -> Result<Statuses, Error> {
        let (replies, coverage) = self.each(cx, STATUS, decode::status).await?;
        Ok(Statuses { replicas: replies.into_iter().map(|(_, status)| status).collect(), coverage })
    }

    /// The names of the receivers, of `GET /api/v2/receivers`, which Grafana's own Alertmanager does not have.
    ///
    /// # Errors
    /// When no replica answers.
    pub async fn receivers(&self, cx: &Context) -> Result<Receivers, Error> {
        let (replies, coverage) = self.each(cx, RECEIVERS, decode::receivers).await?;
        let names: BTreeSet<_> = replies.into_iter().flat_map(|(_, names)| names).collect();
        Ok(Receivers { names: names.into_iter().collect(), coverage })
    }

    /// Asks every replica the same, at the same time.
    async fn each<T>(
        &self,
        cx: &Context,
        endpoint: Endpoint,
        decode: fn(&Received<'_>) -> Result<T, UpstreamError>,
    ) -> Result<(Vec<(String, T)>, Coverage), Error> {
        let ask = |replica| async move { Ok((endpoint, read(cx, replica, endpoint, decode).await?)) };
        let asked = join_all(self.replicas.iter().map(ask)).await;
        self.covered(asked)
    }

    /// What the replicas said, by name, and who said nothing.
    fn covered<T>(
        &self,
        asked: Vec<Result<(Endpoint, T), UpstreamError>>,
    ) -> Result<(Vec<(String, T)>, Coverage), Error> {
        let mut coverage = Coverage { answered: Vec::new(), failed: Vec::new() };
        let mut replies = Vec::new();
        for (replica, result) in self.replicas.iter().zip(asked) {
            let name = replica.name().to_owned();
            match result {
                Ok((endpoint, reply)) => {
                    let system = replica.system().to_owned();
                    coverage.answered.push(Answered { replica: name.clone(), system, endpoint });
                    replies.push((name, reply));
                }
                Err(error) => coverage.failed.push(Failed { replica: name, error }),
            }
        }
        if replies.is_empty() { Err(Error::new(coverage.failed)) } else { Ok((replies, coverage)) }
    }
}

async fn alerts_of(cx: &Context, replica: &Upstream) -> Result<(Endpoint, AlertsReply), UpstreamError> {
    match read(cx, replica, GROUPS, decode::groups).await {
        Err(missing @ UpstreamError::Status { status: 404, .. }) => {
            // Should this fail too, the first failure says more.
            let plain = read(cx, replica, ALERTS, decode::alerts).await.map_err(|_| missing)?;
            Ok((ALERTS, plain))
        }
        other => Ok((GROUPS, other?)),
    }
}

async fn read<T>(
    cx: &Context,
    replica: &Upstream,
    endpoint: Endpoint,
    decode: fn(&Received<'_>) -> Result<T, UpstreamError>,
) -> Result<T, UpstreamError> {
    // Never from the cache: alerts of a minute ago mislead, and a kept status reply would keep the configuration.
    let reply = replica.fetch(cx, &Ask::of(endpoint)).await?;
    decode(&Received { cx, replica, endpoint, reply })
}
