"""One connection: who we say we are, what is tried again, what is given up, and in which words."""

import base64
import shutil
import ssl
import threading
from collections.abc import Callable

import pytest
import trustme

from svcdoctor.collect.api import Api, Call, Silence
from svcdoctor.collect.kubeconfig import Options, load
from svcdoctor.collect.timeouts import Timeouts, parse_timeout
from svcdoctor.errors import CouldNotLook, UsageError
from tests import replay as says
from tests.collect.conftest import Cluster

PODS = "api/v1/namespaces/shop/pods"
PATIENT = Timeouts(5, 5)


def connect(cluster: Cluster, timeouts: Timeouts = PATIENT, on_call: Callable[[Call], None] | None = None, **options):
    """An Api whose waiting is noted instead of done."""
    cluster.write()
    waits: list[float] = []
    access = load(Options(kubeconfig=cluster.path, **options), {})
    api = Api(access, timeouts, on_call, waits.append)
    cluster.opened.append(api)
    return api, waits


def test_headers(serve):
    cluster = serve("iptables-healthy")
    calls: list[Call] = []
    api, _ = connect(cluster, on_call=calls.append, as_user="jane", as_groups=("dev", "ops"))
    reply = api.get(PODS, {"limit": "500", "labelSelector": "app=web,tier in (a b)"})
    sent = cluster.replay.headers[0]
    assert reply.status == 200
    assert sent["Authorization"] == "Bearer hush-hush"
    assert sent["User-Agent"].startswith("svcdoctor/")
    assert sent["Accept-Encoding"] == "gzip"
    assert sent["Impersonate-User"] == "jane"
    assert cluster.replay.requests == [(PODS, "limit=500&labelSelector=app=web,tier in (a b)")]
    assert [(call.path, call.status) for call in calls] == [(f"/{PODS}", 200)]


def test_each_group_is_a_header_of_its_own(serve):
    cluster = serve("iptables-healthy")
    groups: list[str] = []

    def note(handler: says.Handler) -> bool:
        groups.extend(handler.headers.get_all("Impersonate-Group") or [])
        return False

    cluster.replay.misdeeds.append(note)
    connect(cluster, as_user="jane", as_groups=("dev", "ops"))[0].get(PODS)
    assert groups == ["dev", "ops"]


def test_gzip_is_asked_for_unless_the_kubeconfig_forbids(serve):
    cluster = serve("iptables-healthy")
    calls: list[Call] = []
    packed = connect(cluster, on_call=calls.append)[0].get(PODS)
    cluster.cluster["disable-compression"] = True
    plain = connect(cluster, on_call=calls.append)[0].get(PODS)
    assert packed.body == plain.body
    assert calls[0].size * 2 < calls[1].size == len(plain.body)


def test_the_servers_clock_counts(serve):
    cluster = serve("iptables-healthy")
    api, _ = connect(cluster)
    api.get(PODS)
    assert api.now().timestamp() == says.DATE


@pytest.mark.parametrize(("said", "waited"), [("3", 3.0), ("0", 0.0), ("Mon, 01 Jan 2024 00:00:00 GMT", 0.0)])
def test_retry_after_is_honoured(serve, said, waited):
    cluster = serve("iptables-healthy")
    cluster.replay.misdeeds.append(says.on(PODS, says.throttle(said), times=2))
    api, waits = connect(cluster)
    assert api.get(PODS).status == 200
    assert waits == [waited, waited]


def test_retries_end(serve):
    cluster = serve("iptables-healthy")
    cluster.replay.misdeeds.append(says.on(PODS, says.throttle("1", 503)))
    api, waits = connect(cluster)
    assert api.get(PODS).status == 503
    assert waits == [1.0, 1.0, 1.0]


def test_a_server_that_asks_for_an_hour_is_not_waited_for(serve):
    cluster = serve("iptables-healthy")
    cluster.replay.misdeeds.append(says.on(PODS, says.throttle("3600")))
    api, waits = connect(cluster)
    assert (api.get(PODS).status, waits) == (429, [])


@pytest.mark.parametrize("misdeed", [says.hang_up, says.cut_short])
def test_broken_connections_are_tried_again(serve, misdeed):
    cluster = serve("iptables-healthy")
    cluster.replay.misdeeds.append(says.on(PODS, misdeed, times=2))
    assert connect(cluster)[0].get(PODS).status == 200


