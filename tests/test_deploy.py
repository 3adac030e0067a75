"""The recipes in deploy/: they parse, and have the members that their pages promise."""

from __future__ import annotations

import configparser
import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from pycontextify.config import SETTINGS, Places, load_settings
from tests.fakes.serving import serving

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
SETTING_OF = {setting.env: setting.name for setting in SETTINGS}


def documents(path: Path) -> list[Any]:
    """Return what a YAML file holds."""
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


def manifests() -> dict[tuple[str, str], Any]:
    """Return every Kubernetes object, by kind and name."""
    found = {}
    for path in (DEPLOY / "kubernetes").glob("*.yaml"):
        for each in documents(path):
            if each["kind"] != "Kustomization":
                found[each["kind"], each["metadata"]["name"]] = each
    return found


def pods() -> Iterator[tuple[str, Any]]:
    """Yield the template of each pod with the name of what makes it."""
    for (kind, name), each in manifests().items():
        if kind == "Deployment":
            yield name, each["spec"]["template"]
        if kind == "CronJob":
            yield name, each["spec"]["jobTemplate"]["spec"]["template"]


def containers(template: Any) -> list[Any]:
    """Return a pod's containers, those that come first as well."""
    return [*template["spec"].get("initContainers", []), *template["spec"]["containers"]]


def probe_script() -> ModuleType:
    """Return the probe of the image as a module."""
    spec = importlib.util.spec_from_file_location("probe", DEPLOY / "docker" / "probe.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_recipe_is_shown() -> None:
    """Each file is on a page, in a form that a formatter leaves alone."""
    pages = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "recipes").glob("*.md"))
    shown = re.findall(r'^--8<-- "(.+)"$', pages, re.MULTILINE)
    files = {path for path in DEPLOY.rglob("*") if path.is_file() and path.parent.name not in ("prometheus", "grafana")}
    assert {ROOT / each for each in shown} == files


# Kubernetes


@pytest.mark.parametrize(("name", "template"), list(pods()))
def test_pods_are_restricted(name: str, template: Any) -> None:
    """What the Pod Security Standard "restricted" asks for, a root that can't be written to, and limits."""
    spec = template["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] > 0
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in containers(template):
        security = container["securityContext"]
        assert security["allowPrivilegeEscalation"] is False
        assert security["readOnlyRootFilesystem"] is True
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}
        assert "memory" in container["resources"]["limits"]
        volumes = {each["name"] for each in spec["volumes"]}
        assert {each["name"] for each in container["volumeMounts"]} <= volumes
    assert name in {"pycontextify", "pycontextify-source", "pycontextify-publish"}


def test_services_policies_and_names_lead_to_pods() -> None:
    """A label that no pod has selects nobody."""
    labels = [template["metadata"]["labels"] for _, template in pods()]
    for (kind, _), each in manifests().items():
        if kind == "Service":
            assert each["spec"]["selector"] in labels
        if kind == "NetworkPolicy":
            assert each["spec"]["podSelector"]["matchLabels"] in labels
            assert set(each["spec"]["policyTypes"]) == {"Ingress", "Egress"}
        if kind == "Deployment":
            assert each["spec"]["selector"]["matchLabels"] == each["spec"]["template"]["metadata"]["labels"]


def test_servers_are_probed_and_fill_themselves() -> None:
    """Both probes carry the token by way of the image's program; no init container, nothing that outlives a pod."""
    template = dict(pods())["pycontextify"]
    (server,) = template["spec"]["containers"]
    assert "initContainers" not in template["spec"]
    assert server["livenessProbe"]["exec"]["command"] == ["pycontextify-probe", "/livez"]
    assert server["readinessProbe"]["exec"]["command"] == ["pycontextify-probe", "/readyz"]
    assert all("emptyDir" in volume for volume in template["spec"]["volumes"])
    (token,) = (each for each in server["env"] if each["name"] == "PYCONTEXTIFY_HTTP_TOKEN")
    assert token["valueFrom"] == {"secretKeyRef": {"name": "pycontextify", "key": "token"}}
    service = manifests()["Service", "pycontextify"]["spec"]["ports"][0]
    assert service["targetPort"] in {port["name"] for port in server["ports"]}
    source = manifests()["Service", "pycontextify-source"]
    assert f"http://pycontextify-source:{source['spec']['ports'][0]['port']}" in {
        each.get("value") for each in server["env"]
    }


