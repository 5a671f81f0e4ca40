//! One tamper-evident record per call, and its verifier.