def test_a_connection_that_always_breaks_is_silence(serve):
    cluster = serve("iptables-healthy")
    cluster.replay.misdeeds.append(says.on(PODS, says.cut_short))
    with pytest.raises(Silence, match="the connection broke"):
        connect(cluster)[0].get(PODS)


def test_no_answer_in_time_is_silence(serve):
    cluster = serve("iptables-healthy")
    cluster.replay.misdeeds.append(says.on(PODS, says.dawdle(2)))
    with pytest.raises(Silence, match=r"timed out after 0\.2 s"):
        connect(cluster, Timeouts(1, 0.2))[0].get(PODS)


def test_a_rotated_token_file_is_read_again_on_401(serve, tmp_path):
    cluster = serve("iptables-healthy")
    (tmp_path / "token").write_text("old")
    cluster.config["users"][0]["user"] = {"tokenFile": str(tmp_path / "token")}
    api, _ = connect(cluster)
    (tmp_path / "token").write_text("hush-hush")
    assert api.get(PODS).status == 200
    assert len(cluster.replay.requests) == 2


def test_an_exec_plugin_is_asked_once_for_many_calls_and_never_twice_after_it_failed(serve, tmp_path):
    cluster = serve("iptables-healthy")
    script = tmp_path / "plugin"
    credential = '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"stale"}}'
    script.write_text(
        f"#!/bin/sh\necho run >> {tmp_path}/runs\ntest -e {tmp_path}/off && exit 1\necho '{credential}'\n"
    )
    script.chmod(0o755)
    entry = {"apiVersion": "client.authentication.k8s.io/v1", "command": str(script), "interactiveMode": "Never"}
    cluster.config["users"][0]["user"] = {"exec": entry}
    api, _ = connect(cluster)
    (tmp_path / "off").touch()
    errors: list[str] = []

    def call() -> None:
        try:
            api.get(PODS)
        except CouldNotLook as error:
            errors.append(error.message)

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(errors) == 8
    assert "failed with exit code 1" in errors[0]
    assert (tmp_path / "runs").read_text().count("run") == 2


def test_401_in_the_end(serve):
    cluster = serve("iptables-healthy")
    cluster.user["token"] = "expired"
    with pytest.raises(CouldNotLook) as error:
        connect(cluster)[0].get(PODS)
    assert "does not accept the credentials of context lab" in error.value.message
    assert "log in again" in error.value.advice
    assert "expired" not in error.value.message


@pytest.mark.parametrize(
    "misdeed",
    [
        says.redirect,
        says.garbage(b"<html>Log in</html>", "text/html"),
        says.garbage(b"", "text/plain"),
        lambda handler: handler.send(404, "no such page"),
        lambda handler: handler.send(403, b"<html>Blocked</html>", Content_Type="text/html"),
    ],
)
def test_something_else_than_an_api_server(serve, misdeed):
    cluster = serve("iptables-healthy")
    cluster.replay.misdeeds.append(says.on(PODS, misdeed))
    with pytest.raises(CouldNotLook, match="does not answer like a Kubernetes API server"):
        connect(cluster)[0].get(PODS)


# --------------------------------------------------------------------------------------------------------- no way there


def test_nobody_listens(serve):
    cluster = serve("iptables-healthy")
    cluster.cluster["server"] = "https://127.0.0.1:1"
    with pytest.raises(CouldNotLook, match=r"127\.0\.0\.1:1 cannot be reached: connection refused"):
        connect(cluster)[0].get(PODS)


def test_an_unknown_authority(serve):
    cluster = serve("iptables-healthy")
    stranger = trustme.CA().cert_pem.bytes()
    cluster.cluster["certificate-authority-data"] = base64.b64encode(stranger).decode()
    with pytest.raises(CouldNotLook, match="not signed by the kubeconfig's CA"):
        connect(cluster)[0].get(PODS)


