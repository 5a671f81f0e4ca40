mod costs;
mod empty_results;
mod faults;
mod limits;
mod mending;
mod walking;

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

fn tree(query: &str) -> Expr {
    let reading = read(query).unwrap_or_else(|depth| panic!("{depth} deep: {query}"));
    reading.tree.unwrap_or_else(|| panic!("not read: {query}"))
}

fn names(query: &str) -> Vec<String> {
    selectors(&tree(query)).iter().map(|found| metric_of(found.selector).unwrap_or("").to_owned()).collect()
}
