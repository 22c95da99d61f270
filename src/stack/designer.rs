//! Altinn Studio's Designer: our stand-in, or the real one in an image that the user names. All of it is pure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::desired::{self, Wish, container, mount, port, words};
use super::platform::{FILES, PORT, private};
use super::program::DATA;
use crate::model::{
    DesignerChoice, FileSpec, ImageRef, Probe, Route, Service, SignIn, Stack, Target, pipeline_url,
    studio_url,
};

/// Its resource, and the end of its container's name.
const ID: &str = "studio.designer";
const PART: &str = "designer";
/// The OAuth application in Gitea that people sign in with.
const APPLICATION: &str = "altinn-studio-designer";
/// Where the real one listens and keeps working copies, as in its compose file.
const REAL_PORT: u16 = 6000;
const REAL_COPIES: &str = "/AltinnCore/Repos";

/// Its container; none when nobody wants it.
pub(super) fn service(wish: &Wish<'_>) -> Option<Service> {
    match wish.designer {
        DesignerChoice::StandIn => Some(stand_in(wish)),
        DesignerChoice::Image(image) => Some(real(wish, image)),
        DesignerChoice::Nobody => None,
    }
}

/// Everything under Studio's host that is not Gitea's.
pub(super) fn route(wish: &Wish<'_>, hosts: Vec<String>) -> Option<Route> {
    let port = match wish.designer {
        DesignerChoice::StandIn => PORT,
        DesignerChoice::Image(_) => REAL_PORT,
        DesignerChoice::Nobody => return None,
    };
    Some(Route {
        hosts,
        prefix: None,
        cut: false,
        to: Target::Container(container(wish, PART), port),
    })
}

fn stand_in(wish: &Wish<'_>) -> Service {
    let (studio, pipeline) = urls(wish);
    let (listen, gitea) = (format!("0.0.0.0:{PORT}"), gitea(wish));
    let at = |name: &str| format!("@{FILES}/{name}");
    let told = [
        ("--listen", listen),
        ("--data", DATA.to_owned()),
        ("--public-url", studio),
        ("--gitea", gitea),
        ("--oauth-client-id", at("oauth-id")),
        ("--oauth-secret", at("oauth-secret")),
        ("--pipeline", format!("{pipeline}/_apis")),
        ("--pipeline-token", at("pipeline-token")),
        ("--environments", format!("{pipeline}/environments.json")),
        ("--clusters", format!("{pipeline}/clusters/{{org}}/{{env}}")),
        ("--database", at("database")),
    ];
    let told = told.into_iter().flat_map(|(name, value)| [name.to_owned(), value]);
    let server = container(wish, "postgres");
    let password = &wish.credentials.designer_database_password;
    Service {
        command: Some(words(&[PART]).into_iter().chain(told).collect()),
        mounts: mount(wish, PART, DATA),
        files: vec![
            private("oauth-id", SignIn::ID.to_owned()),
            private("oauth-secret", SignIn::SECRET.to_owned()),
            private("pipeline-token", wish.credentials.pipeline_token.clone()),
            private("database", format!("postgres://designer:{password}@{server}:5432/designer")),
        ],
        ..one(wish, &wish.images.services, "/designer/health/ready")
    }
}

