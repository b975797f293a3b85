"""Mistakes that schemas let pass. Each is planted into the production overlay with everything and must be found."""

from .objects import Overlay, Pod


def _pod(overlay: Overlay, name: str) -> Pod:
    return next(pod for pod in overlay.pods() if pod.name == name)


def _common(overlay: Overlay) -> dict:
    reference = _pod(overlay, "docket-worker").container["envFrom"][0]["configMapRef"]
    return overlay.named("ConfigMap", reference["name"])["data"]


def _trigger(overlay: Overlay, index: int) -> dict:
    return overlay.named("ScaledObject", "docket-worker")["spec"]["triggers"][index]["metadata"]


def selector(overlay: Overlay) -> None:
    """A Deployment selects other labels than its pods have."""
    overlay.named("Deployment", "docket-api")["spec"]["selector"]["matchLabels"]["app.kubernetes.io/component"] = "http"


def budget(overlay: Overlay) -> None:
    """A PodDisruptionBudget protects nobody."""
    overlay.named("PodDisruptionBudget", "docket-dispatch")["spec"]["selector"]["matchLabels"] = {"app": "dispatch"}


def held_up(overlay: Overlay) -> None:
    """A PodDisruptionBudget counts workers, most of which may wait for room."""
    component = {"key": "app.kubernetes.io/component", "operator": "In", "values": ["dispatch", "worker"]}
    overlay.named("PodDisruptionBudget", "docket-dispatch")["spec"]["selector"] = {"matchExpressions": [component]}


def port(overlay: Overlay) -> None:
    """A Service leads to a port that no pod has."""
    overlay.named("Service", "docket-api")["spec"]["ports"][0]["targetPort"] = "web"


def probe(overlay: Overlay) -> None:
    """Liveness depends on the stores."""
    _pod(overlay, "docket-api").container["livenessProbe"]["httpGet"]["path"] = "/readyz"


def root(overlay: Overlay) -> None:
    """A pod runs as root."""
    _pod(overlay, "docket-migrate").spec["securityContext"]["runAsUser"] = 0


def first(overlay: Overlay) -> None:
    """A worker is PID 1 of its container, and hears no signal before it has a handler."""
    del _pod(overlay, "docket-worker").spec["shareProcessNamespace"]


def writable(overlay: Overlay) -> None:
    """A container may write to its image."""
    _pod(overlay, "docket-worker").container["securityContext"]["readOnlyRootFilesystem"] = False


def no_room(overlay: Overlay) -> None:
    """There is nowhere for temporary files."""
    _pod(overlay, "docket-api").container["volumeMounts"].pop(0)


def cache(overlay: Overlay) -> None:
    """A worker may keep more models than fit into their volume."""
    reference = _pod(overlay, "docket-worker").container["envFrom"][1]["configMapRef"]
    overlay.named("ConfigMap", reference["name"])["data"]["DOCKET_MODEL_CACHE_BYTES"] = "2000000000"


def amount(overlay: Overlay) -> None:
    """A quantity that is none."""
    _pod(overlay, "docket-worker").container["resources"]["limits"]["memory"] = "1GB"


def memory(overlay: Overlay) -> None:
    """A worker that would be killed for its memory."""
    resources = _pod(overlay, "docket-worker").container["resources"]
    resources["limits"]["memory"] = resources["requests"]["memory"] = "640Mi"


def variable(overlay: Overlay) -> None:
    """A variable that is no setting."""
    _pod(overlay, "docket-worker").container["env"] = [{"name": "DOCKET_DRAIN_SECS", "value": "20"}]


def reference(overlay: Overlay) -> None:
    """A Secret that nobody was asked for."""
    _pod(overlay, "docket-worker").container["envFrom"][2]["secretRef"]["name"] = "docket-database"


def _read(pod: Pod, secret: str) -> None:
    pod.container["envFrom"].append({"secretRef": {"name": secret}})


def informed(overlay: Overlay) -> None:
    """A dispatcher that has the key of tokens."""
    _read(_pod(overlay, "docket-dispatch"), "docket-tokens")


def trusted(overlay: Overlay) -> None:
    """A worker that has the key of tokens."""
    _read(_pod(overlay, "docket-worker"), "docket-tokens")


