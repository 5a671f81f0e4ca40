//! `snapshot.toml` and `aliases.toml`.

use std::fmt::Write as _;
use std::io;

use crate::World;
use crate::incident::written;
use crate::shop::{Convention, NAMESPACE, Runtime};

use super::{Directory, Options};

pub(super) fn write(world: &World, options: &Options, directory: &mut Directory) -> io::Result<()> {
    let incident = &world.incident;
    let title = options.title.as_deref().unwrap_or(&incident.title);
    let (start, end) = (written(incident.start()), written(incident.end()));
    let manifest = format!(
        "id = {}\ntitle = {}\nnow = \"{end}\"\nwindow = {{ start = \"{start}\", end = \"{end}\" }}\n",
        quoted(&incident.id),
        quoted(title),
    );
    directory.file("snapshot.toml", manifest.as_bytes())?;
    directory.file("aliases.toml", aliases(world).as_bytes())
}

fn aliases(world: &World) -> String {
    let mut text = String::from("# Canonical name of a service, and by which labels its series are found.\n");
    for service in world.shop.services {
        let name = service.name;
        let mut matchers = vec![format!("service=\"{name}\"")];
        if let Convention::OtelHttp | Convention::OtelHttpMillis | Convention::OtelRpcMillis = service.speaks
        {
            matchers.push(format!("service_name=\"{name}\""));
        }
        matchers.push(format!("namespace=\"{NAMESPACE}\",container=\"{name}\""));
        let kind = if service.runtime == Runtime::Native {
            "statefulset"
        } else {
            matchers.push(format!("namespace=\"{NAMESPACE}\",deployment=\"{name}\""));
            "deployment"
        };
        let matchers: Vec<String> = matchers.iter().map(|matcher| format!("'{matcher}'")).collect();
        let _ = write!(
            text,
            "\n[{name}]\nprometheus = [{}]\nkubernetes = \"{NAMESPACE}/{kind}/{name}\"\n",
            matchers.join(", ")
        );
    }
    text
}

/// A basic string of TOML, whose escapes are those of JSON.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
