"""An overlay's objects, and the questions that rules ask of them."""

import re
from collections.abc import Iterator

from . import sources

SUFFIXES = {"": 1, "m": 0.001, "k": 1e3, "M": 1e6, "G": 1e9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}


def quantity(text: str | int) -> float:
    """A Kubernetes quantity as a number."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(m|k|M|G|Ki|Mi|Gi|Ti)?", str(text))
    if not found:
        raise ValueError(f"{text!r} is no quantity")
    return float(found[1]) * SUFFIXES[found[2] or ""]


def matches(selector: dict, labels: dict) -> bool:
    """Whether a label selector selects these labels. An empty one selects all."""
    if any(labels.get(key) != value for key, value in selector.get("matchLabels", {}).items()):
        return False
    for expression in selector.get("matchExpressions", []):
        if expression["operator"] != "In":
            raise ValueError(f"operator {expression['operator']} is not understood here")
        if labels.get(expression["key"]) not in expression["values"]:
            return False
    return True


class Pod:
    """The pods of one Deployment or Job, which have one container each."""

    def __init__(self, owner: dict, overlay: "Overlay") -> None:
        self.owner, self.overlay = owner, overlay
        self.kind, self.name = owner["kind"], owner["metadata"]["name"]
        self.template = owner["spec"]["template"]
        self.spec, self.labels = self.template["spec"], self.template["metadata"]["labels"]
        (self.container,) = self.spec["containers"]
        self.ports = {port["name"]: port["containerPort"] for port in self.container.get("ports", [])}
        self.binary = self.container["command"][0].rpartition("/")[2]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"

    @property
    def serves(self) -> bool:
        """Whether it runs until it is stopped."""
        return self.kind == "Deployment"

    @property
    def serves_api(self) -> bool:
        """Whether callers come here."""
        roles = [argument.split(",") for argument in self.container["args"]]
        return self.binary == "docket-producer" and self.serves and any("api" in some for some in roles)

    @property
    def mounts(self) -> dict[str, str]:
        """The volume at each path."""
        return {mount["mountPath"]: mount["name"] for mount in self.container["volumeMounts"]}

    def has_file(self, path: str) -> bool:
        """Whether a Secret or a ConfigMap is mounted that has this file."""
        folder, _, name = path.rpartition("/")
        sources_of = [volume for volume in self.spec["volumes"] if volume["name"] == self.mounts.get(folder)]
        items = [item for volume in sources_of for kind in ("secret", "configMap") for item in volume.get(kind, {}).get("items", [])]
        return name in [item["path"] for item in items]

    def secret_names(self) -> list[str]:
        """The Secrets that it reads, as variables or as files."""
        read = [of["secretRef"]["name"] for of in self.container.get("envFrom", []) if "secretRef" in of]
        return read + [volume["secret"]["secretName"] for volume in self.spec["volumes"] if "secret" in volume]

    def plain_env(self) -> dict[str, str]:
        """Its variables that are no secrets."""
        env: dict[str, str] = {}
        for source in self.container.get("envFrom", []):
            if "configMapRef" in source:
                env |= self.overlay.named("ConfigMap", source["configMapRef"]["name"])["data"]
        return env | {entry["name"]: entry["value"] for entry in self.container.get("env", [])}

    def secret_env(self) -> dict[str, bool]:
        """Its variables from Secrets, and whether each may be absent."""
        asked, env = sources.secrets(), {}
        for source in self.container.get("envFrom", []):
            if "secretRef" in source:
                env |= {key: may for key, may in asked.get(source["secretRef"]["name"], {}).items() if key.startswith("DOCKET_")}
        return env

    def setting(self, name: str) -> str | None:
        """What holds of a setting that is no secret."""
        return self.plain_env().get(name, sources.settings()[self.binary][name].default)


class Overlay:
    """All objects of an overlay."""

    def __init__(self, name: str, objects: list[dict]) -> None:
        self.name, self.objects = name, objects

    def of_kind(self, *kinds: str) -> list[dict]:
        """Objects of these kinds."""
        return [found for found in self.objects if found["kind"] in kinds]

    def named(self, kind: str, name: str) -> dict:
        """One object."""
        for found in self.of_kind(kind):
            if found["metadata"]["name"] == name:
                return found
        raise LookupError(f"there is no {kind} {name}")

    def pods(self) -> list[Pod]:
        """Every kind of pod."""
        return [Pod(owner, self) for owner in self.of_kind("Deployment", "Job")]

    def selected(self, selector: dict) -> list[Pod]:
        """The kinds of pods that a selector selects."""
        return [pod for pod in self.pods() if matches(selector, pod.labels)]

    def egress_ports(self, pod: Pod) -> Iterator[int]:
        """Where a pod may connect to."""
        for policy in self.of_kind("NetworkPolicy"):
            if matches(policy["spec"]["podSelector"], pod.labels):
                for rule in policy["spec"].get("egress", []):
                    yield from (port["port"] for port in rule["ports"])