def test_the_source_is_configured_as_everywhere() -> None:
    """The configuration of nginx in the cluster is the one that is tested."""
    told = manifests()["ConfigMap", "pycontextify-source"]["data"]["default.conf"]
    assert told == (DEPLOY / "nginx" / "source.conf").read_text(encoding="utf-8")


def test_the_job_publishes_what_it_has_indexed() -> None:
    """Clone, index, publish, in that order; two never at once, and the source serves the place that it writes to."""
    job = manifests()["CronJob", "pycontextify-publish"]
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    template = dict(pods())["pycontextify-publish"]
    clone, index, publish = containers(template)
    assert clone["args"][0] == "clone"
    assert index["args"] == ["index", clone["args"][-1], "--index-path", "/published/build"]
    assert publish["args"] == ["publish", "/published/public", "--index-path", "/published/build"]
    (claim,) = (each for each in template["spec"]["volumes"] if each["name"] == "published")
    assert claim["persistentVolumeClaim"]["claimName"] == "pycontextify-published"
    assert ("PersistentVolumeClaim", "pycontextify-published") in manifests()


def test_kustomize_takes_every_file() -> None:
    """And names only what is there."""
    (told,) = documents(DEPLOY / "kubernetes" / "kustomization.yaml")
    there = {path.name for path in (DEPLOY / "kubernetes").glob("*.yaml")} - {"kustomization.yaml"}
    assert set(told["resources"]) == there
    images = {container["image"] for _, template in pods() for container in containers(template)}
    assert {each["name"] for each in told["images"]} <= images


# Settings


def settings_of_recipes() -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the environment that each recipe starts a server with."""
    text = (DEPLOY / "docker" / "Dockerfile").read_text(encoding="utf-8")
    image = dict(re.findall(r"(PYCONTEXTIFY_\w+)=(\S+)", text))
    (compose,) = documents(DEPLOY / "docker" / "compose.yml")
    secret = {"PYCONTEXTIFY_HTTP_TOKEN": "0123456789abcdef0123456789abcdef"}
    yield "compose", {**image, **compose["services"]["server"]["environment"], **secret}
    (server,) = dict(pods())["pycontextify"]["spec"]["containers"]
    yield "kubernetes", {each["name"]: each["value"] for each in server["env"] if "value" in each} | secret
    unit = (DEPLOY / "systemd" / "pycontextify.service").read_text(encoding="utf-8")
    found = dict(re.findall(r"^Environment=(PYCONTEXTIFY_\w+)=(\S+)$", unit, re.MULTILINE))
    yield "systemd", {name: value.replace("%S", "/var/lib") for name, value in found.items()}


@pytest.mark.parametrize(("recipe", "environment"), list(settings_of_recipes()))
def test_settings_are_taken(recipe: str, environment: dict[str, str], tmp_path: Path) -> None:
    """Each recipe's settings make one that the server starts with: over HTTP, following its source."""
    places = Places(config_file=tmp_path / "none.toml", indexes=tmp_path)
    settings = load_settings({}, environment, places=places)
    assert not settings.warnings, recipe
    assert (settings.transport, settings.index_bootstrap_mode) == ("http", "follow")
    assert environment.keys() <= SETTING_OF.keys()


# Docker


def test_the_image_runs_as_nobody_in_particular() -> None:
    """Pinned by tag; two stages; hashes for all that is installed; a user of its own, and a health check."""
    text = (DEPLOY / "docker" / "Dockerfile").read_text(encoding="utf-8")
    assert re.findall(r"^FROM (\S+)", text, re.MULTILINE) == ["python:3.12-slim", "python:3.12-slim"]
    assert re.search(r"^USER 10001:10001$", text, re.MULTILINE)
    assert text.count("--require-hashes --only-binary :all:") == 2
    for install in re.findall(r"pip .*install .*", text):
        assert "--require-hashes" in install or "--no-index" in install
    assert 'CMD ["pycontextify-probe", "/livez"]' in text
    assert re.search(r'^ENTRYPOINT \["pycontextify"\]$', text, re.MULTILINE)
    for source in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE):
        for path in source.split()[:-1]:
            assert (ROOT / path).exists(), path


