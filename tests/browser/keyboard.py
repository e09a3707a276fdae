"""A person without a mouse: Tab until the thing is reached, and see where one is."""

FOCUSED = """() => {
  const on = document.activeElement, style = getComputedStyle(on), box = on.getBoundingClientRect();
  const label = on.labels?.[0]?.innerText ?? on.getAttribute('aria-label');
  const ring = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
  return {
    tag: on.tagName, id: on.id, value: on.value ?? '', type: on.type ?? '',
    name: (label ?? on.innerText ?? on.value ?? '').replace(/\\s+/g, ' ').trim(),
    shown: ring || style.boxShadow !== 'none',
    visible: box.width > 0 && box.height > 0,
    inside: !!on.closest('#modal-content'),
    sheet: !!on.closest('#changelist-filter'),
  };
}"""
MOST = 150
"""So many presses of Tab at most: what takes more is not reached by anybody."""


def focused(page):
    return page.evaluate(FOCUSED)


def check_is_seen(found):
    """What has the focus is on the page, and shows that it has it."""
    assert found["tag"] != "BODY", "the focus is nowhere"
    assert found["visible"], found
    assert found["shown"], f"nobody sees that {found['name'] or found['id']} has the focus"


def walk_to(page, name):
    """Press Tab until what is called so has the focus; everything on the way must be seen."""
    seen = []
    for _press in range(MOST):
        page.keyboard.press("Tab")
        found = focused(page)
        if found["tag"] == "BODY":  # past the last one, round the browser's own
            continue
        check_is_seen(found)
        if name in (found["name"], found["id"]):
            return found
        seen.append(found["name"] or found["id"])
    raise AssertionError(f"{name} is not reached by Tab; on the way: {seen}")
