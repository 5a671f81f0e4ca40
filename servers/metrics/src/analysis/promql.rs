//! Reading PromQL: its selectors, its cost, where it is wrong.
