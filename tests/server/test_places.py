"""Places, of which each client has its share."""

from __future__ import annotations

import unittest

from connectordb.server.places import Places, TooMany


class PlacesTests(unittest.TestCase):
    """Taken, refused and given back."""

    def test_each(self) -> None:
        """One client has so many and no more; another one is not concerned."""
        places = Places(2)
        with places.one("1.1.1.1"), places.one("1.1.1.1"), places.one("1.1.1.2"):
            self.assertEqual(len(places), 3)
            with self.assertRaises(TooMany), places.one("1.1.1.1"):
                self.fail("nobody gets here")
        self.assertEqual((len(places), dict(places._taken)), (0, {}))

    def test_networks(self) -> None:
        """All addresses of a network of IPv6 are one client, and so is an IPv4 address however it is written."""
        places = Places(1)
        for first, second in (("2001:db8::1", "2001:db8::ffff"), ("1.1.1.1", "::ffff:1.1.1.1")):
            with places.one(first), self.assertRaises(TooMany), places.one(second):
                self.fail("nobody gets here")

    def test_errors(self) -> None:
        """Whatever happens meanwhile, the place is given back."""
        places = Places(1)
        with self.assertRaises(KeyError), places.one("x"):
            raise KeyError
        self.assertFalse(places)
