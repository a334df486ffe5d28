"""A snapshot that was saved and loaded is the snapshot, without its secrets; whatever else is loaded is told apart."""

import gzip
import io
import json
import shutil
import tarfile
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from svcdoctor import archive
from svcdoctor.diagnose import diagnose
from svcdoctor.errors import BadData, CouldNotLook, SvcdoctorError, UsageError
from svcdoctor.model.case import Case
from svcdoctor.model.cluster import KubeletConfiguration
from svcdoctor.model.diagnosis import Target
from svcdoctor.model.observation import DnsAnswer, DnsRecord
from svcdoctor.model.service import LAST_APPLIED_ANNOTATION as LAST_APPLIED
from svcdoctor.model.snapshot import Answer, Gap, Snapshot, assemble

CASES = Path(__file__).parent / "cases"
NAMES = sorted(case.name for case in CASES.iterdir())
TYPO = CASES / "iptables-selector-typo"
MOMENT = datetime(2026, 11, 23, 2, 0, 0, 123456, UTC)
EMPTY = Snapshot(taken_at=MOMENT, context="prod", server="https://10.0.0.1:6443", namespace="shop")
ADDRESS = DnsRecord("web.shop.", 30, "IN", "A", "10.0.0.1")
PODS = "api/v1/namespaces/shop/pods"
FORMS = pytest.mark.parametrize("form", ["out", "out.tar.gz"])


def pack(document: Any) -> bytes:
    return json.dumps(document).encode()


def unapplied(value: Any) -> Any:
    """A recorded document without kubectl's copies, which are saved of Services only."""
    if isinstance(value, dict):
        return {key: unapplied(item) for key, item in value.items() if key != LAST_APPLIED}
    return [unapplied(item) for item in value] if isinstance(value, list) else value


def recorded(case: str) -> tuple[Snapshot, list[Answer]]:
    folder = CASES / case / "api"
    answers = []
    for file in sorted(folder.glob("**/*.json")):
        body = file.read_bytes() if file.name == "services.json" else pack(unapplied(json.loads(file.read_bytes())))
        answers.append(Answer(file.relative_to(folder).as_posix().removesuffix(".json"), body))
    return assemble(EMPTY, answers), answers


def written(place: Path) -> dict[str, bytes]:
    """Every file that was saved, by name."""
    if place.is_dir():
        return {file.relative_to(place).as_posix(): file.read_bytes() for file in place.glob("**/*") if file.is_file()}
    with tarfile.open(place) as members:
        return {member.name: (members.extractfile(member) or io.BytesIO()).read() for member in members}


def saved(folder: Path, *answers: Answer, snapshot: Snapshot = EMPTY, form: str = "out") -> Path:
    archive.save(folder / form, snapshot, answers)
    return folder / form


def by_hand(folder: Path, **documents: Any) -> Path:
    """A folder that a person filled: file names, with ``__`` for ``/``, and what stands in them."""
    for name, document in documents.items():
        file = folder / f"{name.replace('__', '/')}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(document if isinstance(document, bytes) else pack(document))
    return folder


# ----------------------------------------------------------------------------------------------------- there and back


@FORMS
@pytest.mark.parametrize("case", NAMES)
def test_a_recorded_cluster_comes_back_equal(tmp_path: Path, case: str, form: str) -> None:
    snapshot, answers = recorded(case)
    assert archive.load(saved(tmp_path, *answers, snapshot=snapshot, form=form)) == snapshot


@pytest.mark.parametrize("case", NAMES)
def test_a_recorded_cluster_is_diagnosed_the_same(tmp_path: Path, case: str) -> None:
    """With everything that was recorded, kubectl's copies too: what saving takes out, no step misses."""
    folder = CASES / case / "api"
    files = folder.glob("**/*.json")
    answers = [Answer(f.relative_to(folder).as_posix().removesuffix(".json"), f.read_bytes()) for f in files]
    snapshot = assemble(EMPTY, answers)
    truth = json.loads((CASES / case / "truth.json").read_bytes())
    target = Target(truth["namespace"], truth["service"])
    back = archive.load(saved(tmp_path, *answers, snapshot=snapshot))
    assert diagnose(Case(back, target)) == diagnose(Case(snapshot, target))


