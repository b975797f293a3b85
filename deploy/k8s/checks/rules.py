"""What must hold, beyond schemas. Each rule yields what is wrong."""

import re
from collections.abc import Iterator
from urllib.parse import urlparse

from . import sources
from .objects import Overlay, Pod, matches, quantity

Wrong = Iterator[str]

CLUSTER_WIDE = {"Namespace", "PriorityClass"}
LABEL = re.compile(r"([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?")
NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
PROBES = {"startupProbe": "/startupz", "livenessProbe": "/livez", "readinessProbe": "/readyz"}
# What restricted pods must have (Pod Security Standards), and we ask of them besides.
CONTAINER_SECURITY = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
POD_SECURITY = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
# Settings that name a file.
FILES = ["DOCKET_JWT_PUBLIC_KEY_FILE", "DOCKET_CA_FILE"]
# Seconds between the end of a drain and a kill: to give jobs back, to close connections.
SLACK_SECONDS = 10
# Memory of a worker, in bytes (deploy/docs/CAPACITY.md): its peak with one model call, and what one more session takes.
WORKER_PEAK = 176e6
MODEL_SESSION = 81e6
# Settings that the worker's image sets itself.
IN_THE_IMAGE = {"DOCKET_ONNXRUNTIME_LIB", "DOCKET_PDFIUM_LIB"}


def names(overlay: Overlay) -> Wrong:
    """Every object has a name of its own, in the namespace, and labels that are accepted."""
    seen = set()
    for found in overlay.objects:
        meta = found["metadata"]
        key = (found["kind"], meta["name"])
        if key in seen:
            yield f"{key} is there twice"
        seen.add(key)
        if not NAME.fullmatch(meta["name"]):
            yield f"{key}: the name is not accepted"
        if (meta.get("namespace") == "docket") == (found["kind"] in CLUSTER_WIDE):
            yield f"{key}: the namespace is {meta.get('namespace')}"
        labels = dict(meta.get("labels", {}))
        labels |= found.get("spec", {}).get("template", {}).get("metadata", {}).get("labels", {})
        yield from (f"{key}: label {value!r} is not accepted" for value in labels.values() if not LABEL.fullmatch(value))
    enforced = overlay.named("Namespace", "docket")["metadata"]["labels"].get("pod-security.kubernetes.io/enforce")
    if enforced != "restricted":
        yield f"the namespace enforces {enforced}"


def restricted(overlay: Overlay) -> Wrong:
    """Every pod is restricted, without a token, hears signals, and writes only where a limited volume is."""
    for pod in overlay.pods():
        security = pod.spec["securityContext"]
        for key, value in POD_SECURITY.items():
            if security.get(key) != value:
                yield f"{pod}: securityContext.{key} is {security.get(key)}"
        if not security.get("runAsUser"):
            yield f"{pod}: it runs as root"
        if pod.container["securityContext"] != CONTAINER_SECURITY:
            yield f"{pod}: its container's securityContext is {pod.container['securityContext']}"
        account = overlay.named("ServiceAccount", pod.spec["serviceAccountName"])
        if account.get("automountServiceAccountToken") is not False or pod.spec["automountServiceAccountToken"]:
            yield f"{pod}: a token is mounted"
        if pod.spec.get("enableServiceLinks") is not False:
            yield f"{pod}: Services' variables would be taken for settings"
        if pod.spec.get("shareProcessNamespace") is not True:
            yield f"{pod}: a signal is lost while it starts"
        overlay.named("PriorityClass", pod.spec["priorityClassName"])
        yield from volumes(pod)


def volumes(pod: Pod) -> Wrong:
    """Temporary files and models have a volume with a limit, all of them within the pod's own."""
    limits = {v["name"]: quantity(v["emptyDir"]["sizeLimit"]) for v in pod.spec["volumes"] if "emptyDir" in v}
    wanted = ["/tmp"]
    if pod.serves and pod.binary == "docket-worker":
        models = pod.setting("DOCKET_MODEL_CACHE_DIR")
        wanted.append(models)
        if float(pod.setting("DOCKET_MODEL_CACHE_BYTES")) >= limits.get(pod.mounts.get(models), 0):
            yield f"{pod}: it is evicted before DOCKET_MODEL_CACHE_BYTES holds"
    yield from (f"{pod}: {path} cannot be written" for path in wanted if pod.mounts.get(path) not in limits)
    if {volume["name"] for volume in pod.spec["volumes"]} != set(pod.mounts.values()):
        yield f"{pod}: volumes and mounts differ"
    if sum(limits.values()) > quantity(pod.container["resources"]["limits"]["ephemeral-storage"]):
        yield f"{pod}: its volumes may grow beyond its ephemeral storage"


