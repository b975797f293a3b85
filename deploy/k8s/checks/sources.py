"""Where facts come from: the overlays as kustomize builds them, and the code and tables that they must agree with."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parents[1]
ROOT = HERE.parents[1]
OVERLAYS = {
    "small": "overlays/small",
    "production": "overlays/production",
    "production with everything": "checks/everything",
}


def build(overlay: str) -> list[dict]:
    """The objects of an overlay, and the Job that `models` makes of it."""
    path = str(HERE / OVERLAYS[overlay])
    arguments = ["models", "use", "ner-legal@2.1"]
    (job,) = _printed([str(HERE / "models"), path, *arguments[1:]])
    if job["spec"]["template"]["spec"]["containers"][0]["args"] != arguments:
        raise SystemExit(f"models: {job}")
    return [*_printed(["kubectl", "kustomize", path]), job]


def _printed(command: list[str]) -> list[dict]:
    """The objects that a command prints. What it warns of (kustomize: deprecated fields) counts as an error."""
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode or done.stderr:
        raise SystemExit(f"{' '.join(command)}:\n{done.stderr}")
    return list(yaml.safe_load_all(done.stdout))


def prometheus_groups() -> list[dict]:
    """The groups of rules that promtool tests."""
    files = (ROOT / "deploy/prometheus" / name for name in ("rules.yml", "alerts.yml"))
    return [group for file in files for group in yaml.safe_load(file.read_text())["groups"]]


def dashboards() -> set[str]:
    """The files of the dashboards."""
    return {file.name for file in (ROOT / "deploy/grafana/dashboards").glob("*.json")}


def constant(path: str, name: str) -> float:
    """A number that the code has under a name."""
    text = (ROOT / path).read_text()
    found = re.search(rf"\bconst {name}: [^=]+ = (?:Duration::from_secs\()?([\d_.]+)\)?;", text)
    if not found:
        raise SystemExit(f"{path} has no {name}")
    return float(found[1].replace("_", ""))


@dataclass(frozen=True)
class Setting:
    """A row of the tables of settings, which the crates' tests compare with the code."""

    default: str | None
    required: bool


def settings() -> dict[str, dict[str, Setting]]:
    """The settings that each binary knows: the common ones and its own."""
    text = (ROOT / "deploy/docs/SETTINGS.md").read_text()
    tables = re.findall(r"\| variable \| default \| meaning \|\n\|---\|---\|---\|\n((?:\| `(?:DOCKET|OTEL)_.*\n)+)", text)
    common, producer, worker = (dict(map(_setting, table.splitlines())) for table in tables[:3])
    return {"docket-producer": common | producer, "docket-worker": common | worker}


def _setting(row: str) -> tuple[str, Setting]:
    name, default = (cell.strip() for cell in row.split("|")[1:3])
    value = default.strip("`") if default.startswith("`") else None
    return name.strip("`"), Setting(value, default == "required")


def secrets() -> dict[str, dict[str, bool]]:
    """The Secrets that the README asks for: their keys, and whether a key may be absent."""
    text = (HERE / "README.md").read_text()
    found: dict[str, dict[str, bool]] = {}
    for name, key, note in re.findall(r"^\| `(docket-[a-z-]+)` \| `([^`]+)` \| ([^|]*) \|", text, re.M):
        found.setdefault(name, {})[key] = note.startswith("optional")
    return found


def budget(overlay: str) -> dict[str, int]:
    """What the README says of an overlay's connections: processes at most, and connections to a database."""
    text = (HERE / "README.md").read_text()
    found = re.search(rf"^\| `{overlay.partition(' ')[0]}` \| ([\d,]+) \| ([\d,]+) \|", text, re.M)
    if not found:
        raise SystemExit(f"README.md has no connection budget of {overlay}")
    processes, connections = (int(number.replace(",", "")) for number in found.groups())
    return {"processes": processes, "connections": connections}
