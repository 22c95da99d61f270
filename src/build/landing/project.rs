//! What a project does with its files, as far as the text of the project tells: the items that the SDK takes by
//! itself and those that the project adds, changes and removes, in their order. Conditions are not evaluated: what
//! hangs on one is not known, and says so.
//!
//! The SDK's own part is `Microsoft.NET.Sdk.DefaultItems.props` and `Sdk.Razor.StaticAssets.ProjectSystem.props`.

use std::collections::BTreeMap;

use roxmltree::{Document, Node};

use super::paths;
use super::pattern::{Match, Pattern};

/// What a project makes of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is in the publish folder with the same bytes, under this path.
    Published(String),
    /// The compiler, or a tool that the build runs, reads it.
    Compiled { replay: bool },
    /// Only a whole build tells.
    Unsure(String),
    /// Nothing.
    Nothing,
}

/// A project file and what is imported into it.
#[derive(Debug, Clone, Default)]
pub(super) struct Project {
    operations: Vec<Operation>,
    /// Values in their order; none where a condition or a function decides.
    properties: BTreeMap<String, Option<String>>,
    /// The SDK's name, in lower case.
    sdk: String,
    /// Other projects, relative to this one's folder.
    pub(super) references: Vec<String>,
    packages: Vec<String>,
    /// Why nothing of it is understood.
    doubt: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Include,
    Update,
    Remove,
}

#[derive(Debug, Clone)]
struct Operation {
    kind: String,
    verb: Verb,
    patterns: Vec<Pattern>,
    except: Vec<Pattern>,
    metadata: Vec<(String, String)>,
    /// Whether no condition hangs on it.
    sure: bool,
}

/// Items that are no files of the app.
const NO_FILES: &[&str] = &[
    "AssemblyAttribute",
    "AssemblyMetadata",
    "DotNetCliToolReference",
    "Folder",
    "FrameworkReference",
    "GlobalPackageReference",
    "InternalsVisibleTo",
    "KnownFrameworkReference",
    "NoWarn",
    "NuGetAuditSuppress",
    "PackageDownload",
    "PackageReference",
    "PackageVersion",
    "ProjectCapability",
    "ProjectReference",
    "Reference",
    "RuntimeHostConfigurationOption",
    "Service",
    "SupportedPlatform",
    "TrimmerRootAssembly",
    "Using",
    "Watch",
];
/// Items that a compiler or its helpers read.
const READ_BY_COMPILER: &[&str] = &[
    "AdditionalFiles",
    "EditorConfigFiles",
    "EmbeddedResource",
    "GlobalAnalyzerConfigFiles",
    "Protobuf",
];
/// Items that may be copied.
const COPIED: &[&str] = &["Content", "None", "Compile", "EmbeddedResource"];
/// Tasks in a target that touch no file of the app by themselves.
const QUIET_TASKS: &[&str] =
    &["Copy", "Error", "ItemGroup", "MakeDir", "Message", "PropertyGroup", "Warning"];
/// Parts of names of packages whose builds make other files of an app's files.
const TRANSFORMERS: &[&str] = &[
    "sass",
    "typescript",
    "bundl",
    "libman",
    "librarymanager",
    "minif",
    "webpack",
    "tailwind",
    "esbuild",
    "vite",
];

const EXCLUDED: &[&str] =
    &["bin/**", "obj/**", "**/*.user", "**/*.*proj", "**/*.sln", "**/*.vssscc", "**/.*/**"];
const EXCLUDED_ON_THE_WEB: &[&str] =
    &["**/node_modules/**", "**/jspm_packages/**", "**/bower_components/**"];
const NEWEST: &str = "PreserveNewest";