def test_what_the_image_needs_is_let_through() -> None:
    """.dockerignore keeps everything out but that."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    let = {line[1:] for line in lines if line.startswith("!")}
    text = (DEPLOY / "docker" / "Dockerfile").read_text(encoding="utf-8")
    wanted = {
        path for copied in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE) for path in copied.split()[:-1]
    }
    assert all(any(path == each or path.startswith(f"{each}/") for each in let) for path in wanted)
    assert "*" in lines


def test_compose_confines_both() -> None:
    """Roots that can't be written to, no capabilities, no new privileges; only loopback; a token that must be given."""
    (compose,) = documents(DEPLOY / "docker" / "compose.yml")
    for service in compose["services"].values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["tmpfs"] == ["/tmp"]  # noqa: S108 - a path in a container
    server = compose["services"]["server"]
    assert server["ports"] == ["127.0.0.1:8765:8765"]
    assert server["environment"]["PYCONTEXTIFY_HTTP_TOKEN"].startswith("${PYCONTEXTIFY_HTTP_TOKEN:?")
    mounted = compose["services"]["source"]["volumes"][1].split(":")[0]
    assert (DEPLOY / "docker" / mounted).resolve() == DEPLOY / "nginx" / "source.conf"
    assert (DEPLOY / "docker" / server["build"]["context"]).resolve() == ROOT


async def test_the_probe_asks_with_the_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Alive without an index, not ready where one is required; nothing without the token, nor where nobody listens."""
    probe = probe_script()
    import anyio.to_thread

    own = {"HTTP_TOKEN": "0123456789abcdef0123456789abcdef", "REQUIRE_INDEX": "true"}
    async with serving(tmp_path, env=own) as server:
        monkeypatch.setenv("PYCONTEXTIFY_PORT", (await server.url()).rpartition(":")[2])
        monkeypatch.delenv("PYCONTEXTIFY_HTTP_TOKEN", raising=False)
        assert await anyio.to_thread.run_sync(probe.main, "/livez") == 1
        monkeypatch.setenv("PYCONTEXTIFY_HTTP_TOKEN", "0123456789abcdef0123456789abcdef")
        told = {asked: await anyio.to_thread.run_sync(probe.main, asked) for asked in ("/livez", "/readyz")}
    assert told == {"/livez": 0, "/readyz": 1}
    assert await anyio.to_thread.run_sync(probe.main, "/livez") == 1


# systemd


def test_the_unit_is_of_type_notify_and_hardened() -> None:
    """It says what it promises."""
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # as its documentation says
    unit.read(DEPLOY / "systemd" / "pycontextify.service", encoding="utf-8")
    service = unit["Service"]
    assert service["Type"] == "notify"
    for name in ("DynamicUser", "NoNewPrivileges", "MemoryDenyWriteExecute", "PrivateTmp", "ProtectHome"):
        assert service[name] == "yes"
    assert service["ProtectSystem"] == "strict"
    assert service["StateDirectory"] == "pycontextify"
    assert unit["Install"]["WantedBy"] == "multi-user.target"


# CI services


def test_the_workflow_builds_then_deploys() -> None:
    """Least rights for each job, one run at a time, and secrets only where they are needed."""
    (flow,) = documents(DEPLOY / "github-actions" / "publish-index.yml")
    assert flow["permissions"] == {"contents": "read"}
    assert flow[True]["push"]["branches"] == ["main"]  # "on" is true to YAML 1.1
    index, deploy = flow["jobs"]["index"], flow["jobs"]["deploy"]
    assert deploy["needs"] == "index"
    assert deploy["permissions"] == {"pages": "write", "id-token": "write"}
    assert deploy["environment"]["name"] == "github-pages"
    assert deploy["environment"]["url"] == "${{ steps.deployment.outputs.page_url }}"
    used = [step["uses"] for job in (index, deploy) for step in job["steps"] if "uses" in step]
    assert all(re.fullmatch(r"actions/[\w-]+@v\d+", each) for each in used)
    assert [each.partition("@")[0] for each in used][-2:] == ["actions/upload-pages-artifact", "actions/deploy-pages"]
    secret = [step.get("name") for step in index["steps"] if "secrets." in json.dumps(step)]
    assert secret == ["Publish"]


def test_the_pipeline_publishes_pages() -> None:
    """From the default branch alone, one at a time."""
    (pipeline,) = documents(DEPLOY / "gitlab-ci" / "publish-index.yml")
    job = pipeline["publish-index"]
    assert job["pages"] is True
    assert job["artifacts"] == {"paths": ["public"]}
    assert job["resource_group"] == "publish-index"
    assert job["rules"] == [{"if": "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH"}]
