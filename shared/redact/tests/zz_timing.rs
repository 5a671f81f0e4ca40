//! temp
mod common;
#[test]
fn timing() {
    let r = common::redactor();
    let _ = r.mask("a@b.co=");
    for piece in [
        "a@", "a.", "a@b.", "a@b.co", "password=", "pwd=a,", "pwd='", "token=\\", "token=\"\\\\", "token: a ", "secret:",
        "http://a:", "http://a:b@", "http://a:b/", "://:", "eyJaaaaaaaa.", "-----BEGIN PRIVATE KEY-----", "AKIA", "4111 ",
        "4111-1111-1111-1111-", "1", "4", "<secret:0000>", "<", "authorization: bearer ", "Bearer a1", "xoxb-", "é", "%40",
    ] {
        let mut t = vec![];
        for n in [10_000usize, 40_000] {
            let text = piece.repeat(n / piece.len());
            let s = std::time::Instant::now();
            let _ = r.mask(&text);
            t.push(s.elapsed().as_secs_f64());
        }
        println!("{piece:30} {:.3} {:.3} x{:.1}", t[0], t[1], t[1] / t[0]);
    }
}