impl Project {
    /// Reads a project with `Directory.Build.props` before and `Directory.Build.targets` after it, where there are
    /// some, and properties given on the command line, which win.
    pub(super) fn read(
        props: Option<&str>,
        project: &str,
        targets: Option<&str>,
        given: &[(String, String)],
    ) -> Self {
        let mut found = Self::default();
        found.take(props.unwrap_or("<Project/>"), "Directory.Build.props");
        let before = std::mem::take(&mut found.operations);
        found.take(project, "the project");
        let own = std::mem::take(&mut found.operations);
        found.take(targets.unwrap_or("<Project/>"), "Directory.Build.targets");
        let after = std::mem::take(&mut found.operations);
        for (name, value) in given {
            found.properties.insert(name.to_lowercase(), Some(value.clone()));
        }
        let defaults = found.defaults();
        found.operations = [before, defaults, own, after].concat();
        found
    }

    /// A property's value; empty when it is not set, none when it is not known.
    pub(super) fn property(&self, name: &str) -> Option<&str> {
        let value = self.properties.get(&name.to_lowercase());
        value.map_or(Some(""), Option::as_deref)
    }

    /// Whether a property is surely not `true`.
    pub(super) fn is_off(&self, name: &str) -> bool {
        self.property(name).is_some_and(|value| !value.eq_ignore_ascii_case("true"))
    }

    pub(super) fn is_web(&self) -> bool {
        self.sdk == "microsoft.net.sdk.web"
    }

    /// What becomes of a file, whose path is relative to the project's folder.
    pub(super) fn fate(&self, path: &str) -> Fate {
        if let Some(doubt) = &self.doubt {
            return Fate::Unsure(doubt.clone());
        }
        let items = match self.items(path) {
            Ok(items) => items,
            Err(why) => return Fate::Unsure(why),
        };
        let known = |kind: &str| {
            COPIED.contains(&kind) || READ_BY_COMPILER.contains(&kind) || NO_FILES.contains(&kind)
        };
        if let Some((kind, _)) = items.iter().find(|(kind, _)| !known(kind)) {
            return Fate::Unsure(format!("the project lists it as `{kind}`"));
        }
        let mut target = None;
        for (kind, item) in &items {
            match item.target(kind, path) {
                Ok(told) => target = told.or(target),
                Err(why) => return Fate::Unsure(why),
            }
        }
        let compiled = self.is_compiled(path, &items);
        match (compiled, target) {
            (Some(_), Some(_)) => Fate::Unsure("it is both compiled and copied".to_owned()),
            (Some(replay), None) => Fate::Compiled { replay },
            (None, target) => self.published(path, target),
        }
    }

    fn is_compiled(&self, path: &str, items: &BTreeMap<&str, Item>) -> Option<bool> {
        let name = paths::name(path).to_lowercase();
        let ends = |end: &str| name.ends_with(end);
        let razor =
            ["microsoft.net.sdk.web", "microsoft.net.sdk.razor"].contains(&self.sdk.as_str());
        if items.contains_key("Compile") {
            return Some(true);
        }
        let read = READ_BY_COMPILER.iter().any(|kind| items.contains_key(kind));
        let page = razor && (ends(".cshtml") || ends(".razor"));
        let style = razor && (ends(".cshtml.css") || ends(".razor.css"));
        let rules = name == ".editorconfig" || name == ".globalconfig";
        (read || rules || ((page || style) && !items.is_empty())).then_some(false)
    }

    fn published(&self, path: &str, target: Option<String>) -> Fate {
        let end = paths::name(path).rsplit('.').next().unwrap_or_default().to_lowercase();
        let served = path.starts_with("wwwroot/")
            || matches!(
                end.as_str(),
                "ts" | "tsx" | "scss" | "sass" | "less" | "js" | "css" | "json"
            );
        let transformer = self.packages.iter().find(|package| {
            let package = package.to_lowercase();
            TRANSFORMERS.iter().any(|part| package.contains(part))
        });
        match (transformer, target) {
            (Some(package), _) if served => {
                Fate::Unsure(format!("the package {package} may read it"))
            }
            (_, Some(target)) => Fate::Published(target),
            (_, None) => Fate::Nothing,
        }
    }

