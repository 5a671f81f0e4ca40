//! Client of Prometheus-like systems.
