"""The model's small worlds; ``python -m tests.logger.model`` searches them all."""

from __future__ import annotations

from tests.support.case import Case

from .rules import RULES
from .search import search
from .world import World
from .worlds import FAR, FAST, SHOWN


class ModelTests(Case):
    """Whatever happens to a Logger, no point is lost, none is there twice, none is out of order."""

    def test_all_rules_kept(self) -> None:
        """No run of the smallest worlds goes wrong; and what is taken for one process goes on in one way."""
        for world in (
            World(FAR[:1], 1, kills=1, cuts=3),
            World(FAR[:2], 2, kills=1, cuts=1),
            World(FAR[:1], 1, kills=1, cuts=2, late=True),
            World(FAR[:1], 1, cuts=1, others=1, anew=True),
            World(FAR[:2], 2, cuts=1, bad="a", mend=True),
            World(FAR[:2], 2, lossy=True, crashes=1),
            World(FAR[:2], 2, kills=1, cuts=1, keys=True, forget=True),
            World(FAR[:1], 1, cuts=1, keys=True, replaced=2),
            World(FAR[:1], 1, cuts=1, others=1, restamp=True),
            World(FAR[:2], 2, cuts=1, clear=True),
            World(FAR[:2], 2, cuts=1, given=15.0),
            World(FAST, 2, wrong=-20.0),
        ):
            with self.subTest(str(world)):
                self.assertEqual("\n".join(search(world, doubting=True).run), "")

    def test_each_rule_is_needed(self) -> None:
        """Without any one of the rules some run goes wrong."""
        self.assertEqual(set(SHOWN), set(RULES))
        for name in RULES:
            with self.subTest(f"without {name!r}"):
                self.assertTrue(search(SHOWN[name], name).run)
