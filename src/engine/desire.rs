//! From the user's files to what is wanted: apps with their content, the stack, the router's configuration.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::dev::{self, Dev};
use super::handle::UpRequest;
use super::local::found_app;
use super::ports;
use super::workshop::{Site, Workshop, readers};
use crate::build::{self, Context, Landing};
use crate::cluster::Contents;
use crate::config::env::Variable;
use crate::config::schema::{OfflineMode, PortChoice, Profile};
use crate::config::settings::{Overrides, Settings, check_platform};
use crate::deploy::ReleaseSpec;
use crate::deploy::publish::{self, Publication};
use crate::deploy::release;
use crate::model::{
    App, AppId, Code, DesignerChoice, Domain, FoundContainer, ImageRef, Label, OrgName, Pages,
    Part, Place, PlatformChoice, PlatformService, Report, Stack, labels, org_registry,
};
use crate::plan::{AppTarget, MissingImages};
use crate::secrets::{self, AccessKey};
use crate::stack::{self, Images, Wish, program};
use crate::sys::helper::Helper;
use crate::sys::host::HostFacts;
use crate::sys::walk::Hashes;
use crate::widgets::{self, Frontend, Source};
use crate::{cluster, parts, router};

/// The parts that every stack has.
const PARTS: [Part; 6] =
    [Part::Postgres, Part::Gitea, Part::Router, Part::Registry, Part::Traefik, Part::KindNode];
/// Paths of the platform beside those of its services.
const OWN_PATHS: [&str; 3] = ["home", "platform", "swagger"];

/// Everything wanted, with nothing left to decide.
#[derive(Debug, Clone)]
pub(super) struct Desire {
    pub(super) stack: Stack,
    pub(super) images: Images,
    pub(super) bases: BaseImages,
    pub(super) missing: MissingImages,
    pub(super) secrets: BTreeMap<OrgName, Contents>,
    pub(super) routes: String,
    pub(super) works: Vec<Work>,
    pub(super) dev: Vec<Dev>,
    pub(super) notices: Vec<Report>,
}

impl Desire {
    /// The tag that an app is deployed with; empty when it is not wanted.
    pub(super) fn tag_of(&self, app: &AppId) -> String {
        let work = self.works.iter().find(|work| work.app.id == *app);
        work.map(|work| work.target.tag.clone()).unwrap_or_default()
    }
}

/// An app with the content it has now.
#[derive(Debug, Clone)]
pub(super) struct Work {
    pub(super) app: App,
    pub(super) context: Context,
    pub(super) plan: build::Plan,
    /// What is deployed: the image's tag, or that of the image for development made of it.
    pub(super) target: AppTarget,
    /// What the image for development gets; none when the image is deployed as it was built.
    pub(super) helper: Option<Helper>,
    /// As the workstation pushes it.
    pub(super) push: ImageRef,
    pub(super) spec: ReleaseSpec,
    pub(super) notices: Vec<Report>,
    landing: OnceLock<Arc<Landing>>,
}

impl Work {
    /// Where files of the context land in the image; worked out when it is first asked for.
    pub(super) fn landing(&self) -> Result<Arc<Landing>, Report> {
        if let Some(landing) = self.landing.get() {
            return Ok(Arc::clone(landing));
        }
        let landing = Arc::new(Landing::of(&self.context, &self.plan.args)?);
        Ok(Arc::clone(self.landing.get_or_init(|| landing)))
    }

    /// As it is after contents of files changed, paths relative to the app's root; none when more than that may be
    /// different, and everything has to be looked at.
    async fn renewed(
        &self,
        app: &App,
        changed: &[String],
        hashes: &SharedHashes,
    ) -> Option<Renewed> {
        if self.app != *app || changed.is_empty() {
            return None;
        }
        let context = {
            let (before, changed, hashes) =
                (self.context.clone(), changed.to_vec(), Arc::clone(hashes));
            let renew = move || {
                before.renewed(&changed, &mut hashes.lock().unwrap_or_else(PoisonError::into_inner))
            };
            tokio::task::spawn_blocking(renew).await.ok()??
        };
        let landing = OnceLock::new();
        let decides = |path: &str| match self.landing.get() {
            Some(landing) => matches!(landing.place(path), Place::Rebuild(_)),
            None => true,
        };
        if let Some(known) = self.landing.get()
            && !context.changes_since(&self.context).iter().any(|change| decides(&change.path))
        {
            drop(landing.set(Arc::clone(known)));
        }
        Some(Renewed { plan: self.plan.renewed(&context), context, landing })
    }
}

