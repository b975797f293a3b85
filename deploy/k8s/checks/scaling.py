"""What must hold of autoscalers: what KEDA's own admission would say, and what the dispatcher's numbers ask."""

import re
from collections.abc import Iterator

from . import sources
from .objects import Overlay

PLAN = "producer/dispatch/src/fair_share.rs"


def targets(overlay: Overlay) -> Iterator[str]:
    """Each autoscaler has a Deployment of its own, which leaves its number of replicas to it."""
    taken = []
    for scaler in overlay.of_kind("HorizontalPodAutoscaler", "ScaledObject"):
        target = scaler["spec"]["scaleTargetRef"]
        taken.append(target["name"])
        if "replicas" in overlay.named(target["kind"], target["name"])["spec"]:
            yield f"each apply would set the replicas of {target['name']}"
        spec = scaler["spec"]
        least, most = (
            (spec["minReplicas"], spec["maxReplicas"])
            if "minReplicas" in spec
            else (spec["minReplicaCount"], spec["maxReplicaCount"])
        )
        if not least <= most:
            yield f"{scaler['kind']} {scaler['metadata']['name']}: {least} to {most} replicas"
    if len(set(taken)) < len(taken):
        yield f"two autoscalers for one of {taken}"


def scaled_objects(overlay: Overlay) -> Iterator[str]:
    """What KEDA refuses or warns of; queries that mean this Deployment's models; references that resolve."""
    for scaled in overlay.of_kind("ScaledObject"):
        spec, name = scaled["spec"], f"ScaledObject {scaled['metadata']['name']}"
        if spec["minReplicaCount"] and ("pollingInterval" in spec or "cooldownPeriod" in spec):
            yield f"{name}: pollingInterval and cooldownPeriod only mean something when there may be no replicas"
        if "fallback" in spec and not spec["minReplicaCount"]:
            yield f"{name}: a fallback starts nothing from no replicas"
        triggers = {trigger.get("name"): trigger for trigger in spec["triggers"]}
        if len(triggers) < len(spec["triggers"]) or None in triggers:
            yield f"{name}: each trigger needs a name of its own"
        pod = next(pod for pod in overlay.pods() if pod.name == spec["scaleTargetRef"]["name"])
        models = pod.setting("DOCKET_MODELS").split(",")
        for trigger in spec["triggers"]:
            if not all(isinstance(value, str) for value in trigger["metadata"].values()):
                yield f"{name}: metadata are texts"
            check = {"rabbitmq": queue_trigger, "prometheus": waiting_trigger}[trigger["type"]]
            yield from (f"{name}: {wrong}" for wrong in check(overlay, trigger, models))


def queue_trigger(overlay: Overlay, trigger: dict, models: list[str]) -> Iterator[str]:
    """Counts all messages of exactly these models, and aims at no more than half of what is kept a worker."""
    meta = trigger["metadata"]
    if (meta["protocol"], meta["mode"], meta["operation"]) != ("http", "QueueLength", "sum"):
        yield "it does not count the messages of all queues"
    if meta.get("excludeUnacknowledged", "false") != "false":
        yield "who does not count what workers hold stops those that are busy"
    expression = meta["queueName"]
    if not (meta["useRegex"] == "true" and expression.startswith("^") and expression.endswith("$")):
        yield "the expression must be anchored"
    queues = [f"docket.jobs.{model}" for model in models]
    others = ["docket.delay", "docket.dead", "docket.jobs.other", *(f"{queue}-2" for queue in queues)]
    if not all(re.search(expression, queue) for queue in queues) or any(re.search(expression, other) for other in others):
        yield f"{expression} is not exactly {queues}"
    kept = sources.constant(PLAN, "JOBS_A_WORKER_MIN")
    if float(meta["value"]) > kept / 2:
        yield f"it aims at {meta['value']} messages a worker; of {kept:.0f} that are kept no more than half"
    if float(meta.get("activationValue", 0)) >= sources.constant("shared/store/src/work/dispatch.rs", "READY_WITHOUT_CONSUMERS"):
        yield "what is kept without workers would wake none"
    reference = overlay.named("TriggerAuthentication", trigger["authenticationRef"]["name"])
    asked = sources.secrets()
    for source in reference["spec"]["secretTargetRef"]:
        if source["key"] not in asked.get(source["name"], {}):
            yield f"nobody asks for key {source['key']} of Secret {source['name']}"


def waiting_trigger(_: Overlay, trigger: dict, models: list[str]) -> Iterator[str]:
    """Sums over shards and models what the process that acts for each says, for exactly these models."""
    query = trigger["metadata"]["query"]
    work = r'sum\(max by \(shard, model\) \(docket_work_waiting_seconds\{model=~"([^"]+)"\}\)\)'
    found = re.fullmatch(rf"{work} or 0 \* max\(docket_dispatch_acting == 1\)", query)
    if not found or found[1].split("|") != models:
        yield f"{query} is not the work of {models}"
    if float(trigger["metadata"]["threshold"]) <= 0:
        yield "a threshold above zero"
    if trigger["metadata"].get("ignoreNullValues", "true") != "false":
        yield "a Prometheus that scrapes nobody would stop the workers"


ALL = [targets, scaled_objects]