def resources(overlay: Overlay) -> Wrong:
    """Requests are there and within limits; memory is what the figures say."""
    for pod in overlay.pods():
        requests, limits = (pod.container["resources"][key] for key in ("requests", "limits"))
        yield from (f"{pod}: no request of {key}" for key in ("cpu", "memory", "ephemeral-storage") if key not in requests)
        for key, value in limits.items():
            if quantity(requests[key]) > quantity(value):
                yield f"{pod}: {key} requests more than its limit"
        if not re.fullmatch(r"[^:@]+:(?!latest$).+", pod.container["image"]):
            yield f"{pod}: its image has no version: {pod.container['image']}"
        if pod.serves and pod.binary == "docket-worker":
            sessions, versions = int(limits["cpu"]), int(pod.setting("DOCKET_MODEL_VERSIONS")) + 1
            needed = float(pod.setting("DOCKET_MEMORY_BYTES")) + WORKER_PEAK
            needed += MODEL_SESSION * (sessions - 1 + versions * sessions)
            # One parser at work for each core.
            needed += sessions * float(pod.setting("DOCKET_PARSE_MEMORY_BYTES"))
            if quantity(limits["memory"]) < needed:
                yield f"{pod}: it may need {needed / 2**20:.0f} MiB"


def selectors(overlay: Overlay) -> Wrong:
    """Who selects pods selects those it means, and names ports that they have."""
    for owner in overlay.of_kind("Deployment"):
        selected = overlay.selected(owner["spec"]["selector"])
        if [str(pod) for pod in selected] != [f"Deployment {owner['metadata']['name']}"]:
            yield f"Deployment {owner['metadata']['name']} selects {[str(pod) for pod in selected]}"
        for constraint in owner["spec"]["template"]["spec"]["topologySpreadConstraints"]:
            if not matches(constraint["labelSelector"], owner["spec"]["template"]["metadata"]["labels"]):
                yield f"Deployment {owner['metadata']['name']}: a topology spread counts other pods"
    for found in overlay.of_kind("PodDisruptionBudget", "NetworkPolicy", "PodMonitor"):
        name = f"{found['kind']} {found['metadata']['name']}"
        selected = overlay.selected(found["spec"].get("selector") or found["spec"]["podSelector"])
        if not selected:
            yield f"{name} selects nothing"
        ports = [port["port"] for rule in found["spec"].get("ingress", []) for port in rule["ports"]]
        ports += [endpoint["port"] for endpoint in found["spec"].get("podMetricsEndpoints", [])]
        yield from (f"{name}: {pod} has no port {port}" for port in ports for pod in selected if port not in pod.ports)
    budgets = [budget["spec"]["selector"] for budget in overlay.of_kind("PodDisruptionBudget")]
    for pod in overlay.pods():
        found = sum(matches(budget, pod.labels) for budget in budgets)
        if pod.serves and pod.binary == "docket-producer" and found != 1:
            yield f"{pod}: not one PodDisruptionBudget"
        if pod.binary == "docket-worker" and found:
            yield f"{pod}: a PodDisruptionBudget would block every drain while workers wait for room"


