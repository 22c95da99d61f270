use super::compile::Words;
use super::*;

const DEFAULT: &str = "<Project Sdk=\"Microsoft.NET.Sdk.Web\"><PropertyGroup><TargetFramework>net8.0</TargetFramework></PropertyGroup></Project>";

/// A landing of a Dockerfile and files; a file without text is empty.
fn landing(dockerfile: &str, files: &[(&str, &str)]) -> Landing {
    let text = |path: &str| {
        files.iter().find(|(known, _)| *known == path).map(|(_, text)| (*text).to_owned())
    };
    let ignore = text(".dockerignore").unwrap_or_default();
    let source = Source {
        paths: files.iter().map(|(path, _)| (*path).to_owned()).collect(),
        linked: HashSet::from(["App/link.json".to_owned()]),
        dockerfile: "Dockerfile".to_owned(),
        ignore: Dockerignore::parse(ignore.as_bytes()),
        text: &text,
    };
    Landing::read(&Dockerfile::parse(dockerfile, "Dockerfile").unwrap(), &[], source)
}

/// `A /x` copied, `C` compiled, `c` compiled without replay, `B why` rebuilt, `-` not in the image.
fn told(landing: &Landing, path: &str) -> String {
    match landing.place(path) {
        Place::Copied(targets) => format!("A {}", targets.join(" ")),
        Place::Compiled { replay: true } => "C".to_owned(),
        Place::Compiled { replay: false } => "c".to_owned(),
        Place::Rebuild(why) => format!("B {why}"),
        Place::Nowhere => "-".to_owned(),
    }
}

fn check(landing: &Landing, table: &[(&str, &str)]) {
    let found: Vec<String> =
        table.iter().map(|(path, _)| format!("{path}: {}", told(landing, path))).collect();
    let expected: Vec<String> =
        table.iter().map(|(path, told)| format!("{path}: {told}")).collect();
    assert_eq!(found, expected, "compile: {:?}", landing.compile());
}

fn template() -> Landing {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/app");
    let text = |path: &str| std::fs::read_to_string(root.join(path)).unwrap_or_default();
    let paths = [
        "App.sln",
        "App/App.csproj",
        "App/Program.cs",
        "App/appsettings.json",
        "App/wwwroot/index.html",
    ];
    let texts = paths.map(text);
    let (recipe, ignore) = (text("Dockerfile"), text(".dockerignore"));
    let mut files: Vec<(&str, &str)> =
        paths.iter().zip(&texts).map(|(path, text)| (*path, text.as_str())).collect();
    files.push((".dockerignore", &ignore));
    landing(&recipe, &files)
}

#[test]
fn the_sample_app_is_understood() {
    check(
        &template(),
        &[
            ("App/wwwroot/css/app.css", "A /app/wwwroot/css/app.css"),
            ("App/wwwroot/new/deep/file.bin", "A /app/wwwroot/new/deep/file.bin"),
            ("App/ui/form/layouts/event.json", "A /app/ui/form/layouts/event.json"),
            ("App/config/process/process.bpmn", "A /app/config/process/process.bpmn"),
            ("App/config/texts/resource.nb.json", "A /app/config/texts/resource.nb.json"),
            ("App/models/model.schema.json", "A /app/models/model.schema.json"),
            ("App/appsettings.json", "A /app/appsettings.json"),
            ("App/appsettings.Development.json", "A /app/appsettings.Development.json"),
            ("App/models/model.cs", "C"),
            ("App/logic/New.cs", "C"),
            ("App/instances/DataEndpoints.cs", "C"),
            ("App/Properties/launchSettings.json", "-"),
            ("App/notes.txt", "-"),
            ("App/strings.resx", "c"),
            ("App/Views/Index.cshtml", "c"),
            ("App/.editorconfig", "c"),
            ("App/link.json", "B a link is followed on the way to the image"),
            ("App/App.csproj", "B the project is built by it"),
            ("App/nuget.config", "B the project is built by it"),
            ("App/lib/native.so", "B the project is built by it"),
            ("App/web.config", "A /app/web.config"),
            ("App/web.Release.config", "B publishing transforms it"),
            ("App/CONFIG/x.xml", "B the `Content` items of the project are not understood"),
            ("Dockerfile", "B the image is made by it"),
            (".dockerignore", "B the image is made by it"),
            ("App.sln", "-"),
            ("README.md", "-"),
            ("test/Story.cs", "-"),
            ("deployment/values.yaml", "-"),
            ("App/obj/x.json", "-"),
            ("App/secrets.json", "-"),
            ("App/node_modules/x/index.json", "-"),
        ],
    );
}

