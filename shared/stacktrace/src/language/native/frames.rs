//! Frames as debuggers and sanitizers number them, and as glibc writes them.

use crate::lines::{location, number};
use crate::model::Frame;

/// `#1  0x0000555 in place (kind=0x7ff "null") at checkout.c:40`, `#0 0x4f5a in place /srv/shop/a.c:10:3`,
/// `#5 0x558 in _start (/srv/shop/checkout+0x2190)`, `#0  0x00007f main (checkout + 0x1234)`.
pub(super) fn frame(body: &str) -> Option<Frame> {
    let (_, rest) = number(body.strip_prefix('#')?)?;
    let rest = rest.strip_prefix(' ')?.trim_start();
    let Some(after) = rest.strip_prefix("0x") else {
        return gdb(rest).or_else(|| sanitizer(rest).filter(|frame| frame.module.is_some()));
    };
    let digits = after.bytes().take_while(u8::is_ascii_hexdigit).count();
    let rest = after.get(digits..).filter(|_| digits > 0)?.trim_start();
    match rest.strip_prefix("in ") {
        Some(rest) => gdb(rest).or_else(|| sanitizer(rest)),
        None => sanitizer(rest),
    }
}

/// `place (kind=0x7ff "null") at checkout.c:40`, `__cxa_throw () from /lib/libstdc++.so.6`, `operator() (x=1) at a.cc:1`.
fn gdb(text: &str) -> Option<Frame> {
    let (call, place) = [") at ", ") from "].iter().find_map(|end| {
        let at = text.rfind(end)?;
        Some((text.get(..at)?, text.get(at + 1..)?.trim_start()))
    })?;
    // The arguments are the last brackets that stand behind a space.
    let function = call.find(" (").and_then(|first| {
        let after_operator = text.starts_with("operator() (").then_some("operator()".len());
        call.get(..after_operator.unwrap_or(first))
    })?;
    let function = function.to_owned();
    if let Some(module) = place.strip_prefix("from ") {
        return Some(Frame { function, module: Some(module.to_owned()), ..Frame::default() });
    }
    let (file, line) = location(place.strip_prefix("at ")?)?;
    Some(Frame { function, file: Some(file.to_owned()), line: Some(line), ..Frame::default() })
}

/// `place /srv/shop/a.c:10:3`, `_start (/srv/shop/checkout+0x2190)`, `main (checkout + 0x1234)`, and both at once.
fn sanitizer(text: &str) -> Option<Frame> {
    let text = text.split_once(" (BuildId: ").map_or(text, |(head, _)| head);
    let module = text.strip_suffix(')').and_then(|text| text.rsplit_once('('));
    let module = module.and_then(|(call, module)| {
        let (module, _) = module.split_once("+0x").or_else(|| module.split_once(" + 0x"))?;
        Some((call.trim(), module.to_owned()))
    });
    let (call, module) = module.map_or((text, None), |(call, module)| (call, Some(module)));
    match call.rsplit_once(' ').and_then(|(function, place)| Some((function, location(place)?))) {
        Some((function, (file, line))) => {
            let (function, file) = (function.to_owned(), Some(file.to_owned()));
            Some(Frame { function, module, file, line: Some(line), in_application: false })
        }
        None => {
            module.map(|module| Frame { function: call.to_owned(), module: Some(module), ..Frame::default() })
        }
    }
}

/// `./checkout(place+0xee)[0x564d79d232c8]`, `/lib/libc.so.6(+0x2724a) [0x7f5d]`.
pub(super) fn raw(text: &str) -> Option<Frame> {
    let (head, address) = text.trim_end().strip_suffix(']')?.rsplit_once("[0x")?;
    let (module, symbol) = head.trim_end().strip_suffix(')')?.rsplit_once('(')?;
    let is_address = !address.is_empty() && address.bytes().all(|b| b.is_ascii_hexdigit());
    let (function, _) = symbol.rsplit_once("+0x").unwrap_or((symbol, ""));
    let is_module = !module.is_empty() && !module.contains(' ');
    let module = Some(module.to_owned());
    (is_address && is_module).then(|| Frame { function: function.to_owned(), module, ..Frame::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_notation() {
        let cases = [
            (
                "#1  0x0000555555555306 in place (kind=0x7fffffffe8ba \"null\") at checkout.c:40",
                Some(("place", None, Some("checkout.c"), Some(40))),
            ),
            ("#0  charge (cart=0x0) at checkout.c:10", Some(("charge", None, Some("checkout.c"), Some(10)))),
            (
                "#7  0x00007ffff7ca90d8 in __cxa_throw () from /lib/libstdc++.so.6",
                Some(("__cxa_throw", Some("/lib/libstdc++.so.6"), None, None)),
            ),
            (
                "#10 0x00005555555563cb in operator() (__closure=0x55) at checkout.cc:17",
                Some(("operator()", None, Some("checkout.cc"), Some(17))),
            ),
            (
                "#0 0x5605cb09b624 in place /srv/shop/checkout.c:38:27",
                Some(("place", None, Some("/srv/shop/checkout.c"), Some(38))),
            ),
            (
                "#4 0x5605cb09b190 in _start (/srv/shop/checkout-asan+0x2190)",
                Some(("_start", Some("/srv/shop/checkout-asan"), None, None)),
            ),
            (
                "#4 0x5605 in main (/srv/shop/a+0x2190) (BuildId: 5f)",
                Some(("main", Some("/srv/shop/a"), None, None)),
            ),
            (
                "#1 0x4f in shop::Pool<int>::acquire(std::string const&) /srv/a.cc:10",
                Some(("shop::Pool<int>::acquire(std::string const&)", None, Some("/srv/a.cc"), Some(10))),
            ),
            (
                "#0  0x00007f5dfd17424a n/a (libc.so.6 + 0x2724a)",
                Some(("n/a", Some("libc.so.6"), None, None)),
            ),
            ("#1 /srv/cart.php(16): Shop\\Pool->acquire('A-17')", None),
            ("#12 is done", None),
        ];
        for (text, expected) in cases {
            let found = frame(text);
            let found =
                found.as_ref().map(|f| (f.function.as_str(), f.module.as_deref(), f.file.as_deref(), f.line));
            assert_eq!(found, expected, "{text}");
        }
        let found =
            raw("./checkout-c(place+0xee)[0x564d79d232c8]").map(|frame| (frame.function, frame.module));
        assert_eq!(found, Some(("place".to_owned(), Some("./checkout-c".to_owned()))));
        assert_eq!(raw("list(a)[0]"), None);
    }
}
