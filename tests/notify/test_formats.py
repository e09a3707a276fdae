"""Each kind of channel gets what its vendor asks for, signed as the vendor checks it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from urllib.parse import parse_qs, urlsplit

import pytest

from notify import deliver
from tests.notify import cast
from tests.notify.receivers import http_receiver

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("loopback")]

HOSTILE = "[x](http://evil) <!channel> <@all> *b*"
ROBOTS = ("dingtalk", "feishu", "wecom")


def sent(kind, notices=None, answer=(200, {}, b'{"errcode":0,"code":0}'), **fields):
    """What a receiver got of one delivery, and the delivery."""
    with http_receiver(answer) as receiver:
        to = cast.channel(kind, url=fields.pop("url", receiver.url), **fields)
        made = cast.delivery(to, notices=notices or [cast.notice()])
        deliver.deliver(made.pk)
    made.refresh_from_db()
    return receiver.got[0], made


def hmac_sha256(key: bytes, text: bytes) -> str:
    return base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()


def test_a_webhook_is_signed_over_id_time_and_body():
    got, made = sent("webhook", secret="whsec_c2VjcmV0LW9mLXRoZS13ZWJob29r")
    stamp = got.headers["webhook-timestamp"]
    signed = f"{made.message_id}.{stamp}.".encode() + got.body
    key = base64.b64decode("c2VjcmV0LW9mLXRoZS13ZWJob29r")
    expected = hmac_sha256(key, signed)
    assert got.headers["webhook-signature"] == f"v1,{expected}"
    assert abs(int(stamp) - time.time()) < 60


def test_a_plain_secret_of_a_webhook_is_the_key_itself():
    got, made = sent("webhook", secret="a plain secret of length")
    signed = f"{made.message_id}.{got.headers['webhook-timestamp']}.".encode() + got.body
    expected = hmac_sha256(b"a plain secret of length", signed)
    assert got.headers["webhook-signature"] == f"v1,{expected}"


def test_a_webhook_carries_the_notices_as_data():
    got, made = sent("webhook")
    assert (got.json["type"], got.json["id"]) == ("whalefall.notification", str(made.message_id))
    (notice,) = got.json["notices"]
    assert notice["kind"] == "job_failed"
    assert notice["data"] == {"job": "job_1", "error": "out of disk"}
    assert (notice["title"], notice["severity"]) == ("Job job_1 failed", "high")


def test_dingtalk_gets_markdown_and_a_signed_address():
    got, _made = sent("dingtalk", secret="SECabc")
    query = parse_qs(urlsplit(got.path).query)
    (stamp,) = query["timestamp"]
    assert query["sign"] == [hmac_sha256(b"SECabc", f"{stamp}\nSECabc".encode())]
    assert abs(int(stamp) / 1000 - time.time()) < 60
    assert got.json["msgtype"] == "markdown"
    assert got.json["markdown"]["title"] == "Job job_1 failed"


def test_dingtalk_without_a_secret_is_not_signed():
    got, _made = sent("dingtalk", secret="")
    assert urlsplit(got.path).query == ""


def test_feishu_gets_a_post_with_the_signature_in_its_body():
    got, _made = sent("feishu", secret="feishu-secret")
    stamp = got.json["timestamp"]
    assert got.json["sign"] == hmac_sha256(f"{stamp}\nfeishu-secret".encode(), b"")
    assert abs(int(stamp) - time.time()) < 60
    assert got.json["msg_type"] == "post"
    (line,) = got.json["content"]["post"]["zh_cn"]["content"]
    assert line[0] == {"tag": "text", "text": "Job job_1 failed: out of disk "}


def test_wecom_gets_markdown():
    got, _made = sent("wecom", secret="")
    assert got.json["msgtype"] == "markdown"
    assert got.json["markdown"]["content"].startswith("**Job job_1 failed**\n\n<font ")


def test_slack_gets_text():
    got, _made = sent("slack", secret="")
    assert got.json["text"] == "*Job job_1 failed*\n\n• Job job_1 failed\nout of disk"


@pytest.mark.parametrize("kind", ["dingtalk", "wecom"])
def test_a_name_from_a_server_becomes_no_link_and_calls_nobody(kind):
    got, _made = sent(kind, [cast.notice(job=HOSTILE)], secret="")
    text = got.body.decode()
    for evil in ("](http://evil", "<!channel>", "<@all>"):
        assert evil not in text


def test_a_name_from_a_server_calls_nobody_in_slack():
    got, _made = sent("slack", [cast.notice(job=HOSTILE)], secret="")
    assert "&lt;!channel&gt; &lt;@all&gt;" in got.json["text"]
    assert "<" not in got.json["text"]


@pytest.mark.parametrize("kind", ROBOTS)
def test_a_robot_that_answers_200_with_a_code_did_not_take_it(kind):
    body = b'{"errcode":310000,"code":19021,"errmsg":"sign not match","msg":"sign match fail"}'
    _got, made = sent(kind, answer=(200, {}, body), secret="")
    assert made.status == "failed"
    assert made.last_error.startswith("The robot refused it: {")


@pytest.mark.parametrize(("kind", "code"), [("dingtalk", 130101), ("wecom", 45009)])
def test_a_robot_that_has_too_many_messages_is_tried_again_later(kind, code):
    body = f'{{"errcode":{code},"errmsg":"too fast"}}'.encode()
    _got, made = sent(kind, answer=(200, {}, body), secret="")
    assert made.status == "waiting"


@pytest.mark.parametrize("kind", ROBOTS)
def test_a_robot_that_answers_no_json_is_tried_again_later(kind):
    _got, made = sent(kind, answer=(200, {}, b"<html>proxy</html>"), secret="")
    assert made.status == "waiting"


@pytest.mark.parametrize(
    ("kind", "most"), [("dingtalk", 20_000), ("wecom", 4_096), ("slack", 40_000)]
)
def test_a_long_message_is_cut_to_what_the_vendor_takes(kind, most):
    notices = [cast.notice(number, error="磁盘满了 " * 40) for number in range(200)]
    got, made = sent(kind, notices, secret="")
    assert made.status == "sent"
    body = got.json
    text = body.get("text") or body["markdown"].get("text") or body["markdown"]["content"]
    assert len(text.encode()) <= most
    assert " more." in text.splitlines()[-1]


def test_a_feishu_message_stays_below_20_kilobytes():
    notices = [cast.notice(number, error="磁盘满了 " * 100) for number in range(200)]
    got, _made = sent("feishu", notices, secret="")
    assert len(got.body) < 20_000 * 2
    last = got.json["content"]["post"]["zh_cn"]["content"][-1]
    assert last == [{"tag": "text", "text": "… and 160 more."}]


def test_the_words_are_in_the_language_of_the_channel():
    got, _made = sent("slack", language="zh-hans", secret="")
    assert got.json["text"]


def test_links_lead_to_the_console_where_its_address_is_known(settings):
    settings.PUBLIC_URL = "https://whalefall.example.org/"
    notice = cast.notice(page=["instances_instance", 7])
    got, _made = sent("webhook", [notice])
    url = "https://whalefall.example.org/admin/instances/instance/7/change/"
    assert got.json["notices"][0]["url"] == url
