//! Matching words against names, help texts and labels.
//!
//! The order is: [`words`] takes the caller's text apart, [`families`] puts the names of series together to the
//! metrics people know, [`ranking`] orders them by how well they match, [`labels`] sums up the series of those
//! that are shown, and [`example`] writes a query for each.

pub(crate) mod example;
pub(crate) mod families;
pub(crate) mod labels;
pub(crate) mod ranking;
pub(crate) mod words;
