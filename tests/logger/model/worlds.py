"""The worlds that are searched."""

from __future__ import annotations

from connectordb.logger.times import later

from .world import World

FAR = (10.0, 20.0, 30.0)
NEAR = (10.0, later(10.0), later(later(10.0)))
BACK = (10.0, 5.0, 6.0)
#: A clock that was ahead, or behind, and was put right after two points; or a little behind.
FAST, BEHIND, SLOW = (30.0, 31.0, 12.0), (10.0, 11.0, 40.0), (10.0, 11.0, 15.0)

#: Of some thousand states each.
SMALL = [
    World(FAR[:1], 1, kills=1, cuts=3), World(FAR[:2], 2, kills=1, cuts=3), World(NEAR, 1, kills=1, cuts=2),
    World(NEAR, 3, kills=1, cuts=3), World(BACK, 1, kills=1, cuts=2),
    World(NEAR, 2, cuts=3, bad="a", mend=True), World(NEAR, 3, kills=1, cuts=2, bad="c"),
    World(FAR, 3, kills=1, cuts=1, odd=True), World(FAR[:1], 1, cuts=1, odd=True), World(NEAR, 1, cuts=1, odd=True, bad="b"),
    World(FAR[:1], 1, cuts=3, stall=True), World(FAR, 2, kills=1, cuts=2, stall=True), World(FAR[:2], 1, kills=1, cuts=2, anew=True),
    World(FAR[:1], 1, kills=1, cuts=3, late=True), World(FAR[:2], 2, kills=1, cuts=3, late=True), World(NEAR, 3, kills=1, cuts=2, late=True),
    World(FAR[:2], 2, kills=1, cuts=2, bad="a", late=True),
    World(FAR[:2], 2, kills=1, cuts=2, away=2), World(NEAR[:2], 2, kills=1, cuts=2, away=1, late=True),
    World(FAR[:2], 2, kills=1, cuts=1, deny=True), World(NEAR[:2], 2, cuts=1, deny=True, late=True),
    # a server that loses its last second
    World(FAR[:1], 1, lossy=True, crashes=1), World(FAR[:2], 2, lossy=True, crashes=1), World(FAR[:2], 1, kills=1, lossy=True, crashes=1),
    World(FAR[:2], 2, cuts=1, lossy=True, crashes=1), World(FAR[:1], 1, others=1, lossy=True, crashes=1),
    World(NEAR, 3, lossy=True, crashes=1), World(FAR[:2], 2, lossy=True, anew=True), World(FAR[:2], 2, cuts=1, lossy=True, backup=True),
    # one that knows names
    World(FAR[:1], 1, kills=1, cuts=2, late=True, keys=True), World(FAR[:2], 2, kills=1, cuts=2, late=True, keys=True),
    World(FAR[:2], 2, kills=1, cuts=2, keys=True, forget=True), World(FAR[:1], 1, kills=1, cuts=2, keys=True, replaced=2),
    World(FAR[:2], 2, kills=1, cuts=1, keys=True, backup=True), World(FAR[:2], 2, cuts=2, bad="a", mend=True, keys=True),
    # what is too old gets other times
    World(FAR[:1], 1, kills=1, cuts=1, others=1, restamp=True), World(FAR[:2], 2, cuts=1, others=2, restamp=True),
    # a user who gives times, and who drops what waits
    World(FAR[:2], 1, kills=1, cuts=1, given=15.0), World(FAR, 2, cuts=1, bad="a", mend=True, given=10.0),
    World(FAR[:2], 1, kills=1, cuts=1, clear=True), World(FAR, 2, cuts=1, others=1, clear=True),
    World(FAR[:2], 2, cuts=1, others=1, lossy=True, clear=True),
    # a clock that was wrong
    World(FAST, 2, cuts=1, wrong=-20.0), World(BEHIND, 2, cuts=1, bad="a", mend=True, wrong=20.0), World(SLOW, 2, kills=1, wrong=10.0),
]  # fmt: skip

