//! What an organisation's apps sign their platform access tokens with: one RSA key for each organisation and stack, made
//! once and kept. Apps get it as PKCS#12 without a password; the platform's services get the certificate alone.
//! Contract: `AccessTokenSettings` of Altinn's access token library, and the vault's `{org}-access-token-public-cert`.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p12_keystore::{Certificate, KeyStore, KeyStoreEntry, PrivateKey, PrivateKeyChain};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_RSA_SHA256, date_time_ymd,
};
use rustls::pki_types::PrivatePkcs8KeyDer;

use crate::model::{Code, OrgName, Report};
use crate::sys::{fs, services};

/// A key with its certificate.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessKey {
    /// PKCS#12, no password.
    pub pkcs12: Vec<u8>,
    /// Base64 of the certificate's DER form.
    pub certificate: String,
}

impl std::fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessKey").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

/// The organisation's key in the stack's folder; made when there is none. The caller holds the stack's lock. Making one
/// takes up to a second of computing.
pub fn access_key(stack: &Path, org: &OrgName) -> Result<AccessKey, Report> {
    let folder = stack.join("access");
    let (key, certificate) = (folder.join(format!("{org}.pfx")), folder.join(format!("{org}.cer")));
    // The certificate is written last: with it, both are whole.
    if let (Some(pkcs12), Some(text)) = (fs::read_if_there(&key)?, fs::read_if_there(&certificate)?)
    {
        let certificate = String::from_utf8_lossy(&text).trim().to_owned();
        return Ok(AccessKey { pkcs12, certificate });
    }
    let made = make(org).map_err(|why| {
        Report::new(Code::Bug, "a key for platform access tokens could not be made").why(why)
    })?;
    fs::create_private_dir(&folder)?;
    fs::write_private(&key, &made.pkcs12)?;
    fs::write_private(&certificate, made.certificate.as_bytes())?;
    Ok(made)
}

fn make(org: &OrgName) -> Result<AccessKey, String> {
    let told = |error: &dyn std::fmt::Display| error.to_string();
    let key = services::private_key();
    let pair =
        KeyPair::from_pkcs8_der_and_sign_algo(&PrivatePkcs8KeyDer::from(&*key), &PKCS_RSA_SHA256)
            .map_err(|error| told(&error))?;
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, format!("{org} access token"));
    parameters.not_before = date_time_ymd(2020, 1, 1);
    parameters.not_after = date_time_ymd(2120, 1, 1);
    let certificate = parameters.self_signed(&pair).map_err(|error| told(&error))?;
    let whole = Certificate::from_der(certificate.der()).map_err(|error| told(&error))?;
    let mut store = KeyStore::new();
    let key = PrivateKey::from_der(&key).map_err(|error| told(&error))?;
    let chain = PrivateKeyChain::new(org.as_str(), key, [whole]);
    store.add_entry(org.as_str(), KeyStoreEntry::PrivateKeyChain(chain));
    let pkcs12 = store.writer("").write().map_err(|error| told(&error))?;
    Ok(AccessKey { pkcs12, certificate: STANDARD.encode(certificate.der()) })
}

#[cfg(test)]
mod tests {
    use p12_keystore::Pkcs12ImportPolicy;

    use super::*;

    #[test]
    fn made_once_and_not_shown() {
        let stack = tempfile::tempdir().unwrap();
        let org: OrgName = "ttd".parse().unwrap();
        let made = access_key(stack.path(), &org).unwrap();
        assert_eq!(access_key(stack.path(), &org).unwrap(), made);
        let store = KeyStore::from_pkcs12(&made.pkcs12, "", Pkcs12ImportPolicy::Strict).unwrap();
        let (name, chain) = store.private_key_chain().unwrap();
        assert_eq!((name, chain.certs().len()), ("ttd", 1));
        let der = STANDARD.decode(&made.certificate).unwrap();
        assert_eq!(chain.certs()[0].as_der(), der);
        let other: OrgName = "skd".parse().unwrap();
        assert_ne!(access_key(stack.path(), &other).unwrap().certificate, made.certificate);
    }
}
