//! Values of documented forms, from a fixed seed. Prefixes are put together from pieces, so that no scanner of
//! repositories takes this file for a leak.
#![allow(dead_code, clippy::unwrap_used, clippy::panic, reason = "each test binary uses some of these")]

/// SplitMix64 (Steele, Lea and Flood 2014).
pub(crate) struct Random(pub(crate) u64);

const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const ALNUM: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const BASE64: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE64URL: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const HEX: &str = "0123456789abcdef";
const LOWER_ALNUM: &str = "abcdefghijklmnopqrstuvwxyz0123456789";
const DIGITS: &str = "0123456789";

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    fn text(&mut self, alphabet: &str, length: usize) -> String {
        let letters: Vec<char> = alphabet.chars().collect();
        (0..length).map(|_| letters[self.below(letters.len())]).collect()
    }

    /// At least one digit, one capital and one small letter: what a judge of randomness may ask for.
    fn token(&mut self, alphabet: &str, length: usize) -> String {
        format!(
            "{}{}{}{}",
            self.text("abcdef", 1),
            self.text(DIGITS, 1),
            self.text("GHJK", 1),
            self.text(alphabet, length - 3)
        )
    }
}

/// A value of the form `name`; nothing when there is no such form.
pub(crate) fn value(name: &str, random: &mut Random) -> Option<String> {
    secret(name, random).or_else(|| personal(name, random)).or_else(|| harmless(name, random))
}

fn secret(name: &str, r: &mut Random) -> Option<String> {
    Some(match name {
        "jwt" => format!("eyJhbGciOiJIUzI1NiJ9.eyJ{}.{}", r.text(BASE64URL, 40), r.text(BASE64URL, 43)),
        "jwe" => format!(
            "eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..{}.{}.{}",
            r.text(BASE64URL, 16),
            r.text(BASE64URL, 40),
            r.text(BASE64URL, 22)
        ),
        "pem" => pem(r, "\n"),
        "pem_line" => pem(r, "\\n"),
        "aws_id" => {
            format!("{}{}", r.pick(&["AKIA", "ASIA"]), r.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16))
        }
        "aws_secret" => r.token(BASE64, 40),
        "azure64" => format!("{}==", r.token(BASE64, 86)),
        "azure32" => format!("{}=", r.token(BASE64, 43)),
        "azure_ad" => format!("{}{}Q~{}", r.text(ALNUM, 3), r.text(DIGITS, 1), r.text(BASE64URL, 34)),
        "google" => format!("AIza{}", r.text(BASE64URL, 35)),
        "ya29" => format!("ya29.a0{}", r.text(BASE64URL, 60)),
        "gocspx" => format!("GOCSPX-{}", r.text(BASE64URL, 28)),
        "github" => format!("{}_{}", r.pick(&["ghp", "gho", "ghu", "ghs", "ghr"]), r.text(ALNUM, 36)),
        "github_fine" => format!("github_pat_11{}_{}", r.text(ALNUM, 20), r.text(ALNUM, 59)),
        "gitlab" => format!(
            "{}-{}",
            r.pick(&["glpat", "gldt", "glrt", "glptt", "glft", "gloas"]),
            r.token(BASE64URL, 20)
        ),
        "gitlab_routable" => {
            format!("glpat-{}.01.{}", r.token(BASE64URL, 40), r.text(LOWER_ALNUM, 9).get(..7).unwrap())
        }
        "slack" => format!(
            "{}-{}-{}-{}",
            r.pick(&["xoxb", "xoxp", "xoxa"]),
            r.text(DIGITS, 12),
            r.text(DIGITS, 12),
            r.text(ALNUM, 24)
        ),
        "slack_app" => format!("xapp-1-A{}-{}-{}", r.text(UPPER, 10), r.text(DIGITS, 13), r.text(HEX, 64)),
        "slack_hook" => format!("T{}/B{}/{}", r.text(UPPER, 10), r.text(UPPER, 10), r.text(ALNUM, 24)),
        "stripe" => {
            format!("{}_{}", r.pick(&["sk_live", "sk_test", "rk_live", "rk_test"]), r.token(ALNUM, 32))
        }
        "whsec" => format!("whsec_{}", r.token(ALNUM, 32)),
        "npm" => format!("npm_{}", r.token(ALNUM, 36)),
        "pypi" => format!("pypi-AgEIcHlwaS5vcmc{}", r.text(BASE64URL, 120)),
        "docker" => format!("dckr_pat_{}", r.token(BASE64URL, 27)),
        "rubygems" => format!("rubygems_{}", r.text(HEX, 48)),
        "openai" => format!("sk-proj-{}", r.token(BASE64URL, 48)),
        "anthropic" => format!("sk-ant-api03-{}AA", r.token(BASE64URL, 93)),
        "grafana" => format!("glsa_{}_{}", r.token(ALNUM, 32), r.text(HEX, 8)),
        "vault" => format!("hvs.{}", r.token(BASE64URL, 90)),
        "digitalocean" => format!("dop_v1_{}", r.text(HEX, 64)),
        "sendgrid" => format!("SG.{}.{}", r.token(BASE64URL, 22), r.text(BASE64URL, 43)),
        "opaque" => {
            let length = 24 + r.below(20);
            r.token(ALNUM, length)
        }
        "opaque_lower" => format!("{}4", r.text(LOWER_ALNUM, 25)),
        "basic" => {
            let length = 4 * (5 + r.below(4));
            r.token(BASE64, length)
        }
        "sas" => format!("{}%3D", r.token(ALNUM, 43)),
        "b64url" => format!("{}__", r.token(ALNUM, 86)),
        "hex32" => r.text(HEX, 32),
        "hex64" => r.text(HEX, 64),
        "hexup" => r.text("0123456789ABCDEF", 32),
        "password" => {
            let length = 6 + r.below(8);
            format!(
                "{}{}{}",
                r.text(ALNUM, length),
                r.pick(&["!", "-", "_", ".", "", "+", "#", "~"]),
                r.text(DIGITS, 2)
            )
        }
        _ => return None,
    })
}

