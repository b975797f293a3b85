"""Schemas: Kubernetes' own, of several versions, and those of custom resources where their definitions are given."""

import copy
from collections.abc import Iterator

import jsonschema
import kubernetes_validate
import yaml

# From the oldest version that has all that is used to the newest there is.
VERSIONS = ("1.33", "1.34", "1.35", "1.36", "1.37")
CUSTOM = ("keda.sh/", "monitoring.coreos.com/")


def kubernetes(objects: list[dict]) -> Iterator[str]:
    """What is not of the schema, unknown fields included."""
    for found in objects:
        if found["apiVersion"].startswith(CUSTOM):
            continue
        for version in VERSIONS:
            try:
                kubernetes_validate.validate(copy.deepcopy(found), version, strict=True)
            except (kubernetes_validate.ValidationError, kubernetes_validate.SchemaNotFoundError) as error:
                yield f"{found['kind']} {found['metadata']['name']}, Kubernetes {version}: {str(error).splitlines()[0]}"


def custom(objects: list[dict], files: list[str]) -> Iterator[str]:
    """The same for custom resources."""
    schemas = {}
    for file in files:
        with open(file, encoding="utf-8") as text:
            definitions = [found for found in yaml.safe_load_all(text) if found]
        for definition in (item for found in definitions for item in found.get("items", [found])):
            spec = definition["spec"]
            for version in spec["versions"]:
                schema = strict(version["schema"]["openAPIV3Schema"])
                schema["properties"]["metadata"] = {"type": "object"}
                schemas[f"{spec['group']}/{version['name']}", spec["names"]["kind"]] = schema
    for found in objects:
        if found["apiVersion"].startswith(CUSTOM) and files:
            name = f"{found['kind']} {found['metadata']['name']}"
            schema = schemas.get((found["apiVersion"], found["kind"]))
            if schema is None and found["apiVersion"] not in [version for version, _ in schemas]:
                continue
            if schema is None:
                yield f"{name}: no definition among {files}"
                continue
            for error in jsonschema.Draft7Validator(schema).iter_errors(found):
                yield f"{name}: {'.'.join(map(str, error.absolute_path))}: {error.message}"


def strict(schema: dict) -> dict:
    """A definition's schema as JSON Schema that refuses unknown fields."""
    schema = dict(schema)
    if schema.pop("x-kubernetes-int-or-string", False):
        return {"type": ["integer", "string"]}
    if "properties" in schema:
        schema["properties"] = {key: strict(value) for key, value in schema["properties"].items()}
        if not schema.get("x-kubernetes-preserve-unknown-fields"):
            schema.setdefault("additionalProperties", False)
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            schema[key] = strict(schema[key])
    return schema