    fn items(&self, path: &str) -> Result<BTreeMap<&str, Item>, String> {
        let mut items: BTreeMap<&str, Item> = BTreeMap::new();
        for operation in &self.operations {
            let kind = operation.kind.as_str();
            let told = operation.matches(path);
            match told {
                Match::No => continue,
                Match::Yes if operation.sure => {}
                Match::Yes => {
                    return Err(format!("a condition of the project decides about `{kind}` items"));
                }
                Match::Unsure => {
                    return Err(format!("the `{kind}` items of the project are not understood"));
                }
            }
            match operation.verb {
                Verb::Include => {
                    items.insert(kind, Item::of(&operation.metadata));
                }
                Verb::Update => {
                    if let Some(item) = items.get_mut(kind) {
                        item.set(&operation.metadata);
                    }
                }
                Verb::Remove => drop(items.remove(kind)),
            }
        }
        Ok(items)
    }

    /// What the SDK does before the project's own items.
    fn defaults(&mut self) -> Vec<Operation> {
        let known = ["microsoft.net.sdk", "microsoft.net.sdk.web", "microsoft.net.sdk.worker"];
        if !known.contains(&self.sdk.as_str()) {
            self.doubt("its SDK is not understood");
        }
        let web = self.is_web();
        let mut except: Vec<&str> = EXCLUDED.to_vec();
        if web {
            except.extend(EXCLUDED_ON_THE_WEB);
        }
        let mut except: Vec<Pattern> = except.into_iter().map(Pattern::read).collect();
        for (name, below) in [
            ("DefaultItemExcludes", ""),
            ("BaseOutputPath", "/**"),
            ("BaseIntermediateOutputPath", "/**"),
        ] {
            match self.property(name).map(|value| patterns(value, below)) {
                Some(more) => except.extend(more),
                None => self.doubt(&format!("its `{name}` is not understood")),
            }
        }
        let mut on = |name: &str| {
            let value = self.property(name).map(str::to_lowercase);
            if value.is_none() {
                self.doubt(&format!("its `{name}` is not understood"));
            }
            value.is_some_and(|value| value != "false")
        };
        let all = on("EnableDefaultItems");
        let compile = all && on("EnableDefaultCompileItems");
        let resources = all && on("EnableDefaultEmbeddedResourceItems");
        let none = all && on("EnableDefaultNoneItems");
        let content = all && on("EnableDefaultContentItems");
        let designer = self.property("AppDesignerFolder").unwrap_or_default();
        let designer = if designer.is_empty() { "Properties" } else { designer };
        let mut made = Vec::new();
        let mut say = |wanted: bool, verb, kind: &str, text: &str, metadata: &[(&str, &str)]| {
            if wanted {
                let except = if verb == Verb::Include { except.clone() } else { Vec::new() };
                made.push(Operation::ours(verb, kind, text, except, metadata));
            }
        };
        let copy: &[(&str, &str)] = &[("CopyToPublishDirectory", NEWEST)];
        say(compile, Verb::Include, "Compile", "**/*.cs", &[]);
        say(resources, Verb::Include, "EmbeddedResource", "**/*.resx", &[]);
        say(none, Verb::Include, "None", "**/*", &[]);
        say(none && compile, Verb::Remove, "None", "**/*.cs;**/*.resx", &[]);
        let served = self.sdk != "microsoft.net.sdk";
        say(content && web, Verb::Include, "Content", "wwwroot/**", copy);
        say(content && served, Verb::Include, "Content", "**/*.config;**/*.json", copy);
        say(content && web, Verb::Include, "Content", "**/*.cshtml;**/*.razor", &[]);
        let never: &[(&str, &str)] = &[("CopyToPublishDirectory", "Never")];
        say(content && served, Verb::Update, "Content", &format!("{designer}/**"), never);
        made
    }

    fn doubt(&mut self, why: &str) {
        self.doubt.get_or_insert_with(|| why.to_owned());
    }

