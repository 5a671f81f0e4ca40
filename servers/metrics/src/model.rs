//! What the analyses speak. Prometheus' data model is this domain's, so its names are used as they are.

pub(crate) use alertmanager::{Alert, Alerts, Silence, Silences, State as DeliveryState};
pub(crate) use prometheus::{
    ActiveAlert, AlertState, Alerting, Data, Error as QueryError, Exemplars, Labels, Listing, MatchOp,
    Metadata, MetricKind, Point, QueryOptions, QueryReply, RejectionKind, Rule, RuleGroup, RuleHealth,
    RuleKind, Rules, Series, label_name, selector,
};