def disguised(overlay: Overlay) -> None:
    """A worker that logs in as the API."""
    for source in _pod(overlay, "docket-worker").container["envFrom"]:
        if source.get("secretRef", {}).get("name") == "docket-worker":
            source["secretRef"]["name"] = "docket-api"


def shared(overlay: Overlay) -> None:
    """A dispatcher that has the workers' login beside its own."""
    _read(_pod(overlay, "docket-dispatch"), "docket-worker")


def usurper(overlay: Overlay) -> None:
    """An API server that logs in as the tables' owner."""
    _read(_pod(overlay, "docket-api"), "docket-migrate")


def kill(overlay: Overlay) -> None:
    """A worker is killed before its drain is over."""
    _pod(overlay, "docket-worker").spec["terminationGracePeriodSeconds"] = 300


def cut(overlay: Overlay) -> None:
    """A dispatcher that RabbitMQ is out of reach for."""
    expressions = overlay.named("NetworkPolicy", "broker")["spec"]["podSelector"]["matchExpressions"]
    expressions[0]["values"].remove("dispatch")


def stranger(overlay: Overlay) -> None:
    """Certificates are looked for where none are."""
    _common(overlay)["DOCKET_CA_FILE"] = "/etc/docket/ca.pem"


def silent(overlay: Overlay) -> None:
    """A collector that nobody may connect to."""
    _common(overlay)["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://collector:4319"


def two_masters(overlay: Overlay) -> None:
    """An autoscaler and a manifest that both set the number of workers."""
    overlay.named("Deployment", "docket-worker")["spec"]["replicas"] = 2


def lazy(overlay: Overlay) -> None:
    """An autoscaler that is content with what the dispatcher always keeps in flight."""
    _trigger(overlay, 0)["value"] = "8"


def blind(overlay: Overlay) -> None:
    """An autoscaler that does not see what workers hold."""
    _trigger(overlay, 0)["excludeUnacknowledged"] = "true"


def loose(overlay: Overlay) -> None:
    """An expression that matches other models' queues too."""
    _trigger(overlay, 0)["queueName"] = r"^docket\.jobs\..*$"


def number(overlay: Overlay) -> None:
    """A number where KEDA wants a text."""
    _trigger(overlay, 1)["threshold"] = 10


def trusting(overlay: Overlay) -> None:
    """An autoscaler to whom a Prometheus that scrapes nobody says that there is no work."""
    _trigger(overlay, 1)["ignoreNullValues"] = "true"


def undo(overlay: Overlay) -> None:
    """An apply that makes the image's model the current version again."""
    _pod(overlay, "docket-publish-model").container["args"].remove("--keep-current")


def drift(overlay: Overlay) -> None:
    """An alert that is another than the one that is tested."""
    overlay.named("PrometheusRule", "docket")["spec"]["groups"][-1]["rules"][0]["for"] = "2h"


def nameless(overlay: Overlay) -> None:
    """Scrapes under a name that no alert knows."""
    overlay.named("PodMonitor", "docket")["spec"]["podMetricsEndpoints"][0]["relabelings"].pop()


def forgotten(overlay: Overlay) -> None:
    """A dashboard that nobody gives to Grafana."""
    del overlay.named("ConfigMap", "docket-dashboard-overview")["data"]["overview.json"]


def crowd(overlay: Overlay) -> None:
    """More workers than the connection budget knows."""
    overlay.named("ScaledObject", "docket-worker")["spec"]["maxReplicaCount"] = 80


def label(overlay: Overlay) -> None:
    """A label that is too long."""
    overlay.named("Service", "docket-api")["metadata"]["labels"]["owner"] = "x" * 64


ALL = [
    selector,
    budget,
    held_up,
    port,
    probe,
    root,
    first,
    writable,
    no_room,
    cache,
    amount,
    memory,
    variable,
    reference,
    informed,
    trusted,
    disguised,
    shared,
    usurper,
    kill,
    cut,
    stranger,
    silent,
    two_masters,
    lazy,
    blind,
    loose,
    number,
    trusting,
    undo,
    drift,
    nameless,
    forgotten,
    crowd,
    label,
]
