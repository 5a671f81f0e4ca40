//! Replies of an Alertmanager with anything in them. `cargo xtask fuzz` runs this for longer.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail loudly")]

use alertmanager::Alertmanager;
use contract::Context;
use testkit::fuzz::fuzz;

fn recorded(name: &str) -> Vec<u8> {
    let path = format!("{}/../../testbed/recorded/alertmanager-0.28/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(path).unwrap()
}

#[test]
fn fuzz_replies() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (groups, silences) = (recorded("groups.json"), recorded("silences.json"));
    let words = [
        "null",
        "[]",
        "{}",
        "\"status\":",
        "\"labels\":",
        "\"suppressed\"",
        "\"startsAt\":",
        "0001-01-01T00:00:00Z",
        "1e999",
    ];
    fuzz("alertmanager replies", &[&groups, &silences], &words, |input| {
        let text = String::from_utf8_lossy(input).into_owned();
        let alertmanager = Alertmanager::recorded("fuzz", text.clone(), Some(text)).unwrap();
        let cx = Context::for_test("2026-11-21T00:27:00Z".parse().unwrap());
        let _ = runtime.block_on(alertmanager.alerts(&cx));
        let _ = runtime.block_on(alertmanager.silences(&cx));
    });
}
