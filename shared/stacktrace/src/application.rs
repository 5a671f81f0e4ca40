//! Whose code a frame is.

use crate::model::{Frame, Language};

/// What an operator knows about the application's own code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Application {
    prefixes: Vec<String>,
}

impl Application {
    /// Functions, modules and files that begin with one of these are the application's (`com.acme.`, `/srv/shop/`),
    /// even where a library would be suspected. Without any, everything is that belongs to no known library.
    pub fn new(prefixes: impl IntoIterator<Item = String>) -> Self {
        Self { prefixes: prefixes.into_iter().filter(|prefix| !prefix.is_empty()).collect() }
    }

    pub(crate) fn owns(&self, language: Option<Language>, frame: &Frame) -> bool {
        let texts = [Some(frame.function.as_str()), frame.module.as_deref(), frame.file.as_deref()];
        let named =
            texts.iter().flatten().any(|text| self.prefixes.iter().any(|prefix| text.starts_with(prefix)));
        named || language.is_some_and(|language| !is_library(language, frame))
    }
}

/// Whether a frame belongs to the platform, to a known library, or to nobody who could be named.
fn is_library(language: Language, frame: &Frame) -> bool {
    let function = frame.function.as_str();
    let file = frame.file.as_deref().unwrap_or_default().replace('\\', "/");
    let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| function.starts_with(prefix));
    let lies = |parts: &[&str]| parts.iter().any(|part| file.contains(part));
    match language {
        Language::Java => {
            function.is_empty() || begins(JAVA) || GENERATED.iter().any(|part| function.contains(part))
        }
        Language::DotNet => function.is_empty() || begins(DOTNET),
        Language::Python => lies(PYTHON) || file.starts_with("<frozen ") || file.is_empty(),
        Language::JavaScript => lies(JAVASCRIPT) || file.starts_with("node:") || !file.contains(['/', '.']),
        Language::Ruby => lies(RUBY) || file.starts_with("<internal:"),
        Language::Php => lies(&["/vendor/", "phar://"]) || file.is_empty(),
        Language::Go => lies(&["/pkg/mod/", "/vendor/", "/go/src/", "@v"]) || is_go_platform(function),
        Language::Rust => lies(RUST_FILES) || is_rust_library(function, file.is_empty()),
        Language::Native => is_native_library(frame, &file),
    }
}

const JAVA: &[&str] = &[
    "java.",
    "javax.",
    "jdk.",
    "sun.",
    "com.sun.",
    "jakarta.",
    "kotlin.",
    "kotlinx.",
    "scala.",
    "akka.",
    "org.apache.",
    "org.springframework.",
    "org.hibernate.",
    "org.eclipse.",
    "org.jboss.",
    "org.slf4j.",
    "org.postgresql.",
    "org.junit.",
    "org.mockito.",
    "org.gradle.",
    "org.aspectj.",
    "org.codehaus.",
    "org.elasticsearch.",
    "org.opensearch.",
    "org.jetbrains.",
    "org.mariadb.",
    "org.redisson.",
    "org.quartz.",
    "org.thymeleaf.",
    "ch.qos.logback.",
    "com.fasterxml.",
    "com.google.",
    "com.mysql.",
    "com.zaxxer.",
    "com.netflix.",
    "com.mongodb.",
    "com.rabbitmq.",
    "com.microsoft.",
    "com.amazonaws.",
    "software.amazon.",
    "com.azure.",
    "com.github.benmanes.",
    "io.netty.",
    "io.grpc.",
    "io.micrometer.",
    "io.micronaut.",
    "io.opentelemetry.",
    "io.quarkus.",
    "io.vertx.",
    "io.undertow.",
    "io.lettuce.",
    "io.reactivex.",
    "io.ktor.",
    "io.sentry.",
    "net.bytebuddy.",
    "net.sf.",
    "okhttp3.",
    "okio.",
    "reactor.",
    "retrofit2.",
    "redis.clients.",
    "rx.",
    "zio.",
    "cats.",
    "play.",
    "groovy.",
    "clojure.",
    "lombok.",
    "feign.",
    "oracle.",
    "android.",
    "androidx.",
    "dalvik.",
];

