//! Values of variables, drawn as the software writes them.

use fastrand::Rng;

/// A value of the slot `name`; nothing when there is no such slot.
pub(crate) fn value(name: &str, rng: &mut Rng) -> Option<String> {
    address(name, rng)
        .or_else(|| time(name, rng))
        .or_else(|| number(name, rng))
        .or_else(|| name_of(name, rng))
}

fn pick<'a>(choices: &[&'a str], rng: &mut Rng) -> &'a str {
    choices.get(rng.usize(0..choices.len())).copied().unwrap_or_default()
}

fn hex(digits: usize, rng: &mut Rng) -> String {
    (0..digits).map(|_| char::from_digit(rng.u32(0..16), 16).unwrap_or('0')).collect()
}

/// Numbers of very different lengths, as counters, sizes and ids have them.
fn int(rng: &mut Rng) -> u64 {
    let digits = rng.u32(1..8);
    rng.u64(0..10_u64.pow(digits))
}

fn ip(rng: &mut Rng) -> String {
    format!("{}.{}.{}.{}", rng.u8(1..224), rng.u8(..), rng.u8(..), rng.u8(1..255))
}

fn domain(rng: &mut Rng) -> String {
    let first = pick(&["www", "api", "cdn", "shop", "proxy", "mail", "ec2-54-210-3-9", "static1", "ns"], rng);
    let second = pick(&["example", "acme-corp", "googleapis", "cloudfront", "fritz", "uni-hamburg"], rng);
    format!("{first}.{second}.{}", pick(&["com", "net", "org", "de", "co.uk", "edu", "com.br"], rng))
}

fn list(most: usize, separator: &str, rng: &mut Rng, one: impl Fn(&mut Rng) -> String) -> String {
    let items: Vec<String> = (0..rng.usize(1..=most)).map(|_| one(rng)).collect();
    items.join(separator)
}

