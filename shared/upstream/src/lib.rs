//! The rules of every way out to a backend.