/// Classes that a JVM makes while it runs, whatever package they pretend to be of.
pub(crate) const GENERATED: [&str; 10] = [
    "$Proxy",
    "EnhancerBySpringCGLIB",
    "FastClassBySpringCGLIB",
    "$$SpringCGLIB$$",
    "EnhancerByCGLIB",
    "$$FastClass",
    "_WeldClientProxy",
    "_$$_jvst",
    "$HibernateProxy$",
    "GeneratedMethodAccessor",
];

const DOTNET: &[&str] = &[
    "System.",
    "Microsoft.",
    "Internal.",
    "Interop.",
    "lambda_method",
    "Mono.",
    "MS.",
    "Newtonsoft.",
    "Npgsql.",
    "MySql.",
    "MySqlConnector.",
    "Oracle.",
    "MongoDB.",
    "StackExchange.",
    "Serilog.",
    "NLog.",
    "log4net.",
    "Grpc.",
    "Google.",
    "Azure.",
    "Amazon.",
    "AutoMapper.",
    "MediatR.",
    "FluentValidation.",
    "Polly.",
    "Castle.",
    "Autofac.",
    "Dapper.",
    "Hangfire.",
    "MassTransit.",
    "RabbitMQ.",
    "Confluent.",
    "NHibernate.",
    "Elasticsearch.",
    "OpenTelemetry.",
    "Swashbuckle.",
    "Quartz.",
    "Moq.",
    "Xunit.",
    "NUnit.",
];
const PYTHON: &[&str] =
    &["site-packages/", "dist-packages/", "/lib/python", "/lib64/python", "/Lib/", "importlib._bootstrap"];
const JAVASCRIPT: &[&str] =
    &["node_modules/", "webpack/runtime", "webpack/bootstrap", "webpack/startup", "/.yarn/", "/.pnpm/"];
const RUBY: &[&str] =
    &["/gems/", "/lib/ruby/", "/usr/lib/ruby", "/usr/share/ruby", "/rubygems/", "/vendor/bundle/"];
const RUST_FILES: &[&str] = &[
    "/rustc/",
    "cargo/registry/",
    "cargo/git/checkouts/",
    "library/std/src/",
    "library/core/src/",
    "library/alloc/src/",
];
const RUST_CRATES: [&str; 24] = [
    "core",
    "std",
    "alloc",
    "test",
    "proc_macro",
    "tokio",
    "tokio_util",
    "futures",
    "futures_util",
    "futures_core",
    "hyper",
    "hyper_util",
    "tower",
    "tower_http",
    "axum",
    "actix_web",
    "actix_rt",
    "tonic",
    "reqwest",
    "rayon",
    "rayon_core",
    "tracing",
    "anyhow",
    "backtrace",
];
const GO_PLATFORM: [&str; 42] = [
    "archive",
    "bufio",
    "bytes",
    "cmp",
    "compress",
    "container",
    "context",
    "crypto",
    "database",
    "debug",
    "embed",
    "encoding",
    "errors",
    "expvar",
    "flag",
    "fmt",
    "hash",
    "html",
    "image",
    "internal",
    "io",
    "iter",
    "log",
    "maps",
    "math",
    "mime",
    "net",
    "os",
    "panic",
    "path",
    "plugin",
    "reflect",
    "regexp",
    "runtime",
    "slices",
    "sort",
    "strconv",
    "strings",
    "sync",
    "syscall",
    "testing",
    "time",
];

fn is_go_platform(function: &str) -> bool {
    let package = function.split(['/', '.']).next().unwrap_or_default();
    function.is_empty() || GO_PLATFORM.contains(&package)
}

/// A frame without file whose name is no path is glue of the linker or of the compiler.
fn is_rust_library(function: &str, without_file: bool) -> bool {
    let path = function.trim_start_matches(['<', '&']).trim_start_matches("dyn ").trim_start_matches("mut ");
    let of = path.split("::").next().unwrap_or_default();
    let is_glue =
        function.starts_with("__rust") || function.starts_with("rust_") || function.starts_with("__libc");
    is_glue || RUST_CRATES.contains(&of) || without_file && !function.contains("::")
}