    fn take(&mut self, text: &str, what: &str) {
        let Ok(document) = Document::parse(text.trim_start_matches('\u{feff}')) else {
            return self.doubt(&format!("{what} is not XML that can be read"));
        };
        let root = document.root_element();
        if let Some(sdk) = root.attribute("Sdk") {
            self.sdk = sdk.split('/').next().unwrap_or(sdk).to_lowercase();
        }
        for node in root.children().filter(Node::is_element) {
            let sure = node.attribute("Condition").is_none();
            match node.tag_name().name() {
                "PropertyGroup" => self.take_properties(node, sure),
                "ItemGroup" => {
                    for item in node.children().filter(Node::is_element) {
                        self.take_item(item, sure);
                    }
                }
                "Target" => self.take_target(node),
                "ProjectExtensions" | "UsingTask" => {}
                "ItemDefinitionGroup" | "Choose" | "Import" | "ImportGroup" | "Sdk" => {
                    let name = node.tag_name().name();
                    self.doubt(&format!("`{name}` in {what} is not understood"));
                }
                name => self.doubt(&format!("`{name}` in {what} is not understood")),
            }
        }
    }

    fn take_properties(&mut self, group: Node<'_, '_>, sure: bool) {
        for node in group.children().filter(Node::is_element) {
            let name = node.tag_name().name().to_lowercase();
            let value = node.text().unwrap_or_default().trim();
            let value = (sure && node.attribute("Condition").is_none())
                .then(|| self.expanded(&name, value))
                .flatten();
            self.properties.insert(name, value);
        }
    }

    /// A value with plain references put in; a property may build on its own former value.
    fn expanded(&self, own: &str, value: &str) -> Option<String> {
        let mut result = String::new();
        let mut rest = value;
        while let Some((before, after)) = rest.split_once("$(") {
            result.push_str(before);
            let (name, tail) = after.split_once(')')?;
            let known = self.properties.get(&name.to_lowercase());
            match known {
                Some(value) => result.push_str(value.as_deref()?),
                // What the SDK put there before is added by us.
                None if name.eq_ignore_ascii_case(own) => {}
                None => return None,
            }
            rest = tail;
        }
        result.push_str(rest);
        (!result.contains('@')).then_some(result)
    }

    fn take_item(&mut self, node: Node<'_, '_>, sure: bool) {
        let kind = node.tag_name().name();
        let sure = sure && node.attribute("Condition").is_none();
        match kind {
            "ProjectReference" => {
                let several = node.attribute("Include").unwrap_or_default().split(';');
                let several = several.map(str::trim).filter(|one| !one.is_empty());
                self.references.extend(several.map(|one| one.replace('\\', "/")));
            }
            "PackageReference" => {
                self.packages.extend(node.attribute("Include").map(str::to_owned));
            }
            kind if NO_FILES.contains(&kind) => {}
            _ => self.take_files(node, sure),
        }
    }

    fn take_files(&mut self, node: Node<'_, '_>, sure: bool) {
        const WORDS: &[&str] = &[
            "Include",
            "Update",
            "Remove",
            "Exclude",
            "Condition",
            "Label",
            "KeepDuplicates",
            "KeepMetadata",
            "RemoveMetadata",
        ];
        let (mut sure, kind) = (sure, node.tag_name().name());
        let attributes = node.attributes().filter(|one| !WORDS.contains(&one.name()));
        let mut metadata: Vec<(String, String)> =
            attributes.map(|one| (one.name().to_owned(), one.value().to_owned())).collect();
        for child in node.children().filter(Node::is_element) {
            sure &= child.attribute("Condition").is_none();
            let value = child.text().unwrap_or_default().trim().to_owned();
            metadata.push((child.tag_name().name().to_owned(), value));
        }
        let verbs =
            [("Include", Verb::Include), ("Update", Verb::Update), ("Remove", Verb::Remove)];
        for (word, verb) in verbs {
            let Some(text) = node.attribute(word) else { continue };
            self.operations.push(Operation {
                kind: kind.to_owned(),
                verb,
                patterns: patterns(text, ""),
                except: patterns(node.attribute("Exclude").unwrap_or_default(), ""),
                metadata: metadata.clone(),
                sure,
            });
        }
    }

