"""Who wants what."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from connectordb.server.subscribers.hub import Hub, is_below

from ...support.case import Case

STEPS = st.lists(
    st.tuples(st.sampled_from(["subscribe", "unsubscribe", "leave"]), st.integers(0, 2), st.sampled_from("abc"))
)


class Hubs(Case):
    """Subscriptions."""

    def test_subscribing(self) -> None:
        """Twice counts once, and whoever leaves wants nothing."""
        hub: Hub[str] = Hub()
        hub.subscribe("x", "a/b/c")
        hub.subscribe("x", "a/b/c")
        hub.subscribe("y", "a/b/c")
        hub.subscribe("x", "a/b/d")
        self.assertEqual((hub.subscribers("a/b/c"), len(hub)), (("x", "y"), 3))
        hub.leave("x")
        self.assertEqual((hub.subscribers("a/b/c"), hub.subscribers("a/b/d"), hub.paths("x")), (("y",), (), ()))

    def test_below(self) -> None:
        """What is below a path is told from what only begins like it."""
        hub: Hub[str] = Hub()
        for path in ("a/b/c", "a/b/c/downlink", "a/bb/c", "b/b/c"):
            hub.subscribe("x", path)
        self.assertEqual(hub.below("a/b"), [("x", "a/b/c"), ("x", "a/b/c/downlink")])
        self.assertEqual(hub.below("a/b/c/downlink"), [("x", "a/b/c/downlink")])
        self.assertEqual(len(hub.below("")), 4)
        self.assertEqual([is_below(path, "a") for path in ("a", "a/b", "ab", "")], [True, True, False, False])

    @given(STEPS)
    def test_like_a_set(self, steps: list[tuple[str, int, str]]) -> None:
        """After any steps it holds the pairs that a set would."""
        hub: Hub[int] = Hub()
        pairs: set[tuple[int, str]] = set()
        for step, who, path in steps:
            if step == "leave":
                hub.leave(who)
                pairs = {pair for pair in pairs if pair[0] != who}
            elif step == "subscribe":
                hub.subscribe(who, path)
                pairs.add((who, path))
            else:
                hub.unsubscribe(who, path)
                pairs.discard((who, path))
            self.assertEqual({(one, each) for each in "abc" for one in hub.subscribers(each)}, pairs)
            self.assertEqual({(one, each) for one in range(3) for each in hub.paths(one)}, pairs)
            self.assertEqual({(one, each) for one in range(3) for each in "abc" if hub.wants(one, each)}, pairs)
            self.assertEqual(sum(map(hub.count, range(3))), len(pairs))