/// What a save of contents alone makes anew.
struct Renewed {
    context: Context,
    plan: build::Plan,
    landing: OnceLock<Arc<Landing>>,
}

/// Digests of files by path, size and time, kept between walks.
pub(super) type SharedHashes = Arc<Mutex<Hashes>>;

/// The apps of all projects, and the organisations that get a cluster.
pub(super) struct Projects {
    pub(super) apps: Vec<App>,
    pub(super) orgs: BTreeSet<OrgName>,
    pub(super) settings: Vec<Settings>,
    /// What is served from its source.
    pub(super) sources: Vec<Source>,
}

/// Reads the configuration of every project.
pub(super) fn read_projects(site: &Site, requests: &[UpRequest]) -> Result<Projects, Report> {
    let mut apps: BTreeMap<String, App> = BTreeMap::new();
    let (mut orgs, mut all) = (BTreeSet::new(), Vec::new());
    let mut found = Vec::new();
    for request in requests {
        let overrides = Overrides { stack: Some(site.stack.clone()), ..Overrides::default() };
        let settings = Settings::resolve(&request.dir, overrides, &site.environment)?;
        for wanted in &settings.apps {
            let app = found_app(wanted)?;
            let in_folder = request.options.profiles.contains(&Profile::Widgets);
            let widgets = widgets::find(&app.root, &wanted.widgets, in_folder)?;
            found.extend(widgets.into_iter().map(|widget| Source::Widget(app.id.clone(), widget)));
            orgs.insert(app.id.org.clone());
            apps.insert(app.id.to_string(), app);
        }
        orgs.extend(settings.orgs.iter().cloned());
        all.push(settings);
    }
    let frontends = all.iter().filter_map(|settings| settings.frontend.as_ref());
    let frontends = frontends.map(Frontend::new).collect::<Result<Vec<_>, _>>()?;
    let sources = dev::sources(found, frontends);
    Ok(Projects { apps: apps.into_values().collect(), orgs, settings: all, sources })
}

/// The whole of what the projects want.
pub(super) async fn desire(
    shop: &Workshop,
    requests: &[UpRequest],
    hashes: &SharedHashes,
    containers: &BTreeMap<String, FoundContainer>,
) -> Result<Desire, Report> {
    let site = &shop.site;
    let projects = read_projects(site, requests)?;
    let (domain, platform) = surroundings(&projects)?;
    let designers = projects.settings.iter().rev().find_map(|settings| settings.designer.clone());
    let designer = designers.unwrap_or_default();
    let in_engine = shop.docker.image_names().await?;
    let choices = (&platform, &designer);
    let resolved = parts_of(shop, &projects, choices, requests, &in_engine).await?;
    let (images, missing) = images(shop, &resolved, choices, &in_engine).await?;
    let keys = access_keys(site, &projects.orgs).await?;
    let bases = BaseImages::choose(&projects, &in_engine)?;
    let network = shop.docker.network(&network_name(site), &site.stack).await?;
    let others = shop.docker.subnets().await?;
    let subnet = network.as_ref().and_then(|network| network.subnet.as_deref());
    let addresses = stack::choose_addresses(subnet, &others)?;
    let port = requests.iter().rev().find_map(|request| request.options.port);
    let published = ports::published(site, containers);
    let ports = ports::settle(site, &projects.orgs, published, port.or_else(|| wish(&projects)))?;
    let mut stack = stack::desired(&Wish {
        name: &site.stack,
        apps: &projects.apps,
        orgs: &projects.orgs,
        domain,
        platform: &platform,
        designer: &designer,
        images: &images,
        addresses,
        ports: &ports,
        credentials: &site.credentials,
        certificates: &keys
            .iter()
            .map(|(org, key)| (org.clone(), key.certificate.clone()))
            .collect(),
        pages: pages(site, &projects, requests),
    })?;
    let secrets: BTreeMap<_, _> = keys.into_iter().map(|(org, key)| (org, contents(key))).collect();
    for wanted in &mut stack.clusters {
        let helper = shop.helper.as_ref().map_or("", |helper| helper.short());
        let inside = secrets.get(&wanted.org).cloned().unwrap_or_default();
        wanted.contents = format!("{}{helper}", cluster::fingerprint(wanted, &inside)?);
    }
    let dev = dev::add(&mut stack, &projects);
    let routes = router::render(&stack)?;
    let mut works = Vec::new();
    for app in &stack.apps {
        let watched = is_watched(app, requests);
        works.push(work(shop, (&stack, &bases), app, hashes, watched, None).await?);
    }
    let mut notices: Vec<_> = works.iter().flat_map(|work| work.notices.clone()).collect();
    if let Err(report) = &shop.helper
        && works.iter().any(|work| is_watched(&work.app, requests))
    {
        notices.push(report.clone());
    }
    Ok(Desire { stack, images, bases, missing, secrets, routes, works, dev, notices })
}

