//! What of a frame's name is stable: without arguments, lambdas, numbers that a compiler counted, hashes of a build.

use crate::application::GENERATED;
use crate::model::{Frame, Language};

/// The stable name of a frame; `None` when the frame itself is generated.
pub(crate) fn normal(language: Language, frame: &Frame) -> Option<String> {
    let function = frame.function.as_str();
    let name = match language {
        Language::Java => return java(function),
        Language::DotNet => return dotnet(function),
        Language::Go => return go(function),
        Language::Rust => return rust(frame),
        Language::Python => {
            named(function, &["<lambda>", "<listcomp>", "<dictcomp>", "<setcomp>", "<genexpr>"])?
        }
        Language::JavaScript => javascript(function),
        Language::Ruby => ruby(function).to_owned(),
        Language::Php => php(function),
        Language::Native => native(function),
    };
    let file = frame.file.as_deref().or(frame.module.as_deref()).map(base_name).unwrap_or_default();
    Some(format!("{file}:{name}"))
}

fn named(function: &str, generated: &[&str]) -> Option<String> {
    (!generated.contains(&function)).then(|| function.to_owned())
}

/// The last part of a path, without what a bundler put into it: `main.3f2a1b9c.js` is `main.js`.
fn base_name(path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
    let parts: Vec<&str> = name.split(['.', '-']).filter(|part| !is_hash(part)).collect();
    parts.join(".")
}

fn is_hash(part: &str) -> bool {
    let hexadecimal = part.len() >= 8 && part.bytes().all(|b| b.is_ascii_hexdigit());
    hexadecimal && part.bytes().any(|b| b.is_ascii_digit())
}

/// `com.acme.Cart.lambda$total$0` and `com.acme.Cart$1.total` are `com.acme.Cart.total`.
fn java(function: &str) -> Option<String> {
    if GENERATED.iter().any(|part| function.contains(part)) || function.contains("$$Lambda") {
        return None;
    }
    let function = function.replace("$$anonfun$", "$").replace("$anonfun$", "").replace("lambda$", "");
    let mut name = String::new();
    for (at, part) in function.split('$').enumerate() {
        let counted = part.trim_start_matches(|c: char| c.is_ascii_digit());
        // `$1.total`: an anonymous class; `$0` at the end: a counted lambda.
        let part = if counted.is_empty() || counted.starts_with('.') { counted } else { part };
        if at > 0 && !part.is_empty() && !part.starts_with('.') {
            name.push('$');
        }
        name.push_str(part);
    }
    Some(name)
}

/// `Acme.Cart.<Total>d__5.MoveNext` and `Acme.Cart.<>c.<Total>b__0_1` are `Acme.Cart.Total`.
fn dotnet(function: &str) -> Option<String> {
    if function.starts_with("lambda_method") || function.starts_with("Castle.Proxies.") {
        return None;
    }
    let mut parts: Vec<&str> = Vec::new();
    let mut state_machine = false;
    for part in function.split(['.', '+']) {
        let part = part.split(['`', '[']).next().unwrap_or_default();
        match part.strip_prefix('<').and_then(|rest| rest.split_once('>')) {
            // A class of the compiler: closures, state machines without a name.
            Some(("", _)) => {}
            Some((method, _)) => {
                if parts.last() != Some(&method) {
                    parts.push(method);
                }
                state_machine = true;
            }
            None if part.is_empty() || part.ends_with(']') || state_machine && part == "MoveNext" => {}
            None => parts.push(part),
        }
    }
    Some(parts.join("."))
}

/// `main.main.func2.1`, `main.(*Cart).Total-fm`, `main.(*Pool[...]).Acquire`.
fn go(function: &str) -> Option<String> {
    let mut name = function.replace("[...]", "");
    if let Some(plain) = name.strip_suffix("-fm") {
        name.truncate(plain.len());
    }
    while let Some((head, last)) = name.rsplit_once('.') {
        let counted =
            last.trim_start_matches("func").trim_start_matches("gowrap").trim_start_matches("deferwrap");
        if !counted.is_empty() && !counted.bytes().all(|b| b.is_ascii_digit()) || last.is_empty() {
            break;
        }
        name.truncate(head.len());
    }
    Some(name)
}

/// `checkout::main::{{closure}}::h0123456789abcdef`; without a name the file stands for it.
fn rust(frame: &Frame) -> Option<String> {
    if frame.function.is_empty() {
        return frame.file.clone();
    }
    let closures = ["{{", "{closure", "{shim"];
    let generated =
        |part: &str| closures.iter().any(|closure| part.starts_with(closure)) || is_symbol_hash(part);
    let parts = frame.function.split("::").filter(|part| !generated(part));
    Some(outside_brackets(&parts.collect::<Vec<_>>().join("::"), '<', '>'))
}