#[test]
fn the_sample_app_can_be_compiled_by_itself() {
    let landing = template();
    let words = |folder: &str, text: &str| Words {
        folder: folder.to_owned(),
        words: text.split(' ').map(str::to_owned).collect(),
    };
    let publish = "dotnet publish --no-restore --configuration Release --output /app_output";
    let expected = Compile {
        image: "mcr.microsoft.com/dotnet/sdk:8.0".to_owned(),
        copies: vec![
            ("App/App.csproj".to_owned(), "/App".to_owned()),
            ("App".to_owned(), "/App".to_owned()),
        ],
        env: Vec::new(),
        project: "/App/App.csproj".to_owned(),
        restore: Some(words("/App", "dotnet restore")),
        publish: words("/App", publish),
        configuration: "Release".to_owned(),
        output: "/app_output".to_owned(),
        target: "/app".to_owned(),
        assembly: "Altinn.Application".to_owned(),
        replay: true,
    };
    assert_eq!(landing.compile(), Ok(&expected));
    assert_eq!(landing.staged("App/logic/New.cs"), ["/App/logic/New.cs"]);
    assert_eq!(landing.staged("README.md"), [""; 0]);
}

/// As Altinn's own template for version 8 has it, with its target that copies the documentation of packages.
const V8: &str = r#"FROM mcr.microsoft.com/dotnet/sdk:8.0-alpine AS build
WORKDIR /App
COPY /App/App.csproj .
RUN dotnet restore App.csproj
COPY /App .
RUN dotnet publish App.csproj --configuration Release --output /app_output

FROM mcr.microsoft.com/dotnet/aspnet:8.0-alpine AS final
EXPOSE 5005
WORKDIR /App
COPY --from=build /app_output .
ENV ASPNETCORE_URLS=
# busybox has no long options
RUN addgroup -g 3000 altinn && adduser -u 1000 -G altinn -D -s /bin/false altinn
USER altinn
RUN mkdir /tmp/logtelemetry
ENTRYPOINT ["dotnet", "Altinn.Application.dll"]
"#;

const V8_PROJECT: &str = r#"<Project Sdk="Microsoft.NET.Sdk.Web">
  <PropertyGroup>
    <TargetFramework>net8.0</TargetFramework>
    <AssemblyName>Altinn.Application</AssemblyName>
    <NoWarn>$(NoWarn);1591</NoWarn>
  </PropertyGroup>
  <ItemGroup>
    <PackageReference Include="Altinn.App.Api" Version="8.6.4">
      <CopyToOutputDirectory>lib\$(TargetFramework)\*.xml</CopyToOutputDirectory>
    </PackageReference>
  </ItemGroup>
  <ItemGroup>
    <Folder Include="wwwroot\" />
    <Content Remove="wwwroot\private\**" />
    <None Update="config\process\*.bpmn"><CopyToOutputDirectory>PreserveNewest</CopyToOutputDirectory></None>
    <None Update="config\never.bpmn" CopyToOutputDirectory="Always" CopyToPublishDirectory="Never" />
    <Content Update="settings\linked.json" Link="other\name.json" />
    <Content Update="settings\odd.json" Link="%(Filename)" />
    <Content Include="..\shared\**" CopyToOutputDirectory="Always" />
    <Compile Include="..\code\*.cs" />
    <EmbeddedResource Include="embedded\**" />
    <Content Update="local.json" Condition="'$(Configuration)' == 'Debug'" CopyToPublishDirectory="Never" />
  </ItemGroup>
  <Target Name="CopyXml" AfterTargets="Build">
    <ItemGroup>
      <PackageFiles Condition="%(PackageReference.CopyToOutputDirectory) != ''" Include="$(NugetPackageRoot)\%(PackageReference.Identity)\%(PackageReference.Version)\%(PackageReference.CopyToOutputDirectory)" />
    </ItemGroup>
    <Copy SourceFiles="@(PackageFiles)" DestinationFolder="$(OutDir)" />
  </Target>
</Project>"#;

