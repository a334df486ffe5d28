"""kubeconfig as kubectl reads it."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from svcdoctor.collect.credentials import obtain
from svcdoctor.collect.kubeconfig import Options, load
from svcdoctor.errors import BadData, CouldNotLook, UsageError


def config(name: str, server: str = "", **user: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": f"ns-{name}"}}],
        "clusters": [{"name": name, "cluster": {"server": server or f"https://{name}.example:6443"}}],
        "users": [{"name": name, "user": user or {"token": f"token-{name}"}}],
    }


@pytest.fixture
def write(tmp_path):
    def write(name: str, content) -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
        return str(path)

    return write


def test_first_file_of_the_list_wins(write):
    first, second = config("a"), config("b")
    second["clusters"].append({"name": "a", "cluster": {"server": "https://wrong.example"}})
    environ = {"KUBECONFIG": f":{write('a', first)}:/nowhere/at/all:{write('empty', '')}:{write('b', second)}"}
    access = load(Options(), environ)
    assert (access.context, access.server, access.namespace) == ("a", "https://a.example:6443", "ns-a")
    other = load(Options(context="b"), environ)
    assert (other.context, other.server) == ("b", "https://b.example:6443")


def test_an_empty_first_file_is_passed_over(write):
    environ = {"KUBECONFIG": f"{write('empty', '')}:{write('a', config('a'))}"}
    assert load(Options(), environ).context == "a"


def test_home_is_the_default_and_kubeconfig_the_only_file(write, tmp_path):
    write(".kube/config", config("home"))
    only = Path(write("only", config("only")))
    environ = {"HOME": str(tmp_path)}
    assert load(Options(), environ).context == "home"
    environ["KUBECONFIG"] = write("listed", config("listed"))
    assert load(Options(kubeconfig=only), environ).context == "only"


def test_overrides(write):
    both = config("a")
    both["clusters"] += config("b")["clusters"]
    both["users"] += config("b")["users"]
    environ = {"KUBECONFIG": write("both", both)}
    access = load(Options(cluster="b", user="b", namespace="shop"), environ)
    assert (access.context, access.server, access.namespace) == ("a", "https://b.example:6443", "shop")
    assert obtain(access).authorization == "Bearer token-b"


def test_namespace_defaults(write):
    plain = config("a")
    del plain["contexts"][0]["context"]["namespace"]
    assert load(Options(), {"KUBECONFIG": write("a", plain)}).namespace == "default"


@pytest.mark.parametrize(
    ("options", "message", "advice"),
    [
        (Options(context="prd"), "the kubeconfig has no context called prd", "did you mean prod?"),
        (Options(context="zzzzzz"), "the kubeconfig has no context called zzzzzz", "there are: prod"),
        (Options(cluster="x"), "the kubeconfig has no cluster called x", "there are: prod"),
        (Options(user="prodd"), "the kubeconfig has no user called prodd", "did you mean prod?"),
    ],
)
def test_unknown_names(write, options, message, advice):
    with pytest.raises(CouldNotLook) as error:
        load(options, {"KUBECONFIG": write("a", config("prod"))})
    assert (error.value.message, error.value.advice) == (message, advice)


def test_no_current_context_names_the_choices(write):
    quiet = {**config("a"), "current-context": ""}
    with pytest.raises(UsageError) as error:
        load(Options(), {"KUBECONFIG": write("a", quiet)})
    assert error.value.advice == "choose one with --context; there are: a"


@pytest.mark.parametrize("text", ["{", "just words", "clusters: [{}]", "clusters: [{name: a, cluster: 7}]", "\x00"])
def test_broken_files_are_named(write, text):
    path = write("broken", text)
    with pytest.raises(BadData) as error:
        load(Options(), {"KUBECONFIG": path})
    assert path in str(error.value)


def test_missing_and_nothing(tmp_path):
    with pytest.raises(CouldNotLook, match="does not exist"):
        load(Options(kubeconfig=tmp_path / "gone"), {})
    with pytest.raises(CouldNotLook, match="no cluster is configured"):
        load(Options(), {"HOME": str(tmp_path)})


def test_relative_paths_start_at_their_file(write, tmp_path):
    write("here/ca.pem", "CERTIFICATE")
    write("here/token", "from-a-file\n")
    near = config("a", tokenFile="token", token="stale")
    near["clusters"][0]["cluster"]["certificate-authority"] = "ca.pem"
    access = load(Options(), {"KUBECONFIG": write("here/config", near)})
    assert access.cluster.authority == b"CERTIFICATE"
    assert obtain(access).authorization == "Bearer from-a-file"
    (tmp_path / "here" / "token").write_text("rotated")
    assert obtain(access).authorization == "Bearer rotated"


def test_data_wins_over_files_and_must_be_base64(write):
    good = config("a")
    good["clusters"][0]["cluster"]["certificate-authority-data"] = base64.b64encode(b"PEM").decode()
    assert load(Options(), {"KUBECONFIG": write("a", good)}).cluster.authority == b"PEM"
    good["clusters"][0]["cluster"]["certificate-authority-data"] = "%%%"
    with pytest.raises(BadData, match="not base64"):
        _ = load(Options(), {"KUBECONFIG": write("a", good)}).cluster.authority


def test_cluster_settings(write):
    special = config("a")
    special["clusters"][0]["cluster"] |= {
        "tls-server-name": "inner",
        "insecure-skip-tls-verify": True,
        "proxy-url": "http://proxy.example:3128",
        "disable-compression": True,
    }
    cluster = load(Options(), {"KUBECONFIG": write("a", special)}).cluster
    assert (cluster.tls_server_name, cluster.proxy_url) == ("inner", "http://proxy.example:3128")
    assert cluster.insecure_skip_tls_verify
    assert cluster.disable_compression


JANE: Any = {"as": "jane", "as-groups": ["dev", "ops"], "as-uid": "7"}
OIDC: Any = {"auth-provider": {"name": "oidc", "config": {"id-token": "idt"}}}
GCP: Any = {"auth-provider": {"name": "gcp"}}


def test_impersonation(write):
    mine = config("a", token="t", **JANE)
    environ = {"KUBECONFIG": write("a", mine)}
    assert load(Options(), environ).impersonate == (
        ("Impersonate-User", "jane"),
        ("Impersonate-Group", "dev"),
        ("Impersonate-Group", "ops"),
        ("Impersonate-Uid", "7"),
    )
    assert load(Options(as_user="bob", as_groups=("g",)), environ).impersonate == (
        ("Impersonate-User", "bob"),
        ("Impersonate-Group", "g"),
        ("Impersonate-Uid", "7"),
    )
    with pytest.raises(UsageError, match="can't be impersonated"):
        load(Options(as_user="x\n"), environ)
    with pytest.raises(UsageError, match="without a user"):
        load(Options(as_groups=("g",)), {"KUBECONFIG": write("b", config("b"))})


def test_password_and_old_providers(write):
    basic = load(Options(), {"KUBECONFIG": write("a", config("a", username="u", password="p"))})
    assert obtain(basic).authorization == "Basic dTpw"
    assert obtain(load(Options(), {"KUBECONFIG": write("o", config("o", **OIDC))})).authorization == "Bearer idt"
    gcp = load(Options(), {"KUBECONFIG": write("g", config("g", **GCP))})
    with pytest.raises(CouldNotLook, match="auth-provider gcp is not supported"):
        obtain(gcp)


def test_an_empty_token_file_is_no_anonymous_request(write):
    write("token", " \n")
    with pytest.raises(CouldNotLook, match="is empty"):
        obtain(load(Options(), {"KUBECONFIG": write("a", config("a", tokenFile="token"))}))


def test_a_static_token_wins_over_a_plugin(write):
    both = config("a", token="static", exec={"apiVersion": "x", "command": "/never/run"})
    assert obtain(load(Options(), {"KUBECONFIG": write("a", both)})).authorization == "Bearer static"


def test_no_credentials_over_plain_http(write):
    plain = config("a", server="http://a.example:8080", token="hush")
    assert obtain(load(Options(), {"KUBECONFIG": write("a", plain)})).authorization is None


def test_a_certificate_needs_its_key(write):
    half = config("a", **{"client-certificate-data": base64.b64encode(b"PEM").decode()})
    with pytest.raises(CouldNotLook, match="or its key is missing"):
        obtain(load(Options(), {"KUBECONFIG": write("a", half)}))


BAD_VALUES: tuple[Any, ...] = (
    *(7, [], {"a": 1}, True, ["x", 3], "\x1b[31m", "../.."),
    *("http://", "ftp://x", "http://a..b", "https://a:99999"),
)
LISTS, PARTS = ("clusters", "users", "contexts"), ("cluster", "user", "context")
PLACES = [
    *((kind, name) for kind in LISTS for name in ("", "name", *PARTS)),
    *(("cluster", key) for key in ("server", "certificate-authority", "proxy-url", "extensions", "tls-server-name")),
    *(("user", key) for key in ("token", "tokenFile", "exec", "as", "as-groups", "as-user-extra", "auth-provider")),
    *(("context", key) for key in ("cluster", "user", "namespace")),
    ("", "current-context"),
]


@pytest.mark.parametrize("bad", BAD_VALUES, ids=repr)
@pytest.mark.parametrize("place", PLACES, ids="-".join)
def test_odd_values_never_crash(write, place, bad):
    """One wrong value anywhere is told in a line, or taken where it is a possible one."""
    odd: Any = config("a")
    where, key = place
    parts = {part: odd[f"{part}s"][0][part] for part in PARTS}
    if not key:
        odd[where] = bad
    else:
        target = odd if not where else parts[where] if where in parts else odd[where][0]
        target[key] = bad
    try:
        obtain(load(Options(), {"KUBECONFIG": write("odd", odd)}))
    except (BadData, CouldNotLook, UsageError) as error:
        assert error.message


def test_secrets_never_show_in_a_repr(write):
    access = load(Options(), {"KUBECONFIG": write("a", config("a", token="hush"))})
    assert "hush" not in repr(access) + repr(obtain(access))


def test_in_cluster(tmp_path):
    (tmp_path / "token").write_text("mounted")
    (tmp_path / "namespace").write_text("shop")
    environ = {"HOME": str(tmp_path), "KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}
    access = load(Options(), environ, service_account=tmp_path)
    assert (access.context, access.server, access.namespace) == ("in-cluster", "https://[fd00::1]:443", "shop")
    assert obtain(access).authorization == "Bearer mounted"
    with pytest.raises(CouldNotLook, match="no service account token"):
        load(Options(), environ, service_account=tmp_path / "none")


# -------------------------------------------------------------------------------------------------------- exec plugins

V1 = "client.authentication.k8s.io/v1"


def plugin(write, tmp_path, script: str, **more):
    """Access through an exec plugin that is a shell script."""
    path = Path(write("plugin.sh", f"#!/bin/sh\n{script}\n"))
    path.chmod(0o755)
    entry = {"apiVersion": V1, "command": "./plugin.sh", "interactiveMode": "Never", **more}
    return load(Options(), {"KUBECONFIG": write("config", config("a", exec=entry))})


def credential(**status) -> str:
    return "echo '" + json.dumps({"apiVersion": V1, "kind": "ExecCredential", "status": status}) + "'"


def test_exec_plugin_token_and_environment(write, tmp_path):
    told = f'test "$GREETING" = hello || exit 9\necho "$KUBERNETES_EXEC_INFO" > {tmp_path}/info'
    script = f"{told}\n{credential(token='fresh')}"
    access = plugin(write, tmp_path, script, env=[{"name": "GREETING", "value": "hello"}], provideClusterInfo=True)
    assert obtain(access).authorization == "Bearer fresh"
    info = json.loads((tmp_path / "info").read_text())
    assert info["spec"] == {"interactive": False, "cluster": {"server": "https://a.example:6443"}}


def test_exec_plugin_certificate(write, tmp_path):
    access = plugin(write, tmp_path, credential(clientCertificateData="CERT", clientKeyData="KEY"))
    held = obtain(access)
    assert (held.authorization, held.certificate, held.key) == (None, b"CERT", b"KEY")


@pytest.mark.parametrize(
    ("script", "message", "advice"),
    [
        ("echo no session >&2; exit 3", "failed with exit code 3", "no session"),
        ("exit 1", "failed with exit code 1", "run it by hand"),
        ("echo hello", "printed no ExecCredential", "run it by hand"),
        ("echo '{}'", "printed no ExecCredential of", "run it by hand"),
        (credential(), "gave neither a token nor a certificate", "run it by hand"),
    ],
)
def test_exec_plugin_failures_are_errors(write, tmp_path, script, message, advice):
    with pytest.raises(CouldNotLook) as error:
        obtain(plugin(write, tmp_path, script))
    assert message in error.value.message
    assert advice in error.value.advice


def test_exec_plugin_that_is_not_there_shows_its_hint(write, tmp_path):
    entry = {"apiVersion": V1, "command": "no-such-plugin-anywhere", "installHint": "brew install it"}
    access = load(Options(), {"KUBECONFIG": write("config", config("a", exec=entry))})
    with pytest.raises(CouldNotLook) as error:
        obtain(access)
    assert error.value.advice == "brew install it"


def test_exec_plugin_of_an_old_version(write, tmp_path):
    with pytest.raises(CouldNotLook, match="v1alpha1"):
        obtain(plugin(write, tmp_path, "true", apiVersion="client.authentication.k8s.io/v1alpha1"))


def test_exec_plugin_that_needs_a_terminal(write, tmp_path):
    with pytest.raises(CouldNotLook, match="needs a terminal"):
        obtain(plugin(write, tmp_path, "true", interactiveMode="Always"))