@FORMS
def test_all_that_is_no_object_comes_back_too(tmp_path: Path, form: str) -> None:
    snapshot = Snapshot(
        taken_at=MOMENT,
        context="arn:aws:eks:eu-west-1:123456789012:cluster/Prod",
        server="https://[fd00::1]:6443",
        namespace="shop",
        logs={("shop", "web-1", "app"): "línea\r\n\x1b[31mred\x00", ("shop", "web-1", "side"): ""},
        kubelets={
            "node1": KubeletConfiguration(("10.96.0.10",), "cluster.local", None),
            "node2": KubeletConfiguration(),
        },
        node_files={"node1": "nameserver 192.0.2.53\n"},
        resolv_confs={("shop", "web-1"): "search shop.svc.cluster.local\noptions ndots:5\n"},
        dns_answers=(
            DnsAnswer("shop/web-1", "10.96.0.10", 53, "TCP", "web.shop", "A", "NOERROR", ("tc",), (ADDRESS,), (), 0.4),
            DnsAnswer("svcdoctor", error="timeout", ms=5000.0),
        ),
        gaps=(Gap("api/v1/nodes", "nodes is forbidden", "list nodes at the cluster scope"), Gap("x", "timed out")),
    )
    place = saved(tmp_path, snapshot=snapshot, form=form)
    assert archive.load(place) == snapshot
    assert json.loads(written(place)["meta.json"]) == {
        "apiVersion": "svcdoctor.io/v1",
        "kind": "Snapshot",
        "takenAt": "2026-11-23T02:00:00.123456Z",
        "context": "arn:aws:eks:eu-west-1:123456789012:cluster/Prod",
        "server": "https://[fd00::1]:6443",
        "namespace": "shop",
        "tool": "svcdoctor 0.1.0",
    }


def pod(name: str, **labels: str) -> Any:
    return {"metadata": {"name": name, "namespace": "shop", "labels": labels}}


def pod_list(*names: str, next: str = "", kind: str = "PodList") -> bytes:
    return pack({"kind": kind, "apiVersion": "v1", "metadata": {"continue": next}, "items": [pod(n) for n in names]})


@FORMS
def test_pages_become_one_list(tmp_path: Path, form: str) -> None:
    place = saved(tmp_path, Answer(PODS, pod_list("b", next="abc")), Answer(PODS, pod_list("a")), form=form)
    assert json.loads(written(place)[f"api/{PODS}.json"]) == {
        "kind": "PodList",
        "apiVersion": "v1",
        "metadata": {"continue": ""},
        "items": [pod("b"), pod("a")],
    }
    pods = archive.load(place).pods
    assert [item.name for item in pods.items] == ["a", "b"]
    assert pods.covers("shop")


def test_a_page_without_items_takes_none_away(tmp_path: Path) -> None:
    last = pack({"kind": "PodList", "items": None})
    place = saved(tmp_path, Answer(PODS, pod_list("b", next="abc")), Answer(PODS, last))
    assert [item.name for item in archive.load(place).pods.items] == ["b"]


@pytest.mark.parametrize("next", ["", "abc"])
def test_a_list_that_was_not_read_to_its_end_stays_so(tmp_path: Path, next: str) -> None:
    answer = Answer(PODS, pod_list("a", next=next), complete=False)
    back = archive.load(saved(tmp_path, answer))
    assert back == assemble(EMPTY, [answer])
    assert not back.pods.covers("shop")


