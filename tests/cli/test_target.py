"""What a user may call a Service, and a client."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcdoctor.cli.target import Asked, parse, parse_client
from svcdoctor.errors import UsageError
from svcdoctor.model.diagnosis import Subject, Target


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("web", Asked("web", None, None)),
        ("svc/web", Asked("web", None, None)),
        ("service/web", Asked("web", None, None)),
        ("services/web", Asked("web", None, None)),
        ("web.shop", Asked("web", "shop", None)),
        ("web.shop.", Asked("web", "shop", None)),
        ("svc/web.shop", Asked("web", "shop", None)),
        ("web.shop.svc", Asked("web", "shop", None)),
        ("web.shop.svc.cluster.local", Asked("web", "shop", None)),
        ("web.shop.svc.cluster.local.", Asked("web", "shop", None)),
        ("web.shop.svc.k8s.example.com", Asked("web", "shop", None)),
        ("web:80", Asked("web", None, "80")),
        ("svc/web:http", Asked("web", None, "http")),
        ("web.shop.svc:8443", Asked("web", "shop", "8443")),
        ("http://web", Asked("web", None, "80")),
        ("https://web.shop", Asked("web", "shop", "443")),
        ("http://web.shop:8080/path?q=1#top", Asked("web", "shop", "8080")),
        ("HTTP://user:secret@web.shop.svc.cluster.local:8080/", Asked("web", "shop", "8080")),
    ],
)
def test_forms(text, asked):
    assert parse(text, None) == asked


def test_the_option_names_the_namespace_where_the_name_does_not():
    assert parse("web", "shop") == Asked("web", "shop", None)
    assert parse("web.shop", "shop") == Asked("web", "shop", None)


@pytest.mark.parametrize(
    ("text", "namespace", "message", "advice"),
    [
        ("web.shop", "lab", "web.shop lies in namespace shop, but -n says lab", "leave one of them out"),
        ("Web", None, "Web can't be the name of a Service: Kubernetes names are lower case", "try web"),
        ("web", "Shop", "Shop can't be the name of a namespace: Kubernetes names are lower case", "try shop"),
        ("web", "", "nothing can't be the name of a namespace", "names hold a-z, 0-9 and -"),
        ("", None, "nothing can't be the name of a Service", "names hold a-z, 0-9 and -"),
        ("we_b", None, "we_b can't be the name of a Service", "names hold a-z, 0-9 and -"),
        ("web\n", None, "web\n can't be the name of a Service", "names hold a-z, 0-9 and -"),
        ("x" * 64, None, f"{'x' * 64} can't be the name of a Service", "names hold a-z, 0-9 and -"),
        ("shop/web", None, "shop/web is no Service", "for a Service in another namespace: web -n shop"),
        ("web:99999", None, "99999 is no port", "a port is a number from 1 to 65535, or a name"),
        ("web:0", None, "0 is no port", "a port is a number from 1 to 65535, or a name"),
        ("web:", None, "nothing is no port", "a port is a number from 1 to 65535, or a name"),
        (
            "web-0.web.shop.svc.cluster.local",
            None,
            "web-0.web.shop.svc.cluster.local is not the name of a Service",
            "for the Service that names that pod: web.shop",
        ),
    ],
)
def test_what_is_no_service_gets_one_clear_line(text, namespace, message, advice):
    with pytest.raises(UsageError) as caught:
        parse(text, namespace)
    assert (caught.value.message, caught.value.advice) == (message, advice)


@pytest.mark.parametrize(
    "text",
    ["10.96.0.1", "10.96.0.1:80", "fd00::1", "[fd00::1]:80", "http://10.96.0.1/", "http://[fd00::1]:80/"],
)
def test_an_address_names_no_service(text):
    with pytest.raises(UsageError, match=r"is an address, not the name of a Service"):
        parse(text, None)


@pytest.mark.parametrize("text", ["ftp://web", "http://", "http://[", "http://web:port", "http://web:70000", "://"])
def test_urls_that_lead_to_no_service(text):
    with pytest.raises(UsageError):
        parse(text, None)


@given(st.text() | st.from_regex(r"(https?://)?[a-zA-Z.:/\[\]0-9@-]*", fullmatch=True))
def test_any_text_is_a_service_or_a_usage_error(text):
    try:
        asked = parse(text, None)
    except UsageError as error:
        assert "\n" not in error.advice
    else:
        assert asked.name
        assert asked.name in text.lower()


@pytest.mark.parametrize(
    ("text", "client"),
    [
        ("curl", Subject("Pod", "shop", "curl")),
        ("lab/curl", Subject("Pod", "lab", "curl")),
        ("lab/curl.v2", Subject("Pod", "lab", "curl.v2")),
        ("node/n1.example.com", Subject("Node", "", "n1.example.com")),
    ],
)
def test_clients(text, client):
    assert parse_client(text, "shop") == client


@pytest.mark.parametrize("text", ["", "/", "lab/", "/curl", "a/b/c", "node/", "lab/Curl", "Lab/curl"])
def test_what_is_no_client(text):
    with pytest.raises(UsageError):
        parse_client(text, "shop")


def test_a_target_takes_the_default_namespace_where_none_was_named():
    assert Asked("web", None, "80").target("shop", None) == Target("shop", "web", "80")
    assert Asked("web", "lab", None).target("shop", None) == Target("lab", "web")
    seen = Asked("web", "lab", None).target("shop", "curl")
    assert seen.client == Subject("Pod", "lab", "curl")
