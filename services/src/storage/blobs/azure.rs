//! One account with a container for each organisation, as with `devstoreaccount1` in production's code
//! (`platform-api.md` §1.2).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use object_store::azure::{MicrosoftAzure, MicrosoftAzureBuilder};
use object_store::{ClientOptions, ObjectStore, RetryConfig};
use reqwest::{Method, StatusCode, Url};
use ring::hmac;

use crate::kit::fault::Fault;
use crate::kit::outside;

/// The version of the wire contract that is spoken here; the store's client has its own.
const VERSION: &str = "2021-08-06";

/// An account.
pub(super) struct Azure {
    account: String,
    key: String,
    endpoint: Url,
    environment: String,
    client: reqwest::Client,
    containers: Mutex<HashMap<String, Arc<MicrosoftAzure>>>,
}

impl Azure {
    /// From `AccountName=…;AccountKey=…;BlobEndpoint=…` (or `DefaultEndpointsProtocol` and `EndpointSuffix`).
    pub(super) fn new(connection: &str, environment: &str) -> Result<Self, String> {
        let parts: HashMap<String, &str> = connection
            .split(';')
            .filter_map(|part| part.trim().split_once('='))
            .map(|(name, value)| (name.to_ascii_lowercase(), value))
            .collect();
        let need = |name: &str| {
            let found = parts.get(&name.to_ascii_lowercase()).map(|value| (*value).to_owned());
            found.ok_or_else(|| format!("the connection string has no `{name}`"))
        };
        let (account, key) = (need("AccountName")?, need("AccountKey")?);
        STANDARD.decode(&key).map_err(|_| "the account's key is not base64".to_owned())?;
        let endpoint = need("BlobEndpoint").or_else(|_| {
            let suffix = need("EndpointSuffix").unwrap_or("core.windows.net".to_owned());
            Ok::<_, String>(format!("https://{account}.blob.{suffix}"))
        })?;
        let endpoint = Url::parse(endpoint.trim_end_matches('/'))
            .map_err(|error| format!("the blob endpoint: {error}"))?;
        let client = outside::client()
            .connect_timeout(Duration::from_secs(2))
            .timeout(Duration::from_secs(10))
            .build()
            .map_err(|error| error.to_string())?;
        let environment = environment.to_owned();
        Ok(Self { account, key, endpoint, environment, client, containers: Mutex::default() })
    }

    pub(super) async fn answers(&self) -> Result<(), String> {
        let asked = self.ask(Method::GET, "", &[("comp", "list"), ("maxresults", "1")]).await?;
        if asked.is_success() { Ok(()) } else { Err(asked.to_string()) }
    }

    /// The container of an organisation; made when it is asked for first.
    pub(super) async fn container(&self, org: &str) -> Result<Arc<dyn ObjectStore>, Fault> {
        let known = |azure: &Self| {
            azure.containers.lock().unwrap_or_else(PoisonError::into_inner).get(org).cloned()
        };
        if let Some(known) = known(self) {
            return Ok(known);
        }
        let name = format!("{}-{}-appsdata-blob-db", plain(org), self.environment);
        match self.ask(Method::PUT, &name, &[("restype", "container")]).await {
            Ok(StatusCode::CREATED | StatusCode::CONFLICT) => {}
            Ok(status) => return Err(super::lost(status)),
            Err(error) => return Err(super::lost(error)),
        }
        let options = ClientOptions::new()
            .with_allow_http(true)
            .with_no_system_certificates(!outside::has_certificates())
            .with_connect_timeout(Duration::from_secs(2))
            .with_timeout_disabled();
        let retry = RetryConfig {
            max_retries: 3,
            retry_timeout: Duration::from_secs(5),
            ..RetryConfig::default()
        };
        let store = MicrosoftAzureBuilder::new()
            .with_account(&self.account)
            .with_access_key(&self.key)
            .with_endpoint(self.endpoint.as_str().trim_end_matches('/').to_owned())
            .with_container_name(&name)
            .with_client_options(options)
            .with_retry(retry)
            .build()
            .map_err(Fault::internal)?;
        let store = Arc::new(store);
        let mut containers = self.containers.lock().unwrap_or_else(PoisonError::into_inner);
        containers.insert(org.to_owned(), store.clone());
        Ok(store)
    }

    /// Asks the account itself, which the store's client cannot; signed with the shared key.
    async fn ask(
        &self,
        method: Method,
        container: &str,
        query: &[(&str, &str)],
    ) -> Result<StatusCode, String> {
        let mut url = self.endpoint.clone();
        let path = format!("{}/{container}", url.path().trim_end_matches('/'));
        url.set_path(&path);
        url.query_pairs_mut().extend_pairs(query);
        let date = jiff::Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let query: Vec<String> =
            query.iter().map(|(name, value)| format!("\n{name}:{value}")).collect();
        let query = query.concat();
        let text = format!(
            "{method}\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:{date}\nx-ms-version:{VERSION}\n/{}{}{query}",
            self.account,
            url.path()
        );
        let key = STANDARD.decode(&self.key).map_err(|error| error.to_string())?;
        let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), text.as_bytes());
        let signature = STANDARD.encode(signature.as_ref());
        let answer = self
            .client
            .request(method, url)
            .header("x-ms-date", date)
            .header("x-ms-version", VERSION)
            .header("authorization", format!("SharedKey {}:{signature}", self.account))
            .header("content-length", "0")
            .send()
            .await
            .map_err(|error| error.to_string())?;
        Ok(answer.status())
    }
}

/// A container's name has letters of ASCII only.
fn plain(org: &str) -> String {
    org.replace('æ', "ae").replace('ø', "oe").replace('å', "aa")
}
