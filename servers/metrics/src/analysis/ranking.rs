//! Which series of a result matter most, and how each is summed up in one row.
