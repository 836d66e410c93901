"""How somebody works a page: with a mouse, a keyboard alone, or a finger. Controls are found by what they are called.

What lives here: ``Hand`` and its three kinds. What does not: what is done with them (the journeys).

Each act counts as one: a press, a tick, a choice, a field that is filled in.
"""

from typing import Any, Literal

from playwright.sync_api import Locator, Page, expect

Role = Literal["button", "link", "checkbox", "radio", "combobox", "textbox"]
MOST_TABS = 250
FINGER = 44
_WHERE = """element => {
  const at = document.activeElement;
  if (at !== element) {
    return element.type === "radio" && at.type === "radio" && at.name === element.name && at.form === element.form
      ? "group" : "no";
  }
  const drawn = getComputedStyle(at), box = at.getBoundingClientRect();
  const ringed = at.matches(":focus-visible") && drawn.outlineStyle !== "none" && parseFloat(drawn.outlineWidth) >= 2;
  const inside = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  return ringed && inside ? "here" : "unseen";
}"""


class Hand:
    """A mouse, and what is common to all.

    Args:
        page: the tab it works.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.acts = 0

    def find(self, role: Role, name: Any, within: str = "") -> Locator:
        """Gives the one control of a name; ``within``: the legend of its group."""
        place: Any = self.page.locator("main")
        if within:
            place = place.get_by_role("group", name=within, exact=True)
        found: Locator = place.get_by_role(role, name=name, exact=isinstance(name, str))
        expect(found).to_have_count(1)
        return found

    def press(self, role: Role, name: Any, within: str = "") -> None:
        """Presses a button or follows a link, and waits for the page it leads to."""
        self.press_at(self.find(role, name, within))

    def press_at(self, control: Locator) -> None:
        """Presses what was found already."""
        self.acts += 1
        with self.page.expect_navigation():
            self._press(control)

    def tick(self, name: Any, within: str = "") -> None:
        """Ticks a box."""
        self.acts += 1
        box = self.find("checkbox", name, within)
        self._tick(box)
        expect(box).to_be_checked()

    def pick(self, name: Any, within: str = "") -> None:
        """Picks one of several."""
        self.acts += 1
        radio = self.find("radio", name, within)
        self._pick(radio)
        expect(radio).to_be_checked()

    def choose(self, label: str, value: str) -> None:
        """Chooses a value of a list."""
        self.acts += 1
        self._choose(self.find("combobox", label), value)

    def write(self, label: str, words: str) -> None:
        """Fills in a field."""
        self.acts += 1
        self.write_at(self.find("textbox", label), words)

    def write_at(self, field: Locator, words: str) -> None:
        """Fills in what was found already."""
        self._press(field)
        self.page.keyboard.type(words)
        expect(field).to_have_value(words)

    def _press(self, control: Locator) -> None:
        control.click()

    def _tick(self, box: Locator) -> None:
        self._press(box)

    def _pick(self, radio: Locator) -> None:
        self._press(radio)

    def _choose(self, field: Locator, value: str) -> None:
        field.select_option(value)


class Finger(Hand):
    """A finger on a telephone. What it touches must be large enough for one: 44 pixels high."""

    def _press(self, control: Locator) -> None:
        kind = control.evaluate("one => one.tagName === 'INPUT' ? one.type : one.tagName.toLowerCase()")
        if kind in ("radio", "checkbox"):
            control = self.page.locator(f"label[for='{control.get_attribute('id')}']")
        box = control.bounding_box()
        assert box
        is_in_text = kind == "a" and "button" not in (control.get_attribute("class") or "")
        assert is_in_text or box["height"] >= FINGER, f"{control}: {box}"
        control.tap()


class Keys(Hand):
    """A keyboard, and no mouse: Tab, Space, Enter, arrows, letters."""

    def reach(self, control: Locator) -> None:
        """Tabs on until the control has the focus; it must be seen that it has.

        Raises:
            AssertionError: the control cannot be reached, or nobody sees that it was.
        """
        for _ in range(MOST_TABS):
            found = control.evaluate(_WHERE)
            if found == "group":
                self._arrow_to(control)
                return
            if found != "no":
                assert found == "here", f"the focus on {control} is not seen"
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"{control} is not reached with Tab")

    def _arrow_to(self, radio: Locator) -> None:
        for _ in range(30):
            self.page.keyboard.press("ArrowDown")
            if radio.evaluate(_WHERE) == "here":
                return
        raise AssertionError(f"{radio} is not reached with arrows")

    def _press(self, control: Locator) -> None:
        self.reach(control)
        if control.evaluate("one => one.tagName === 'A' || one.tagName === 'BUTTON'"):
            self.page.keyboard.press("Enter")

    def _tick(self, box: Locator) -> None:
        self.reach(box)
        self.page.keyboard.press("Space")

    def _pick(self, radio: Locator) -> None:
        self.reach(radio)
        if not radio.is_checked():
            self.page.keyboard.press("Space")

    def _choose(self, field: Locator, value: str) -> None:
        self.reach(field)
        for _ in range(field.locator("option").count()):
            if field.input_value() == value:
                break
            self.page.keyboard.press("ArrowDown")
        expect(field).to_have_value(value)