#[test]
fn altinns_own_template_is_understood() {
    let app = landing(V8, &[("App/App.csproj", V8_PROJECT)]);
    check(
        &app,
        &[
            ("App/ui/form/layouts/a.json", "A /App/ui/form/layouts/a.json"),
            ("App/wwwroot/a.js", "A /App/wwwroot/a.js"),
            ("App/wwwroot/private/a.js", "-"),
            ("App/wwwroot/.well-known/a", "-"),
            ("App/config/process/process.bpmn", "A /App/config/process/process.bpmn"),
            ("App/config/never.bpmn", "-"),
            ("App/config/policy.xml", "-"),
            ("App/settings/linked.json", "A /App/other/name.json"),
            ("App/settings/odd.json", "B where the project copies it is not understood"),
            ("App/local.json", "B a condition of the project decides about `Content` items"),
            ("App/embedded/a.txt", "c"),
            ("App/embedded/a.json", "B it is both compiled and copied"),
            ("App/models/Model.cs", "C"),
            ("App/web.config", "B publishing transforms it"),
            ("App/runtimeconfig.template.json", "B the project is built by it"),
            ("shared/a.json", "-"),
        ],
    );
    let compile = app.compile().unwrap();
    assert_eq!((compile.target.as_str(), compile.output.as_str()), ("/App", "/app_output"));
    let whole = V8.replace("COPY /App .", "COPY . /");
    check(
        &landing(&whole, &[("App/App.csproj", V8_PROJECT)]),
        &[
            ("shared/a.json", "B where the project copies it is not understood"),
            ("code/a.cs", "C"),
            ("other/a.cs", "-"),
        ],
    );
}

#[test]
fn what_a_project_leaves_open_is_built() {
    let head = "<Project Sdk=\"Microsoft.NET.Sdk.Web\">";
    for (project, path, expected) in [
        (
            "<ItemGroup><Content Include=\"$(Dir)/**\" /></ItemGroup>",
            "App/a.json",
            "B the `Content` items of the project are not understood",
        ),
        (
            "<Import Project=\"../x.targets\" />",
            "App/a.json",
            "B `Import` in the project is not understood",
        ),
        (
            "<Target Name=\"Npm\"><Exec Command=\"npm run build\" /></Target>",
            "App/wwwroot/a.js",
            "B the project's target `Npm` runs `Exec`",
        ),
        (
            "<Target Name=\"T\"><ItemGroup><Content Include=\"a/**\" /></ItemGroup></Target>",
            "App/a.cs",
            "B the project's target `T` may read it",
        ),
        (
            "<PropertyGroup Condition=\"x\"><EnableDefaultContentItems>false</EnableDefaultContentItems></PropertyGroup>",
            "App/a.json",
            "B its `EnableDefaultContentItems` is not understood",
        ),
        (
            "<PropertyGroup><EnableDefaultContentItems>false</EnableDefaultContentItems></PropertyGroup>",
            "App/a.json",
            "-",
        ),
        (
            "<PropertyGroup><DefaultItemExcludes>$(DefaultItemExcludes);gen/**</DefaultItemExcludes></PropertyGroup>",
            "App/gen/a.json",
            "-",
        ),
        (
            "<PropertyGroup><PublishReadyToRun>true</PublishReadyToRun></PropertyGroup>",
            "App/a.cs",
            "c",
        ),
        (
            "<PropertyGroup Condition=\"x\"><PublishAot>true</PublishAot></PropertyGroup>",
            "App/a.cs",
            "c",
        ),
        (
            "<ItemGroup><PackageReference Include=\"AspNetCore.SassCompiler\" /></ItemGroup>",
            "App/wwwroot/a.css",
            "B the package AspNetCore.SassCompiler may read it",
        ),
        (
            "<ItemGroup><PackageReference Include=\"AspNetCore.SassCompiler\" /></ItemGroup>",
            "App/a.cs",
            "C",
        ),
        (
            "<ItemGroup><MyFiles Include=\"data/**\" /></ItemGroup>",
            "App/data/a.json",
            "B the project lists it as `MyFiles`",
        ),
        ("<ItemGroup><AdditionalFiles Include=\"rules.txt\" /></ItemGroup>", "App/rules.txt", "c"),
        ("<ItemGroup><Compile Remove=\"old/**\" /></ItemGroup>", "App/old/a.cs", "-"),
        (
            "<ItemGroup><None Include=\"data/**\" CopyToOutputDirectory=\"Always\" /></ItemGroup>",
            "App/data/a.txt",
            "A /App/data/a.txt",
        ),
        ("<broken", "App/a.cs", "B the project is not XML that can be read"),
    ] {
        let project = format!("{head}{project}</Project>");
        check(&landing(V8, &[("App/App.csproj", &project)]), &[(path, expected)]);
    }
    let fsharp = landing(&V8.replace("csproj", "fsproj"), &[("App/App.fsproj", DEFAULT)]);
    check(&fsharp, &[("App/a.json", "B `/App/App.fsproj` is not a C# project")]);
    let mapped =
        landing(V8, &[("App/App.csproj", DEFAULT), ("App/Program.cs", "app.MapStaticAssets();")]);
    check(
        &mapped,
        &[
            ("App/wwwroot/a.js", "B `MapStaticAssets` serves it by a table made at build time"),
            ("App/a.json", "A /App/a.json"),
        ],
    );
    let props = "<Project><ItemGroup><Content Include=\"docs/**\" CopyToPublishDirectory=\"Always\" /></ItemGroup></Project>";
    check(
        &landing(V8, &[("App/App.csproj", DEFAULT), ("App/Directory.Build.props", props)]),
        &[("App/docs/a.txt", "A /App/docs/a.txt")],
    );
}