fn pem(r: &mut Random, end: &str) -> String {
    let kind = r.pick(&["", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED "]);
    let lines: Vec<String> = (0..4).map(|_| r.text(BASE64, 64)).collect();
    format!(
        "-----{} {kind}PRIVATE KEY-----{end}{}{end}-----{} {kind}PRIVATE KEY-----",
        "BEGIN",
        lines.join(end),
        "END"
    )
}

fn personal(name: &str, r: &mut Random) -> Option<String> {
    Some(match name {
        "email" => format!(
            "{}{}@{}",
            r.pick(&["bob", "eve.smith", "j_doe", "anna-lena", "kim+news"]),
            r.below(1000),
            r.pick(&["example.com", "mail.example.co.uk", "shop.example", "corp-mail.example.org"])
        ),
        "card16" => {
            let prefix = r.pick(&["4", "51", "55", "2221", "6011", "3528", "62"]);
            card(r, prefix, 16)
        }
        "card15" => {
            let prefix = r.pick(&["34", "37"]);
            card(r, prefix, 15)
        }
        "card14" => card(r, "36", 14),
        "card13" => card(r, "4", 13),
        "card19" => card(r, "4", 19),
        "card_grouped" => {
            let number = card(r, "4", 16);
            let sign = r.pick(&[" ", "-"]);
            grouped(&number, sign)
        }
        "iban" => iban(r),
        "iban_grouped" => grouped(&iban(r), " "),
        _ => return None,
    })
}

fn harmless(name: &str, r: &mut Random) -> Option<String> {
    Some(match name {
        "h7" | "h8" | "h16" | "h32" | "h40" | "h64" => {
            let length = name[1..].parse().unwrap();
            r.text(HEX, length)
        }
        "d3" | "d4" | "d6" | "d9" | "d13" | "d16" | "d17" | "d18" | "d19" => {
            let length: usize = name[1..].parse().unwrap();
            format!("{}{}", r.text("123456789", 1), r.text(DIGITS, length - 1))
        }
        "uuid" => format!(
            "{}-{}-4{}-a{}-{}",
            r.text(HEX, 8),
            r.text(HEX, 4),
            r.text(HEX, 3),
            r.text(HEX, 3),
            r.text(HEX, 12)
        ),
        "ulid" => format!("01H{}", r.text("0123456789ABCDEFGHJKMNPQRSTVWXYZ", 23)),
        "ip" => format!("{}.{}.{}.{}", 1 + r.below(223), r.below(256), r.below(256), r.below(256)),
        "ip6" => format!("2001:db8:{}:{}::{}", r.text(HEX, 4), r.text(HEX, 3), r.text(HEX, 2)),
        "semver" => format!("{}.{}.{}", r.below(20), r.below(40), r.below(100)),
        "service" => r
            .pick(&[
                "payment",
                "checkout",
                "web",
                "orders-db",
                "token-service",
                "secret-sync",
                "password-reset",
                "card-gateway",
            ])
            .to_owned(),
        "hash5" => r.text("bcdfghjklmnpqrstvwxz2456789", 5),
        "hash10" => r.text("bcdfghjklmnpqrstvwxz2456789", 10),
        "word" => r.pick(&["refused", "expired", "missing", "invalid", "timeout", "rotated"]).to_owned(),
        "b64" => r.text(BASE64, 44),
        "b88" => format!("{}==", r.text(BASE64, 86)),
        "bad_card" => {
            let good = card(r, "4", 16);
            spoiled(&good)
        }
        "bad_card_grouped" => {
            let good = card(r, "55", 16);
            grouped(&spoiled(&good), "-")
        }
        "good_card" => card(r, "4", 16),
        "bad_iban" => spoiled(&iban(r)),
        "bad_iban_grouped" => grouped(&spoiled(&iban(r)), " "),
        _ => return None,
    })
}

/// The last digit one more: no check digit survives that.
fn spoiled(number: &str) -> String {
    let (head, last) = number.split_at(number.len() - 1);
    format!("{head}{}", last.parse::<u32>().map_or(0, |digit| (digit + 1) % 10))
}

fn grouped(number: &str, sign: &str) -> String {
    let characters: Vec<char> = number.chars().collect();
    characters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(sign)
}

/// With its check digit found by trying (Luhn as in ISO/IEC 7812-1, annex B).
fn card(r: &mut Random, prefix: &str, length: usize) -> String {
    let body = format!("{prefix}{}", r.text(DIGITS, length - 1 - prefix.len()));
    (0..10).map(|digit| format!("{body}{digit}")).find(|number| luhn(number)).unwrap()
}

fn luhn(number: &str) -> bool {
    let sum: u32 = number
        .bytes()
        .rev()
        .enumerate()
        .map(|(position, byte)| {
            let digit = u32::from(byte - b'0');
            if position % 2 == 0 { digit } else { digit * 2 / 10 + digit * 2 % 10 }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// With its check digits found by trying (ISO 7064, mod 97-10).
fn iban(r: &mut Random) -> String {
    let (country, length, letters) = [
        ("DE", 22, 0),
        ("GB", 22, 4),
        ("FR", 27, 0),
        ("NL", 18, 4),
        ("NO", 15, 0),
        ("MT", 31, 4),
        ("CH", 21, 0),
        ("IT", 27, 1),
    ][r.below(8)];
    let body = format!("{}{}", r.text(UPPER, letters), r.text(DIGITS, length - 4 - letters));
    (2..=98).map(|check| format!("{country}{check:02}{body}")).find(|number| mod97(number) == 1).unwrap()
}

fn mod97(number: &str) -> u128 {
    let (head, tail) = number.split_at(4);
    let digits: String =
        format!("{tail}{head}").chars().map(|c| c.to_digit(36).unwrap().to_string()).collect();
    digits.bytes().fold(0, |remainder, byte| (remainder * 10 + u128::from(byte - b'0')) % 97)
}
