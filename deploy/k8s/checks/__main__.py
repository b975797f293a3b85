"""Checks every overlay; then plants a mistake at a time, each of which must be found."""

import copy
import sys

from . import plants, rules, scaling, schemas, sources
from .objects import Overlay


def judge(overlay: Overlay) -> list[str]:
    """What is wrong by our own rules."""
    wrong = []
    for rule in rules.ALL + scaling.ALL:
        try:
            wrong += list(rule(overlay))
        except (LookupError, ValueError, TypeError) as error:
            wrong.append(f"{rule.__name__}: {error!r}")
    return wrong


def main(definitions: list[str]) -> int:
    """Exit code 0 when all is well."""
    failed = False
    for name in sources.OVERLAYS:
        overlay = Overlay(name, sources.build(name))
        wrong = [*schemas.kubernetes(overlay.objects), *schemas.custom(overlay.objects, definitions), *judge(overlay)]
        print(f"{name}: {len(overlay.objects)} objects, {len(wrong)} wrong")
        print("".join(f"  {line}\n" for line in wrong), end="")
        failed |= bool(wrong)
    if not failed:
        name = "production with everything"
        overlay = Overlay(name, sources.build(name))
        missed = [plant.__doc__ for plant in plants.ALL if not judge(planted(plant, overlay))]
        print(f"planted mistakes: {len(plants.ALL)}, {len(missed)} not found")
        print("".join(f"  {line}\n" for line in missed), end="")
        failed = bool(missed)
    return int(failed)


def planted(plant, overlay: Overlay) -> Overlay:
    """The overlay with a mistake."""
    spoiled = Overlay(overlay.name, copy.deepcopy(overlay.objects))
    plant(spoiled)
    return spoiled


sys.exit(main(sys.argv[1:]))
