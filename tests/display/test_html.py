"""Tables as HTML."""

from __future__ import annotations

from xml.etree import ElementTree

from connectordb import DatapointArray
from connectordb.display import Sheet, to_html

from ..support.case import Case


class Html(Case):
    """What a notebook is given."""

    def test_escaped(self) -> None:
        """Nothing of a value, a name or a title is taken for markup."""
        evil = '<script>alert("x")</script>&'
        html = to_html(Sheet(evil, (evil,), ((evil,),), evil))
        self.assertEqual("".join(ElementTree.fromstring(html).itertext()), 4 * evil)
        self.assertNotIn("<script", html)

    def test_wrapping(self) -> None:
        """A time stays in one line, a long text may take several."""
        html = to_html(Sheet("", ("t", "d"), (("2026-01-01 00:00:00.500", "a text " * 9),)))
        self.assertEqual(
            ["nowrap" in (cell.get("style") or "") for cell in ElementTree.fromstring(html).iter("td")], [True, False]
        )

    def test_array(self) -> None:
        """An array of points has it."""
        html = DatapointArray([{"t": 1.7e9, "d": "<b>"}])._repr_html_()
        self.assertEqual(len(ElementTree.fromstring(html).findall(".//td")), 3)
        self.assertIn("&lt;b&gt;", html)