/// `h0123456789abcdef`.
fn is_symbol_hash(part: &str) -> bool {
    part.len() == 17 && part.strip_prefix('h').is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Drops what stands in brackets that follow a name: generic arguments. `<T as Trait>::call` keeps its head.
fn outside_brackets(text: &str, open: char, close: char) -> String {
    let mut depth = 0_usize;
    let mut name = String::new();
    for c in text.chars() {
        if c == open && (depth > 0 || !name.is_empty() && !name.ends_with(' ')) {
            depth += 1;
        } else if c == close && depth > 0 {
            depth -= 1;
        } else if depth == 0 {
            name.push(c);
        }
    }
    name
}

/// `async Cart.total [as sum]`, `new Cart`, `Object.<anonymous>`.
fn javascript(function: &str) -> String {
    let name = function.trim_start_matches("async ").trim_start_matches("new ");
    let name = name.split(" [as ").next().unwrap_or_default();
    let name = name.rsplit_once('.').map_or(name, |(_, method)| method);
    if name == "<anonymous>" { String::new() } else { name.to_owned() }
}

/// `block (2 levels) in total`, `rescue in Cart#total`.
fn ruby(function: &str) -> &str {
    function.rsplit_once(" in ").map_or(function, |(_, name)| name)
}

/// `Shop\Cart->Shop\{closure:Shop\Cart::total():12}`, `class@anonymous`.
fn php(function: &str) -> String {
    let name = function.split("{closure").next().unwrap_or_default();
    name.split("@anonymous").next().unwrap_or_default().trim_end_matches(['\\', '>', '-']).to_owned()
}

/// `shop::Pool<int>::acquire(std::string const&)`, `charge.constprop.0`, `charge [clone .cold]`.
fn native(function: &str) -> String {
    let name = function.split(" [clone ").next().unwrap_or_default();
    let name = outside_brackets(name, '<', '>');
    let name = if name.starts_with("operator()") { name } else { outside_brackets(&name, '(', ')') };
    let suffixes = [".constprop.", ".isra.", ".part.", ".cold", ".lto_priv."];
    let end = suffixes.iter().filter_map(|suffix| name.find(suffix)).min().unwrap_or(name.len());
    name.get(..end).unwrap_or(&name).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stable_name() {
        use Language::{DotNet, Go, Java, JavaScript, Native, Php, Python, Ruby, Rust};
        let cases = [
            (Java, "com.acme.Cart.lambda$total$0", "", Some("com.acme.Cart.total")),
            (Java, "com.acme.Cart$1.total", "", Some("com.acme.Cart.total")),
            (Java, "com.acme.Cart$Pool.acquire", "", Some("com.acme.Cart$Pool.acquire")),
            (Java, "com.acme.Cart.$anonfun$total$3", "", Some("com.acme.Cart.total")),
            (Java, "com.acme.Cart$$Lambda$14/0x0000000800066840.run", "", None),
            (Java, "jdk.proxy2.$Proxy41.call", "", None),
            (Java, "com.acme.Cart$$SpringCGLIB$$0.total", "", None),
            (DotNet, "Acme.Cart.<Total>d__5.MoveNext", "", Some("Acme.Cart.Total")),
            (DotNet, "Acme.Cart.<>c__DisplayClass5_0.<Total>b__1", "", Some("Acme.Cart.Total")),
            (DotNet, "Acme.Cart.<Total>d__5`1.MoveNext", "", Some("Acme.Cart.Total")),
            (DotNet, "Acme.Pool`1.Acquire[T]", "", Some("Acme.Pool.Acquire")),
            (DotNet, "Acme.Enumerator.MoveNext", "", Some("Acme.Enumerator.MoveNext")),
            (DotNet, "lambda_method41", "", None),
            (Go, "main.main.func2.1", "", Some("main.main")),
            (Go, "main.(*Cart).Total-fm", "", Some("main.(*Cart).Total")),
            (Go, "main.(*Pool[...]).Acquire", "", Some("main.(*Pool).Acquire")),
            (Rust, "checkout::main::{{closure}}", "", Some("checkout::main")),
            (Rust, "checkout::Pool<T>::acquire::h0123456789abcdef", "", Some("checkout::Pool::acquire")),
            (Python, "total", "/srv/1.2.3/shop/cart.py", Some("cart.py:total")),
            (Python, "<lambda>", "cart.py", None),
            (JavaScript, "async Cart.total [as sum]", "/srv/main.3f2a1b9c.js", Some("main.js:total")),
            (JavaScript, "Object.<anonymous>", "/srv/cart.js", Some("cart.js:")),
            (JavaScript, "new Cart", "webpack:///./src/cart.ts?a1b2", Some("cart.ts:Cart")),
            (Ruby, "block (2 levels) in total", "/srv/cart.rb", Some("cart.rb:total")),
            (Php, "Shop\\Cart->Shop\\{closure}", "/srv/Cart.php", Some("Cart.php:Shop\\Cart->Shop")),
            (
                Native,
                "shop::Pool<int>::acquire(std::string const&)",
                "a.cc",
                Some("a.cc:shop::Pool::acquire"),
            ),
            (Native, "charge.constprop.0", "a.c", Some("a.c:charge")),
        ];
        for (language, function, file, expected) in cases {
            let file = Some(file.to_owned()).filter(|file| !file.is_empty());
            let frame = Frame { function: function.to_owned(), file, ..Frame::default() };
            assert_eq!(normal(language, &frame).as_deref(), expected, "{function}");
        }
    }
}
