//! Matching words against names, help texts and labels.
