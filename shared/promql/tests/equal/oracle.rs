//! The real Prometheus, loaded with the same samples.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::ops::RangeInclusive;
use std::path::Path;

use serde_json::Value as Json;
use tempfile::TempDir;
use testkit::prometheus::{Prometheus, programs};

use crate::When;
use crate::compare::{Answer, Rows};
use crate::data::Series;
use crate::remote_write::{self, field};

/// A running Prometheus, stopped when this is dropped.
pub(crate) struct Oracle {
    prometheus: Prometheus,
    _directory: TempDir,
}

impl Oracle {
    /// Loads a file of OpenMetrics text with promtool and starts Prometheus on a free port.
    pub(crate) fn with(open_metrics: &Path) -> Oracle {
        let directory = tempfile::tempdir().unwrap();
        let flags = ["--web.enable-remote-write-receiver"];
        let prometheus = Prometheus::over(&programs(), &[open_metrics.to_owned()], directory.path(), &flags);
        Oracle { prometheus, _directory: directory }
    }

    /// What Prometheus answers a query.
    pub(crate) fn answer(&self, query: &str, when: When) -> Answer {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("query", query);
        let endpoint = match when {
            When::At(time) => {
                form.append_pair("time", &seconds(time));
                "query"
            }
            When::Over { start, end, step } => {
                form.append_pair("start", &seconds(start));
                form.append_pair("end", &seconds(end)).append_pair("step", &seconds(step));
                "query_range"
            }
        };
        let reply = self.request("POST", &format!("/api/v1/{endpoint}"), &form.finish());
        let reply = json(&reply);
        if reply["status"] != "success" {
            return Answer::Failed(reply["error"].as_str().unwrap().to_owned());
        }
        let result = &reply["data"]["result"];
        match reply["data"]["resultType"].as_str().unwrap() {
            "scalar" => Answer::Scalar(value(&result[1])),
            "string" => Answer::Text(result[1].as_str().unwrap().to_owned()),
            "vector" => Answer::Rows(rows(result, |row| vec![point(&row["value"])])),
            "matrix" => Answer::Rows(rows(result, |row| {
                row["values"].as_array().unwrap().iter().map(point).collect()
            })),
            other => panic!("the type {other}"),
        }
    }

    /// Writes series as an agent does, which unlike text can say that a series ends.
    pub(crate) fn write(&self, all: &[Series]) {
        let request: Vec<u8> =
            all.iter().flat_map(|series| field(1, &remote_write::series(series))).collect();
        let body = remote_write::snappy(&request);
        let head = format!(
            "POST /api/v1/write HTTP/1.0\r\nContent-Type: application/x-protobuf\r\nContent-Encoding: snappy\r\n\
             X-Prometheus-Remote-Write-Version: 0.1.0\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let reply = self.send(&[head.as_bytes(), &body].concat());
        assert!(reply.contains(" 204 "), "{reply}");
    }

    /// A listing of names or values.
    pub(crate) fn list(&self, path: &str, selectors: &[&str], window: &RangeInclusive<i64>) -> Vec<String> {
        let reply = json(&self.request("GET", &listing(path, selectors, window), ""));
        reply["data"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
    }

    /// A listing of series.
    pub(crate) fn series(
        &self,
        selectors: &[&str],
        window: &RangeInclusive<i64>,
    ) -> Vec<BTreeMap<String, String>> {
        let reply = json(&self.request("GET", &listing("series", selectors, window), ""));
        reply["data"].as_array().unwrap().iter().map(labels).collect()
    }

    fn request(&self, method: &str, path: &str, body: &str) -> String {
        self.send(
            format!(
                "{method} {path} HTTP/1.0\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            )
            .as_bytes(),
        )
    }

    /// Sends a request by HTTP/1.0, whose reply, head and body, ends with the connection.
    fn send(&self, request: &[u8]) -> String {
        let mut connection = TcpStream::connect(("127.0.0.1", self.prometheus.port())).unwrap();
        connection.write_all(request).unwrap();
        let mut reply = String::new();
        connection.read_to_string(&mut reply).unwrap();
        reply
    }
}

fn listing(path: &str, selectors: &[&str], window: &RangeInclusive<i64>) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("start", &seconds(*window.start())).append_pair("end", &seconds(*window.end()));
    for selector in selectors {
        form.append_pair("match[]", selector);
    }
    format!("/api/v1/{path}?{}", form.finish())
}

fn json(reply: &str) -> Json {
    serde_json::from_str(reply.split_once("\r\n\r\n").unwrap().1).unwrap()
}

fn seconds(milliseconds: i64) -> String {
    format!("{}.{:03}", milliseconds / 1_000, milliseconds % 1_000)
}

fn rows(result: &Json, points: impl Fn(&Json) -> Vec<(i64, f64)>) -> Rows {
    result.as_array().unwrap().iter().map(|row| (labels(&row["metric"]), points(row))).collect()
}

fn labels(metric: &Json) -> BTreeMap<String, String> {
    let labels = metric.as_object().unwrap().iter();
    labels.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect()
}

fn point(pair: &Json) -> (i64, f64) {
    ((pair[0].as_f64().unwrap() * 1_000.0).round() as i64, value(&pair[1]))
}

fn value(text: &Json) -> f64 {
    text.as_str().unwrap().parse().unwrap()
}
