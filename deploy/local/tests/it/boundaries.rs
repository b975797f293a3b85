//! The walls between the crates, and between the files of a crate: which may know which. `deploy/docs/ARCHITECTURE.md` draws
//! them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use docket_testing::checkout;
use serde_json::Value;

/// Libraries that only the listed crates of `shared`, `producer` and `worker` may name.
const LIBRARIES: &[(&str, &[&str])] = &[
    ("lapin", &["docket-queue"]),
    ("pdfium-render", &["docket-extract"]),
    ("html5ever", &["docket-extract"]),
    ("image", &["docket-extract"]),
    ("quick-xml", &["docket-extract"]),
    ("zip", &["docket-extract", "docket-export"]),
    ("landlock", &["docket-extract"]),
    ("seccompiler", &["docket-extract"]),
    ("sqlx", &["docket-store"]),
    ("jiff-sqlx", &["docket-store"]),
    ("aws-config", &["docket-objects"]),
    ("aws-sdk-s3", &["docket-objects"]),
    ("aws-smithy-http-client", &["docket-objects"]),
    ("ort", &["docket-engine"]),
    ("tokenizers", &["docket-engine"]),
    ("whatlang", &["docket-understand"]),
    ("jsonwebtoken", &["docket-identity"]),
    ("hyper", &["docket-http", "docket-process"]),
    // The routes are axum's; a worker serves its probes with axum.
    (
        "axum",
        &["docket-http", "docket-api", "docket-operator", "docket-worker"],
    ),
];

/// The crates of `shared`, `producer` and `worker`, lowest first, each with the crates of ours that it knows. A crate may know
/// only crates above it in this list, so there is no cycle.
const CRATES: &[(&str, &[&str])] = &[
    ("docket-contract", &[]),
    ("docket-client", &[]),
    ("docket-process", &["docket-contract"]),
    ("docket-store", &["docket-contract", "docket-process"]),
    ("docket-queue", &["docket-contract", "docket-process"]),
    ("docket-objects", &["docket-contract", "docket-process"]),
    ("docket-identity", &["docket-contract", "docket-process"]),
    (
        "docket-http",
        &[
            "docket-contract",
            "docket-process",
            "docket-store",
            "docket-objects",
            "docket-identity",
        ],
    ),
    (
        "docket-dispatch",
        &[
            "docket-contract",
            "docket-process",
            "docket-store",
            "docket-queue",
            "docket-objects",
        ],
    ),
    ("docket-export", &["docket-contract"]),
    (
        "docket-api",
        &[
            "docket-contract",
            "docket-process",
            "docket-store",
            "docket-objects",
            "docket-identity",
            "docket-http",
            "docket-dispatch",
            "docket-export",
        ],
    ),
    (
        "docket-operator",
        &[
            "docket-contract",
            "docket-process",
            "docket-store",
            "docket-queue",
            "docket-objects",
            "docket-identity",
            "docket-http",
            "docket-dispatch",
        ],
    ),
    (
        "docket-producer",
        &[
            "docket-contract",
            "docket-process",
            "docket-store",
            "docket-queue",
            "docket-objects",
            "docket-identity",
            "docket-http",
            "docket-dispatch",
            "docket-api",
            "docket-operator",
        ],
    ),
    ("docket-extract", &["docket-contract"]),
    (
        "docket-engine",
        &["docket-contract", "docket-process", "docket-extract"],
    ),
    ("docket-understand", &["docket-contract"]),
    (
        "docket-worker",
        &[
            "docket-contract",
            "docket-process",
            "docket-store",
            "docket-queue",
            "docket-objects",
            "docket-extract",
            "docket-engine",
            "docket-understand",
        ],
    ),
];

/// A crate of the workspace.
struct Member {
    name: String,
    folder: PathBuf,
    /// The crate's dependencies, without those of its tests.
    dependencies: BTreeSet<String>,
}

/// The crates of `shared`, `producer` and `worker`, as cargo knows them.
fn members() -> Vec<Member> {
    let checkout = checkout();
    let root = checkout.root();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["metadata", "--format-version", "1", "--no-deps", "--offline"]);
    let output = command.current_dir(root).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let member = |package: &Value| {
        let manifest = Path::new(package["manifest_path"].as_str().unwrap());
        let folder = manifest.parent().unwrap().to_owned();
        let dependencies = package["dependencies"].as_array().unwrap().iter();
        let built_with = dependencies.filter(|dependency| dependency["kind"].is_null());
        Member {
            name: package["name"].as_str().unwrap().to_owned(),
            folder,
            dependencies: built_with
                .map(|found| found["name"].as_str().unwrap().to_owned())
                .collect(),
        }
    };
    let members = metadata["packages"].as_array().unwrap().iter().map(member);
    members
        .filter(|member| !member.folder.starts_with(root.join("deploy")))
        .collect()
}