fn is_native_library(frame: &Frame, file: &str) -> bool {
    let function = frame.function.as_str();
    let names = [
        "__libc",
        "__interceptor_",
        "__GI_",
        "__cxa_",
        "__gnu",
        "__asan",
        "__pthread",
        "_start",
        "std::",
        "operator new",
        "gsignal",
        "abort",
        "??",
        "n/a",
    ];
    let files = [
        "../sysdeps/",
        "../csu/",
        "./nptl/",
        "./stdlib/",
        "/usr/include/",
        "libsanitizer/",
        "/glibc",
        "/compiler-rt/",
        "./csu/",
    ];
    let module = frame.module.as_deref().unwrap_or_default();
    let is_system = module.starts_with("/lib") || module.starts_with("/usr/lib") || module.contains(".so");
    names.iter().any(|name| function.starts_with(name))
        || files.iter().any(|part| file.contains(part))
        || is_system
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_code_it_is() {
        use Language::{DotNet, Go, Java, JavaScript, Native, Php, Python, Ruby, Rust};
        let cases = [
            (Java, "com.acme.Cart.total", "Cart.java", true),
            (Java, "org.springframework.web.Filter.run", "Filter.java", false),
            (Java, "com.acme.Cart$$EnhancerBySpringCGLIB$$1a2b.total", "<generated>", false),
            (DotNet, "Acme.Cart.Total", "", true),
            (DotNet, "System.Linq.Enumerable.ToList[TSource]", "", false),
            (Python, "total", "/srv/shop/cart.py", true),
            (Python, "loads", "/usr/local/lib/python3.11/json/__init__.py", false),
            (Python, "get", "/app/.venv/lib/python3.12/site-packages/requests/api.py", false),
            (JavaScript, "total", "/srv/shop/cart.js", true),
            (JavaScript, "next", "/srv/shop/node_modules/express/lib/router/route.js", false),
            (JavaScript, "Module._load", "node:internal/modules/cjs/loader", false),
            (JavaScript, "JSON.parse", "", false),
            (Go, "main.(*Cart).Total", "/srv/shop/main.go", true),
            (Go, "shop.example/cart.Total", "/srv/shop/cart/cart.go", true),
            (Go, "net/http.(*conn).serve", "/usr/local/go/src/net/http/server.go", false),
            (
                Go,
                "github.com/gin-gonic/gin.(*Context).Next",
                "/go/pkg/mod/github.com/gin-gonic/gin@v1.9.1/context.go",
                false,
            ),
            (Rust, "checkout::Pool<T>::acquire", "./src/main.rs", true),
            (
                Rust,
                "<alloc::vec::Vec<T,A> as core::ops::index::Index<I>>::index",
                "/rustc/5980/library/alloc/src/vec/mod.rs",
                false,
            ),
            (Rust, "main", "", false),
            (Ruby, "total", "/srv/shop/app/cart.rb", true),
            (Ruby, "parse", "/usr/lib/ruby/3.1.0/json/common.rb", false),
            (Ruby, "call", "/usr/local/bundle/gems/rack-3.0/lib/rack/builder.rb", false),
            (Php, "Shop\\Cart->total", "/srv/shop/src/Cart.php", true),
            (Php, "Illuminate\\Pipeline->then", "/srv/shop/vendor/laravel/framework/src/Pipeline.php", false),
            (Php, "array_map", "", false),
            (Native, "charge", "checkout.c", true),
            (Native, "__libc_start_main_impl", "../csu/libc-start.c", false),
        ];
        for (language, function, file, expected) in cases {
            let file = Some(file.to_owned()).filter(|file| !file.is_empty());
            let frame = Frame { function: function.to_owned(), file, ..Frame::default() };
            assert_eq!(Application::default().owns(Some(language), &frame), expected, "{function}");
        }
    }

    #[test]
    fn the_operator_has_the_last_word() {
        let frame = Frame { function: "org.apache.acme.Cart.total".to_owned(), ..Frame::default() };
        assert!(!Application::default().owns(Some(Language::Java), &frame));
        assert!(Application::new(["org.apache.acme.".to_owned()]).owns(Some(Language::Java), &frame));
        assert!(!Application::new([String::new()]).owns(Some(Language::Java), &frame));
    }
}
