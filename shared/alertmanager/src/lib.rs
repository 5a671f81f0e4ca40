//! Client of Alertmanager v2.
