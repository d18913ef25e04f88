"""The small worlds of the model; ``python -m tests.logger.model`` searches them all."""

from __future__ import annotations

from tests.support.case import Case

from .rules import ALL, RULES
from .search import search
from .worlds import SHOWN, SMALL


class ModelTests(Case):
    """Whatever happens to a Logger, no point is lost, none is there twice, none is out of order."""

    def test_all_rules_kept(self) -> None:
        """No run of the small worlds goes wrong."""
        for world in SMALL:
            with self.subTest(str(world)):
                self.assertEqual("\n".join(search(world, ALL).run), "")

    def test_each_rule_is_needed(self) -> None:
        """Without any one of the rules some run goes wrong."""
        self.assertEqual(list(SHOWN), list(RULES))
        for name, rule in RULES.items():
            with self.subTest(f"without {name!r}"):
                self.assertTrue(search(SHOWN[name], rule).run)
