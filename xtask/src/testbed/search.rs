//! OpenSearch and Elasticsearch, from the archives that their own integration tests use: Maven artifacts, fetched once.
//! They have no SQL, no security but that of Elasticsearch 8, and that one answers 405 to `GET /` in this form.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::backends::{Plan, free_ports, fresh_directory, launch, words};
use super::cache::Cache;
use super::programs::{run, with_suffix};

/// A released archive.
pub(crate) struct Archive {
    /// The process, as one names it on the command line.
    name: &'static str,
    /// `opensearch` or `elasticsearch`: names artifact, settings and start script.
    product: &'static str,
    version: &'static str,
    /// Whether it asks who is there.
    secured: bool,
}

pub(crate) const OPENSEARCH: Archive =
    Archive { name: "opensearch", product: "opensearch", version: "2.19.4", secured: false };
pub(crate) const ELASTICSEARCH: Archive =
    Archive { name: "elasticsearch", product: "elasticsearch", version: "8.19.0", secured: false };
pub(crate) const ELASTICSEARCH_7: Archive =
    Archive { name: "elasticsearch7", product: "elasticsearch", version: "7.17.28", secured: false };

pub(crate) const ELASTICSEARCH_SECURED: Archive =
    Archive { name: "elasticsearch-secured", product: "elasticsearch", version: "8.19.0", secured: true };

/// The password of both users of the secured cluster, `reader-of-logs`, as its tool `elasticsearch-users` hashes it.
const HASHED: &str = "$2a$10$Js0RIK2tLsh0y5AocI3Ed.ho2n0mU9bU/XjjyheAqDoh.v76mhS9C";
/// What the reader may do; and who is nobody, so that readiness can be asked for.
const ROLES: &str = "logs_reader:\n  indices:\n    - names: [ 'logs-*' ]\n      privileges: [ 'read', 'view_index_metadata' ]\n\
                     nobody:\n  cluster: [ 'cluster:monitor/health' ]\n";

/// A version that all run on.
const JDK: &str = "/usr/lib/jvm/java-17-openjdk-amd64";

impl Archive {
    /// The unpacked archive, fetched if that was not done yet.
    pub(crate) fn home(&self, cache: &Cache) -> Result<PathBuf, Box<dyn Error>> {
        let Archive { product, version, .. } = self;
        let unpacked = cache.bin().join(format!("{product}-{version}"));
        if !unpacked.exists() {
            println!("fetching {product} {version}");
            let unfinished = with_suffix(&unpacked, ".part");
            fs::create_dir_all(&unfinished)?;
            let artifact = format!("org.{product}.distribution.integ-test-zip:{product}:{version}:zip");
            let mut fetch = Command::new("mvn");
            fetch.args(["--quiet", "--batch-mode", "dependency:copy"]).arg(format!("-Dartifact={artifact}"));
            run(fetch.arg(format!("-DoutputDirectory={}", unfinished.display())).current_dir(&unfinished))?;
            let archive = format!("{product}-{version}.zip");
            run(Command::new("unzip").args(["-q", &archive]).current_dir(&unfinished))?;
            fs::remove_file(unfinished.join(archive))?;
            fs::rename(&unfinished, &unpacked)?;
        }
        Ok(unpacked.join(format!("{product}-{version}")))
    }

    /// Starts a cluster of one node with fresh data and waits until it answers.
    pub(crate) fn start(&self, cache: &Cache) -> Result<(), Box<dyn Error>> {
        let home = self.home(cache)?;
        let directory = fresh_directory(cache, self.name)?;
        let [port] = free_ports()?;
        self.configure(&home, &directory, port)?;
        let java = Path::new(JDK).join("bin/java");
        if !java.exists() {
            return Err(format!("find {}: install a JDK 17", java.display()).into());
        }
        let product = self.product.to_uppercase();
        let prefix = if self.product == "opensearch" { "OPENSEARCH" } else { "ES" };
        // Neither runs as root. Within a user namespace of its own the process is somebody, and its files stay ours.
        let mut arguments = words("--user --map-user=1000 --map-group=1000 env");
        arguments.extend([
            format!("{prefix}_JAVA_HOME={JDK}"),
            format!("{prefix}_JAVA_OPTS=-Xms512m -Xmx512m"),
            format!("{prefix}_PATH_CONF={}", directory.join("config").display()),
            format!("{product}_HOME={}", home.display()),
            home.join("bin").join(self.product).display().to_string(),
        ]);
        let program = PathBuf::from("unshare");
        let ready = "/_cluster/health?wait_for_status=yellow&timeout=1s";
        launch(
            cache,
            Plan { name: self.name, program, port, arguments, cluster: None, becomes: Some(java), ready },
        )
    }

    fn configure(&self, home: &Path, directory: &Path, port: u16) -> Result<(), Box<dyn Error>> {
        let config = directory.join("config");
        fs::create_dir_all(&config)?;
        for entry in fs::read_dir(home.join("config"))? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                fs::copy(entry.path(), config.join(entry.file_name()))?;
            }
        }
        fs::create_dir_all(config.join("jvm.options.d"))?;
        let mut settings = format!(
            "cluster.name: testbed\nnode.name: testbed\nnetwork.host: 127.0.0.1\nhttp.port: {port}\n\
             transport.port: 0\ndiscovery.type: single-node\npath.data: {data}\npath.logs: {logs}\n\
             cluster.routing.allocation.disk.threshold_enabled: false\n",
            data = directory.join("data").display(),
            logs = directory.join("logs").display(),
        );
        if self.secured {
            settings.push_str(
                "xpack.security.enabled: true\nxpack.security.enrollment.enabled: false\n\
                 xpack.security.http.ssl.enabled: false\nxpack.security.transport.ssl.enabled: false\n\
                 xpack.security.authc.anonymous.username: nobody\nxpack.security.authc.anonymous.roles: nobody\n",
            );
            fs::write(config.join("users"), format!("admin:{HASHED}\nreader:{HASHED}\n"))?;
            fs::write(config.join("users_roles"), "superuser:admin\nlogs_reader:reader\n")?;
            fs::write(config.join("roles.yml"), ROLES)?;
        } else if self.product == "elasticsearch" {
            // Before the first start: else a keystore and TLS settings are written that block the next one.
            settings.push_str("xpack.security.enabled: false\n");
        }
        Ok(fs::write(config.join(format!("{}.yml", self.product)), settings)?)
    }
}
