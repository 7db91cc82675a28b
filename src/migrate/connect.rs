//! Opens a connection to a database of the user's: what `sslmode` and `sslrootcert` in its URL mean, and why there is none.
//!
//! The one place of the command line that does. The two parameters mean what they mean to libpq (PostgreSQL's manual, "SSL
//! Support"), but that a file of the home directory is never read, and that what libpq would quietly do without is refused.
//!
//! ```text
//! sslmode       without sslrootcert                with sslrootcert=FILE
//! disable       no TLS                             refused
//! prefer, none  TLS where the server has it        refused
//! require       TLS                                as verify-ca
//! verify-ca     refused                            TLS with a server that an authority of FILE vouches for
//! verify-full   as with the system's authorities   the same, for the name or address in the URL
//! ```
//!
//! Only what is in the last two lines keeps out who sits between.

use percent_encoding::percent_decode_str;
use postgres::config::SslMode;
use postgres::{Client, Config};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore, SignatureScheme,
};
use std::error::Error;
use std::io;
use std::sync::Arc;
use tokio_postgres_rustls::MakeRustlsConnect;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The URL says nothing that could be done.
    #[error("the database's URL: {0}")]
    Url(String),
    /// No certificates of authorities.
    #[error("the authorities of {from}: {cause}")]
    Authorities {
        /// Where they were to come from.
        from: String,
        /// What is wrong there.
        cause: String,
    },
    /// Nobody whom the URL names vouches for the server, or not today.
    #[error("the database server's certificate is not trusted: {}", distrust(.0))]
    Untrusted(CertificateError),
    /// The certificate is another server's.
    #[error("the database server's {0}")]
    Host(CertificateError),
    /// The URL demands TLS.
    #[error("the database server does not speak TLS, and the URL demands it")]
    NoTls,
    /// Something else between the two ends.
    #[error("TLS with the database server failed: {0}")]
    Tls(TlsError),
    /// The server could not be reached, or refused.
    #[error("cannot connect to the database: {}", described(.0))]
    Server(#[source] postgres::Error),
}

impl ConnectError {
    /// What helps.
    pub fn fix(&self) -> &'static str {
        match self {
            Self::Url(_) => "use postgres://user:password@host:port/database?sslmode=verify-full",
            Self::Authorities { .. } => "name a file of certificates in PEM with sslrootcert",
            Self::Untrusted(_) => {
                "name the certificate of the authority that has issued it with sslrootcert=FILE in the URL, or renew it"
            }
            Self::Host(_) => {
                "connect by a name that it has, or say sslmode=verify-ca where that authority vouches for no others"
            }
            Self::NoTls => {
                "switch it on there (`ssl = on`), or say sslmode=disable where the network is to be trusted"
            }
            Self::Tls(_) => {
                "the server needs TLS 1.2 or newer and a certificate of version 3 that is not an authority's own"
            }
            Self::Server(_) => "check the URL and that the server runs",
        }
    }
}

/// Connects to the database that a URL names.
///
/// # Errors
/// [`ConnectError`].
pub fn connect(database_url: &str) -> Result<Client, ConnectError> {
    let (config, trust) = parse(database_url)?;
    config.connect(MakeRustlsConnect::new(trust.into_config())).map_err(explained)
}

/// What a URL says, and whom it trusts.
///
/// # Errors
/// [`ConnectError::Url`], [`ConnectError::Authorities`].
pub(crate) fn parse(database_url: &str) -> Result<(Config, Trust), ConnectError> {
    let (rest, sslmode, sslrootcert) = without_tls_parameters(database_url)?;
    let mut config: Config =
        rest.parse().map_err(|error: postgres::Error| ConnectError::Url(described(&error)))?;
    // What is not a URL the driver reads by itself; it refuses the modes that it does not know.
    if sslmode.is_none() && sslrootcert.is_none() {
        return Ok((config, Trust::Anybody));
    }
    let (mode, trust) = wanted(sslmode.as_deref(), sslrootcert.as_deref())?;
    config.ssl_mode(mode);
    Ok((config, trust))
}

/// Who may be at the other end.
pub(crate) enum Trust {
    /// Whoever answers.
    Anybody,
    /// Whom one of these authorities vouches for, whatever the name.
    Issued(RootCertStore),
    /// Whom one of these authorities vouches for under the name in the URL.
    Named(RootCertStore),
}

impl Trust {
    fn into_config(self) -> ClientConfig {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .expect("invariant: ring has the suites of both versions");
        let authorities = match self {
            Self::Named(roots) => return builder.with_root_certificates(roots).with_no_client_auth(),
            Self::Issued(roots) => Some(roots),
            Self::Anybody => None,
        };
        builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Nameless { authorities, provider }))
            .with_no_client_auth()
    }
}