/// The port that the files ask for.
fn wish(projects: &Projects) -> Option<PortChoice> {
    projects.settings.iter().rev().find_map(|settings| settings.port)
}

/// The names and the platform that the files ask for. The last project that says something decides, as for the port.
fn surroundings(projects: &Projects) -> Result<(Domain, PlatformChoice), Report> {
    let all = || projects.settings.iter().rev();
    let domain = all().find_map(|settings| settings.domain).unwrap_or_default();
    let platform = all().find_map(|settings| settings.platform.clone());
    check_platform(domain, platform.as_ref())?;
    let of_platform = |org: &&OrgName| {
        let services = PlatformService::ALL.map(PlatformService::as_str);
        services.contains(&org.as_str()) || OWN_PATHS.contains(&org.as_str())
    };
    if domain.is_one_host()
        && let Some(org) = projects.orgs.iter().find(of_platform)
    {
        return Err(Report::new(Code::ConfigInvalid, "an organisation has a name of the platform")
            .why(format!("`http://{domain}/{org}/` is the platform's own"))
            .fix(
                format!("network: {{domain: {}}}", Domain::default()),
                "in `altinn-local.yaml` gives each organisation a host of its own",
            ));
    }
    Ok((domain, platform.unwrap_or_default().into()))
}

/// What pages of apps get, unless somebody wants them as they are.
fn pages(site: &Site, projects: &Projects, requests: &[UpRequest]) -> Option<Pages> {
    let unwanted = requests.iter().any(|request| request.options.no_overlay);
    let overlay = projects.settings.iter().all(|settings| settings.overlay);
    let reload = projects.settings.iter().all(|settings| settings.reload);
    let wanted = !unwanted && !site.environment.is_on(Variable::Ci) && (overlay || reload);
    wanted.then(|| Pages { overlay, reload, scripts: Vec::new(), frontend: None })
}

pub(super) fn network_name(site: &Site) -> String {
    format!("altinn-local-{}", site.stack)
}

/// Whether saves of an app become live: nobody switched that off for its project.
pub(super) fn is_watched(app: &App, requests: &[UpRequest]) -> bool {
    let own = requests.iter().find(|request| app.root.starts_with(&request.dir));
    !own.is_some_and(|request| request.options.no_watch)
}

/// An app with the content it has at this moment. One that is watched is deployed from its image for development. With a
/// version that is known and the paths that changed since, relative to the app's root, only those are looked at.
pub(super) async fn work(
    shop: &Workshop,
    (stack, bases): (&Stack, &BaseImages),
    app: &App,
    hashes: &SharedHashes,
    watched: bool,
    known: Option<(&Work, &[String])>,
) -> Result<Work, Report> {
    let renewed = match known {
        Some((before, changed)) => before.renewed(app, changed, hashes).await,
        None => None,
    };
    let Renewed { context, plan, landing } = if let Some(renewed) = renewed {
        renewed
    } else {
        let context = read_context(app, hashes).await?;
        let recipe = build::Dockerfile::parse(&context.recipe, &context.dockerfile_path())?;
        let offered = bases.offered(&recipe, &app.build_args);
        let plan = build::plan(&shop.docker, app, &context, offered).await?;
        Renewed { context, plan, landing: OnceLock::new() }
    };
    let helper = shop.helper.as_ref().ok().filter(|_| watched).cloned();
    let tag = match &helper {
        Some(helper) => build::development_tag(&plan.tag, helper),
        None => plan.tag.clone(),
    };
    let repository = app.id.release();
    let in_cluster =
        ImageRef::new(format!("{}/{repository}", org_registry(&app.id.org)), tag.clone());
    let host = stack.cluster(&app.id.org).map(|cluster| cluster.registry_host.clone());
    let (spec, mut notices) =
        release::spec(app, &in_cluster, &stack.domain.apps_host(&app.id.org), None)?;
    // Files that are not among those that changed are as they were.
    let publication = match known {
        Some((before, changed)) if !changed.iter().any(|path| publish::concerns(path)) => {
            before.target.publication.clone()
        }
        // Altinn's local test reads it from the app.
        _ if stack.platform.image.is_some() => None,
        _ => Some(Publication::read(&app.root)?.hash(readers(stack))),
    };
    notices.extend(withheld(app, &context));
    Ok(Work {
        app: app.clone(),
        push: ImageRef::new(format!("{}/{repository}", host.unwrap_or_default()), plan.tag.clone()),
        target: AppTarget { tag, release_hash: spec.hash.clone(), publication },
        helper,
        context,
        plan,
        spec,
        notices,
        landing,
    })
}

