//! Rules and Alertmanager's alerts, joined; families; what holds an alert back.
