//! What was thrown, in the four languages of the shop.

/// Type, message and the whole text.
#[derive(Debug, Clone)]
pub(super) struct Thrown {
    pub(super) kind: &'static str,
    pub(super) message: String,
    /// Over several lines, without the last line's end.
    pub(super) text: String,
}

/// What a service of this name throws when it fails by itself (or by a wrong `setting`), or is turned away.
pub(super) fn own(service: &str, setting: Option<&str>) -> Option<Thrown> {
    Some(match (service, setting) {
        ("web", None) => node(
            "TypeError",
            "Cannot read properties of undefined (reading 'price')",
            &["renderProduct (/app/dist/views/product.js:88:31)", "/app/dist/router.js:142:19"],
        ),
        ("checkout", None) => go(
            "runtime error: invalid memory address or nil pointer dereference",
            "main.(*Orders).place(0xc0001a4000, {0x1234f80, 0xc000218c30})\n\t/src/checkout/orders.go:211 +0x4c8",
        ),
        ("inventory", None) => java(
            ("com.example.inventory.StockException", "stock row is locked"),
            &["com.example.inventory.StockRepository.read(StockRepository.java:74)"],
            Some((
                "org.postgresql.util.PSQLException",
                "ERROR: could not obtain lock on row in relation \"stock\"",
                "org.postgresql.core.v3.QueryExecutorImpl.receiveErrorResponse(QueryExecutorImpl.java:2725)",
            )),
        ),
        ("search", None) => java(
            ("com.example.search.ShardFailure", "shard did not answer"),
            &[
                "com.example.search.Scatter.gather(Scatter.java:133)",
                "com.example.search.QueryController.search(QueryController.java:58)",
            ],
            Some((
                "java.util.concurrent.TimeoutException",
                "Timeout on future after 1000 ms",
                "java.base/java.util.concurrent.CompletableFuture.timedGet(CompletableFuture.java:1960)",
            )),
        ),
        ("recommendation" | "email", None) => {
            python(service, "ValueError", "could not convert string to float: 'n/a'")
        }
        ("checkout" | "payment" | "catalog" | "cart" | "user" | "shipping", Some(setting)) => go(
            &format!("settings: {setting}: key \"limits.per_request\" is missing"),
            "example.com/shop/settings.MustGet(...)\n\t/src/settings/settings.go:52\nmain.(*Handler).ServeHTTP(0xc0000b6008, {0x7f3c, 0xc000412000})\n\t/src/handler.go:97 +0x1f3",
        ),
        ("inventory" | "search", Some(setting)) => java(
            (
                "java.lang.IllegalStateException",
                &format!("settings {setting}: limits.per_request is missing"),
            ),
            &[
                "com.example.settings.Settings.require(Settings.java:61)",
                "com.example.shop.RequestFilter.doFilter(RequestFilter.java:40)",
            ],
            None,
        ),
        _ => return None,
    })
}

/// What is thrown for want of a connection.
pub(super) fn rejected(service: &str, patience_ms: u64) -> Option<Thrown> {
    (service == "inventory").then(|| {
        java(
            ("org.springframework.jdbc.CannotGetJdbcConnectionException", "Failed to obtain JDBC Connection"),
            &[
                "org.springframework.jdbc.datasource.DataSourceUtils.getConnection(DataSourceUtils.java:84)",
                "com.example.inventory.StockRepository.read(StockRepository.java:48)",
            ],
            Some((
                "java.sql.SQLTransientConnectionException",
                &format!(
                    "HikariPool-1 - Connection is not available, request timed out after {patience_ms}ms."
                ),
                "com.zaxxer.hikari.pool.HikariPool.createTimeoutException(HikariPool.java:696)",
            )),
        )
    })
}

/// What is thrown when a callee failed.
pub(super) fn callee(service: &str, callee: &str, reason: &str) -> Option<Thrown> {
    match service {
        "web" => Some(node(
            "UpstreamError",
            &format!("{callee}: {reason}"),
            &[
                "Upstream.call (/app/dist/upstream.js:57:13)",
                "async checkout (/app/dist/routes/checkout.js:31:20)",
            ],
        )),
        "recommendation" => Some(python(service, "ConnectionError", &format!("{callee}: {reason}"))),
        _ => None,
    }
}

fn node(kind: &'static str, message: &str, frames: &[&str]) -> Thrown {
    let mut text = format!("{kind}: {message}");
    let own = ["process.processTicksAndRejections (node:internal/process/task_queues:105:5)"];
    for frame in frames.iter().chain(&own) {
        text.push_str(&format!("\n    at {frame}"));
    }
    Thrown { kind, message: message.to_owned(), text }
}

fn go(message: &str, frames: &str) -> Thrown {
    let text = format!(
        "panic: {message}\n\ngoroutine 4711 [running]:\n{frames}\nnet/http.(*conn).serve(0xc0002c2000, {{0x9a1c40, 0xc000190ab0}})\n\t/usr/local/go/src/net/http/server.go:2102 +0x625"
    );
    Thrown { kind: "panic", message: message.to_owned(), text }
}

fn java((kind, message): (&'static str, &str), frames: &[&str], cause: Option<(&str, &str, &str)>) -> Thrown {
    let mut text = format!("{kind}: {message}");
    let below = [
        "java.base/java.util.concurrent.ThreadPoolExecutor.runWorker(ThreadPoolExecutor.java:1144)",
        "java.base/java.lang.Thread.run(Thread.java:1583)",
    ];
    for frame in frames.iter().chain(&below) {
        text.push_str(&format!("\n\tat {frame}"));
    }
    if let Some((kind, message, frame)) = cause {
        text.push_str(&format!(
            "\nCaused by: {kind}: {message}\n\tat {frame}\n\t... {} more",
            frames.len() + 1
        ));
    }
    Thrown { kind, message: message.to_owned(), text }
}

fn python(service: &str, kind: &'static str, message: &str) -> Thrown {
    let text = format!(
        "Traceback (most recent call last):\n  File \"/app/{service}/service.py\", line 88, in handle\n    return self.run(request)\n           ^^^^^^^^^^^^^^^^^\n  File \"/app/{service}/model.py\", line 141, in run\n    values = self.load(request.key)\n             ^^^^^^^^^^^^^^^^^^^^^^\n{kind}: {message}"
    );
    Thrown { kind, message: message.to_owned(), text }
}
