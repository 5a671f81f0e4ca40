//! Other systems, and sources that fail: replies over HTTP.
