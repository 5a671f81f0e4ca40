//! Lines as they come from outside. `cargo xtask fuzz` runs this for longer.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

use patterns::Template;
use testkit::fuzz::fuzz;

#[test]
fn fuzz_log_lines() {
    let seeds: [&[u8]; 8] = [
        b"Jan 14 14:32:00 combo sshd[12]: Failed password for root from 10.0.0.1 port 22 ssh2",
        b"2026-01-14 14:32:00,123 - WARN [Send:7:Cnx$Send@774] - Cannot open channel to 2 at /10.0.0.1:3888",
        b"10.0.0.1 - - [14/Jan/2026:14:32:00 +0000] \"GET /a?b=c HTTP/1.1\" 200 15 \"-\" \"curl/8.4.0\"",
        b"{\"level\":\"error\",\"msg\":\"x \\\"y\\\" 7\",\"error\":\"a\\n\\tb\",\"k\":{\"a\":[1,{\"b\":null}]},\"t\":1.5}",
        b"I0114 14:32:00.000001 12 kubelet.go:2] \"Probe failed\" err=\"Get \\\"http://a:1/b\\\": EOF\" n=[\"a\"]",
        b"level=warn msg=\"slow request\" lock=2,flags=0x1,tag=\"a b\",ws=null took=3m20s token=YWJjZGVmZ2gx==",
        b"user 'root'@'10.0.0.1' <email:7f3a> <1 sec (a, b) () [] {} 00:1a:2B:3c:4d:5e C:\\a\\b ~/x 2.45 KB",
        "größe 12 µs … ‹ü›\u{2028}x".as_bytes(),
    ];
    let words = [
        "<*>", "…", "{\"", "\":", "\\\"", "\\n", "= ", "==", "://", "()", " bytes", " PM", "Jan ", "GET /",
        "[\"", "', '", "0x", "@", "C:\\", "] \"", "<13>", "::1", "%",
    ];
    fuzz("log lines", &seeds, &words, |input| {
        let text = String::from_utf8_lossy(input);
        let template = Template::of(&text);
        assert_eq!(template.kinds().len(), template.text().matches("<*>").count());
        assert_eq!(Template::of(&text).id(), template.id());
        let short = text.len() < 2_000;
        assert!(!short || template.filter().unwrap().matches(&text), "{}", template.text());
    });
}
