"""The default permissions as a file for people."""

from __future__ import annotations

from connectordb.server.rights.permission_template import render

from ...support.case import Case


class Template(Case):
    """The text of the file; that it means the default is shown with the reading."""

    def test_for_people(self) -> None:
        """It begins with what it is, says once what a key means, and fits on a screen."""
        text = render()
        self.assertTrue(text.startswith("/*\nWho may do what"))
        for told in ("// How many streams each", "// What roles grant.", 'file = "permissions.json"'):
            self.assertEqual(text.count(told), 1, told)
        longest = max(text.splitlines(), key=len)
        self.assertLessEqual(len(longest), 160, longest)
        self.assertTrue(text.endswith("}\n"))