#[test]
fn each_heavy_library_is_behind_one_wall() {
    for Member { name, dependencies, .. } in members() {
        for (library, may) in LIBRARIES {
            let knows = dependencies.contains(*library);
            assert!(
                !knows || may.contains(&&*name),
                "{name} names {library}, which only {may:?} may"
            );
        }
    }
}

#[test]
fn crates_know_only_those_below_them() {
    let members = members();
    let names: BTreeSet<&str> = members.iter().map(|member| &*member.name).collect();
    let listed: BTreeSet<&str> = CRATES.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, listed, "every crate has its line in CRATES");
    for (place, (name, knows)) in CRATES.iter().enumerate() {
        let below: BTreeSet<&str> = CRATES[..place].iter().map(|(name, _)| *name).collect();
        let knows: BTreeSet<&str> = knows.iter().copied().collect();
        assert!(knows.is_subset(&below), "{name} knows a crate that is not below it");
        let member = members.iter().find(|member| member.name == *name).unwrap();
        let found = member.dependencies.iter().map(String::as_str);
        let ours: BTreeSet<&str> = found.filter(|found| names.contains(found)).collect();
        assert_eq!(ours, knows, "what {name} is built with differs from what CRATES allows");
    }
}

#[test]
fn no_files_of_a_crate_need_one_another() {
    for member in members() {
        let needs = needs(&member.folder.join("src"));
        let mut cleared = BTreeSet::new();
        for file in needs.keys() {
            circle(&needs, file, &mut Vec::new(), &mut cleared, &member.name);
        }
    }
}

/// A module's path, by names.
type Module = Vec<String>;

/// Follows a module's needs, and fails where they lead back to the module.
fn circle(
    needs: &BTreeMap<Module, BTreeSet<Module>>,
    module: &Module,
    way: &mut Vec<Module>,
    cleared: &mut BTreeSet<Module>,
    name: &str,
) {
    assert!(
        !way.contains(module),
        "{name}: {} needs itself by {way:?}",
        module.join("::")
    );
    if cleared.contains(module) {
        return;
    }
    way.push(module.clone());
    for needed in needs.get(module).into_iter().flatten() {
        circle(needs, needed, way, cleared, name);
    }
    way.pop();
    cleared.insert(module.clone());
}

/// The modules that each module of a folder names. The root is left out: it only declares modules.
fn needs(source: &Path) -> BTreeMap<Module, BTreeSet<Module>> {
    let mut files = BTreeMap::new();
    collect(source, &mut Vec::new(), &mut files);
    let known: BTreeSet<Module> = files.keys().cloned().collect();
    let of = |(module, text): (&Module, &String)| {
        let code = text.split("\n#[cfg(test)]\nmod ").next().unwrap_or_default();
        let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        let code: String = lines.collect::<Vec<_>>().join("\n");
        let named = paths(&code, module).into_iter().filter_map(|path| {
            let lengths = (1..=path.len()).rev();
            lengths
                .map(|length| path[..length].to_vec())
                .find(|module| known.contains(module))
        });
        let needed = named.filter(|needed| needed != module).collect();
        (module.clone(), needed)
    };
    files.iter().map(of).collect()
}

fn collect(folder: &Path, within: &mut Module, files: &mut BTreeMap<Module, String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let mut module = within.clone();
        if path.is_dir() {
            module.push(name);
            collect(&path, &mut module, files);
        } else if path.extension().is_some_and(|end| end == "rs") && !["lib", "main"].contains(&&*name) {
            if name != "mod" {
                module.push(name);
            }
            files.insert(module, std::fs::read_to_string(&path).unwrap());
        }
    }
}

/// The paths below the crate's root that a module's code names: `crate::a::b`, `super::b`, `crate::{a, b::c}`.
fn paths(code: &str, module: &Module) -> Vec<Module> {
    let mut found = Vec::new();
    let parent = &module[..module.len().saturating_sub(1)];
    for (start, base) in [("crate::", &[][..]), ("super::", parent)] {
        for (at, _) in code.match_indices(start) {
            let rest = &code[at + start.len()..];
            let several = rest.strip_prefix('{').and_then(|inner| inner.split_once('}'));
            let ends = |c: char| !c.is_alphanumeric() && c != '_' && c != ':';
            let names: Vec<&str> = match several {
                Some((inner, _)) => inner.split(',').map(str::trim).collect(),
                None => vec![rest.split(ends).next().unwrap_or_default()],
            };
            let full = |name: &str| {
                let parts = name.split("::").map(str::trim).filter(|part| !part.is_empty());
                base.iter().cloned().chain(parts.map(str::to_owned)).collect::<Module>()
            };
            found.extend(names.into_iter().map(full).filter(|path: &Module| !path.is_empty()));
        }
    }
    found
}