/// As Visual Studio writes it, with a library.
const STUDIO: &str = r#"FROM mcr.microsoft.com/dotnet/aspnet:8.0 AS base
USER $APP_UID
WORKDIR /app
EXPOSE 8080
FROM mcr.microsoft.com/dotnet/sdk:8.0 AS build
ARG BUILD_CONFIGURATION=Release
WORKDIR /src
COPY ["App/App.csproj", "App/"]
COPY ["Lib/Lib.csproj", "Lib/"]
RUN dotnet restore "./App/App.csproj"
COPY . .
WORKDIR "/src/App"
RUN dotnet build "./App.csproj" -c $BUILD_CONFIGURATION -o /app/build
FROM build AS test
RUN dotnet test ../Tests
FROM build AS publish
ARG BUILD_CONFIGURATION=Release
RUN dotnet publish "./App.csproj" -c $BUILD_CONFIGURATION -o /app/publish /p:UseAppHost=false
FROM base AS final
WORKDIR /app
COPY --from=publish /app/publish .
ENTRYPOINT ["dotnet", "App.dll"]
"#;

#[test]
fn solutions_of_several_projects_are_understood() {
    let project = "<Project Sdk=\"Microsoft.NET.Sdk.Web\"><ItemGroup><ProjectReference Include=\"..\\Lib\\Lib.csproj\" /></ItemGroup></Project>";
    let library = "<Project Sdk=\"Microsoft.NET.Sdk\"><ItemGroup><None Update=\"data.txt\" CopyToOutputDirectory=\"Always\" /></ItemGroup></Project>";
    let files =
        [("App/App.csproj", project), ("Lib/Lib.csproj", library), ("Tests/Tests.csproj", DEFAULT)];
    let app = landing(STUDIO, &files);
    check(
        &app,
        &[
            ("App/Program.cs", "C"),
            ("Lib/Calc.cs", "c"),
            ("Lib/notes.json", "-"),
            ("Lib/data.txt", "B it comes from a project that the app refers to"),
            ("Lib/Lib.csproj", "B the project is built by it"),
            ("Tests/CalcTests.cs", "-"),
            ("App/wwwroot/a.js", "A /app/wwwroot/a.js"),
            ("App/appsettings.json", "A /app/appsettings.json"),
            ("Directory.Build.props", "B the project is built by it"),
        ],
    );
    let compile = app.compile().unwrap();
    assert_eq!(compile.image, "mcr.microsoft.com/dotnet/sdk:8.0");
    assert_eq!(compile.env, [("BUILD_CONFIGURATION".to_owned(), "Release".to_owned())]);
    assert_eq!(compile.project, "/src/App/App.csproj");
    assert_eq!(compile.configuration, "Release");
    assert_eq!(compile.restore.as_ref().unwrap().folder, "/src");
    assert_eq!(compile.publish.folder, "/src/App");
    assert_eq!((compile.target.as_str(), compile.assembly.as_str()), ("/app", "App"));
    assert_eq!(app.staged("Lib/Calc.cs"), ["/src/Lib/Calc.cs"]);
}

#[test]
fn plain_copies_need_no_project() {
    let text = "FROM scratch\nCOPY server /server\nCOPY site/ /srv/\nCOPY one.txt two.txt /srv/texts/\nCOPY conf/*.ini /etc/app/\nCOPY over /srv\nCMD [\"/server\"]";
    let app = landing(
        text,
        &[("server", ""), ("site/index.html", ""), ("over/index.html", ""), ("over/x", "")],
    );
    check(
        &app,
        &[
            ("server", "A /server"),
            ("site/a/b.css", "A /srv/a/b.css"),
            ("two.txt", "A /srv/texts/two.txt"),
            ("conf/a.ini", "A /etc/app/a.ini"),
            ("conf/sub/a.ini", "-"),
            ("site/index.html", "B another file may land at `/srv/index.html` too"),
            ("over/index.html", "B another file may land at `/srv/index.html` too"),
            ("over/x", "A /srv/x"),
            ("unrelated", "-"),
        ],
    );
    assert_eq!(app.compile(), Err("the Dockerfile publishes no project"));
}

