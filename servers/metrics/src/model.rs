//! What the analyses speak. Prometheus' data model is this domain's, so its names are used as they are.

pub(crate) use alertmanager::{Alert, Alerts, Silence, Silences, State as DeliveryState};
#[cfg(test)]
pub(crate) use prometheus::Bounds;
pub(crate) use prometheus::Counted as TsdbCount;
pub(crate) use prometheus::{
    ActiveAlert, AlertState, Alerting, Bucket, Data, Error as QueryError, Exemplars, Histogram, Labels,
    Listing, MatchOp, Metadata, MetricKind, Point, QueryOptions, QueryReply, RejectionKind, Rule, RuleGroup,
    RuleHealth, RuleKind, Rules, Series, TsdbStatus, given_back, label_name, selector,
};