/// The build context, read where reading may block. Digests of unchanged files come from the walk before.
async fn read_context(app: &App, hashes: &SharedHashes) -> Result<Context, Report> {
    let (app, hashes) = (app.clone(), Arc::clone(hashes));
    let walk = tokio::task::spawn_blocking(move || {
        Context::read(&app, &mut hashes.lock().unwrap_or_else(PoisonError::into_inner))
    });
    walk.await.map_err(|error| Report::bug("the walk over the app's files was cut off", &error))?
}

/// A word on files that are never sent to a build because their names say they are secrets.
fn withheld(app: &App, context: &Context) -> Option<Report> {
    if context.withheld.is_empty() {
        return None;
    }
    let title = format!("{} files of {} stay out of the image", context.withheld.len(), app.id);
    let names = context.withheld.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
    Some(Report::new(Code::BuildFailed, title).why(format!("their names say secret: {names}")))
}

/// Images of the stack's own parts: in the engine, or to be pulled.
async fn parts_of(
    shop: &Workshop,
    projects: &Projects,
    choices: (&PlatformChoice, &DesignerChoice),
    requests: &[UpRequest],
    in_engine: &BTreeSet<ImageRef>,
) -> Result<parts::Resolved, Report> {
    let catalogue = parts::Catalogue::embedded()?;
    let host = HostFacts::probe();
    let named: BTreeMap<_, _> =
        projects.settings.iter().flat_map(|settings| settings.parts.clone()).collect();
    let (platform, designer) = choices;
    let blobs = platform.is_ours(PlatformService::Storage).then_some(Part::Azurite);
    let needed: Vec<Part> = PARTS.into_iter().chain(blobs).collect();
    let decide = |offline: Option<&str>| {
        let situation = parts::Situation { in_engine, host: &host, offline };
        parts::resolve(&catalogue, &needed, &named, situation)
    };
    let hopeful = decide(None)?;
    let told = [
        ("platform.image", "the local test is", platform.image.as_ref()),
        ("studio.designer", "Designer is", designer.image()),
    ];
    let told = told.into_iter().filter_map(|(key, what, image)| Some((key, what, image?)));
    let told: Vec<_> = told.filter(|(.., image)| !in_engine.contains(*image)).collect();
    let pulls = hopeful.pulls().map(|(_, choice)| &choice.image);
    let pulls: Vec<ImageRef> =
        pulls.chain(told.iter().map(|(.., image)| *image)).cloned().collect();
    if pulls.is_empty() {
        return Ok(hopeful);
    }
    // Only now does the network matter.
    let forbidden = requests.iter().any(|request| request.options.offline);
    let mode = match projects.settings.iter().map(|settings| settings.offline).next_back() {
        _ if forbidden => OfflineMode::Always,
        mode => mode.unwrap_or_default(),
    };
    let why = parts::why_offline(mode, &shop.site.environment, &pulls).await;
    if let (Some(why), Some((key, what, image))) = (&why, told.first()) {
        return Err(Report::new(Code::PartsMissing, format!("{what} not on this machine"))
            .label(Label::Missing, format!("{image} (named in `{key}`)"))
            .why(why)
            .fix("docker load -i FILE", "load it from a file made on another machine")
            .fix("altinn-local up", "fetch it, once this machine is online"));
    }
    decide(why.as_deref())
}

