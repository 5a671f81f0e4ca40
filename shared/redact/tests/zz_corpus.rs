//! temp
mod common;
#[test]
fn corpus() {
    let r = common::redactor();
    let list = std::fs::read_to_string("/tmp/redact_corpus.txt").unwrap();
    let (mut lines, mut masked, mut sus) = (0, 0, 0);
    for file in list.lines() {
        let Ok(bytes) = std::fs::read(file) else { continue };
        for line in String::from_utf8_lossy(&bytes).lines() {
            let line: String = line.chars().take(400).collect();
            lines += 1;
            let m = r.mask(&line);
            if m.counts.total() > 0 { masked += 1; println!("M {} | {} => {}", file.rsplit('/').next().unwrap(), line.trim(), m.text.trim()); }
            if redact::addresses_assistant(&line) { sus += 1; println!("S {} | {}", file.rsplit('/').next().unwrap(), line.trim()); }
        }
    }
    println!("TOTAL {lines} masked {masked} sus {sus}");
}