/// Verifies all but the name; without authorities, no more than that the server has the key of its certificate, so that
/// `channel_binding=require` proves to the driver that nobody sits between.
#[derive(Debug)]
struct Nameless {
    authorities: Option<RootCertStore>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Nameless {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        if let Some(roots) = &self.authorities {
            let algorithms = self.provider.signature_verification_algorithms.all;
            let certificate = ParsedCertificate::try_from(end_entity)?;
            verify_server_cert_signed_by_trust_anchor(&certificate, roots, intermediates, now, algorithms)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Takes `sslmode` and `sslrootcert` out of a URL: the driver does not know all values of the one, nor the other.
fn without_tls_parameters(
    database_url: &str,
) -> Result<(String, Option<String>, Option<String>), ConnectError> {
    let (mut sslmode, mut sslrootcert) = (None, None);
    let is_url = ["postgres://", "postgresql://"].iter().any(|scheme| database_url.starts_with(scheme));
    // As the driver has it: a password may hold a question mark.
    let credentials_len = database_url.find('@').map_or(0, |at| at + 1);
    let query_at = database_url[credentials_len..].find('?').map(|at| credentials_len + at);
    let Some(query_at) = query_at.filter(|_| is_url) else {
        return Ok((database_url.to_owned(), None, None));
    };
    let (mut rest, query) = (database_url[..query_at].to_owned(), &database_url[query_at + 1..]);
    let mut separator = '?';
    for parameter in query.split('&') {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let known = match &*percent_decode_str(name).decode_utf8_lossy() {
            "sslmode" => &mut sslmode,
            "sslrootcert" => &mut sslrootcert,
            _ => {
                rest.push(separator);
                rest.push_str(parameter);
                separator = '&';
                continue;
            }
        };
        let value = percent_decode_str(value).decode_utf8();
        *known = Some(value.map_err(|_| ConnectError::Url(format!("{name} is not UTF-8")))?.into_owned());
    }
    Ok((rest, sslmode, sslrootcert))
}

fn wanted(sslmode: Option<&str>, sslrootcert: Option<&str>) -> Result<(SslMode, Trust), ConnectError> {
    let refused = |why: &str| Err(ConnectError::Url(why.to_owned()));
    let trust = match (sslmode, sslrootcert) {
        (Some("disable"), None) => return Ok((SslMode::Disable, Trust::Anybody)),
        (Some("prefer"), None) => return Ok((SslMode::Prefer, Trust::Anybody)),
        (Some("require"), None) => Trust::Anybody,
        (Some("verify-full"), None | Some("system")) | (None, Some("system")) => {
            Trust::Named(system_authorities()?)
        }
        (Some("verify-full"), Some(file)) => Trust::Named(authorities(file)?),
        (Some("verify-ca"), None) => {
            return refused(
                "sslmode=verify-ca needs sslrootcert=FILE: everybody has a certificate of the system's authorities",
            );
        }
        (Some("require" | "verify-ca"), Some("system")) => {
            return refused(
                "sslrootcert=system needs sslmode=verify-full: everybody has a certificate of the system's authorities",
            );
        }
        (Some("require" | "verify-ca"), Some(file)) => Trust::Issued(authorities(file)?),
        (None | Some("disable" | "prefer"), _) => {
            return refused(
                "sslrootcert needs sslmode=verify-full or verify-ca: nothing is verified otherwise",
            );
        }
        (Some(other), _) => {
            let known = "disable, prefer, require, verify-ca and verify-full";
            return refused(&format!("sslmode is one of {known}, not `{other}`"));
        }
    };
    Ok((SslMode::Require, trust))
}

/// The certificates in a file.
fn authorities(file: &str) -> Result<RootCertStore, ConnectError> {
    let failed = |cause: String| ConnectError::Authorities { from: file.to_owned(), cause };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|error| failed(error.to_string()))? {
        let certificate = certificate.map_err(|error| failed(error.to_string()))?;
        roots.add(certificate).map_err(|error| failed(error.to_string()))?;
    }
    if roots.is_empty() { Err(failed("it holds no certificate".to_owned())) } else { Ok(roots) }
}

/// Those that the operating system trusts.
fn system_authorities() -> Result<RootCertStore, ConnectError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let cause = found.errors.first().map_or_else(|| "there are none".to_owned(), ToString::to_string);
        return Err(ConnectError::Authorities { from: "this system".to_owned(), cause });
    }
    Ok(roots)
}

/// The driver's error in our words where it is about TLS.
fn explained(error: postgres::Error) -> ConnectError {
    let source = error.source();
    // An `io::Error` is not the source of what it holds.
    let tls = source.and_then(|source| source.downcast_ref::<io::Error>()).and_then(io::Error::get_ref);
    match tls.and_then(|tls| tls.downcast_ref::<TlsError>()) {
        Some(TlsError::InvalidCertificate(
            cause @ (CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }),
        )) => ConnectError::Host(cause.clone()),
        Some(TlsError::InvalidCertificate(
            cause @ (CertificateError::UnknownIssuer
            | CertificateError::BadSignature
            | CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. }),
        )) => ConnectError::Untrusted(cause.clone()),
        Some(other) => ConnectError::Tls(other.clone()),
        None if source.is_some_and(|source| source.to_string() == NO_TLS) => ConnectError::NoTls,
        None => ConnectError::Server(error),
    }
}

fn distrust(error: &CertificateError) -> String {
    match error {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "none of the authorities that are trusted has issued it".to_owned()
        }
        other => other.to_string(),
    }
}

/// The server's own words where there are any: the driver's Display says only "db error". Else all causes on one line.
pub(super) fn described(error: &postgres::Error) -> String {
    if let Some(refusal) = error.as_db_error() {
        return format!("{} (SQLSTATE {})", refusal.message(), refusal.code().code());
    }
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// The driver's words for a server without TLS; it has no other sign of that.
const NO_TLS: &str = "server does not support TLS";
