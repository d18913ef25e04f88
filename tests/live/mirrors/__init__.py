"""Mirrors: what they hold, whom they tell, and what feeds them."""