@FORMS
@pytest.mark.parametrize(
    "query",
    [
        "labelSelector=app=web",
        "labelSelector=app.kubernetes.io/name=web&limit=5",
        "fieldSelector=metadata.name=100%&é",
        "labelSelector=" + ",".join(f"example.com/{'x' * 60}{n}={'y' * 60}" for n in range(9)),
    ],
)
def test_a_narrowed_list_keeps_its_query(tmp_path: Path, query: str, form: str) -> None:
    whole = Answer("api/v1/namespaces/other/pods", pod_list())
    answers = [Answer("api/v1/pods", pod_list("a", next="abc" if "limit" in query else ""), query), whole]
    place = saved(tmp_path, *answers, form=form)
    back = archive.load(place)
    assert back == assemble(EMPTY, answers)
    assert back.pods.selected == {("", query)}
    assert back.pods.scopes == {"other"}
    assert max(len(part.encode()) for name in written(place) for part in name.split("/")) <= 255


def test_the_name_of_a_narrowed_list(tmp_path: Path) -> None:
    place = saved(tmp_path, Answer(PODS, pod_list(), "labelSelector=app=web"))
    assert f"api/{PODS}%3FlabelSelector%3Dapp%3Dweb.json" in written(place)


def test_what_the_server_said_does_not_exist_stays_known(tmp_path: Path) -> None:
    absent = pack({"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404})
    back = archive.load(saved(tmp_path, Answer("api/v1/namespaces/shop/services/web", absent)))
    assert back.services.knows("shop", "web")
    assert not back.services.knows("shop", "api")


def test_saving_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    snapshot, answers = recorded("iptables-crashloop")
    for name in ("a.tar.gz", "b.tar.gz"):
        archive.save(tmp_path / name, snapshot, iter(answers))
    assert (tmp_path / "a.tar.gz").read_bytes() == (tmp_path / "b.tar.gz").read_bytes()


@pytest.mark.parametrize("body", [b'{"kind": "PodList"', b"[]", b'{"a":' * 900 + b"1" + b"}" * 900])
def test_an_answer_that_is_no_document_is_named_and_nothing_is_saved(tmp_path: Path, body: bytes) -> None:
    with pytest.raises(BadData, match=f"^{PODS}: "):
        saved(tmp_path, Answer(PODS, body))
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_leads_out_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="can't hold a file with the name"):
        saved(tmp_path, Answer("api/v1/namespaces/shop/services/../../../../../../x", pack({"kind": "Status"})))
    assert list(tmp_path.iterdir()) == []


# -------------------------------------------------------------------------------------------------------------- secrets


def test_secrets_and_config_maps_of_others_become_gaps(tmp_path: Path) -> None:
    hidden = {"data": {"password": "aHVudGVyMg==", "motd": "hunter2"}}
    meta = {"name": "coredns", "namespace": "kube-system"}
    coredns = {"kind": "ConfigMap", "metadata": meta, "data": {"a": "b"}}
    answers = [
        Answer("api/v1/namespaces/shop/secrets/db", pack({"kind": "Secret", **hidden})),
        Answer("api/v1/namespaces/shop/secrets", pack({"kind": "SecretList", "items": [hidden]})),
        Answer("api/v1/namespaces/shop/configmaps/app", pack({"kind": "ConfigMap", **hidden})),
        Answer("api/v1/namespaces/kube-system/configmaps/coredns", pack(coredns)),
    ]
    place = saved(tmp_path, *answers)
    assert set(written(place)) == {
        "meta.json",
        "gaps.json",
        "api/api/v1/namespaces/kube-system/configmaps/coredns.json",
    }
    assert archive.load(place).gaps == tuple(Gap(a.path, "never saved: it may hold secrets") for a in answers[:3])


def test_a_corefile_is_kept_wherever_it_is(tmp_path: Path) -> None:
    config = {"kind": "ConfigMap", "metadata": {"name": "dns-default", "namespace": "openshift-dns"}}
    answer = Answer(
        "api/v1/namespaces/openshift-dns/configmaps/dns-default", pack({**config, "data": {"Corefile": "."}})
    )
    (found,) = archive.load(saved(tmp_path, answer)).configmaps.items
    assert found.data == {"Corefile": "."}


def test_kinds_that_are_not_served_are_none(tmp_path: Path) -> None:
    absent = pack({"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404})
    paths = [
        "apis/policy.networking.k8s.io/v1alpha2/clusternetworkpolicies",
        "apis/policy.networking.k8s.io/v1alpha1/adminnetworkpolicies",
        "apis/apps/v1/namespaces/shop/deployments",
    ]
    back = archive.load(saved(tmp_path, *(Answer(path, absent) for path in paths)))
    assert back.clusternetworkpolicies.covers()
    assert back.adminnetworkpolicies.covers()
    assert not back.deployments.covers("shop")


SECRETS = st.text("abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789", min_size=10, max_size=24).map(
    "Qz7".__add__
)


def sick_pod(secret: str) -> Any:
    """A pod with ``secret`` wherever pods have one."""
    container = {
        "name": "app",
        "image": "shop/web:1",
        "command": ["sh", "-c", f"DB_PASSWORD={secret} serve --port 8080"],
        "args": ["--token", secret, f"--api-key={secret}", "--http-port=8080"],
        "env": [{"name": "GREETING", "value": secret}, {"name": "K", "valueFrom": {"secretKeyRef": {"name": "db"}}}],
        "ports": [{"name": "http", "containerPort": 8080}],
        "readinessProbe": {
            "httpGet": {"path": f"/ok?token={secret}", "httpHeaders": [{"name": "X-Api-Key", "value": secret}]}
        },
        "livenessProbe": {"exec": {"command": ["mysqladmin", "ping", f"-p{secret}"]}},
    }
    terminated = {"exitCode": 1, "reason": "Error", "message": f"can't reach postgres://shop:{secret}@db:5432/shop"}
    applied = json.dumps({"spec": {"containers": [container]}})
    return {
        "metadata": {
            "name": "web-1",
            "namespace": "shop",
            "labels": {"app": "web"},
            "annotations": {LAST_APPLIED: applied, "kapp.k14s.io/original": applied, "example.com/api-token": secret},
            "managedFields": [{"manager": "x", "fieldsV1": {"f:spec": {f'k:{{"name":"{secret}"}}': {}}}}],
        },
        "spec": {"containers": [container], "initContainers": [container]},
        "status": {
            "phase": "Running",
            "containerStatuses": [{"name": "app", "restartCount": 3, "lastState": {"terminated": terminated}}],
        },
    }


@settings(max_examples=25)
@given(secret=SECRETS)
def test_a_planted_secret_is_in_no_byte_that_was_written(secret: str) -> None:
    template = {"kind": "DeploymentList", "items": [{"spec": {"template": sick_pod(secret)}}]}
    applied = json.dumps({"metadata": {"annotations": {"password": secret}}, "spec": {"selector": {"app": "web"}}})
    service = {"metadata": {"name": "web", "namespace": "shop", "annotations": {LAST_APPLIED: applied}}}
    event = {
        "metadata": {"name": "e", "namespace": "shop"},
        "message": f"Readiness probe failed: Authorization: {secret}",
    }
    answers = [
        Answer(PODS, pack({"kind": "PodList", "items": [sick_pod(secret)]})),
        Answer("apis/apps/v1/namespaces/shop/deployments", pack(template)),
        Answer("api/v1/namespaces/shop/services", pack({"kind": "ServiceList", "items": [service]})),
        Answer("api/v1/namespaces/shop/events", pack({"kind": "EventList", "items": [event]})),
        Answer("api/v1/namespaces/shop/serviceaccounts/x/token", pack({"status": {"token": secret}})),
        Answer("api/v1/namespaces/shop/secrets/db", pack({"kind": "Secret", "stringData": {"a": secret}})),
    ]
    snapshot = Snapshot(
        taken_at=MOMENT,
        server=f"https://admin:{secret}@10.0.0.1:6443",
        logs={("shop", "web-1", "app"): f"listening on :8080\npassword: {secret}\nBearer {secret}"},
        gaps=(Gap("api/v1/nodes", f"token={secret} is not valid"),),
    )
    with tempfile.TemporaryDirectory() as folder:
        for form in ("out", "out.tar.gz"):
            place = saved(Path(folder), *answers, snapshot=snapshot, form=form)
            for name, body in written(place).items():
                assert secret.encode() not in body, name
        back = archive.load(place)
    (web,) = back.pods.items
    (app,) = web.spec.containers
    assert app.command == ("sh", "-c", "DB_PASSWORD=[redacted] serve --port 8080")
    assert app.args == ("--token", "[redacted]", "--api-key=[redacted]", "--http-port=8080")
    assert (app.image, app.ports[0].container_port, web.labels) == ("shop/web:1", 8080, {"app": "web"})
    assert back.logs["shop", "web-1", "app"] == "listening on :8080\npassword: [redacted]\nBearer [redacted]"
    assert back.events.items[0].message == "Readiness probe failed: Authorization: [redacted]"
    assert json.loads(back.services.items[0].metadata.annotations[LAST_APPLIED])["spec"] == {"selector": {"app": "web"}}


# -------------------------------------------------------------------------------------------------- filled by hand


def test_what_kubectl_prints_can_be_loaded(tmp_path: Path) -> None:
    service = {"kind": "Service", "metadata": {"name": "web", "namespace": "shop"}}
    place = by_hand(
        tmp_path,
        meta={},
        # kubectl get pods -o json
        api__api__v1__namespaces__shop__pods={"kind": "List", "items": [{"kind": "Pod", **pod("a")}], "metadata": {}},
        # kubectl get --raw /api/v1/namespaces/shop/services/web
        api__api__v1__namespaces__shop__services__web=service,
        # kubectl cluster-info dump
        api__api__v1__nodes={
            "kind": "NodeList",
            "apiVersion": "v1",
            "metadata": {"resourceVersion": "7"},
            "items": None,
        },
        # what no step reads
        api__version={"gitVersion": "v1.36.2"},
        api__apis__networking__v1__ingresses=b"not JSON, and not asked",
        probes=b"later",
    )
    snapshot = archive.load(place)
    assert [item.name for item in snapshot.pods.items] == ["a"]
    assert snapshot.services.knows("shop", "web")
    assert not snapshot.services.covers("shop")
    assert snapshot.nodes.covers()
    assert (snapshot.context, snapshot.server, snapshot.namespace) == ("", "", "default")


def test_a_missing_part_is_a_gap(tmp_path: Path) -> None:
    place = tmp_path / "case"
    shutil.copytree(TYPO, place)
    (place / "api/api/v1/namespaces/billing/pods.json").unlink()
    (place / "api/api/v1/nodes.json").write_text("\n")  # what a failed kubectl get --raw leaves
    forbidden = {"kind": "Status", "code": 403, "message": "events is forbidden"}
    (place / "api/api/v1/namespaces/billing/events.json").write_bytes(pack(forbidden))
    case = Case(archive.load(place), Target("billing", "invoice"))
    assert case.service is not None
    assert case.need("pods") == Gap("api/v1/namespaces/billing/pods", "not in the snapshot")
    assert case.need("nodes", "") == Gap("api/v1/nodes", "its file is empty")
    assert case.need("events") == Gap(
        "api/v1/namespaces/billing/events", "events is forbidden", "list events in namespace billing"
    )
    assert case.need("services") is None


def test_every_part_may_be_missing(tmp_path: Path) -> None:
    parts = [file.relative_to(TYPO) for file in TYPO.glob("**/*.json")]
    for part in parts:
        place = tmp_path / str(part).replace("/", "_")
        shutil.copytree(TYPO, place)
        (place / part).unlink()
        assert isinstance(archive.load(place), Snapshot)


@pytest.mark.parametrize("prefix", ["", "./", "case-17/", "./case-17/", "api-server/"])
def test_a_packed_folder_is_a_snapshot_too(tmp_path: Path, prefix: str) -> None:
    place = tmp_path / "x.tgz"
    with tarfile.open(place, "w:gz") as packed:
        packed.add(TYPO, arcname=prefix.rstrip("/") or ".")
    assert archive.load(place) == archive.load(TYPO)


def test_two_snapshots_in_one_archive_are_not_mixed(tmp_path: Path) -> None:
    place = tmp_path / "x.tar.gz"
    with tarfile.open(place, "w:gz") as packed:
        packed.add(TYPO, arcname="a")
        packed.add(CASES / "iptables-healthy", arcname="b")
    with pytest.raises(BadData, match="holds more than one snapshot"):
        archive.load(place)


# ---------------------------------------------------------------------------------------------------- when it was taken


def test_without_its_time_the_newest_event_says_when(tmp_path: Path) -> None:
    place = tmp_path / "case"
    shutil.copytree(TYPO, place)
    (place / "meta.json").unlink()
    snapshot, whole = archive.load(place), archive.load(TYPO)
    assert snapshot.taken_at == datetime(2026, 11, 23, 1, 55, 21, tzinfo=UTC)
    assert snapshot.taken_at < whole.taken_at
    assert snapshot.gaps[-1] == Gap("meta.json: takenAt", "not said; the newest time in the objects stands in")
    assert snapshot.pods == whole.pods


def test_times_that_can_not_be_are_not_now(tmp_path: Path) -> None:
    def at(name: str, created: str, **more: str) -> Any:
        return {"metadata": {"name": name, "namespace": "a", "creationTimestamp": created, **more}}

    times = ["0001-01-01T00:00:00Z", "2026-05-01T00:00:00+02:00", "9999-12-31T23:59:59-09:00"]
    items = [at(f"p{n}", time) for n, time in enumerate(times)]
    items.append(at("going", "2026-04-01T00:00:00Z", deletionTimestamp="2026-06-01T00:00:00Z"))
    place = by_hand(tmp_path, api__api__v1__pods={"kind": "PodList", "items": items})
    assert archive.load(place).taken_at == datetime(2026, 4, 30, 22, tzinfo=UTC)


def test_nothing_is_as_old_as_can_be_where_no_time_is_known(tmp_path: Path) -> None:
    assert archive.load(by_hand(tmp_path, meta={})).taken_at == datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("meta", "detail"),
    [
        ({"apiVersion": "svcdoctor.io/v2"}, "says that it is 'Snapshot' 'svcdoctor.io/v2'"),
        ({"kind": "Diagnosis"}, "says that it is 'Diagnosis' 'svcdoctor.io/v1'"),
        ({"takenAt": "0001-01-01T00:00:00Z"}, "takenAt can't be 0001-01-01T00:00:00+00:00"),
        ({"takenAt": "9999-12-31T00:00:00-09:00"}, "takenAt can't be 9999-12-31T00:00:00-09:00"),
        (
            {"takenAt": "2026-11-23 02:00"},
            "of another shape than expected (Invalid RFC3339 encoded datetime - at `$.takenAt`)",
        ),
        ({"namespace": 7}, "of another shape than expected (Expected `str`, got `int` - at `$.namespace`)"),
        (b'{"kind', "not valid JSON (Input data was truncated)"),
        (b"[]", "of another shape than expected (Expected `object`, got `array`)"),
    ],
)
def test_a_meta_that_is_none_is_named(tmp_path: Path, meta: Any, detail: str) -> None:
    with pytest.raises(BadData) as caught:
        archive.load(by_hand(tmp_path, meta=meta))
    assert caught.value.message == f"{tmp_path}/meta.json: {detail}"


@pytest.mark.parametrize("meta", [{}, {"takenAt": None, "context": None, "namespace": None, "tool": 1}])
def test_a_meta_may_be_partial(tmp_path: Path, meta: Any) -> None:
    meta.pop("tool", None)
    assert archive.load(by_hand(tmp_path, meta=meta)).namespace == "default"


# ------------------------------------------------------------------------------------------------ what is no snapshot


def test_a_bad_file_is_named(tmp_path: Path) -> None:
    place = by_hand(tmp_path / "a", meta={}, api__api__v1__pods=b'{"kind": "PodList", "items": [')
    with pytest.raises(BadData) as caught:
        archive.load(place)
    assert caught.value.message == f"{place}/api/api/v1/pods.json: not valid JSON (Input data was truncated)"
    place = by_hand(tmp_path / "b", meta={}, api__api__v1__pods={"kind": "PodList", "items": [{"spec": []}]})
    with pytest.raises(BadData) as caught:
        archive.load(place)
    assert caught.value.message == (
        f"{place}/api/api/v1/pods.json: of another shape than expected "
        "(Expected `object`, got `array` - at `$.items[0].spec`)"
    )
    place = by_hand(tmp_path / "c", meta={}, gaps=[{"why": "no"}])
    with pytest.raises(BadData, match=r"c/gaps\.json: .* missing required field `what`"):
        archive.load(place)


def test_a_bad_file_in_an_archive_is_named(tmp_path: Path) -> None:
    by_hand(tmp_path / "a", meta={}, api__api__v1__pods=b"<html>")
    place = tmp_path / "x.tar.gz"
    with tarfile.open(place, "w:gz") as packed:
        packed.add(tmp_path / "a", arcname="a")
    with pytest.raises(BadData, match=r"x\.tar\.gz/api/api/v1/pods\.json: not valid JSON"):
        archive.load(place)


def test_a_folder_that_is_no_snapshot(tmp_path: Path) -> None:
    (tmp_path / "pods.json").touch()
    (tmp_path / "link").symlink_to("/")
    with pytest.raises(CouldNotLook) as caught:
        archive.load(tmp_path)
    assert caught.value.message == f"{tmp_path} is no snapshot"
    assert caught.value.advice.startswith("a snapshot is a folder or a .tar.gz with meta.json and api/")


@pytest.mark.parametrize("name", ["notes.txt", "api/v1/pods.json", "api/readme.md"])
def test_an_archive_or_a_folder_with_nothing_known(tmp_path: Path, name: str) -> None:
    file = tmp_path / "a" / name
    file.parent.mkdir(parents=True)
    file.write_text("{}")
    with tarfile.open(tmp_path / "x.tar.gz", "w:gz") as packed:
        packed.add(tmp_path / "a", arcname=".")
    for place in (tmp_path / "a", tmp_path / "x.tar.gz"):
        with pytest.raises(CouldNotLook, match=r"is no snapshot$"):
            archive.load(place)


def test_a_path_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="none does not exist"):
        archive.load(tmp_path / "none")


@given(data=st.data())
@settings(max_examples=40)
def test_any_damage_to_an_archive_gives_one_documented_error(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Damage to what is packed, so that no checksum tells."""
    place = tmp_path_factory.mktemp("damaged") / "x.tar.gz"
    archive.save(place, EMPTY, [Answer(PODS, pod_list("a", "b")), Answer("api/v1/nodes", b'{"kind": "NodeList"}')])
    plain = bytearray(gzip.decompress(place.read_bytes()))
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(0, len(plain) - 1))
        plain[position] = data.draw(st.integers(0, 255))
    place.write_bytes(gzip.compress(bytes(plain), 1))
    try:
        assert isinstance(archive.load(place), Snapshot)
    except SvcdoctorError as error:
        assert str(place) in error.message
