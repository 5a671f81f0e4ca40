//! A certificate authority of one's own, and client certificates, against a real TLS server.
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "tests fail loudly")]

use std::{path::PathBuf, sync::Arc};

use contract::Context;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{RootCertStore, ServerConfig, pki_types::PrivateKeyDer, server::WebPkiClientVerifier},
};
use upstream::{Ask, Endpoint, Limits, Method, SourceConfig, Upstream};

const LABELS: Endpoint = Endpoint { method: Method::Get, path: "/api/v1/labels" };

/// An authority, a certificate for a client, and a server on a port of its own that wants one.
struct World {
    directory: TempDir,
    url: String,
}

impl World {
    async fn start() -> World {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let issue = |name: &str| {
            let key = KeyPair::generate().unwrap();
            (CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &ca).unwrap(), key)
        };
        let (server, server_key) = issue("localhost");
        let (client, client_key) = issue("reader");
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("ca.pem"), ca.pem()).unwrap();
        let identity = format!("{}{}", client.pem(), client_key.serialize_pem());
        std::fs::write(directory.path().join("client.pem"), identity).unwrap();

        let mut roots = RootCertStore::empty();
        roots.add(ca.der().clone()).unwrap();
        let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build().unwrap();
        let key = PrivateKeyDer::try_from(server_key.serialize_der()).unwrap();
        let config = ServerConfig::builder()
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![server.der().clone()], key)
            .unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        tokio::spawn(serve(listener, TlsAcceptor::from(Arc::new(config))));
        World { directory, url }
    }

    fn path(&self, name: &str) -> Option<PathBuf> {
        Some(self.directory.path().join(name))
    }

    async fn ask(
        &self,
        ca_file: Option<PathBuf>,
        client_identity_file: Option<PathBuf>,
    ) -> Result<u16, String> {
        let config =
            SourceConfig { url: self.url.clone(), ca_file, client_identity_file, ..SourceConfig::default() };
        let upstream =
            Upstream::new("prometheus", config, Limits { max_retries: 0, ..Limits::default() }).unwrap();
        let cx = Context::for_test("2026-01-14T14:32:00Z".parse().unwrap());
        let reply = upstream.fetch(&cx, &Ask::of(LABELS)).await;
        reply.map(|reply| reply.status).map_err(|error| format!("{}: {error}", error.kind()))
    }
}

async fn serve(listener: tokio::net::TcpListener, acceptor: TlsAcceptor) {
    while let Ok((stream, _)) = listener.accept().await {
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")
                .await;
            let _ = stream.shutdown().await;
        });
    }
}

#[tokio::test]
async fn with_its_authority_and_our_certificate_the_backend_answers() {
    let world = World::start().await;
    assert_eq!(world.ask(world.path("ca.pem"), world.path("client.pem")).await, Ok(200));
}

#[tokio::test]
async fn without_either_it_does_not_and_the_error_says_which() {
    let world = World::start().await;
    let stranger = world.ask(None, world.path("client.pem")).await.unwrap_err();
    assert!(stranger.starts_with("unreachable: ") && stranger.contains("certificate"), "{stranger}");
    let nameless = world.ask(world.path("ca.pem"), None).await.unwrap_err();
    assert!(nameless.starts_with("unreachable: ") && nameless.contains("ertificate"), "{nameless}");
    let swapped = world.ask(world.path("client.pem"), world.path("ca.pem")).await.unwrap_err();
    assert!(
        swapped.contains("`client_identity_file`") && swapped.contains("and its private key"),
        "{swapped}"
    );
}