async fn images(
    shop: &Workshop,
    resolved: &parts::Resolved,
    (platform, designer): (&PlatformChoice, &DesignerChoice),
    in_engine: &BTreeSet<ImageRef>,
) -> Result<(Images, MissingImages), Report> {
    let image = |part| resolved.image(part).cloned();
    let (node, traefik) = (image(Part::KindNode)?, image(Part::Traefik)?);
    let labels = shop.docker.image(&node.to_string()).await?.map(|image| image.labels);
    let labels = labels.unwrap_or_default();
    let preloaded = labels.get(labels::PRELOADED).map_or("", String::as_str);
    let images = Images {
        postgres: image(Part::Postgres)?,
        gitea: image(Part::Gitea)?,
        router: image(Part::Router)?,
        registry: image(Part::Registry)?,
        azurite: image(Part::Azurite).ok(),
        services: program::image_of(&shop.services).await?,
        bundled_cni: labels.get(labels::CNI).map(String::as_str) == Some("bundled"),
        traefik_preloaded: preloaded.split(',').any(|name| is_same_image(name, &traefik)),
        node,
        traefik,
    };
    let lacks = |image: &&ImageRef| !in_engine.contains(*image);
    let ours = platform.image.is_none() || *designer == DesignerChoice::StandIn;
    let services = Some(&images.services).filter(|_| ours);
    let named = platform.image.iter().chain(designer.image()).filter(lacks);
    let pulls = resolved.pulls().map(|(_, choice)| &choice.image);
    let missing = MissingImages {
        pulls: pulls.chain(named).cloned().collect(),
        loads: services.filter(lacks).into_iter().cloned().collect(),
    };
    Ok((images, missing))
}

/// What apps of each organisation sign with.
async fn access_keys(
    site: &Site,
    orgs: &BTreeSet<OrgName>,
) -> Result<BTreeMap<OrgName, AccessKey>, Report> {
    let (folder, orgs) = (site.folder(), orgs.clone());
    let keys = move || {
        orgs.into_iter()
            .map(|org| secrets::access_key(&folder, &org).map(|key| (org, key)))
            .collect()
    };
    let made = tokio::task::spawn_blocking(keys).await;
    made.map_err(|error| Report::bug("keys were not made", &error))?
}

/// What is secret in a cluster. There is no vault yet that could hold anything for apps.
fn contents(key: AccessKey) -> Contents {
    Contents { access_token: key.pkcs12, ..Contents::default() }
}

/// Nodes know images by their full names.
fn is_same_image(name: &str, image: &ImageRef) -> bool {
    let full = name.trim();
    full.strip_prefix("docker.io/").unwrap_or(full) == image.to_string()
}

/// Base images that are offered to Dockerfiles that take them as arguments.
#[derive(Debug, Clone, Default)]
pub(super) struct BaseImages {
    held: BTreeSet<ImageRef>,
    offered: Vec<(String, String)>,
}

impl BaseImages {
    /// What the user named; else the local alternatives, where the engine holds them.
    fn choose(projects: &Projects, in_engine: &BTreeSet<ImageRef>) -> Result<Self, Report> {
        let catalogue = parts::Catalogue::embedded()?;
        let mut offered = Vec::new();
        for (part, argument) in
            [(Part::DotnetSdk, "DOTNET_SDK_IMAGE"), (Part::DotnetAspnet, "DOTNET_ASPNET_IMAGE")]
        {
            let named = projects.settings.iter().find_map(|settings| settings.parts.get(&part));
            let local = &catalogue.entry(part)?.local;
            let image = named.or_else(|| in_engine.contains(local).then_some(local));
            offered.extend(image.map(|image| (argument.to_owned(), image.to_string())));
        }
        Ok(Self { held: in_engine.clone(), offered })
    }

    /// What a Dockerfile is offered: nothing when the engine holds the images it names itself.
    pub(super) fn offered(
        &self,
        recipe: &build::Dockerfile,
        user: &[(String, String)],
    ) -> &[(String, String)] {
        let own = recipe.bases(user);
        let held = own.iter().all(|base| self.held.contains(&ImageRef::parse(base)));
        if held { &[] } else { &self.offered }
    }
}
