"""Tests of `connectordb.logger.sync.plan`."""

from __future__ import annotations

from hypothesis import strategies as st

from connectordb.logger.sync import plan
from connectordb.logger.sync.plan import Attempt, Batch, Step
from connectordb.protocol.proof import Answer
from tests.support.case import Case

LONE, MANY = Batch(1, 10.0), Batch(5, 10.0)
times = st.floats(1e-6, 1e11)


class StepTests(Case):
    """A batch goes again only when that cannot store it twice."""

    def test_stored(self) -> None:
        """What was answered with ok is taken off."""
        self.assertIs(plan.answered(MANY, Attempt(tried=True), Answer.STORED)[0], Step.CONFIRM)

    def test_lone_point_waits(self) -> None:
        """A lone point in doubt is read for after the wait, and goes again with another time."""
        for step, attempt in (plan.found(LONE, 0), plan.answered(LONE, Attempt(), Answer.UNKNOWN)):
            self.assertIs(step, Step.WAIT)
            step, attempt = plan.waited(attempt)
            self.assertIs(step, Step.READ)
            self.assertIs(plan.looked(LONE, attempt, any_found=False, newest=10.0)[0], Step.MOVE)

    def test_batch_goes_again_in_its_shape(self) -> None:
        """A batch in doubt is read for at once, and goes again as it was: its first copy would have it refused."""
        step, attempt = plan.found(MANY, 0)
        self.assertIs(step, Step.READ)
        step, attempt = plan.looked(MANY, attempt, any_found=False, newest=9.0)
        self.assertIs(step, Step.SEND)
        self.assertIs(plan.answered(MANY, attempt, Answer.OLDER)[0], Step.READ)

    def test_found(self) -> None:
        """What is found is taken off, whatever else is known."""
        for attempt in (Attempt(), Attempt(tried=True), Attempt(refused=True, unknown=5)):
            self.assertIs(plan.looked(MANY, attempt, any_found=True, newest=99.0)[0], Step.FOUND)

    def test_older(self) -> None:
        """What is older than the stream's newest is set aside, but after the wait if it may be on its way."""
        self.assertIs(plan.looked(MANY, Attempt(), any_found=False, newest=11.0)[0], Step.TOO_OLD)
        self.assertIs(plan.looked(MANY, Attempt(tried=True), any_found=False, newest=11.0)[0], Step.WAIT)

    def test_refused(self) -> None:
        """A refused batch is halved, a lone point set aside; one that may be on its way waits first."""
        self.assertIs(plan.answered(MANY, Attempt(), Answer.REFUSED)[0], Step.HALVE)
        self.assertIs(plan.answered(LONE, Attempt(), Answer.REFUSED)[0], Step.SET_ASIDE)
        step, attempt = plan.answered(MANY, Attempt(tried=True), Answer.REFUSED)
        self.assertIs(step, Step.WAIT)
        step, attempt = plan.waited(attempt)
        self.assertIs(plan.looked(MANY, attempt, any_found=False, newest=0.0)[0], Step.HALVE)

    def test_one_shape_is_tried_twice(self) -> None:
        """A batch that got no answer twice is halved, once nothing of it can be on its way."""
        step, attempt = plan.found(MANY, 2)
        step, attempt = plan.looked(MANY, attempt, any_found=False, newest=0.0)
        self.assertIs(step, Step.WAIT)
        step, attempt = plan.waited(attempt)
        self.assertEqual(plan.looked(MANY, attempt, any_found=False, newest=0.0), (Step.HALVE, Attempt(doubted=True)))

    def test_denied(self) -> None:
        """What concerns the stream leaves the rows where they are, and the note as well if a copy was ever in doubt."""
        self.assertIs(plan.answered(MANY, Attempt(), Answer.DENIED)[0], Step.LEAVE)
        self.assertIs(plan.answered(MANY, plan.found(MANY, 0)[1], Answer.DENIED)[0], Step.STOP)

    def test_unsent(self) -> None:
        """What was not sent leaves the rows; the note stays if a copy was ever in doubt, waited for or not."""
        self.assertIs(plan.answered(LONE, Attempt(), Answer.UNSENT)[0], Step.LEAVE)
        _, attempt = plan.found(LONE, 0)
        self.assertIs(plan.answered(LONE, attempt, Answer.UNSENT)[0], Step.STOP)
        self.assertIs(plan.answered(LONE, plan.waited(attempt)[1], Answer.UNSENT)[0], Step.STOP)

    def test_shape(self) -> None:
        """Batches shrink to what gets through in two seconds, between two points and the limit, and grow back."""
        size = 5000
        for _ in range(20):
            size = plan.shape(size, size, None)
        self.assertEqual(size, 2)
        for _ in range(5):
            size = plan.shape(size, size, 0.1)
        self.assertEqual(size, 5000)
        self.assertEqual(plan.shape(5000, 5000, 20.0), 500)
        self.assertEqual(plan.shape(500, 500, 0.5), 2000)
        self.assertEqual(plan.shape(5000, 3, 0.5), 5000)  # a few points, as no more wait, say nothing of many
        self.assertEqual(plan.shape(5000, 3, 30.0), 2)

    def test_beside(self) -> None:
        """Batches stay small where somebody inserts and they follow each other quickly."""
        self.assertEqual(plan.beside(5000, 0.003, inserting=True), 250)
        self.assertEqual(plan.beside(20, 0.003, inserting=True), 20)
        for seconds, inserting in ((0.003, False), (0.2, True), (None, True)):
            self.assertEqual(plan.beside(5000, seconds, inserting), 5000)