    /// A target is passed over when it does no more than copy files of packages.
    fn take_target(&mut self, target: Node<'_, '_>) {
        let name = target.attribute("Name").unwrap_or_default();
        let tasks = || target.children().filter(Node::is_element);
        let loud = tasks().find(|task| !QUIET_TASKS.contains(&task.tag_name().name()));
        if let Some(task) = loud {
            let task = task.tag_name().name();
            return self.doubt(&format!("the project's target `{name}` runs `{task}`"));
        }
        let items: Vec<Node<'_, '_>> = tasks()
            .filter(|task| task.has_tag_name("ItemGroup"))
            .flat_map(|group| group.children().filter(Node::is_element))
            .collect();
        let of_packages =
            |text: &str| patterns(text, "").iter().all(|pattern| *pattern == Pattern::Elsewhere);
        let quiet = items.iter().all(|item| {
            item.attribute("Remove").is_none() && item.attribute("Include").is_some_and(of_packages)
        });
        let copies = tasks().filter(|task| task.tag_name().name() == "Copy").all(|copy| {
            let source = copy.attribute("SourceFiles").unwrap_or_default();
            items.iter().any(|item| source == format!("@({})", item.tag_name().name()))
        });
        if !quiet || !copies {
            self.doubt(&format!("the project's target `{name}` may read it"));
        }
    }
}

impl Operation {
    fn ours(
        verb: Verb,
        kind: &str,
        text: &str,
        except: Vec<Pattern>,
        metadata: &[(&str, &str)],
    ) -> Self {
        let metadata = metadata
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Self {
            kind: kind.to_owned(),
            verb,
            patterns: patterns(text, ""),
            except,
            metadata,
            sure: true,
        }
    }

    fn matches(&self, path: &str) -> Match {
        let any = |patterns: &[Pattern]| {
            let told: Vec<Match> = patterns.iter().map(|pattern| pattern.matches(path)).collect();
            [Match::Yes, Match::Unsure]
                .into_iter()
                .find(|one| told.contains(one))
                .unwrap_or(Match::No)
        };
        match (any(&self.patterns), any(&self.except)) {
            (Match::No, _) | (_, Match::Yes) => Match::No,
            (Match::Yes, Match::No) => Match::Yes,
            (Match::Unsure, _) | (_, Match::Unsure) => Match::Unsure,
        }
    }
}

fn patterns(text: &str, below: &str) -> Vec<Pattern> {
    let texts = text.split(';').map(str::trim).filter(|one| !one.is_empty());
    texts
        .map(|one| Pattern::read(&format!("{}{below}", one.trim_end_matches(['/', '\\']))))
        .collect()
}

/// What is known of a file as an item of one kind.
#[derive(Debug, Default)]
struct Item(BTreeMap<String, String>);

impl Item {
    fn of(metadata: &[(String, String)]) -> Self {
        let mut item = Self::default();
        item.set(metadata);
        item
    }

    fn set(&mut self, metadata: &[(String, String)]) {
        self.0.extend(metadata.iter().cloned());
    }

    fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// Where it is in the publish folder; none when it is not.
    fn target(&self, kind: &str, path: &str) -> Result<Option<String>, String> {
        if !COPIED.contains(&kind) {
            return Ok(None);
        }
        let (publish, output) =
            (self.get("CopyToPublishDirectory"), self.get("CopyToOutputDirectory"));
        match if publish.is_empty() { output } else { publish } {
            "" | "Never" => return Ok(None),
            "Always" | "PreserveNewest" | "IfDifferent" => {}
            other => return Err(format!("whether it is copied hangs on `{other}`")),
        }
        let named = ["Link", "TargetPath", "LinkBase", "PublishFolderType"];
        let named: Vec<&str> =
            named.into_iter().filter(|name| !self.get(name).is_empty()).collect();
        let link = self.get("Link").replace('\\', "/");
        match named.as_slice() {
            [] if !path.starts_with("../") => Ok(Some(path.to_owned())),
            ["Link"] if !link.contains(['%', '$', '@']) && !link.starts_with("../") => {
                Ok(Some(link))
            }
            _ => Err("where the project copies it is not understood".to_owned()),
        }
    }
}