#: Of up to some hundred thousand.
LARGE = [
    World(FAR, 1, kills=1, cuts=3), World(FAR, 3, kills=1, cuts=2, anew=True), World(FAR[:1], 1, cuts=1, others=3, anew=True),
    World(NEAR, 1, kills=1, cuts=2, late=True),
    World(FAR, 3, kills=2, cuts=3, others=1), World((*FAR, 40.0), 4, kills=1, cuts=2, others=1),
    World(FAR[:2], 2, kills=2, cuts=4, others=2), World((*FAR, 40.0), 4, kills=1, cuts=2, bad="bc", mend=True),
    World(FAR, 3, kills=1, cuts=3, others=1, bad="b", mend=True), World(FAR, 2, cuts=2, others=1, anew=True),
    World(FAR, 3, kills=1, cuts=2, bad="b", late=True), World(FAR[:2], 2, kills=1, cuts=2, others=1, late=True),
    World(NEAR[:2], 2, kills=1, cuts=2, deny=True, late=True), World(FAR[:2], 2, kills=1, cuts=1, others=2, anew=True),
    World((*FAR, 40.0), 4, kills=1, cuts=2, late=True), World((*FAR, 40.0), 4, kills=1, cuts=2, bad="b", late=True),
    World(FAR[:2], 2, others=1, lossy=True, crashes=1), World(FAR, 3, cuts=1, lossy=True, crashes=1),
    World(FAR[:2], 2, kills=1, cuts=1, lossy=True, crashes=1), World(FAR[:2], 1, kills=1, cuts=1, lossy=True, anew=True),
    World(FAR, 3, kills=1, cuts=1, lossy=True, crashes=1), World(FAR[:2], 2, cuts=1, others=1, lossy=True, crashes=1),
    World(FAR, 1, cuts=1, lossy=True, crashes=1),
    World(FAR[:2], 2, kills=1, cuts=2, keys=True, replaced=2), World(FAR[:2], 2, kills=1, cuts=1, others=1, keys=True),
    World(FAR, 3, kills=1, cuts=2, keys=True, late=True), World(NEAR[:2], 2, kills=1, cuts=1, keys=True, lossy=True, crashes=1, replaced=1),
    World(FAR[:2], 2, kills=1, cuts=1, others=1, restamp=True), World(FAR[:2], 2, kills=1, cuts=1, others=1, restamp=True, keys=True),
    World(NEAR, 3, cuts=1, others=1, restamp=True), World(FAR[:2], 2, others=1, lossy=True, crashes=1, restamp=True),
    World(FAR[:2], 2, kills=1, cuts=1, others=1, restamp=True, late=True),
    World(FAR, 2, cuts=1, others=1, given=20.0), World(FAR[:2], 2, kills=1, cuts=2, late=True, given=15.0),
    World(NEAR, 2, kills=1, cuts=2, given=NEAR[1]), World(FAR[:2], 2, cuts=1, others=1, restamp=True, given=5.0),
    World(FAR, 2, lossy=True, crashes=1, given=15.0),
    World(FAST, 2, kills=1, cuts=1, wrong=-20.0), World(BEHIND, 1, kills=1, cuts=2, wrong=20.0),
    World(FAST, 2, cuts=1, others=1, wrong=-20.0), World(FAST, 2, kills=1, cuts=2, wrong=-20.0, late=True),
    World(FAST, 2, lossy=True, crashes=1, wrong=-20.0), World(FAST, 2, cuts=1, others=1, restamp=True, wrong=-20.0),
    World(FAST, 2, kills=1, cuts=1, keys=True, wrong=-20.0, late=True),
]  # fmt: skip

#: For each rule a world in which a run without it soon goes wrong.
SHOWN = {
    "note": World(FAR[:1], 1, kills=1, cuts=3),
    "settle": World(FAR[:1], 1, cuts=3, stall=True),
    "anchor": World(FAR[:1], 1, cuts=1, others=2, anew=True),
    "older anchor": World(FAR[:1], 1, cuts=1, others=3, anew=True),
    "refusals are read for": World(FAR[:2], 2, kills=1, cuts=3),
    "certain refusals": World(FAR[:1], 1, cuts=1, odd=True),
    "lone waits": World(FAR[:1], 1, cuts=1, odd=True),
    "reshaped waits": World(NEAR, 2, cuts=3, bad="a", mend=True),
    "wait for an answer": World(FAR[:1], 1, cuts=3, stall=True),
    "lone moves": World(FAR[:1], 1, kills=1, cuts=3, late=True),
    "moves push": World(NEAR[:2], 2, kills=1, cuts=1),
    "all its times": World(FAR[:1], 1, kills=1, cuts=3, late=True),
    "split off": World(FAR[:2], 2, kills=1, cuts=2, late=True),
    "note stays": World(NEAR[:2], 2, kills=1, cuts=2, away=1, late=True),
    "denied ends": World(FAR[:2], 2, cuts=1, deny=True),
    "last time kept": World(NEAR[:2], 1, kills=1, cuts=1),
    "confirm by id": World(FAR[:2], 2, cuts=1, others=1),
    "held": World(FAR[:1], 1, lossy=True, crashes=1),
    "held are oldest": World(FAR[:2], 1, kills=1, lossy=True, crashes=1),
    "ten seconds": World(FAR[:1], 1, lossy=True, crashes=1),
    "looked at again": World(FAR[:1], 1, lossy=True, crashes=1),
    "every held batch": World(FAR[:2], 2, lossy=True, crashes=1),
    "age when asked": World(FAR[:2], 2, lossy=True, crashes=1),
    "looked once more": World(FAR[:2], 2, lossy=True, crashes=1),
    "lost goes first": World(FAR[:2], 2, kills=1, lossy=True, crashes=1),
    "noted times stay": World(FAST, 2, kills=1, cuts=1, wrong=-20.0),
    "above what was sent": World(FAST, 2, wrong=-20.0),
    "same name": World(FAR[:1], 1, kills=1, cuts=2, keys=True),
    "names as of now": World(FAR[:1], 1, kills=1, cuts=2, keys=True, replaced=1),
    "names forgotten": World(FAR[:2], 2, kills=1, cuts=2, keys=True, forget=True),
}
