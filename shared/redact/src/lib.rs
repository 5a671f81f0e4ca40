//! Secrets and personal data out; control, ANSI, bidi and zero-width characters out.