/// The real one, by the settings of its compose file. It reads the file of secrets that its image knows before its own
/// settings, which win; only its environment comes after them, and that stands in the container's settings for all to
/// see. So a shell reads the secrets into the environment of the one process.
fn real(wish: &Wish<'_>, image: &ImageRef) -> Service {
    let (studio, pipeline) = urls(wish);
    let (gitea, postgres) = (gitea(wish), container(wish, "postgres"));
    let secrets = format!("{FILES}/designer");
    let script = format!("set -a; . {secrets}; set +a; exec dotnet Altinn.Studio.Designer.dll");
    let database =
        format!("Host={postgres};Port=5432;Username=designer;Password={{0}};Database=designer");
    let clusters = format!("{pipeline}/clusters/{{org}}/{{env}}");
    let environment = [
        ("ASPNETCORE_ENVIRONMENT", "Development".to_owned()),
        ("ASPNETCORE_URLS", format!("http://+:{REAL_PORT}")),
        // Sign-in by Gitea's own users. The other way wants a log-in of Ansattporten, and Redis.
        ("FeatureManagement__Ansattporten", "false".to_owned()),
        ("FeatureManagement__GitOpsDeploy", "false".to_owned()),
        ("FeatureManagement__StudioOidc", "false".to_owned()),
        ("RedisCacheSettings__UseRedisCache", "false".to_owned()),
        ("GeneralSettings__AltinnStudioEndpoint", format!("{studio}/")),
        ("GeneralSettings__AppLocation", "Templates/AspNet/App".to_owned()),
        ("GeneralSettings__DeploymentLocation", "Templates/AspNet/deployment".to_owned()),
        ("GeneralSettings__EnvironmentsUrl", format!("{pipeline}/environments.json")),
        ("GeneralSettings__HostName", format!("{}:{}", Stack::STUDIO_HOST, port(wish, "router"))),
        ("GeneralSettings__LanguageFilesLocation", "Languages/".to_owned()),
        ("GeneralSettings__OrganizationsUrl", format!("{pipeline}/altinn-orgs.json")),
        ("GeneralSettings__TemplateLocation", "Templates/AspNet".to_owned()),
        ("Integrations__AzureDevOpsSettings__BaseUri", format!("{pipeline}/_apis/")),
        ("MaskinPortenHttpClientSettings__BaseUrl", pipeline),
        ("OidcLoginSettings__Authority", format!("{studio}/repos/")),
        ("OidcLoginSettings__CookieExpiryTimeInMinutes", "59".to_owned()),
        ("OidcLoginSettings__FetchClientIdAndSecretFromRootEnvFile", "false".to_owned()),
        ("OidcLoginSettings__RequireHttpsMetadata", "false".to_owned()),
        ("PlatformSettings__AppClusterUrlPattern", clusters),
        ("PostgreSQLSettings__AdminConnectionString", database.clone()),
        ("PostgreSQLSettings__ConnectionString", database),
        ("PostgreSQLSettings__EnableDBConnection", "true".to_owned()),
        ("SchedulingSettings__AddHostedService", "true".to_owned()),
        ("SchedulingSettings__UsePersistentScheduling", "true".to_owned()),
        ("ServiceRepositorySettings__ApiEndPoint", format!("{gitea}/api/v1/")),
        ("ServiceRepositorySettings__ApiEndPointHost", container(wish, "gitea")),
        ("ServiceRepositorySettings__GiteaLoginUrl", format!("{studio}/repos/user/login")),
        ("ServiceRepositorySettings__RepositoryBaseURL", gitea.clone()),
        ("ServiceRepositorySettings__RepositoryLocation", format!("{REAL_COPIES}/")),
        ("TestdataRepositorySettings__RepositoryLocation", "/Testdata".to_owned()),
    ];
    Service {
        entrypoint: Some(words(&["/bin/sh", "-c"])),
        command: Some(vec![script]),
        environment: environment.map(|(key, value)| (key.to_owned(), value)).into(),
        mounts: mount(wish, "designer-copies", REAL_COPIES),
        files: vec![FileSpec {
            path: secrets,
            contents: real_secrets(wish),
            // The image reads it as its own user, whose number we do not know.
            mode: 0o444,
            owner: (0, 0),
        }],
        ..one(wish, image, "/health")
    }
}

/// Lines of a shell. None of the values has a character that means something to one.
fn real_secrets(wish: &Wish<'_>) -> String {
    let password = &wish.credentials.designer_database_password;
    // It stands after `Basic` as it is, so that name and password are put together here.
    let token = &STANDARD.encode(format!(":{}", wish.credentials.pipeline_token));
    let (id, secret) = (SignIn::ID, SignIn::SECRET);
    let values = [
        ("OidcLoginSettings__ClientId", id),
        ("OidcLoginSettings__ClientSecret", secret),
        ("PostgreSQLSettings__DesignerDbAdminPwd", password),
        ("PostgreSQLSettings__DesignerDbPwd", password),
        ("AccessTokenDevOps", token),
    ];
    values.map(|(key, value)| format!("{key}='{value}'\n")).concat()
}

/// What both have in common.
fn one(wish: &Wish<'_>, image: &ImageRef, health: &str) -> Service {
    let (studio, port) = (urls(wish).0, port(wish, "router"));
    let host = Some(format!("{}:{port}", Stack::STUDIO_HOST));
    let probe = Probe::Http { port, path: health.to_owned(), host };
    let redirect = format!("{studio}/signin-oidc");
    Service {
        after: words(&["studio.postgres", "studio.router", "studio.gitea"]),
        sign_in: Some(SignIn { name: APPLICATION.to_owned(), redirect }),
        ..desired::service(wish, ID, PART, image, probe)
    }
}

/// Studio and the pipeline.
fn urls(wish: &Wish<'_>) -> (String, String) {
    let port = port(wish, "router");
    (studio_url(port), pipeline_url(port))
}

fn gitea(wish: &Wish<'_>) -> String {
    format!("http://{}:3000", container(wish, "gitea"))
}
