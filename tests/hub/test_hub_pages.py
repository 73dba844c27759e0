"""The hub's own pages: our words, two languages, nothing that runs or leads elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests
from hub.live_hub import PASSWORD, LiveHub, Visitor, xsrf_of
from hub.portal_hub import PORTAL, known, origin, own_xsrf, page, press

from kamp_lib.tenancy import open_registry
from kamp_lib.tenancy.registry import Registry

pytestmark = pytest.mark.e2e
RUN = "20261120-010203-injection-quality-aaaaaa"


@pytest.fixture
def registry(portal_hub: LiveHub) -> Iterator[Registry]:
    url = f"sqlite:///{portal_hub.home / 'platform.db'}"
    found = open_registry(url, home=portal_hub.home)
    yield found
    found.close()


def try_to_sign_in(visitor: Visitor, name: str, password: str) -> requests.Response:
    shown = visitor.get("/hub/login")
    form = {"username": name, "password": password, "_xsrf": xsrf_of(shown.text)}
    return visitor.post("/hub/login", data=form)


# the sign-in


def test_the_sign_in_is_korean_and_english_when_asked(portal_hub: LiveHub) -> None:
    stranger = portal_hub.visitor()
    assert "비밀번호" in stranger.get("/hub/login").text
    assert "Enter the name and password" in stranger.get("/hub/login?lang=en").text
    assert "Enter the name and password" in stranger.get("/hub/login").text


def test_signing_in_leads_to_the_portal(portal_hub: LiveHub) -> None:
    answer = try_to_sign_in(portal_hub.visitor(), "ann", PASSWORD)
    assert answer.url == origin(portal_hub) + PORTAL
    assert "Ann 님, 안녕하세요" in answer.text


def test_the_choice_of_language_goes_along_to_the_portal(portal_hub: LiveHub) -> None:
    stranger = portal_hub.visitor()
    stranger.get("/hub/login?lang=en")
    assert "Hello, Ann" in try_to_sign_in(stranger, "ann", PASSWORD).text


@pytest.mark.parametrize(
    ("lang", "said"), [("ko", "비밀번호가 맞지 않습니다"), ("en", "password is wrong")]
)
def test_a_wrong_password_is_said_in_the_readers_language(
    lang: str, said: str, portal_hub: LiveHub
) -> None:
    stranger = portal_hub.visitor()
    stranger.get(f"/hub/login?lang={lang}")
    answer = try_to_sign_in(stranger, f"wrong-{lang}", "not the password")
    assert answer.status_code == 403
    assert said in answer.text


def test_a_lock_out_says_when_to_come_back(portal_hub: LiveHub) -> None:
    stranger = portal_hub.visitor()
    answers = [try_to_sign_in(stranger, "locked-out", "x" * 12) for _ in range(7)]
    assert re.search(r"[0-9]{2}:[0-9]{2} 이후", answers[-1].text), answers[-1].text
    assert "로그인" in answers[-1].text


def test_a_form_that_is_too_old_is_offered_again(portal_hub: LiveHub) -> None:
    stranger = portal_hub.visitor()
    form = {"username": "ann", "password": PASSWORD, "_xsrf": "old"}
    answer = stranger.post("/hub/login", data=form)
    assert "로그인 화면이 오래되었습니다" in answer.text


@pytest.mark.parametrize(
    "there", ["//evil.example/", "https://evil.example", "/\\evil"]
)
def test_signing_in_never_leads_elsewhere(there: str, portal_hub: LiveHub) -> None:
    stranger = portal_hub.visitor()
    shown = stranger.get("/hub/login", params={"next": there})
    form = {"username": "ann", "password": PASSWORD, "_xsrf": xsrf_of(shown.text)}
    answer = stranger.post(
        "/hub/login", params={"next": there}, data=form, allow_redirects=False
    )
    assert "evil" not in answer.headers["Location"].replace("/%5Cevil", "")


def test_what_is_typed_comes_back_as_text(portal_hub: LiveHub) -> None:
    evil = '"><script>alert(1)</script>'
    answer = try_to_sign_in(portal_hub.visitor(), evil, evil)
    assert "<script>alert" not in answer.text
    shown = portal_hub.visitor().get(
        "/hub/login", params={"username": evil, "next": evil}
    )
    assert "<script>alert" not in shown.text


def test_a_first_password_has_to_be_changed(
    portal_hub: LiveHub, registry: Registry
) -> None:
    first = registry.add_person("fay", "Fay")
    fay = portal_hub.visitor()
    shown = try_to_sign_in(fay, "fay", first)
    assert "처음 받은 비밀번호는 한 번만" in shown.text
    form = {
        "name": "fay",
        "old": first,
        "new": "short",
        "again": "short",
        "_xsrf": xsrf_of(shown.text),
    }
    refused = fay.post("/hub/password", data=form)
    assert "10자 이상" in refused.text
    own = "a lathe, a mill and a press"
    answer = fay.post("/hub/password", data=form | {"new": own, "again": own})
    assert answer.url == origin(portal_hub) + PORTAL


# other pages


def test_the_home_page_leads_to_the_portal(portal_hub: LiveHub) -> None:
    shown = portal_hub.visitor("ann").get("/hub/home").text
    assert (
        f'http-equiv="refresh" content="0; url={origin(portal_hub)}{PORTAL}"' in shown
    )


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/hub/nothing", "찾는 화면이 없거나"),
        ("/hub/user/bolt/report/", "찾는 화면이 없거나"),
        ("/hub/admin", "찾는 화면이 없거나|권한이 없습니다"),
        ("/hub/accept-share?code=none", "찾는 화면이 없거나"),
    ],
)
def test_an_error_is_a_sentence_with_a_way_out(
    path: str, said: str, portal_hub: LiveHub
) -> None:
    shown = known(portal_hub, "mina").get(path).text
    assert re.search(said, shown)
    assert f'href="{origin(portal_hub)}{PORTAL}"' in shown


def test_an_address_is_not_repeated_as_markup(portal_hub: LiveHub) -> None:
    shown = portal_hub.visitor("ann").get("/hub/<svg onload=alert(1)>?lang=<svg>").text
    assert "<svg" not in shown


def test_opening_a_server_says_in_plain_words_what_it_learns(
    portal_hub: LiveHub,
) -> None:
    mina = known(portal_hub, "mina")
    press(mina, "start", company="acme", server="report")
    assert '"ready": true' in page(mina, "progress/acme/report").text
    shown = mina.get(f"{portal_hub.of('acme')}/user/acme/report/")
    assert "하늘몰드의 보고서를 여는 데 이름을 알려 줍니다." in shown.text
    assert "아이디(mina)만 전달됩니다" in shown.text
    olga = known(portal_hub, "olga")
    form = {"company": "acme", "server": "report", "_xsrf": own_xsrf(olga)}
    olga.post(origin(portal_hub) + PORTAL + "stop", data=form)


def test_a_server_that_is_off_is_started_from_the_portal(portal_hub: LiveHub) -> None:
    """A bookmark of a report whose server has been switched off in the meantime."""
    mina = known(portal_hub, "mina")
    path = f"/user/acme/report/report/acme/{RUN}?lang=ko"
    shown = mina.get(portal_hub.of("acme") + path)
    assert shown.status_code == 424
    there = f"{origin(portal_hub)}{PORTAL}open/acme/report?run={RUN}"
    assert f'content="0; url={there}"' in shown.text
    assert f'name="run" value="{RUN}"' in mina.get(there).text


@contextmanager
def slow(hub: LiveHub) -> Iterator[None]:
    flag = hub.home / "slow"
    flag.touch()
    try:
        yield
    finally:
        flag.unlink()


def test_the_hubs_own_waiting_page_is_in_plain_words(portal_hub: LiveHub) -> None:
    ann = portal_hub.visitor("ann")
    with slow(portal_hub):
        ann.get("/hub/spawn/acme/ann", allow_redirects=False)
        waiting = ann.get("/hub/spawn-pending/acme/ann", allow_redirects=False).text
    assert "하늘몰드 작업공간을 여는 중입니다" in waiting
    assert 'data-progress="/hub/api/users/acme/servers/ann/progress?_xsrf=' in waiting
    assert '"ready": true' in page(ann, "progress/acme/ann").text
    press(ann, "stop", company="acme", server="ann")


def test_an_invitation_says_what_it_opens(portal_hub: LiveHub) -> None:
    carl = portal_hub.visitor("carl")
    press(carl, "start", company="acme", server="report")
    assert '"ready": true' in page(carl, "progress/acme/report").text
    code = carl.api("POST", "/share-codes/acme/report", json={}).json()["code"]
    guest = portal_hub.visitor("nobody")
    shown = guest.get("/hub/accept-share", params={"code": code})
    assert "하늘몰드에서 보고서를 함께 보도록 초대했습니다." in shown.text
    assert "하늘몰드의 보고서 보기" in shown.text
    form = {"_xsrf": xsrf_of(shown.text), "code": code}
    taken = guest.post("/hub/accept-share", data=form, allow_redirects=False)
    assert taken.headers["Location"].startswith("/user/acme/report/")
    olga = known(portal_hub, "olga")
    press_stop = {"company": "acme", "server": "report", "_xsrf": own_xsrf(olga)}
    olga.post(origin(portal_hub) + PORTAL + "stop", data=press_stop)


def test_the_operators_page_has_our_frame(portal_hub: LiveHub) -> None:
    shown = known(portal_hub, "olga").get("/hub/admin").text
    assert 'id="react-admin-hook"' in shown
    assert 'data-base-url="/hub/"' in shown


PAGES = ["login", "home", "token", "password", "nothing", "admin", "logout"]


@pytest.mark.parametrize("name", PAGES)
def test_nothing_on_a_page_runs_or_comes_from_elsewhere(
    name: str, portal_hub: LiveHub
) -> None:
    visitor = portal_hub.visitor("olga" if name != "login" else None)
    shown = visitor.get(f"/hub/{name}").text
    assert not re.search(r"<script(?![^>]*\ssrc=)[^>]*>", shown)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=", shown)
    for link in re.findall(r'(?:src|href)="([^"]+)"', shown):
        assert re.match(
            rf"/(?!/)|data:,|#|http://[\w.-]*kamp.localhost:{portal_hub.port}/", link
        )
    (policy,) = re.findall(
        r'http-equiv="Content-Security-Policy" content="([^"]+)"', shown
    )
    assert policy.startswith("default-src &#39;none&#39;; script-src &#39;self&#39;;")


def test_no_other_page_can_frame_the_sign_in(portal_hub: LiveHub) -> None:
    answer = portal_hub.visitor().get("/hub/login")
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


def test_the_files_of_the_pages_are_open_to_everybody_and_kept(
    portal_hub: LiveHub,
) -> None:
    stranger = portal_hub.visitor()
    shown = stranger.get("/hub/login").text
    (sheet,) = re.findall(r'rel="stylesheet" href="([^"]+)"', shown)
    answer = stranger.get(sheet)
    assert answer.headers["Content-Type"].startswith("text/css")
    assert "immutable" in answer.headers["Cache-Control"]
    font = "/hub/kamp/Pretendard-Regular.subset.woff"
    assert stranger.get(font).content[:4] == b"wOFF"
    assert stranger.get("/hub/kamp/..%2fwords.yaml").status_code == 404