fn address(name: &str, rng: &mut Rng) -> Option<String> {
    Some(match name {
        "ip" => ip(rng),
        "port" => rng.u32(20..65_536).to_string(),
        "host" => match rng.u8(0..4) {
            0 => pick(&["combo", "LabSZ", "gateway", "bastion"], rng).to_owned(),
            1 => format!("ip-10-{}-{}-{}.ec2.internal", rng.u8(..), rng.u8(..), rng.u8(..)),
            2 => format!("node-{}", rng.u8(..)),
            _ => format!("mesos-{}-{:02}", pick(&["master", "slave"], rng), rng.u8(1..40)),
        },
        "domain" => domain(rng),
        "maybedomain" => if rng.bool() { String::new() } else { domain(rng) },
        "hostorip" => if rng.bool() { ip(rng) } else { domain(rng) },
        "email" => format!("{}@{}", pick(&["alice", "bob.jones", "ops+alerts", "x77"], rng), domain(rng)),
        "urlpath" => {
            let base = pick(&["/", "/healthz", "/api/orders", "/static/app.js", "/v2/servers/detail", "/cart"], rng);
            match rng.u8(0..4) {
                0 => format!("{}/{}", base.trim_end_matches('/'), int(rng)),
                1 => format!("{base}?page={}&sort=name", rng.u8(..)),
                _ => base.to_owned(),
            }
        }
        "path" => {
            let directory = pick(&["/var/lib/nova/instances", "/usr/share/nginx/html", "/data/kafka", "/tmp", "/user/root"], rng);
            let file = pick(&["index.html", "part-m-00012", "base", "blob.tmp", "job.split", "queue"], rng);
            if rng.bool() { format!("{directory}/{file}") } else { format!("{directory}/{}/{file}", hex(8, rng)) }
        }
        "winpath" => format!(
            r"C:\Windows\winsxs\amd64_microsoft-windows-servicingstack_{}_{}_none\{}",
            hex(16, rng), version(rng), pick(&["cbscore.dll", "wcp.dll", "sqm*.std"], rng)
        ),
        "agent" => pick(&[
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
            "curl/8.4.0", "kube-probe/1.29", "Go-http-client/1.1", "-",
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        ], rng).to_owned(),
        "component" => format!("{}/.{}", pick(&["com.android.settings", "com.tencent.mm", "com.android.launcher3"], rng),
            pick(&["MainActivity", "ui.LauncherUI", "SettingsService", "DisplayActivity2"], rng)),
        _ => return None,
    })
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

fn time(name: &str, rng: &mut Rng) -> Option<String> {
    let (month, day) = (rng.usize(1..13), rng.u8(1..29));
    let (h, m, s) = (rng.u8(0..24), rng.u8(0..60), rng.u8(0..60));
    let (ms, us) = (rng.u32(0..1000), rng.u32(0..1_000_000));
    let word = MONTHS.get(month - 1).copied().unwrap_or_default();
    let week = pick(&["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"], rng);
    let iso = format!("2026-{month:02}-{day:02}");
    Some(match name {
        "syslogtime" => format!("{word} {day:>2} {h:02}:{m:02}:{s:02}"),
        "ctime" => format!("{week} {word} {day:>2} {h:02}:{m:02}:{s:02} 2026"),
        "clftime" => format!("{day:02}/{word}/2026:{h:02}:{m:02}:{s:02} +0000"),
        "slashtime" => format!("2026/{month:02}/{day:02} {h:02}:{m:02}:{s:02}"),
        "sparktime" => format!("26/{month:02}/{day:02} {h:02}:{m:02}:{s:02}"),
        "hdfstime" => format!("26{month:02}{day:02} {h:02}{m:02}{s:02}"),
        "isocomma" => format!("{iso} {h:02}:{m:02}:{s:02},{ms:03}"),
        "isomillis" => format!("{iso} {h:02}:{m:02}:{s:02}.{ms:03}"),
        "isoplain" => format!("{iso} {h:02}:{m:02}:{s:02}"),
        "isoz" => format!("{iso}T{h:02}:{m:02}:{s:02}.{ms:03}Z"),
        "isomicroz" => format!("{iso}T{h:02}:{m:02}:{s:02}.{us:06}Z"),
        "klogtime" => {
            format!("{}{month:02}{day:02} {h:02}:{m:02}:{s:02}.{us:06}", pick(&["I", "I", "W", "E"], rng))
        }
        "proxtime" => format!("{month:02}.{day:02} {h:02}:{m:02}:{s:02}"),
        "redistime" => format!("{day:02} {word} 2026 {h:02}:{m:02}:{s:02}.{ms:03}"),
        "hatime" => format!("{day:02}/{word}/2026:{h:02}:{m:02}:{s:02}.{ms:03}"),
        "androidtime" => format!("{month:02}-{day:02} {h:02}:{m:02}:{s:02}.{ms:03}"),
        "dumptime" => format!("26{month:02}{day:02} {h:>2}:{m:02}:{s:02}"),
        "winfiletime" => format!("2026/{month}/{day}:{h:02}:{m:02}:{s:02}.{ms:03}"),
        "goTime" => format!("{day:02}-{word}-2026 {h:02}:{m:02}:{s:02}.{ms:03}"),
        "clock" => format!("{h}:{m:02}:{s:02}.{ms:03}"),
        "lifetime" => {
            if rng.bool() {
                "<1 sec".to_owned()
            } else {
                format!("{m:02}:{s:02}")
            }
        }
        "uptime" => format!("{:>5}.{us:06}", rng.u32(1..99_999)),
        "epoch" => format!("{}.{ms:03}", rng.u64(1_767_000_000..1_798_000_000)),
        "epochms" => rng.u64(1_767_000_000_000..1_798_000_000_000).to_string(),
        "dur" => match rng.u8(0..4) {
            0 => format!("{ms}ms"),
            1 => format!("{s}.{ms:03}s"),
            2 => format!("{m}m{s}s"),
            _ => format!("{us}µs"),
        },
        _ => return None,
    })
}

fn version(rng: &mut Rng) -> String {
    format!("{}.{}.{}", rng.u8(0..12), rng.u8(0..30), rng.u32(0..24_000))
}

fn size(rng: &mut Rng) -> String {
    match rng.u8(0..3) {
        0 => format!("{}.{} KB", rng.u32(1..1000), rng.u8(0..10)),
        1 => format!("{}.{} MB", rng.u32(1..1000), rng.u8(0..10)),
        _ => format!("{}.0 B", rng.u32(1..1000)),
    }
}

fn number(name: &str, rng: &mut Rng) -> Option<String> {
    let joined = |count: usize, rng: &mut Rng| {
        (0..count).map(|_| rng.u32(0..3000).to_string()).collect::<Vec<_>>().join("/")
    };
    Some(match name {
        "int" => int(rng).to_string(),
        "pid" => rng.u32(2..4_000_000).to_string(),
        "float" => format!("{}.{:03}", int(rng), rng.u32(0..1000)),
        "status" => {
            pick(&["200", "200", "200", "204", "301", "404", "499", "500", "502", "503"], rng).to_owned()
        }
        "version" => version(rng),
        "hexnum" => {
            let digits = rng.usize(1..13);
            format!("0x{}", hex(digits, rng))
        }
        "hex" => {
            let digits = rng.usize(6..13);
            hex(digits, rng)
        }
        "hex4" => hex(4, rng),
        "hex8" => hex(8, rng),
        "hex32" => hex(32, rng),
        "hex40" => hex(40, rng),
        "hex64" => hex(64, rng),
        "uuid" => [8, 4, 4, 4, 12].map(|digits| hex(digits, rng)).join("-"),
        "ulid" => (0..26).map(|_| pick(&["0", "1", "7", "A", "C", "H", "K", "Z"], rng)).collect(),
        "fingerprint" => (0..43).map(|_| rng.alphanumeric()).collect(),
        "suffix" => (0..6).map(|_| rng.alphanumeric()).collect(),
        "size" => size(rng),
        "bytesize" => format!("{} bytes ({})", rng.u32(1024..9_000_000), size(rng)),
        "block" => format!(
            "blk_{}{}",
            if rng.bool() { "-" } else { "" },
            rng.u64(1_000_000_000..9_000_000_000_000_000_000)
        ),
        "blocks" => list(6, " ", rng, |rng| format!("blk_{}", rng.u64(1_000_000_000..9_000_000_000_000))),
        "rdd" => format!("rdd_{}_{}", rng.u8(..), rng.u32(0..4000)),
        "broadcast" => format!("broadcast_{}{}", rng.u32(0..400), pick(&["", "_piece0"], rng)),
        "attempt" => format!(
            "attempt_1445{}_{:04}_m_{:06}_{}",
            rng.u32(100_000..999_999),
            rng.u8(..),
            rng.u32(0..999),
            rng.u8(0..4)
        ),
        "appattempt" => {
            format!("appattempt_1445{}_{:04}_00000{}", rng.u32(100_000..999_999), rng.u8(..), rng.u8(1..4))
        }
        "task" => {
            format!("task_1445{}_{:04}_m_{:06}", rng.u32(100_000..999_999), rng.u8(..), rng.u32(0..999))
        }
        "container" => {
            format!("container_1445{}_{:04}_01_{:06}", rng.u32(100_000..999_999), rng.u8(..), rng.u32(0..999))
        }
        "dfsclient" => format!("DFSClient_NONMAPREDUCE_{}_1", rng.u32(..)),
        "kbpackage" => {
            format!("Package_for_KB{}~31bf3856ad364e35~amd64~~{}", rng.u32(900_000..4_000_000), version(rng))
        }
        "intlist" => format!("[{}]", list(6, ",", rng, |rng| rng.u8(0..64).to_string())),
        "csvints" => list(4, ",", rng, |rng| rng.u8(0..9).to_string()),
        "csvspaced" => list(4, ", ", rng, |rng| rng.u8(0..9).to_string()),
        "slashints" => joined(5, rng),
        "slashints5" => joined(5, rng),
        "sku" => format!("{}-{}", pick(&["BOOK", "LAMP", "CHAIR"], rng), rng.u16(..)),
        _ => return None,
    })
}

fn name_of(name: &str, rng: &mut Rng) -> Option<String> {
    Some(match name {
        "user" => pick(
            &[
                "root",
                "admin",
                "alice",
                "bob",
                "webmaster",
                "postgres",
                "ubuntu",
                "test1",
                "x",
                "svc-deploy",
                "0101",
            ],
            rng,
        )
        .to_owned(),
        "users" => list(3, ",", rng, |rng| pick(&["yarn", "curi", "root", "spark"], rng).to_owned()),
        "word" => pick(
            &[
                "orders",
                "payment",
                "inventory",
                "cart",
                "users",
                "sessions",
                "checkout-pool",
                "events",
                "audit",
                "shard7",
            ],
            rng,
        )
        .to_owned(),
        "process" => {
            pick(&["java", "nginx", "postgres", "python3", "node", "containerd-shim"], rng).to_owned()
        }
        "iface" => pick(&["eth0", "eth1", "ens5", "veth3a1f09c", "docker0", "wlan0"], rng).to_owned(),
        "disk" => pick(&["sda", "sdb", "sda1", "nvme0n1", "dm-0", "vdb"], rng).to_owned(),
        "usbport" => format!("{}-{}", rng.u8(1..5), rng.u8(1..9)),
        "lib" => pick(&["libc-2.31.so", "libpthread-2.31.so", "ld-2.31.so", "libssl.so.1.1"], rng).to_owned(),
        "unit" => pick(
            &["nginx", "docker", "postgresql", "cron", "systemd-logind", "checkout-api", "certbot", "fstrim"],
            rng,
        )
        .to_owned(),
        "unittitle" => pick(
            &[
                "A high performance web server",
                "Docker Application Container Engine",
                "PostgreSQL RDBMS",
                "User Login Management",
                "Discard unused blocks",
                "Certbot",
            ],
            rng,
        )
        .to_owned(),
        "namespace" => pick(&["kube-system", "default", "shop", "monitoring", "prod-eu1"], rng).to_owned(),
        "pod" => format!(
            "{}-{}-{}",
            pick(&["coredns", "payment", "checkout", "node-exporter"], rng),
            hex(9, rng),
            (0..5)
                .map(|_| pick(&["b", "c", "d", "f", "x", "z", "4", "7", "8", "9"], rng))
                .collect::<String>()
        ),
        "topic" => pick(&["orders", "payments", "page-views", "audit-log", "metrics-v2"], rng).to_owned(),
        "frontend" => pick(&["http-in", "https-in~", "stats", "fe_main"], rng).to_owned(),
        "backend" => pick(&["web1", "web2", "app-a", "app-b", "<NOSRV>"], rng).to_owned(),
        "thread" => format!("{}{}", pick(&["nio-8080-exec-", "scheduling-", "task-"], rng), rng.u8(1..64)),
        "gofile" => pick(&["main.go", "compact.go", "head.go", "scrape.go", "notifier.go"], rng).to_owned(),
        "gostack" => {
            format!("main.run\\n\\t/app/main.go:{}\\nmain.main\\n\\t/app/main.go:{}", rng.u8(..), rng.u8(..))
        }
        _ => return None,
    })
}
