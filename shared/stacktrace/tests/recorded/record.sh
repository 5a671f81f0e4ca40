#!/usr/bin/env bash
# Makes every recorded trace again: record.sh OUTPUT-DIRECTORY (default: beside this file). README.md says what it needs.
# Programs run in /srv/shop, so that no path tells whose machine it was.
set -u
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here}
app=/srv/shop
rm -rf $app; mkdir -p $app; cp "$here"/programs/* $app/; cd $app
export LANG=C.UTF-8 NO_COLOR=1
# record NAME COMMAND…: what the command says on both its outputs.
record() { local name=$1; shift; timeout 60 "$@" >"$out/$name.txt" 2>&1 || true; }
want() { command -v "$1" >/dev/null || { echo "no $1: its traces stay as they are" >&2; return 1; }; }

if want javac; then
  javac -d classes Checkout.java
  for kind in chain proxy circular overflow; do
    record java-$kind java -XX:MaxJavaStackTraceDepth=40 -cp classes com.acme.shop.Checkout $kind
  done
  if [ -n "${LOGGING_JARS:-}" ]; then
    javac -cp "$LOGGING_JARS" -d classes Checkout.java Logging.java
    for kind in logback root-first; do record java-$kind java -cp "classes:$LOGGING_JARS" com.acme.shop.Logging $kind; done
  fi
fi
if want python3; then
  for kind in cause context recursion notes group taskgroup syntax json stdlib; do
    record python-$kind python3 checkout.py $kind
    sed -i "s|/[^" ]*/[.]pyenv/versions/[0-9.]*/|/usr/local/|" "$out/python-$kind.txt"
  done
fi
if want go; then
  mkdir go; cp checkout.go go/main.go; printf 'module shop.example/checkout\n\ngo 1.26\n' >go/go.mod
  (cd go && go build -o ../checkout-go .)
  go build -o deadlock-go deadlock.go
  record go-deadlock ./deadlock-go
  for kind in nil index rethrow custom goroutine overflow stack http; do record go-$kind ./checkout-go $kind; done
fi
if want node; then
  for kind in cause nested aggregate internal multiline lambda logged; do record node-$kind node checkout.js $kind; done
  if [ -d "${EXPRESS:-/nowhere}" ]; then
    cp -r "$EXPRESS" node_modules
    record node-express node express.js
  fi
fi
if want cargo; then
  mkdir -p rust/src; cp checkout.rs rust/src/main.rs
  printf '[package]\nname = "checkout"\nversion = "0.1.0"\nedition = "2024"\n\n[dependencies]\nanyhow = "1"\n\n[workspace]\n' >rust/Cargo.toml
  home=${CARGO_HOME:-$HOME/.cargo}
  (cd rust && RUSTFLAGS="--remap-path-prefix=$home/registry/src=/cargo/registry/src" cargo build -q)
  for kind in index unwrap one thread two; do
    record rust-$kind env RUST_BACKTRACE=1 rust/target/debug/checkout $kind
    record rust-$kind-bare env RUST_BACKTRACE=0 rust/target/debug/checkout $kind
  done
  sed -i 's#/cargo/registry/src/[^/]*/#/cargo/registry/src/index/#' "$out"/rust-*.txt
fi
if want ruby; then
  for kind in cause typo multiline deep backtrace; do record ruby-$kind ruby checkout.rb $kind; done
fi
if want php; then
  for kind in cause type multiline; do
    record php-$kind php -d display_errors=0 -d log_errors=1 -d error_log= checkout.php $kind
  done
  record php-displayed php -d display_errors=1 -d log_errors=0 -d html_errors=0 checkout.php cause
fi
if want gcc; then
  gcc -g -O0 -rdynamic -o checkout-c checkout.c
  gcc -g -O0 -fsanitize=address,undefined -o checkout-asan checkout.c
  g++ -g -O0 -o checkout-cc checkout.cc
  record c-backtrace ./checkout-c backtrace
  for kind in use-after-free overflow leak null divide; do
    record c-asan-$kind env UBSAN_OPTIONS=print_stacktrace=1 ./checkout-asan $kind
  done
  record cc-terminate ./checkout-cc
  if want gdb; then
    record c-gdb gdb -q -batch -ex run -ex bt --args ./checkout-c null
    record cc-gdb gdb -q -batch -ex run -ex 'thread apply all bt' ./checkout-cc
  fi
fi
if want mcs; then
  mcs -debug -out:Checkout.exe Checkout.cs
  for kind in inner async aggregate lambda; do
    record mono-$kind mono --debug Checkout.exe $kind
    if [ -d "${DOTNET_ROOT:-/nowhere}" ]; then
      printf '{"runtimeOptions":{"framework":{"name":"Microsoft.NETCore.App","version":"3.1.0"}}}' >Checkout.runtimeconfig.json
      record dotnet-$kind env DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 "$DOTNET_ROOT/dotnet" exec Checkout.exe $kind
    fi
  done
fi
rm -rf $app
