"""The walks of a person who reads Chinese: the first run, a rule, a failed session, access, an
account.
"""

import pytest
from playwright.sync_api import expect

from classification.models import AccountClassification
from tests.admin import fleet
from whalefall.models import User

pytestmark = pytest.mark.xdist_group("browser")
ACCOUNTS = "/admin/accounts/instanceaccount/"


@pytest.fixture
def chinese(page):
    User.objects.update(language="zh-hans")
    return page


@pytest.fixture
def accounts(chinese):
    return fleet.store(fleet.instance("orders-db"), fleet.orders())


def test_the_language_is_chosen_in_the_menu_of_the_person(page):
    page.goto("/admin/")
    page.get_by_text("administrator", exact=True).click()
    page.get_by_role("button", name="简体中文").click()
    expect(page.get_by_role("link", name="谁有权访问")).to_be_visible()
    assert page.locator("html").get_attribute("lang") == "zh-hans"


def test_the_first_run(chinese):
    chinese.goto("/admin/instances/instance/")
    chinese.get_by_role("link", name="添加服务器").click()
    chinese.get_by_label("名称*").fill("orders-db")
    chinese.get_by_label("主机", exact=False).first.fill("127.0.0.1")
    chinese.get_by_label("端口").fill("1")
    chinese.get_by_label("密码").fill("anything")
    chinese.get_by_role("button", name="测试、保存并读取其账户").click()
    expect(chinese.get_by_text("服务器拒绝了连接：尚未保存任何内容")).to_be_visible()
    chinese.get_by_label("密码").fill("anything")
    chinese.get_by_role("button", name="不测试直接保存").click()
    expect(chinese.get_by_text("尚未读取。")).to_be_visible()
    chinese.get_by_role("button", name="立即读取").click()
    expect(chinese.get_by_text("未能读取", exact=True)).to_be_visible()


def test_a_rule_is_built(chinese, accounts):
    AccountClassification.objects.create(name="dba", display_name="House DBA", priority=999)
    chinese.goto("/admin/classification/classificationrule/add/")
    chinese.locator("#id_db_type").select_option("postgresql")
    builder = chinese.get_by_role("region", name="表达式编辑器")
    builder.get_by_role("button", name="添加条件").click()
    row = builder.get_by_role("group", name="条件")
    row.get_by_label("询问内容").select_option("is_superuser")
    expect(chinese.locator("#wf-rule-checked")).to_contain_text("是超级用户")
    expect(chinese.locator("#wf-rule-checked")).to_contain_text("个账户匹配")


def test_a_session_with_failures(chinese, accounts):
    session = fleet.session(fleet.instance("stock-db"), status="running")
    session.records.update(status="failed", error_message="stock-db: no route to host")
    session.settle()
    chinese.goto(f"/admin/sync/syncsession/{session.pk}/change/")
    expect(chinese.get_by_role("heading", name="出错原因")).to_be_visible()
    chinese.get_by_text("重试失败项").first.click()
    chinese.get_by_role("button", name="重试失败项").click()
    chinese.wait_for_url(lambda url: f"/{session.pk}/" not in url)


def test_who_has_access(chinese, accounts):
    chinese.goto(f"{ACCOUNTS}access/")
    chinese.get_by_label("权限").fill("delete")
    chinese.get_by_label("对象", exact=True).fill("shop.orders")
    chinese.get_by_role("button", name="搜索", exact=True).click()
    expect(chinese.get_by_text("4 个账户拥有")).to_be_visible()


def test_an_account(chinese, accounts):
    chinese.goto(f"{ACCOUNTS}{accounts['app_rw'].pk}/change/")
    expect(chinese.get_by_role("heading", name="有效权限")).to_be_visible()
    expect(chinese.get_by_role("heading", name="风险及原因")).to_be_visible()
    chinese.get_by_text("每条规则对该账户的判定").first.click()
