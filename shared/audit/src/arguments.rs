//! Arguments as a record holds them: canonical, fingerprinted, cut.

use serde_json::Value;
use sha2::{Digest, Sha256};

/// A record holds no more bytes of arguments than this, the marker included.
pub const MAX_ARGUMENT_BYTES: usize = 2048;

/// JSON without white space and with the keys of every object sorted (by their UTF-8 bytes), so that the same
/// arguments always give the same text.
///
/// In Python: `json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)`, but for floats
/// that Python writes with an exponent.
pub fn canonical(value: &Value) -> String {
    let mut sorted = value.clone();
    sorted.sort_all_objects();
    sorted.to_string()
}

/// SHA-256 of the canonical JSON, in hexadecimal: equal for equal arguments. Give it the *full* arguments, so that
/// a record whose text is masked or cut can still be matched with the call somebody claims to have made.
pub fn fingerprint(value: &Value) -> String {
    hex::encode(Sha256::digest(canonical(value)))
}

/// The text itself, or so much of its beginning that it fits into `limit` bytes with a marker that tells the
/// original length.
pub(crate) fn cut(text: String, limit: usize) -> String {
    if text.len() <= limit {
        return text;
    }
    let marker = format!("…[cut, {} bytes in all]", text.len());
    let kept = text.floor_char_boundary(limit.saturating_sub(marker.len()));
    let mut short = text;
    short.truncate(kept);
    short.push_str(&marker);
    short
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    // Hashes made with: python3 -c 'import hashlib,json,sys; print(hashlib.sha256(json.dumps(eval(sys.argv[1]),
    //   sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest())' '{"b": …}'
    #[test]
    fn fingerprints_agree_with_python() {
        let empty = json!({});
        assert_eq!(fingerprint(&empty), "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
        let nested = json!({"b": [{"z": 1, "a": "é\n\u{1}\"\\"}, null], "a": {"y": 0.5, "x": -3}, "B": true});
        assert_eq!(
            canonical(&nested),
            "{\"B\":true,\"a\":{\"x\":-3,\"y\":0.5},\"b\":[{\"a\":\"é\\n\\u0001\\\"\\\\\",\"z\":1},null]}"
        );
        assert_eq!(fingerprint(&nested), "264580fdfe81d6e93d780f9635e69945af82d87e2e5dc70fdb6445eb53b81675");
    }

    #[test]
    fn a_text_that_fits_is_left_alone() {
        assert_eq!(cut("x".repeat(40), 40), "x".repeat(40));
    }

    #[test]
    fn a_long_text_says_how_long_it_was() {
        // 40 bytes: 26 of the marker (the ellipsis has 3), so 14 of the text.
        assert_eq!(cut("x".repeat(100), 40), format!("{}…[cut, 100 bytes in all]", "x".repeat(14)));
    }

    proptest! {
        #[test]
        fn a_cut_text_fits_and_begins_like_the_original(text in "\\PC{0,200}", limit in 40_usize..100) {
            let short = cut(text.clone(), limit);
            prop_assert!(short.len() <= limit);
            let kept = short.split("…[cut, ").next().unwrap();
            prop_assert!(text.starts_with(kept));
        }

        #[test]
        fn the_order_of_keys_does_not_matter(keys in proptest::collection::btree_set("[a-z]{1,4}", 0..8)) {
            let forwards: Value = keys.iter().map(|key| (key.clone(), json!({key: 1}))).collect();
            let backwards: Value = keys.iter().rev().map(|key| (key.clone(), json!({key: 1}))).collect();
            prop_assert_eq!(canonical(&forwards), canonical(&backwards));
        }
    }
}
