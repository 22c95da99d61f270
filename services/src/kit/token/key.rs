//! RSA keys: ours, which signs, and those of others, which only check.

use std::io::{self, Write as _};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use ring::rand::SystemRandom;
use ring::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, RsaPublicKeyComponents,
};
use serde_json::{Value, json};

use super::{der, generate};

/// File of the key in its folder: PKCS#8, PEM, readable by its owner only.
const FILE: &str = "signing-key.pem";

/// The key that this installation signs tokens with.
pub struct SigningKey {
    pair: RsaKeyPair,
    public: PublicKey,
}

/// A key that checks signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// Its name in `kid`.
    pub id: String,
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyFault {
    /// The folder or the file cannot be read or written.
    #[error("`{path}`")]
    File {
        /// Which.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file is there but holds no key of ours.
    #[error("`{0}` holds no RSA key in PKCS#8 PEM; remove it to get a new one")]
    Content(String),
}

impl SigningKey {
    /// The key of a folder; made at the first call. Two programs that start at once end up with the same key.
    pub fn keep(folder: &Path) -> Result<Self, KeyFault> {
        let path = folder.join(FILE);
        let at = |source| KeyFault::File { path: path.display().to_string(), source };
        std::fs::create_dir_all(folder).map_err(at)?;
        if !path.try_exists().map_err(at)? {
            let draft = folder.join(format!(".{}.new", uuid::Uuid::new_v4().simple()));
            let made = write_secret(&draft, &pem(&generate::private_key()));
            // A hard link is made or is already there, never half.
            let linked = made.and_then(|()| std::fs::hard_link(&draft, &path));
            let _ = std::fs::remove_file(&draft);
            match linked {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(at(error));
                }
                _ => {}
            }
        }
        let text = std::fs::read_to_string(&path).map_err(at)?;
        Self::from_pem(&text).ok_or_else(|| KeyFault::Content(path.display().to_string()))
    }

    /// A key that is kept nowhere.
    #[must_use]
    pub fn fleeting() -> Option<Self> {
        Self::from_pem(&pem(&generate::private_key()))
    }

    fn from_pem(text: &str) -> Option<Self> {
        let body: String = text.lines().filter(|line| !line.starts_with("-----")).collect();
        let pair = RsaKeyPair::from_pkcs8(&STANDARD.decode(body.trim()).ok()?).ok()?;
        let parts: RsaPublicKeyComponents<Vec<u8>> = RsaPublicKeyComponents::from(pair.public());
        let public = PublicKey::new(None, parts.n, parts.e);
        Some(Self { pair, public })
    }

    /// Its name in `kid`: a SHA-1 thumbprint in upper-case hex, as the real service has it.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.public.id
    }

    /// The half that others may have.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// An RS256 signature.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let mut signature = vec![0; self.pair.public().modulus_len()];
        self.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).ok()?;
        Some(signature)
    }
}

impl PublicKey {
    /// From modulus and exponent, big endian. Without a name it gets the thumbprint of its DER form.
    #[must_use]
    pub fn new(id: Option<String>, modulus: Vec<u8>, exponent: Vec<u8>) -> Self {
        let id = id.unwrap_or_else(|| thumbprint(&der::rsa_public(&modulus, &exponent)));
        Self { id, modulus, exponent }
    }

    /// From an entry of a key set (RFC 7517); entries that are not RSA are none.
    #[must_use]
    pub fn from_jwk(jwk: &Value) -> Option<Self> {
        if jwk.get("kty")?.as_str()? != "RSA" {
            return None;
        }
        let number = |name: &str| {
            let text = jwk.get(name)?.as_str()?.trim_end_matches('=');
            // The real service writes standard base64, the standard asks for the form for URLs.
            let text = text.replace('+', "-").replace('/', "_");
            URL_SAFE_NO_PAD.decode(&text).or_else(|_| URL_SAFE.decode(&text)).ok()
        };
        let id = jwk.get("kid").and_then(Value::as_str).map(str::to_owned);
        Some(Self::new(id, number("n")?, number("e")?))
    }

    /// Its entry in a key set.
    #[must_use]
    pub fn jwk(&self) -> Value {
        json!({
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.id,
            "n": URL_SAFE_NO_PAD.encode(&self.modulus),
            "e": URL_SAFE_NO_PAD.encode(&self.exponent),
        })
    }

    /// Whether this key made the RS256 signature.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        RsaPublicKeyComponents { n: &self.modulus, e: &self.exponent }
            .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
            .is_ok()
    }
}

fn thumbprint(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref().iter().fold(
        String::new(),
        |mut text, byte| {
            let _ = write!(text, "{byte:02X}");
            text
        },
    )
}

fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> =
        (0..text.len()).step_by(64).map(|at| &text[at..text.len().min(at + 64)]).collect();
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"))
}

fn write_secret(path: &Path, text: &str) -> io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