def ways_in(overlay: Overlay) -> Wrong:
    """Services and Ingresses lead to pods."""
    for service in overlay.of_kind("Service"):
        selected = overlay.selected({"matchLabels": service["spec"]["selector"]})
        for port in service["spec"]["ports"]:
            if not selected or any(port["targetPort"] not in pod.ports for pod in selected):
                yield f"Service {service['metadata']['name']}: port {port['name']} leads nowhere"
    for ingress in overlay.of_kind("Ingress"):
        for rule in ingress["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                backend = path["backend"]["service"]
                ports = overlay.named("Service", backend["name"])["spec"]["ports"]
                if backend["port"]["name"] not in [port["name"] for port in ports]:
                    yield f"Ingress {ingress['metadata']['name']}: {path['path']} leads nowhere"
        hosts = {rule["host"] for rule in ingress["spec"]["rules"]}
        if not {host for tls in ingress["spec"].get("tls", []) for host in tls["hosts"]} <= hosts:
            yield f"Ingress {ingress['metadata']['name']}: a certificate for another host"


def probes(overlay: Overlay) -> Wrong:
    """Services are probed where they listen, by the paths that the code serves; liveness by its own loop alone."""
    served = {
        "docket-producer": (sources.ROOT / "producer/http/src/health.rs").read_text(),
        "docket-worker": (sources.ROOT / "worker/src/probes.rs").read_text(),
    }
    for pod in filter(lambda pod: pod.serves, overlay.pods()):
        for probe, path in PROBES.items():
            get = pod.container[probe]["httpGet"]
            if get["path"] != path or f'"{path}"' not in served[pod.binary] or get["port"] not in pod.ports:
                yield f"{pod}: {probe} asks {get}"
        address = "DOCKET_HTTP_ADDR" if pod.binary == "docket-producer" else "DOCKET_WORKER_HTTP_ADDR"
        port = int(pod.setting(address).rpartition(":")[2])
        scraped = pod.template["metadata"]["annotations"]["prometheus.io/port"]
        if not pod.ports["http"] == port == int(scraped):
            yield f"{pod}: it listens on {port}, its port is {pod.ports['http']}, scraped is {scraped}"


def environment(overlay: Overlay) -> Wrong:
    """Every variable is a setting of the binary, every required one is set, every reference is there or asked for."""
    asked = sources.secrets()
    for pod in overlay.pods():
        known = sources.settings()[pod.binary]
        yield from (f"{pod}: nobody asks for Secret {name}" for name in pod.secret_names() if name not in asked)
        secret = pod.secret_env()
        env = pod.plain_env() | secret
        # Where both are set for all pods of an overlay, commands simply ignore what is not theirs.
        yield from (f"{pod}: {name} is no setting of {pod.binary}" for name in env if name not in known)
        needed = {name for name, setting in known.items() if setting.required} - IN_THE_IMAGE
        if not pod.serves:
            needed &= {"migrate": {"DOCKET_CATALOG_URL", "DOCKET_SHARD_URLS"}, "models": {"DOCKET_S3_BUCKET"}}[
                pod.container["args"][0]
            ]
        yield from (f"{pod}: {name} is not set" for name in needed if env.get(name, True) is True)
        yield from tokens(pod, secret)
        files = [env[name] for name in FILES if name in env]
        yield from (f"{pod}: {file} is not mounted" for file in files if not pod.has_file(file))


def tokens(pod: Pod, secret: dict) -> Wrong:
    """Who serves the API has one way to verify tokens, and nobody else has a key of tokens."""
    file = pod.plain_env().get("DOCKET_JWT_PUBLIC_KEY_FILE")
    if not pod.serves_api:
        if "docket-tokens" in pod.secret_names() or file is not None:
            yield f"{pod}: it has a key of tokens, and verifies none"
    elif (file is None) == ("DOCKET_JWT_SECRET" not in secret):
        yield f"{pod}: a public key or a secret, one of them"


def logins(overlay: Overlay) -> Wrong:
    """Each service has a Secret of its own, with its logins to databases and broker, and no other's."""
    for pod in overlay.pods():
        own = f"docket-{pod.labels['app.kubernetes.io/component']}"
        with_logins = [name for name in pod.secret_names() if "DOCKET_CATALOG_URL" in sources.secrets().get(name, {})]
        wanted = [own] if pod.serves or own == "docket-migrate" else []
        if with_logins != wanted:
            yield f"{pod}: it logs in by {with_logins}, not by {wanted}"


def network(overlay: Overlay) -> Wrong:
    """Everything is denied but what each pod's settings lead to."""
    denied = overlay.named("NetworkPolicy", "default-deny")["spec"]
    if denied != {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}:
        yield "default-deny does not deny everything"
    for pod in overlay.pods():
        needed = {53}
        secret = pod.secret_env()
        if "DOCKET_CATALOG_URL" in secret:
            needed |= {5432, 6432}
        if "DOCKET_AMQP_URL" in secret:
            needed |= {5671, 5672}
        if "docket-objects" in pod.secret_names():
            endpoint = urlparse(pod.setting("DOCKET_S3_ENDPOINT") or "https://aws")
            needed.add(endpoint.port or {"http": 80, "https": 443}[endpoint.scheme])
        if pod.serves and pod.setting("OTEL_EXPORTER_OTLP_ENDPOINT"):
            needed.add(urlparse(pod.setting("OTEL_EXPORTER_OTLP_ENDPOINT")).port)
        for port in needed - set(overlay.egress_ports(pod)):
            yield f"{pod}: it may not connect to port {port}"


def graces(overlay: Overlay) -> Wrong:
    """A pod that is stopped has the time that its drain takes, and slack."""
    for pod in filter(lambda pod: pod.serves, overlay.pods()):
        if pod.binary == "docket-worker":
            drain = float(pod.setting("DOCKET_DRAIN_SECONDS"))
        else:
            drain = float(pod.setting("DOCKET_STOP_NOTICE_SECONDS")) + sources.constant("producer/src/serve.rs", "DRAIN_MAX")
        if pod.spec["terminationGracePeriodSeconds"] < drain + SLACK_SECONDS:
            yield f"{pod}: it drains for {drain:.0f} s and is killed after {pod.spec['terminationGracePeriodSeconds']}"


def connections(overlay: Overlay) -> Wrong:
    """The README's connection budget is what the autoscalers may make of it, a rollout's surge included."""
    most = {f"{s['spec']['scaleTargetRef']['name']}": s["spec"]["maxReplicaCount"] for s in overlay.of_kind("ScaledObject")}
    for scaler in overlay.of_kind("HorizontalPodAutoscaler"):
        most[scaler["spec"]["scaleTargetRef"]["name"]] = scaler["spec"]["maxReplicas"]
    processes = connections = 0
    for pod in filter(lambda pod: pod.serves, overlay.pods()):
        replicas = most.get(pod.name, pod.owner["spec"].get("replicas", 1))
        surge = int(pod.owner["spec"]["strategy"]["rollingUpdate"]["maxSurge"].rstrip("%"))
        count = replicas + -(-replicas * surge // 100)
        processes += count
        connections += count * int(pod.setting("DOCKET_PG_CONNECTIONS_MAX"))
    found = {"processes": processes, "connections": connections}
    if sources.budget(overlay.name) != found:
        yield f"the README's connection budget is {sources.budget(overlay.name)}, the manifests' {found}"


def monitoring(overlay: Overlay) -> Wrong:
    """The Prometheus Operator gets the rules that are tested, and scrapes under the names that they go by."""
    for found in overlay.of_kind("PrometheusRule"):
        if found["spec"]["groups"] != sources.prometheus_groups():
            yield f"PrometheusRule {found['metadata']['name']}: run components/pod-monitors/rules.py"
    for monitor in overlay.of_kind("PodMonitor"):
        for endpoint in monitor["spec"]["podMetricsEndpoints"]:
            named = [rule for rule in endpoint.get("relabelings", []) if rule["targetLabel"] == "job"]
            for pod in overlay.selected(monitor["spec"]["selector"]):
                component = pod.labels["app.kubernetes.io/component"]
                names = [rule["replacement"] for rule in named if re.fullmatch(rule["regex"], component)]
                if names != [pod.binary]:
                    yield f"PodMonitor {monitor['metadata']['name']}: {pod} is scraped as {names}"
    if overlay.of_kind("PrometheusRule"):
        files = {file for found in overlay.of_kind("ConfigMap") for file in found["data"]}
        yield from (f"deploy/grafana/kustomization.yaml does not name {file}" for file in sources.dashboards() - files)


def models(overlay: Overlay) -> Wrong:
    """An apply publishes a version without changing the current version."""
    for pod in overlay.pods():
        args = pod.container.get("args", [])
        if args[:2] == ["models", "publish"] and "--keep-current" not in args:
            yield f"{pod}: each apply would undo a roll-back"


def jobs(overlay: Overlay) -> Wrong:
    """A Job goes by itself, since it cannot be changed, and is not restarted in its pod, so that its log stays."""
    for job in overlay.of_kind("Job"):
        if not job["spec"].get("ttlSecondsAfterFinished") or job["spec"]["template"]["spec"]["restartPolicy"] != "Never":
            yield f"Job {job['metadata']['name']} stays"


ALL = [
    names,
    restricted,
    resources,
    selectors,
    ways_in,
    probes,
    environment,
    logins,
    network,
    graces,
    connections,
    monitoring,
    models,
    jobs,
]
