//! Networks and volumes.

use std::collections::{BTreeMap, HashMap};

use bollard::models::{Ipam, IpamConfig, NetworkCreateRequest, VolumeCreateRequest};
use bollard::query_parameters::{
    InspectNetworkOptions, ListNetworksOptions, ListVolumesOptionsBuilder, RemoveVolumeOptions,
};

use super::{Docker, failed, found};
use crate::model::{Addresses, FoundNetwork, Report, StackName, labels};

/// Smaller than any usual uplink, so that no packet of a pod is ever cut.
const MTU: &str = "1400";

impl Docker {
    /// The network of this name, whoever made it.
    pub async fn network(
        &self,
        name: &str,
        stack: &StackName,
    ) -> Result<Option<FoundNetwork>, Report> {
        let answer = self.client.inspect_network(name, None::<InspectNetworkOptions>).await;
        let Some(network) = found("inspect a network", answer)? else {
            return Ok(None);
        };
        let label = network.labels.unwrap_or_default().get(labels::STACK).cloned();
        let subnets = network.ipam.and_then(|ipam| ipam.config).unwrap_or_default();
        Ok(Some(FoundNetwork {
            id: network.id.unwrap_or_default(),
            ours: label.as_deref() == Some(stack.as_str()),
            subnet: subnets.into_iter().find_map(|config| config.subnet),
        }))
    }

    /// The IPv4 subnets of all networks of the engine, so that a new one does not overlap.
    pub async fn subnets(&self) -> Result<Vec<String>, Report> {
        let networks = self.client.list_networks(None::<ListNetworksOptions>).await;
        let networks = networks.map_err(|error| failed("list networks", &error))?;
        let configs = networks.into_iter().filter_map(|network| network.ipam?.config);
        Ok(configs.flatten().filter_map(|config| config.subnet).collect())
    }

    /// Makes the stack's network.
    pub async fn create_network(
        &self,
        name: &str,
        addresses: Addresses,
        stack: &StackName,
    ) -> Result<(), Report> {
        self.calls.changing("engine: create network");
        let config = IpamConfig {
            subnet: Some(addresses.subnet()),
            ip_range: Some(addresses.range()),
            gateway: Some(addresses.gateway().to_string()),
            ..IpamConfig::default()
        };
        let request = NetworkCreateRequest {
            name: name.to_owned(),
            driver: Some("bridge".to_owned()),
            ipam: Some(Ipam { config: Some(vec![config]), ..Ipam::default() }),
            options: Some(HashMap::from([(
                "com.docker.network.driver.mtu".to_owned(),
                MTU.to_owned(),
            )])),
            labels: Some(HashMap::from([(labels::STACK.to_owned(), stack.to_string())])),
            ..NetworkCreateRequest::default()
        };
        let made = self.client.create_network(request).await;
        made.map(|_| ()).map_err(|error| failed("create the network", &error))
    }

    /// Removes a network by id; one that is gone already is fine.
    pub async fn remove_network(&self, id: &str) -> Result<(), Report> {
        self.calls.changing("engine: remove network");
        found("remove the network", self.client.remove_network(id).await).map(|_| ())
    }

    /// Volumes whose name starts with the prefix, and whether each is ours.
    pub async fn volumes(
        &self,
        prefix: &str,
        stack: &StackName,
    ) -> Result<BTreeMap<String, bool>, Report> {
        let filters = HashMap::from([("name".to_owned(), vec![prefix.to_owned()])]);
        let options = ListVolumesOptionsBuilder::default().filters(&filters).build();
        let answer = self.client.list_volumes(Some(options)).await;
        let volumes = answer.map_err(|error| failed("list volumes", &error))?.volumes;
        let ours = |labels: &HashMap<String, String>| {
            labels.get(labels::STACK).map(String::as_str) == Some(stack.as_str())
        };
        let named = volumes.unwrap_or_default().into_iter();
        let named = named.filter(|volume| volume.name.starts_with(prefix));
        Ok(named.map(|volume| (volume.name, ours(&volume.labels))).collect())
    }

    /// Makes a volume.
    pub async fn create_volume(&self, name: &str, stack: &StackName) -> Result<(), Report> {
        self.calls.changing("engine: create volume");
        let request = VolumeCreateRequest {
            name: Some(name.to_owned()),
            labels: Some(HashMap::from([(labels::STACK.to_owned(), stack.to_string())])),
            ..VolumeCreateRequest::default()
        };
        let made = self.client.create_volume(request).await;
        made.map(|_| ()).map_err(|error| failed("create a volume", &error))
    }

    /// Removes a volume and the data in it.
    pub async fn remove_volume(&self, name: &str) -> Result<(), Report> {
        self.calls.changing("engine: remove volume");
        let removed = self.client.remove_volume(name, None::<RemoveVolumeOptions>).await;
        found("remove a volume", removed).map(|_| ())
    }
}