def test_another_name_and_tls_server_name(serve, authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("inner.example").configure_cert(context)
    cluster = serve("iptables-healthy", context)
    with pytest.raises(CouldNotLook, match="its certificate is for another name"):
        connect(cluster)[0].get(PODS)
    cluster.cluster["tls-server-name"] = "inner.example"
    assert connect(cluster)[0].get(PODS).status == 200


def test_insecure_skips_it_all_quietly(serve, recwarn):
    cluster = serve("iptables-healthy")
    del cluster.cluster["certificate-authority"]
    cluster.cluster["insecure-skip-tls-verify"] = True
    assert connect(cluster)[0].get(PODS).status == 200
    assert not recwarn.list


def test_plain_http_behind_an_https_url(serve):
    cluster = serve("iptables-healthy", None)
    cluster.cluster["server"] = cluster.replay.url.replace("http:", "https:")
    with pytest.raises(CouldNotLook, match="it speaks no TLS"):
        connect(cluster)[0].get(PODS)


def test_client_certificates(serve, authority, tmp_path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    cluster = serve("iptables-healthy", context)
    with pytest.raises((CouldNotLook, Silence)):
        connect(cluster)[0].get(PODS)
    mine = authority.issue_cert("jane@example.com")
    cluster.user["client-certificate-data"] = base64.b64encode(mine.cert_chain_pems[0].bytes()).decode()
    cluster.user["client-key-data"] = base64.b64encode(mine.private_key_pem.bytes()).decode()
    assert connect(cluster)[0].get(PODS).status == 200
    cluster.user["client-key-data"] = base64.b64encode(trustme.CA().private_key_pem.bytes()).decode()
    with pytest.raises(CouldNotLook, match="do not fit together"):
        connect(cluster)


def test_an_authority_that_is_no_certificate(serve):
    cluster = serve("iptables-healthy")
    cluster.cluster["certificate-authority-data"] = base64.b64encode(b"hello").decode()
    with pytest.raises(CouldNotLook, match="no PEM certificate"):
        connect(cluster)


def test_a_socks_proxy_needs_pysocks(serve, monkeypatch):
    cluster = serve("iptables-healthy")
    cluster.cluster["proxy-url"] = "socks5://127.0.0.1:1"
    monkeypatch.setitem(__import__("sys").modules, "socks", None)
    with pytest.raises(CouldNotLook) as error:
        connect(cluster)
    assert error.value.advice == "pip install 'svcdoctor[socks]'"


def test_a_dead_proxy(serve):
    cluster = serve("iptables-healthy")
    cluster.cluster["proxy-url"] = "http://127.0.0.1:1"
    with pytest.raises(CouldNotLook, match="the proxy in front of"):
        connect(cluster)[0].get(PODS)


def test_a_base_path(serve):
    cluster = serve("iptables-healthy")
    cluster.cluster["server"] = f"{cluster.replay.url}/k8s/clusters/c-1/"
    seen: list[str] = []

    def strip(handler: says.Handler) -> bool:
        seen.append(handler.path)
        handler.send(200, {"kind": "PodList", "items": []})
        return True

    cluster.replay.misdeeds.append(strip)
    connect(cluster)[0].get(PODS)
    assert seen == [f"/k8s/clusters/c-1/{PODS}"]


def test_no_key_is_left_behind(serve, authority, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "t"))
    (tmp_path / "t").mkdir()
    cluster = serve("iptables-healthy")
    mine = authority.issue_cert("jane@example.com")
    cluster.user["client-certificate-data"] = base64.b64encode(mine.cert_chain_pems[0].bytes()).decode()
    cluster.user["client-key-data"] = base64.b64encode(mine.private_key_pem.bytes()).decode()
    connect(cluster)[0].get(PODS)
    assert not list((tmp_path / "t").iterdir())
    shutil.rmtree(tmp_path / "t")


# ------------------------------------------------------------------------------------------------------------- timeouts


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5s", 5), ("1m30s", 90), ("10", 10), ("500ms", 0.5), (".5s", 0.5), ("0", None), ("0s", None), ("9" * 25, None)],
)
def test_request_timeout(text, seconds):
    assert parse_timeout(text).read == seconds


@pytest.mark.parametrize("text", ["", "soon", "-5s", "5x", "\u0665s", "5 s", "1e3"])
def test_no_length_of_time(text):
    with pytest.raises(UsageError, match="no length of time"):
        parse_timeout(text)