#[test]
fn what_a_dockerfile_leaves_open_is_built() {
    for (text, path, expected) in [
        (
            "FROM nginx\nCOPY index.html /usr/share/nginx/html",
            "index.html",
            "B whether `/usr/share/nginx/html` is a folder is the base image's matter",
        ),
        (
            "FROM nginx\nCOPY site /usr/share/nginx/html",
            "site/index.html",
            "A /usr/share/nginx/html/index.html",
        ),
        (
            "FROM nginx\nCOPY nginx.conf /etc/nginx/nginx.conf",
            "nginx.conf",
            "A /etc/nginx/nginx.conf",
        ),
        ("FROM nginx\nCOPY --chown=1000:0 --chmod=644 a /x/", "a", "A /x/a"),
        (
            "FROM nginx\nCOPY --parents a/b /x/",
            "a/b",
            "B the Dockerfile copies it with a flag that is not understood",
        ),
        ("FROM nginx\nCOPY a .", "a", "B the folder that the Dockerfile copies it to is not known"),
        ("FROM nginx\nWORKDIR /w\nCOPY a .", "a", "A /w/a"),
        ("FROM nginx\nARG DIR=/w\nENV SUB=$DIR/s\nCOPY a ${SUB}/", "a", "A /w/s/a"),
        (
            "FROM nginx\nCOPY a $UNKNOWN/",
            "a",
            "B the Dockerfile copies files by words that are not understood",
        ),
        ("FROM scratch\nADD a.tar.gz /x/", "a.tar.gz", "B `ADD` unpacks it"),
        (
            "FROM alpine\nCOPY a /x/\nRUN sed -i s/a/b/ /x/a",
            "a",
            "B `RUN sed -i s/a/b/ /x/a` may read it",
        ),
        ("FROM alpine\nRUN sed -i s/a/b/ /etc/x\nCOPY a /x/", "a", "A /x/a"),
        (
            "FROM alpine\nRUN --mount=type=bind,target=/src make -C /src\nCOPY a /x/",
            "a",
            "B a `RUN` of the Dockerfile reads the build context",
        ),
        (
            "FROM node AS front\nWORKDIR /f\nCOPY web .\nRUN npm run build\nFROM scratch\nCOPY --from=front /f/dist /srv",
            "web/a.ts",
            "B `RUN npm run build` may read it",
        ),
        (
            "FROM node AS unused\nCOPY web /f\nRUN npm test\nFROM scratch\nCOPY web /srv",
            "web/a.ts",
            "A /srv/a.ts",
        ),
        ("FROM scratch AS one\nCOPY a /x/\nFROM one", "a", "A /x/a"),
        (
            "FROM scratch AS one\nCOPY web /x/\nFROM scratch\nCOPY --from=one /x /y",
            "web/a",
            "A /y/a",
        ),
        (
            "FROM scratch AS one\nCOPY web /x/\nFROM scratch\nCOPY --from=0 /x/a /y/",
            "web/a",
            "A /y/a",
        ),
        (
            "FROM scratch\nCOPY a /x/\nCOPY --from=other/image /y /x",
            "a",
            "B another file may land at `/x/a` too",
        ),
        ("FROM scratch\nCOPY <<EOF /x/a\nhello\nEOF\nCOPY b /x/", "b", "A /x/b"),
    ] {
        let landing = landing(text, &[]);
        assert_eq!(told(&landing, path), expected, "{text}");
    }
}

#[test]
fn a_build_of_another_kind_is_not_done_by_itself() {
    let project = [("App/App.csproj", DEFAULT)];
    for (from, to, why) in [
        ("RUN dotnet restore App.csproj", "RUN npm ci", "the build stage runs `RUN npm ci`"),
        (" --output /app_output", "", "`dotnet publish` names no output folder"),
        (
            "COPY --from=build /app_output .",
            "COPY --from=build /app_output/App.dll .",
            "the image does not take the published folder as a whole",
        ),
        (
            "COPY /App .",
            "COPY /App .\nCOPY --from=node:22 /dist wwwroot",
            "the build stage takes files from elsewhere",
        ),
        (
            "publish App.csproj",
            "publish Other.csproj",
            "there is no project in `/App/Other.csproj` of the build stage",
        ),
        (
            "RUN dotnet publish",
            "RUN dotnet publish -o /x && dotnet publish",
            "the Dockerfile publishes more than once",
        ),
    ] {
        let landing = landing(&V8.replace(from, to), &project);
        assert_eq!(landing.compile(), Err(why), "{to}");
        assert!(matches!(landing.place("App/Program.cs"), Place::Rebuild(_)), "{to}");
    }
}
